"""Amounts as they are written."""

from __future__ import annotations

import pytest

from schemas.money import MINOR_DIGITS, written


@pytest.mark.parametrize(
    ("amount_minor", "currency", "text"),
    [
        (500, "EUR", "5.00 EUR"),
        (1, "USD", "0.01 USD"),
        (500, "JPY", "500 JPY"),
        (10_000_000, "GBP", "100000.00 GBP"),
        (250, "XXX", "2.50 XXX"),
    ],
)
def test_an_amount_is_written_in_the_currencys_major_unit(amount_minor: int, currency: str, text: str) -> None:
    assert written(amount_minor, currency) == text


def test_every_currency_has_a_code_of_iso_4217() -> None:
    assert all(len(code) == 3 and code.isupper() for code in MINOR_DIGITS)
