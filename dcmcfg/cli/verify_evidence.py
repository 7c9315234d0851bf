"""Options of ``verify`` about the evidence."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from dcmcfg.archive.database import Database, why_not_reached
from dcmcfg.cli.loading import loaded
from dcmcfg.cli.option_group import option_group
from dcmcfg.cli.site import section_option
from dcmcfg.errors import ArchiveError, DcmcfgError
from dcmcfg.settings import Settings
from dcmcfg.verify.witnesses import Witnesses

_NOT_KNOWN = "where the files were before the move is not known"


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
            return Witnesses(log, _database(settings, archive_ae), asks_again=True)
        except DcmcfgError as error:
            return Witnesses(log, asks_again=True, warnings=(f"{_NOT_KNOWN} ({error.on}: {error.what})",))


def _database(settings: Settings, archive_ae: str) -> Database:
    """Return the archive's database; raises :class:`DcmcfgError` where it cannot be asked.

    Nobody is asked for a secret that no source has, and nothing is loaded to ask where nothing listens.
    """
    if settings.oidc is not None and settings.oidc.secret is None:
        raise ArchiveError(f"no secret for the client {settings.oidc.client_id}", on=settings.oidc.server)
    if why := why_not_reached(settings.archive_url):
        raise ArchiveError(why, on=settings.archive_url)
    found: Database = loaded("database", "database")(settings, archive_ae)
    return found


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
            default=True,
            show_default=True,
            help="Ask the archive's database (--archive-url) where the files are, before the move and after it.",
        ),
    ],
)
