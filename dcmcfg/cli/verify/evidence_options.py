"""Options of ``verify`` about the evidence.

Options of ``verify`` about files in which its evidence is kept.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import click

from dcmcfg.cli.options.site_command import option_group, section_option
from dcmcfg.cli.session.archive_database import NOT_KNOWN, reach_database
from dcmcfg.cli.session.output import refuse_unwritable, refuse_unwritable_folder
from dcmcfg.errors import DcmcfgError
from dcmcfg.settings import Settings
from dcmcfg.verify.evidence_sources import Witnesses


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


JSON, HTML = ".json", ".html"


@dataclass(frozen=True)
class EvidenceFiles:
    """The files, of a run over many studies the folders, and whether files may take the place of those that exist."""

    evidence: tuple[str, ...]
    replace: bool

    def require_form(self, *, of_many: bool) -> None:
        """Raise :class:`click.UsageError` for a file of many studies, and a folder of one."""
        for file in self.evidence:
            is_file = ending(file) in (JSON, HTML)
            if of_many and is_file:
                raise click.UsageError(f"--evidence of many studies takes a folder, and {file} is a file")
            if not of_many and not is_file:
                raise click.UsageError(f"--evidence: {file} ends neither in {JSON} nor in {HTML}")

    def refuse_unwritable(self, *, of_many: bool) -> None:
        """Raise :class:`~dcmcfg.errors.DcmcfgError` when one of them cannot be written."""
        for file in self.evidence:
            if of_many:
                refuse_unwritable_folder(file)
            else:
                refuse_unwritable(file, new=not self.replace)


def ending(file: str) -> str:
    """Return the ending of the file's name, which says the form."""
    return Path(file).suffix.lower()


def _each_once(_: click.Context, __: click.Parameter, files: tuple[str, ...]) -> tuple[str, ...]:
    if len({Path(file).resolve() for file in files}) < len(files):
        raise click.BadParameter("the same file twice")
    return files


file_options = option_group(
    "files",
    EvidenceFiles,
    [
        _option(
            "--evidence",
            multiple=True,
            callback=_each_once,
            metavar="FILE|FOLDER",
            help="Keep what was configured, asked, answered and received in FILE.json or FILE.html; repeatable. "
            "For many studies name a folder: it gets a JSON file for each answer.",
        ),
        _option("--replace", is_flag=True, help="Let files that are written replace those that exist."),
    ],
)
