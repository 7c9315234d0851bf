"""Options of ``verify`` about receiving."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from dcmcfg.cli.option_group import option_group
from dcmcfg.cli.site import section_option
from dcmcfg.verify.listening import Listening


@dataclass(frozen=True)
class Receiving:
    """The options as they were given."""

    receive: bool
    keep: Path | None
    digests: bool

    def listening(self) -> Listening | None:
        """Return how we listen as the destination, None where we do not; whoever keeps files must receive them."""
        return self.manner if self.receive or self.keep else None

    @property
    def manner(self) -> Listening:
        """How we listen wherever we do."""
        return Listening(self.keep, self.digests)


_option = section_option("Who receives")
receiving_options = option_group(
    "receiving",
    Receiving,
    [
        _option("--receive", is_flag=True, help="Listen as the destination, on its address in the tree."),
        _option(
            "--keep",
            type=click.Path(file_okay=False, path_type=Path),
            metavar="DIR",
            help="Keep what is received as files in DIR, and read each one back; implies --receive.",
        ),
        _option(
            "--digests/--no-digests",
            default=True,
            show_default=True,
            help="Take a SHA-256 of each data set received.",
        ),
    ],
)
