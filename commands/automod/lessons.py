"""What a channel's moderators taught the model by allowing and denying held messages: a fold of `lessons`."""

from __future__ import annotations

from dataclasses import dataclass, field

from commands.automod.folding import fold
from commands.automod.model import Model, features_of, share
from commands.automod.reading import even
from commands.recent import Recent

RATE = 2.0
"""How far one lesson moves the logit of the same text's score, at most."""
MOST = 8.0
"""A feature's weight stays within it, whatever is taught."""
_GRAIN = 1 << 10
"""Weights are whole multiples of its inverse, so that sums are exact and no platform's rounding shows."""
_FEATURES = 8_192
_MESSAGES = 500


@dataclass(frozen=True, slots=True)
class Lessons:
    """`weights`: by feature, in 1/1024, what is added to the model's. The latest taught are kept."""

    weights: Recent[int, int] = field(default_factory=lambda: Recent(_FEATURES))
    learned: Recent[str, bool] = field(default_factory=lambda: Recent(_MESSAGES))
    """The latest messages that taught: an append that is repeated after a crash lies close behind the first."""

    def taught(self, features: frozenset[int]) -> dict[int, float]:
        return {feature: weight / _GRAIN for feature in features if (weight := self.weights.get(feature))}

    def learn(self, model: Model, message_id: str, text: str, toxic: bool) -> Lessons:
        """One step of stochastic gradient descent, once a message."""
        if self.learned.get(message_id):
            return self
        features = features_of(even(fold(text)))
        error = float(toxic) - model.score(features, self.taught(features))
        step = round(RATE * error / (len(features) * share(len(features))) * _GRAIN) if features else 0
        weights = self.weights
        for feature in sorted(features):
            weight = (weights.get(feature) or 0) + step
            weights = weights.put(feature, max(-round(MOST * _GRAIN), min(round(MOST * _GRAIN), weight)))
        return Lessons(weights, self.learned.put(message_id, True))
