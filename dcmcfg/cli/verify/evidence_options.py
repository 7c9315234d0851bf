"""Options of ``verify`` about the evidence."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import click

from dcmcfg.cli.archive_database import NOT_KNOWN, reach_database
from dcmcfg.cli.options.site import option_group, section_option
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
    qido: bool | None

    def witnesses(self, settings: Settings, archive_ae: str) -> Witnesses:
        """Return the witnesses of one study beside the archive's DICOM service."""
        log = self.external_log or settings.external_move_log
        found = self._with_database(settings, archive_ae, log) if self.qido is not False else Witnesses(log)
        return replace(found, asks_again=True)

    def witnesses_of_many(self, settings: Settings, archive_ae: str) -> Witnesses:
        """Return the witnesses of each of many studies, which take time: only those named, or all for the route."""
        log = self.external_log or (settings.external_move_log if self.require_route else None)
        asks = self.require_route if self.qido is None else self.qido
        return self._with_database(settings, archive_ae, log) if asks else Witnesses(log)

    def _with_database(self, settings: Settings, archive_ae: str, log: Path | None) -> Witnesses:
        try:
            return Witnesses(log, reach_database(settings, archive_ae))
        except DcmcfgError as error:
            return Witnesses(log, warnings=(f"{NOT_KNOWN} ({error.on}: {error.what})",))


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
            help="Log of the external archive (JSON lines, Orthanc, dcmtk or dcm4che dcmqrscp, dcm4chee server.log), "
            "or the server.log of the archive itself.",
        ),
        _option(
            "--qido/--no-qido",
            default=None,
            help="Ask the archive's database (--archive-url) where the files are, before and after the move. Default "
            "for one study, and for many with --require-route.",
        ),
    ],
)
