"""Options of ``verify`` about the evidence."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from dcmcfg.cli.archive_database import NOT_KNOWN, reach_database
from dcmcfg.cli.option_group import option_group
from dcmcfg.cli.site import section_option
from dcmcfg.errors import DcmcfgError
from dcmcfg.settings import Settings
from dcmcfg.verify.witnesses import Witnesses


@dataclass(frozen=True)
class EvidenceWanted:
    """What the verdict takes into account, and what it takes for enough."""

    expect: int | None
    require_witness: bool
    require_route: bool
    external_log: Path | None
    qido: bool

    def witnesses(self, settings: Settings, archive_ae: str) -> Witnesses:
        """Return who is heard beside the archive's DICOM service."""
        log = self.external_log or settings.external_move_log
        if not self.qido:
            return Witnesses(log, asks_again=True)
        try:
            return Witnesses(log, reach_database(settings, archive_ae), asks_again=True)
        except DcmcfgError as error:
            return Witnesses(log, asks_again=True, warnings=(f"{NOT_KNOWN} ({error.on}: {error.what})",))


_option = section_option("What counts")
evidence_options = option_group(
    "wanted",
    EvidenceWanted,
    [
        _option("--expect", type=click.IntRange(min=1), metavar="N", help="Number of instances that must arrive."),
        _option(
            "--require-witness", is_flag=True, help="Refuse to ask unless we receive, and so can see, the instances."
        ),
        _option("--require-route", is_flag=True, help="Exit 1 unless the route through the external archive is shown."),
        _option(
            "--external-log",
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            metavar="FILE",
            help="The external archive's own log: JSON lines, or an Orthanc's with --verbose.",
        ),
        _option(
            "--qido/--no-qido",
            default=True,
            show_default=True,
            help="Ask the archive's database (--archive-url) where the files are, before the move and after it.",
        ),
    ],
)
