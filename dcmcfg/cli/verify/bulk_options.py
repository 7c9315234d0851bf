"""Options of ``verify`` for many studies in one run."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click

from dcmcfg.bulk.run_options import OUTAGE_TIMEOUT_S, PARALLEL, RETRIES, RunOptions
from dcmcfg.bulk.schedule import parse_rate
from dcmcfg.bulk.source import ExplicitStudies, StudyListFile, StudyQuery, StudySource
from dcmcfg.cli.options.quantities import Quantity
from dcmcfg.cli.options.site_command import option_group, section_option
from dcmcfg.dicom.query_keys import parse_keys
from dcmcfg.dicom.uid import parse_uid
from dcmcfg.verify.addresses import MAX_TIMEOUT_S

_MAX_PARALLEL = 32
_MAX_RETRIES = 100


@dataclass(frozen=True, kw_only=True)
class BulkOptions:
    """The options for many studies: their source, the speed, retries, and the store of results."""

    studies_file: str | None
    query: str | None
    limit: int | None
    parallel: int
    rate: str | None
    retries: int
    max_outage_s: float
    store_file: Path | None
    verify_all_again: bool
    only_failed: bool

    def make_source(self, study_uids: tuple[str, ...]) -> StudySource | None:
        """Return the source of the studies; None for one study whose result is not stored.

        *study_uids* are those of ``--study``. Raises :class:`~dcmcfg.errors.MalformedInput` for an invalid UID or key.
        """
        if self.studies_file is not None:
            return StudyListFile(self.studies_file)
        if self.query is not None:
            return StudyQuery(parse_keys(self.query), self.limit)
        uids = tuple(map(parse_uid, study_uids))
        return ExplicitStudies(uids) if len(set(uids)) > 1 or (uids and self.is_stored) else None

    def require_valid(self, source: StudySource) -> None:
        """Raise :class:`~dcmcfg.errors.MalformedInput` for an invalid rate, and for a list with an error."""
        _ = self.run_options
        if isinstance(source, StudyListFile):
            source.read()  # fail before a store is created or a temporary destination is added

    @property
    def run_options(self) -> RunOptions:
        """The options of the run; raises :class:`~dcmcfg.errors.MalformedInput` for an invalid rate."""
        interval_s = parse_rate(self.rate) if self.rate is not None else 0.0
        return RunOptions(self.parallel, self.retries, outage_timeout_s=self.max_outage_s, min_interval_s=interval_s)

    @property
    def is_stored(self) -> bool:
        """Whether results are stored, or selected by stored results."""
        return self.store_file is not None or bool(self.storing_option)

    @property
    def storing_option(self) -> str:
        """The option, other than ``--results``, that stores results; empty if there is none."""
        storing_options = {"again": self.verify_all_again, "only-failed": self.only_failed}
        return next((f"--{name}" for name, is_given in storing_options.items() if is_given), "")


_bulk_option = section_option("Many studies")
bulk_options = option_group(
    "bulk",
    BulkOptions,
    [
        _bulk_option(
            "--studies",
            "studies_file",
            type=click.Path(allow_dash=True),
            metavar="FILE",
            help="File with a list of studies: one UID per line, or CSV with the column StudyInstanceUID. '-' is "
            "standard input.",
        ),
        _bulk_option(
            "--query",
            metavar="KEYS",
            help=(
                "Verify the studies that match these keys, such as "
                "PatientID=4711,StudyDate=20240101-. With --recall, verify only one of the studies."
            ),
        ),
        _bulk_option(
            "--limit",
            type=click.IntRange(min=1),
            metavar="N",
            help="Verify at most N of the matching studies, without confirmation.",
        ),
        _bulk_option(
            "--parallel",
            type=click.IntRange(1, _MAX_PARALLEL),
            default=PARALLEL,
            show_default=True,
            metavar="N",
            help="Number of associations that are open at the same time.",
        ),
        _bulk_option(
            "--rate", metavar="N/s|N/min", help="Maximum number of studies per second or minute; unlimited by default."
        ),
        _bulk_option(
            "--retries",
            type=click.IntRange(0, _MAX_RETRIES),
            default=RETRIES,
            show_default=True,
            metavar="N",
            help="Number of retries if the archive is out of resources or the association is aborted.",
        ),
        _bulk_option(
            "--patience-s",
            "max_outage_s",
            type=Quantity(min=0, max=MAX_TIMEOUT_S),
            default=OUTAGE_TIMEOUT_S,
            show_default=True,
            metavar="S",
            help="Seconds to wait for an archive that does not respond.",
        ),
        _bulk_option(
            "--results",
            "store_file",
            type=click.Path(dir_okay=False, path_type=Path),
            metavar="FILE",
            help="Store the results in FILE (SQLite) instead of the state folder. To continue a run, specify the "
            "same FILE again.",
        ),
        _bulk_option("--again", "verify_all_again", is_flag=True, help="Verify all studies again."),
        _bulk_option(
            "--only-failed",
            is_flag=True,
            help="Verify the failed studies again. dcmcfg keeps successful results, even if the configuration has "
            "changed since then.",
        ),
    ],
)
