"""Options of ``verify`` about the evidence."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from dcmcfg.archive.qido import LONGEST_BODY, TIMEOUTS, Qido
from dcmcfg.cli.archive_control import web_services
from dcmcfg.cli.option_group import option_group
from dcmcfg.errors import DcmcfgError
from dcmcfg.settings import Settings
from dcmcfg.verify.witnesses import Witnesses

_NOT_ASKED = "the archive's database is not asked where the files are"


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
        qido = _qido(settings, archive_ae) if self.qido else None
        return Witnesses(self.external_log or settings.external_move_log, qido, asks_again=True)


def _qido(settings: Settings, archive_ae: str) -> Qido | None:
    """Return the search service of the archive's AE; nobody is asked for a secret that no source has."""
    if settings.oidc is not None and settings.oidc.secret is None:
        click.echo(f"warning: {_NOT_ASKED}: no secret for the client {settings.oidc.client_id}", err=True)
        return None
    try:
        return Qido(settings.archive_url, archive_ae, web_services(settings, TIMEOUTS, LONGEST_BODY))
    except DcmcfgError as error:
        click.echo(f"warning: {_NOT_ASKED}: {error}", err=True)
        return None


evidence_options = option_group(
    "wanted",
    EvidenceWanted,
    [
        click.option("--expect", type=click.IntRange(min=1), metavar="N", help="Number of instances that must arrive."),
        click.option("--require-witness", is_flag=True, help="Exit 1 unless our own receiver saw the instances."),
        click.option(
            "--require-route", is_flag=True, help="Exit 1 unless the route through the external archive is shown."
        ),
        click.option(
            "--external-log",
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            metavar="FILE",
            help="The external archive's own log: JSON lines, or an Orthanc's with --verbose.",
        ),
        click.option(
            "--qido/--no-qido",
            default=True,
            show_default=True,
            help="Ask the archive's database (--archive-url) where the files are, before the move and after it.",
        ),
    ],
)
