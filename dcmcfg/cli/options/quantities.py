"""Numbers that are given on the command line and say how much.

Kept apart: commands use it that share no other option.
"""

from __future__ import annotations

import math
from typing import Any

import click


class Quantity(click.FloatRange):
    """A number in a range, which is no NaN: click compares with the bounds, and NaN is beyond none."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return it; fails as :class:`click.FloatRange` does."""
        number: float = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail(f"{value} is no number.", param, ctx)
        return number
