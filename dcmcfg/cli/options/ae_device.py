"""The option that names the device of an AE.

Kept apart: ``cli/options/arguments.py`` loads the history and the cipher suites, which ``ae show`` does not use.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import click

from dcmcfg.cli.completers import complete_device

F = TypeVar("F", bound=Callable[..., object])


def ae_device_option(function: F) -> F:
    """Return *function* with ``--device``, whose parameter ``on_device`` is the name of the AE's device or None."""
    return click.option(
        "--device",
        "on_device",
        metavar="NAME",
        shell_complete=complete_device,
        help="Device of the AE, if several devices have an AE with this title.",
    )(function)
