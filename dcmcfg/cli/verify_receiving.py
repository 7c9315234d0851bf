"""Options of ``verify`` about receiving."""

from __future__ import annotations

from dataclasses import dataclass

import click

from dcmcfg.cli.option_group import option_group


@dataclass(frozen=True)
class Receiving:
    """Whether we listen as the destination."""

    receive: bool


receiving_options = option_group(
    "receiving",
    Receiving,
    [click.option("--receive", is_flag=True, help="Listen as the destination, on its address in the tree.")],
)
