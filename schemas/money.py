"""Currencies that are taken, and how an amount of one is written."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from types import MappingProxyType

MINOR_DIGITS: Mapping[str, int] = MappingProxyType(
    {
        "AUD": 2,
        "BRL": 2,
        "CAD": 2,
        "CHF": 2,
        "EUR": 2,
        "GBP": 2,
        "JPY": 0,
        "MXN": 2,
        "NOK": 2,
        "PLN": 2,
        "SEK": 2,
        "USD": 2,
    }
)
"""By ISO 4217 code, the decimal places of the minor unit."""


def minor_digits(currency: str) -> int:
    """The same; of a currency that is not taken, what most have."""
    return MINOR_DIGITS.get(currency, 2)


def written(amount_minor: int, currency: str) -> str:
    """Such as `5.00 EUR`."""
    return f"{Decimal(amount_minor).scaleb(-minor_digits(currency))} {currency}"
