"""Quantities on the command line.

Kept apart: it is used by commands that share no other option.
"""

from __future__ import annotations

import math
from typing import Any

import click


class Quantity(click.FloatRange):
    """A number in a range, and not NaN: click only compares with the bounds, and NaN is never outside them."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number; fails as :class:`click.FloatRange` does."""
        number: float = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail(f"{value} is not a number.", param, ctx)
        return number
