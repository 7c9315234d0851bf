"""Options of ``verify`` about files in which its evidence is kept."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import click

from dcmcfg.cli.option_group import option_group
from dcmcfg.cli.output import refuse_unwritable, write_whole
from dcmcfg.render.proof import proof_json
from dcmcfg.render.proof_page import proof_page
from dcmcfg.settings import Settings
from dcmcfg.verify.proof import Proof, SiteSetting

_JSON, _HTML = ".json", ".html"


@dataclass(frozen=True)
class EvidenceFiles:
    """The files, and whether they may take the place of those that exist."""

    evidence: tuple[str, ...]
    replace: bool

    def refuse_unwritable(self) -> None:
        """Raise :class:`~dcmcfg.errors.DcmcfgError` when one of them cannot be written."""
        for file in self.evidence:
            refuse_unwritable(file, new=not self.replace)

    def write(self, proof: Proof) -> None:
        """Write each whole or not at all, and say so on stderr; raises :class:`~dcmcfg.errors.DcmcfgError`."""
        for file in self.evidence:
            write_whole(file, _text(file, proof), new=not self.replace)
            click.echo(f"evidence: {file}", err=True)


def site_settings(settings: Settings) -> tuple[SiteSetting, ...]:
    """Return what *settings* say of the site, secrets left out."""
    named = {
        "profile": settings.profile,
        "ldap_url": settings.ldap_url,
        "base_dn": str(settings.base_dn),
        "bind_dn": settings.identity,
        "device": settings.device,
        "archive_url": settings.archive_url,
    }
    return tuple(
        SiteSetting(name, value, settings.origins.get(name, "default")) for name, value in named.items() if value
    )


def _text(file: str, proof: Proof) -> Iterable[str]:
    return proof_page(proof) if _ending(file) == _HTML else [json.dumps(proof_json(proof), indent=2), "\n"]


def _ending(file: str) -> str:
    return Path(file).suffix.lower()


def _by_ending(_: click.Context, __: click.Parameter, files: tuple[str, ...]) -> tuple[str, ...]:
    for file in files:
        if _ending(file) not in (_JSON, _HTML):
            raise click.BadParameter(f"{file} ends neither in {_JSON} nor in {_HTML}")
    if len({Path(file).resolve() for file in files}) < len(files):
        raise click.BadParameter("the same file twice")
    return files


file_options = option_group(
    "files",
    EvidenceFiles,
    [
        click.option(
            "--evidence",
            multiple=True,
            callback=_by_ending,
            metavar="FILE",
            help="Keep what was configured, asked, answered and received in FILE.json or FILE.html; repeatable.",
        ),
        click.option("--replace", is_flag=True, help="Let files that are written replace those that exist."),
    ],
)
