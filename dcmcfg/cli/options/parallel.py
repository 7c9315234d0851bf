"""The option for parallel calls. Kept apart: only ``echo`` and ``import`` load dcmcfg.connectivity."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import click

from dcmcfg.connectivity.probe import DEFAULT_PARALLEL

F = TypeVar("F", bound=Callable[..., object])
_MAX_PARALLEL = 64


def parallel_option(function: F) -> F:
    """Return *function* with ``--parallel``."""
    return click.option(
        "--parallel",
        type=click.IntRange(1, _MAX_PARALLEL),
        default=DEFAULT_PARALLEL,
        show_default=True,
        metavar="N",
        help="Number of peers that dcmcfg calls at the same time.",
    )(function)
