"""Options of ``verify`` about many studies in one run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import click
from click.core import ParameterSource

from dcmcfg.bulk.manner import PARALLEL, PATIENCE_S, RETRIES, Manner
from dcmcfg.bulk.pace import interval_of
from dcmcfg.bulk.source import FromFile, Matching, Named, Source
from dcmcfg.cli.option_group import option_group
from dcmcfg.cli.output import STDOUT, refuse_unwritable
from dcmcfg.cli.site import section_option
from dcmcfg.cli.verify_files import EvidenceFiles
from dcmcfg.dicom.query_keys import parse_keys
from dcmcfg.dicom.uid import parse_uid
from dcmcfg.verify.addresses import LONGEST_S
from dcmcfg.verify.selection import Selection

_WRITTEN = click.Path(allow_dash=True)
_MOST_AT_ONCE = 32
_MOST_RETRIES = 100
#: Options without a meaning for many studies, or for one of which nothing is kept, as they are spelt by parameter.
_OF_ONE_PATIENT = {"patient_id": "--patient-id", "patient_id_issuer": "--patient-id-issuer"}
_OF_MANY = {"parallel": "--parallel", "rate": "--rate", "retries": "--retries", "patience_s": "--patience-s"}


@dataclass(frozen=True)
class Bulk:
    """Which studies, in which manner, where the answers go."""

    studies_file: str | None
    query: str | None
    limit: int | None
    parallel: int
    rate: str | None
    retries: int
    patience_s: float
    results: Path | None
    again: bool
    only_failed: bool
    csv: str | None
    junit: str | None
    html: str | None

    def source(self, named: tuple[str, ...]) -> Source | None:
        """Return where the studies of a run over many come from; None where it is one study and nothing is kept of it.

        *named* are those of ``--study``. Raises :class:`click.UsageError` for several sources, and
        :class:`~dcmcfg.errors.MalformedInput` for what is no UID and no key.
        """
        given = [bool(named), self.studies_file is not None, self.query is not None]
        if sum(given) > 1:
            raise click.UsageError("name the studies in one way: --study UID (several times), --studies or --query")
        if self.limit is not None and self.query is None:
            raise click.UsageError("--limit goes with --query")
        if self.again and self.only_failed:
            raise click.UsageError("--again asks for all studies anew, --only-failed for those that failed")
        if self.studies_file is not None:
            return FromFile(self.studies_file)
        if self.query is not None:
            return Matching(parse_keys(self.query), self.limit)
        if not named:
            return None
        uids = tuple(map(parse_uid, named))
        if len(set(uids)) > 1 or self.is_kept:
            return Named(uids)
        _refuse(_OF_MANY, "is for many studies: --results FILE keeps one as such a run")
        return None

    def named(self, studies: tuple[str, ...]) -> str | None:
        """Return in words which studies are meant; None for none."""
        return next((each for each in (*studies, self.studies_file, self.query) if each is not None), None)

    def require_sense(
        self, source: Source, selection: Selection, expect: int | None, files: EvidenceFiles, *, as_json: bool
    ) -> None:
        """Raise :class:`click.UsageError` for what is of one study, and for reports that are in each other's way.

        Raises :class:`~dcmcfg.errors.DcmcfgError` for a report that cannot be written, and
        :class:`~dcmcfg.errors.MalformedInput` for a rate that is none, and a list with a mistake.
        """
        if not (isinstance(source, Named) and len(set(source.uids)) == 1):
            if expect is not None:
                raise click.UsageError("--expect is for one study")
            if not selection.is_whole_study:
                raise click.UsageError("--series and --image are of one study")
            _refuse(_OF_ONE_PATIENT, "is for one study: of many, the archive tells whose they are")
        if files.evidence:
            raise click.UsageError("--evidence is for one study; --csv, --junit and --html are for many")
        self._require_places(as_json=as_json, replace=files.replace)
        _ = self.manner
        if isinstance(source, FromFile):
            source.read()  # a list with a mistake ends it here: no store is made, nothing is added for it

    def _require_places(self, *, as_json: bool, replace: bool) -> None:
        """Raise where a report has no place of its own, or none at all."""
        targets = list(self.reports.values())
        if as_json and STDOUT in targets:
            raise click.UsageError("--json and a report to - are both for standard output; name a file for the report")
        if targets.count(STDOUT) > 1:
            raise click.UsageError("- is given for several reports")
        read = [each for each in (self.studies_file, self.results) if each is not None and each != STDOUT]
        written = [target for target in targets if target != STDOUT]
        paths = [Path(each).resolve() for each in (*read, *written)]
        if len(set(paths)) < len(paths):
            raise click.UsageError("the same file twice: the list, --results and each report need one of their own")
        for target in written:
            refuse_unwritable(target, new=not replace)

    @property
    def reports(self) -> dict[str, str]:
        """The files to write by form: csv, junit, html."""
        named = {"csv": self.csv, "junit": self.junit, "html": self.html}
        return {form: target for form, target in named.items() if target is not None}

    @property
    def manner(self) -> Manner:
        """How the archive is asked; raises :class:`~dcmcfg.errors.MalformedInput` for a rate that is none."""
        interval_s = interval_of(self.rate) if self.rate is not None else 0.0
        return Manner(self.parallel, self.retries, patience_s=self.patience_s, interval_s=interval_s)

    @property
    def is_kept(self) -> bool:
        """Whether answers are to be kept, or asked for by what was kept."""
        kept = (self.results, self.csv, self.junit, self.html)
        return any(each is not None for each in kept) or self.again or self.only_failed


def _refuse(options: Mapping[str, str], why: str) -> None:
    """Raise :class:`click.UsageError` where one of *options*, spelt by parameter, is on the command line."""
    context = click.get_current_context()
    for name, spelt in options.items():
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            raise click.UsageError(f"{spelt} {why}")


_many = section_option("Many studies in one run")
bulk_options = option_group(
    "bulk",
    Bulk,
    [
        _many(
            "--studies",
            "studies_file",
            type=click.Path(allow_dash=True),
            metavar="FILE",
            help="Many studies: one UID a line, or CSV with StudyInstanceUID; - is stdin.",
        ),
        _many(
            "--query",
            metavar="KEYS",
            help="Many studies: those that match PatientID=4711,StudyDate=20240101-. With --recall, one of them.",
        ),
        _many("--limit", type=click.IntRange(min=1), metavar="N", help="Take N of those that match, and do not ask."),
        _many(
            "--parallel",
            type=click.IntRange(1, _MOST_AT_ONCE),
            default=PARALLEL,
            show_default=True,
            metavar="N",
            help="Associations at once, each used for one study after the other.",
        ),
        _many("--rate", metavar="N/s|N/min", help="No more studies than that; as fast as it goes by default."),
        _many(
            "--retries",
            type=click.IntRange(0, _MOST_RETRIES),
            default=RETRIES,
            show_default=True,
            metavar="N",
            help="Further attempts where the archive was out of resources or the association broke.",
        ),
        _many(
            "--patience-s",
            type=click.FloatRange(min=0, max=LONGEST_S),
            default=PATIENCE_S,
            show_default=True,
            metavar="S",
            help="Wait so long for an archive that is away meanwhile.",
        ),
        _many(
            "--results",
            type=click.Path(dir_okay=False, path_type=Path),
            metavar="FILE",
            help="Keep the answers there (SQLite), instead of in the user's state folder; a run goes on with them.",
        ),
        _many("--again", is_flag=True, help="Ask for all studies anew, answered or not."),
        _many("--only-failed", is_flag=True, help="Ask anew for those whose answer was no."),
        _many("--csv", type=_WRITTEN, metavar="FILE", help="Write a row for each study."),
        _many("--junit", type=_WRITTEN, metavar="FILE", help="Write JUnit XML, a test case for each study."),
        _many("--html", type=_WRITTEN, metavar="FILE", help="Write a report with pictures."),
    ],
)
