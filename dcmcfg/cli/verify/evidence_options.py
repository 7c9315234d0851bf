"""The options of ``verify`` for the sources of evidence and for evidence files."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import click

from dcmcfg.cli.options.site_command import option_group, section_option
from dcmcfg.cli.session.archive_database import LOCATION_UNKNOWN_MESSAGE, connect_database
from dcmcfg.cli.session.output import require_writable_file, require_writable_folder
from dcmcfg.errors import DcmcfgError
from dcmcfg.settings import Settings
from dcmcfg.verify.evidence_sources import EvidenceSources


@dataclass(frozen=True, kw_only=True)
class EvidenceOptions:
    """The sources of evidence for the verdict, and the requirements on it."""

    expected_instances: int | None
    require_observation: bool
    require_route: bool
    external_log: Path | None
    use_qido: bool | None

    def open_evidence_sources(self, settings: Settings, archive_ae: str) -> EvidenceSources:
        """Return the evidence sources of one study, in addition to the archive's DICOM service."""
        log = self.external_log or settings.external_move_log
        sources = (
            self._open_database_source(settings, archive_ae, log)
            if self.use_qido is not False
            else EvidenceSources(log)
        )
        return replace(sources, queries_again=True)

    def open_bulk_evidence_sources(self, settings: Settings, archive_ae: str) -> EvidenceSources:
        """Return the evidence sources of many studies.

        The database takes time for each study, so it is queried only with ``--require-route`` or ``--qido``. The log of
        the profile costs little if dcmcfg waits only briefly. But a C-MOVE that is missing in the log may contradict
        the database, so with the database, dcmcfg waits longer.
        """
        log = self.external_log or settings.external_move_log
        queries_database = self.require_route if self.use_qido is None else self.use_qido
        sources = self._open_database_source(settings, archive_ae, log) if queries_database else EvidenceSources(log)
        is_brief = not (queries_database or self.require_route or self.external_log)
        return replace(sources, shares_log=True, waits_briefly_for_log=is_brief)

    def _open_database_source(self, settings: Settings, archive_ae: str, log: Path | None) -> EvidenceSources:
        try:
            return EvidenceSources(log, connect_database(settings, archive_ae))
        except DcmcfgError as error:
            return EvidenceSources(log, warnings=(f"{LOCATION_UNKNOWN_MESSAGE} ({error.subject}: {error.message})",))


_option = section_option("Evidence")
evidence_options = option_group(
    "evidence_settings",
    EvidenceOptions,
    [
        _option(
            "--expect",
            "expected_instances",
            type=click.IntRange(min=1),
            metavar="N",
            help="Number of instances that must be delivered.",
        ),
        _option(
            "--require-observation",
            is_flag=True,
            help="Require that dcmcfg itself receives the instances and observes the delivery.",
        ),
        _option(
            "--require-route",
            is_flag=True,
            help="Require proof that the study came from the external archive. Without this proof, the exit code is 1.",
        ),
        _option(
            "--external-log",
            type=click.Path(exists=True, dir_okay=False, path_type=Path),
            metavar="FILE",
            help="Log file of the external archive: JSON lines, the log of Orthanc, the log of dcmqrscp (dcmtk "
            "or dcm4che), or the server.log of dcm4chee. The server.log of the archive itself is also accepted.",
        ),
        _option(
            "--qido/--no-qido",
            "use_qido",
            default=None,
            help="Query the archive's database (--archive-url) for the location of the files, before and after the "
            "C-MOVE. If you verify one study, this is the default. If you verify several studies, this is the default "
            "with --require-route.",
        ),
    ],
)


JSON, HTML = ".json", ".html"


@dataclass(frozen=True)
class EvidenceFiles:
    """The evidence files (folders, for many studies), and whether existing files can be replaced."""

    paths: tuple[str, ...]
    replace: bool

    def require_file_type(self, *, many_studies: bool) -> None:
        """Raise :class:`click.UsageError` for a file with many studies, and for a folder with one study."""
        for file in self.paths:
            is_file = get_suffix(file) in (JSON, HTML)
            if many_studies and is_file:
                raise click.UsageError(
                    f"if you verify several studies, --evidence requires a folder, but {file} is a file name"
                )
            if not many_studies and not is_file:
                raise click.UsageError(f"--evidence: the file name {file} must end in {JSON} or {HTML}")

    def require_writable(self, *, many_studies: bool) -> None:
        """Raise :class:`~dcmcfg.errors.DcmcfgError` if one of the files cannot be written."""
        for file in self.paths:
            if many_studies:
                require_writable_folder(file)
            else:
                require_writable_file(file, must_be_new=not self.replace)


def get_suffix(file: str) -> str:
    """Return the suffix of the file name in lower case, which determines the format."""
    return Path(file).suffix.lower()


def _refuse_duplicates(_: click.Context, __: click.Parameter, files: tuple[str, ...]) -> tuple[str, ...]:
    if len({Path(file).resolve() for file in files}) < len(files):
        raise click.BadParameter("the same file is given twice")
    return files


file_options = option_group(
    "files",
    EvidenceFiles,
    [
        _option(
            "--evidence",
            "paths",
            multiple=True,
            callback=_refuse_duplicates,
            metavar="FILE|FOLDER",
            help="Save the configuration, request, responses and received instances to FILE.json or FILE.html. Can "
            "be repeated. If you verify several studies, specify a folder. dcmcfg writes one JSON file for each result "
            "to this folder.",
        ),
        _option("--replace", is_flag=True, help="Replace existing files."),
    ],
)
