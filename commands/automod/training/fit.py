"""Logistic regression on hashed features, by full batches: the same sayings give the same model."""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from commands.automod.folding import fold
from commands.automod.model import BITS, Model, features_of, share
from commands.automod.reading import even
from commands.automod.training.sayings import Saying

STEPS = 300
PENALTY = 3e-5
"""L2's, chosen on the part of the labelled comments that is for such choices (`benchmarks/comments.py`)."""
_RATE = 6.0
_MOMENTUM = 0.9


def fit(sayings: Sequence[Saying], steps: int = STEPS) -> Model:
    """Weights as whole numbers of 8 bits."""
    rows = [sorted(features_of(even(fold(saying.text)))) or [0] for saying in sayings]
    columns = np.fromiter((feature for row in rows for feature in row), np.int64)
    lengths = np.array([len(row) for row in rows])
    starts = np.concatenate(([0], np.cumsum(lengths)[:-1]))
    each = np.array([share(length) for length in lengths.tolist()])
    wanted = np.array([saying.insult for saying in sayings], np.float64)
    weights, bias = _descended(columns, lengths, starts, each, wanted, steps)
    scale = float(np.abs(weights).max()) / 127 or 1.0
    return Model(
        float(np.float32(bias)), float(np.float32(scale)), array("b", np.rint(weights / scale).astype(np.int8).tolist())
    )


def _descended(
    columns: NDArray[np.int64],
    lengths: NDArray[np.int64],
    starts: NDArray[np.int64],
    each: NDArray[np.float64],
    wanted: NDArray[np.float64],
    steps: int,
) -> tuple[NDArray[np.float64], float]:
    weights, speed = np.zeros(1 << BITS), np.zeros(1 << BITS)
    bias, bias_speed = math.log(max(wanted.mean(), 1e-3)), 0.0
    for _ in range(steps):
        ahead, bias_ahead = weights + _MOMENTUM * speed, bias + _MOMENTUM * bias_speed
        logits = bias_ahead + np.add.reduceat(ahead[columns], starts) * each
        error = (1 / (1 + np.exp(-logits)) - wanted) / len(wanted)
        slope = np.bincount(columns, np.repeat(error * each, lengths), minlength=1 << BITS) + PENALTY * ahead
        speed = _MOMENTUM * speed - _RATE * slope
        bias_speed = _MOMENTUM * bias_speed - _RATE / 10 * float(error.sum())
        weights, bias = weights + speed, bias + bias_speed
    return weights, bias
