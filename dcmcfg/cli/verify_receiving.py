"""Options of ``verify`` about receiving."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from dcmcfg.cli.options.site import option_group, section_option
from dcmcfg.verify.listening import Listening


@dataclass(frozen=True)
class Receiving:
    """The options as they were given."""

    receive: bool
    keep: Path | None

    @property
    def is_wanted(self) -> bool:
        """Whether we listen as the destination; whoever keeps files must receive them."""
        return self.receive or self.keep is not None

    def manner(self, *, sha256: bool) -> Listening:
        """Return how we listen wherever we do: with *sha256* where the digests are written down."""
        return Listening(self.keep, sha256)


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
    ],
)
