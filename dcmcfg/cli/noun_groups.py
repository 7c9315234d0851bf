"""The groups ``ae`` and ``device``, which load only the command that runs.

Kept apart: ``ae list`` would otherwise load the modules of ``ae add``.
"""

from __future__ import annotations

import click

from dcmcfg.cli.command_loader import LazyGroup


@click.group("ae", cls=LazyGroup, short_help="List, show, add, change and remove AEs.")
def ae_group() -> None:
    """List, show, add, change, rename and remove AEs."""


@click.group("device", cls=LazyGroup, short_help="List, show, create, change and remove devices.")
def device_group() -> None:
    """List, show, create, clone, change, rename and remove devices."""
