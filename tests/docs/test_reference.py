"""The reference of events cannot drift from the models."""

from schemas import reference


def test_the_committed_page_is_what_the_models_say() -> None:
    assert reference.PAGE.read_text() == reference.render(), "run: python -m schemas.reference"
