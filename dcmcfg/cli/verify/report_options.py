"""The options of ``verify`` for the format of its report, and for reports in files; for one study and for many."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click

from dcmcfg.cli.options.output_options import JSON, file_option, format_option
from dcmcfg.cli.options.site_command import option_group, section_option
from dcmcfg.cli.session.output import STDOUT, redirect_output, require_writable_file

_FILE = click.Path(allow_dash=True)
_FILE_FORMS = ("csv", "junit", "html")


@dataclass(frozen=True, kw_only=True)
class ReportOptions:
    """The format and the file of the report, and the files for reports in other formats."""

    form: str
    output: str | None
    csv: str | None
    junit: str | None
    html: str | None

    @property
    def as_json(self) -> bool:
        """Whether the report on standard output, or in the file of ``--output``, is JSON."""
        return self.form == JSON

    @property
    def files(self) -> dict[str, str]:
        """The files to write by format: csv, junit, html; ``-`` is standard output."""
        named = {"csv": self.csv, "junit": self.junit, "html": self.html}
        files = {form: target for form, target in named.items() if target is not None}
        return files | {self.form: self.output or STDOUT} if self.form in _FILE_FORMS else files

    @contextmanager
    def redirect_report(self, *, replace: bool) -> Iterator[None]:
        """Redirect the text or JSON report that the block prints to the file of ``--output``, if any."""
        if self._report_file is None:
            yield
            return
        with redirect_output(self._report_file, private=True, must_be_new=not replace):
            yield

    def require_distinct_files(self, *, read: tuple[str | Path | None, ...], replace: bool) -> None:
        """Raise :class:`click.UsageError` if two reports, or a report and a *read* file, are the same file.

        Raises :class:`~dcmcfg.errors.DcmcfgError` for a report that cannot be written.
        """
        if self.form in _FILE_FORMS and getattr(self, self.form) is not None:
            raise click.UsageError(f"--{self.form} and --format {self.form} cannot be used together")
        targets = list(self.files.values())
        if self.as_json and STDOUT in targets:
            raise click.UsageError(
                "--json and a report to - (standard output) cannot be used together; specify a file for the report"
            )
        if targets.count(STDOUT) > 1 or (STDOUT in targets and self._report_file is not None):
            raise click.UsageError(
                "only one report can be written to standard output (-); specify a file for each other report"
            )
        read_files = [each for each in read if each is not None and each != STDOUT]
        written_files = [each for each in (*targets, self._report_file) if each is not None and each != STDOUT]
        paths = [Path(each).resolve() for each in (*read_files, *written_files)]
        if len(set(paths)) < len(paths):
            raise click.UsageError(
                "the same file is given twice: --studies, --results and each report require separate files"
            )
        for target in written_files:
            require_writable_file(target, must_be_new=not replace)

    @property
    def _report_file(self) -> str | None:
        """The file for a text or JSON report."""
        return None if self.form in _FILE_FORMS or self.output == STDOUT else self.output


_option = section_option("Reports")
report_options = option_group(
    "reports",
    ReportOptions,
    [
        format_option("text", "json", *_FILE_FORMS),
        file_option("FILE", "Write the report to the new FILE; '-' is standard output.", _FILE),
        _option(
            "--csv",
            type=_FILE,
            metavar="FILE",
            help="Write a CSV file with a row for each study. Same as --format csv -o FILE.",
        ),
        _option(
            "--junit",
            type=_FILE,
            metavar="FILE",
            help="Write JUnit XML with a test case for each study. Same as --format junit -o FILE.",
        ),
        _option(
            "--html", type=_FILE, metavar="FILE", help="Write an HTML page with charts. Same as --format html -o FILE."
        ),
    ],
)
