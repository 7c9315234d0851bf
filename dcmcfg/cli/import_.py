"""``dcmcfg import``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import click

from dcmcfg.aetitle import parse_ae_title
from dcmcfg.cli import invocation
from dcmcfg.cli.options.arguments import cipher_suite_option
from dcmcfg.cli.options.association_tls import TlsOptions, tls_options
from dcmcfg.cli.options.change_options import ChangeOptions, changing_options
from dcmcfg.cli.options.parallel import parallel_option
from dcmcfg.cli.options.site_command import SiteCommand, site_options
from dcmcfg.cli.session.change import apply_plan
from dcmcfg.cli.session.directory import open_directory
from dcmcfg.cli.session.rejects import RejectedItem, RejectsFile, choose_rejects_path
from dcmcfg.directory.tree_reader import read_tree
from dcmcfg.files.onboarding import read_sheet_file
from dcmcfg.model.devices import Configuration
from dcmcfg.onboard import ProbedRow, ProbeOptions, onboard
from dcmcfg.onboarding.additions import CipherSuiteSource
from dcmcfg.onboarding.proposal import RejectedRow
from dcmcfg.onboarding.reader import SheetFileType
from dcmcfg.onboarding.row import TITLE, TLS, Sheet
from dcmcfg.render.onboarding import added_aes_json, print_added_aes, print_probe_results, probe_results_json
from dcmcfg.render.terminal.console import ExtraOutput, make_stderr_console, make_stdout_console, show_progress
from dcmcfg.route.request import get_default_ae
from dcmcfg.settings import Settings

_ROWS_REJECTED = 1


@click.command("import", cls=SiteCommand)
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path, allow_dash=True))
@site_options
@click.option(
    "--input-format",
    type=click.Choice([each.value for each in SheetFileType]),
    help="Format of FILE, if its name does not end in .csv, .yaml or .json.",
)
@click.option("--probe", is_flag=True, help="Add only AEs that respond to a C-ECHO from this machine.")
@parallel_option
@click.option("--calling", metavar="AET", help="Calling AE title for --probe. Default: the archive's AE.")
@click.option(
    "--keep-unreachable", is_flag=True, help="With --probe, also add AEs that do not respond, with a warning."
)
@click.option(
    "--rejects",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="NEW",
    help="File for rejected rows. Default: the name of FILE, with .rejects before the suffix.",
)
@tls_options
@cipher_suite_option
@changing_options
def import_command(
    settings: Settings,
    options: ChangeOptions,
    *,
    file: Path,
    input_format: str | None,
    probe: bool,
    parallel: int,
    calling: str | None,
    keep_unreachable: bool,
    rejects: Path | None,
    tls: TlsOptions,
    cipher_suites: tuple[str, ...],
) -> int:
    """Add the AEs of a file.

    FILE is CSV, YAML, JSON, an Orthanc configuration (DicomModalities), or the CSV of Gazelle. The first line of CSV
    has the column names title, host, port, tls, description, role and device. YAML or JSON is a list of AEs with the
    same names as keys.

    dcmcfg makes one plan from the accepted rows. If the AE of a row already exists with the same settings, dcmcfg
    accepts the row and changes nothing. dcmcfg rejects a row if the row has an error, if the AE exists with other
    settings, or if another part of the configuration uses the title. dcmcfg writes the rejected rows with their reasons
    to a file in the same format. Fix the rows in this file, and import the file. 'dcmcfg help import-files' describes
    columns, roles and formats.

    Exit codes: 0 no row was rejected, 1 at least one row was rejected.
    """
    if not probe and (calling is not None or keep_unreachable or tls.is_given or _is_given("parallel")):
        raise click.UsageError("--parallel, --calling, --keep-unreachable and the TLS options require --probe")
    title = parse_ae_title(calling) if calling is not None else None
    rejects_path = choose_rejects_path((file,), rejects, suffix=file.suffix)
    cipher_suite_source = CipherSuiteSource(settings.device, cipher_suites)
    sheet = read_sheet_file(file, SheetFileType(input_format) if input_format else None)
    with open_directory(settings) as directory:
        tree = read_tree(directory)
        progress = _ProbeProgress()
        if probe:
            needs_tls = any(row.text(TLS) for row in sheet.rows)
            context = tls.get_tls_files(settings).client_context() if needs_tls else None
            title = title or get_default_ae(Configuration(tree).get_device(settings.device), "--calling").title
            with progress.show_results(title, on_stderr=options.stdout_reserved):
                probe_options = ProbeOptions(
                    calling_ae_title=title,
                    parallel=parallel,
                    keep_unreachable=keep_unreachable,
                    observer=progress,
                    tls=context,
                )
                proposal = onboard(tree, sheet.rows, cipher_suite_source, probe_options)
        else:
            proposal = onboard(tree, sheet.rows, cipher_suite_source)
        rejects_file = _make_rejects_file(rejects_path, sheet, proposal.rejected)
        warnings = (*sheet.warnings, *proposal.warnings)
        extra_output = ExtraOutput(
            print_below_plan=lambda console: print_added_aes(console, proposal.added),
            json_fields={
                "added_aes": added_aes_json(proposal.added),
                "probe_results": probe_results_json(proposal.probed),
            },
            show_short_ldif=False,
        )
        apply_plan(
            settings,
            directory,
            proposal.plan,
            options=options,
            warnings=warnings,
            rejects_file=rejects_file,
            extra_output=extra_output,
        )
    return _ROWS_REJECTED if proposal.rejected else 0


def _is_given(option: str) -> bool:
    # The value does not show this, because the option has a default.
    return click.get_current_context().get_parameter_source(option) is not click.core.ParameterSource.DEFAULT


class _ProbeProgress:
    """The results of the probes so far."""

    def __init__(self) -> None:
        self._advance: Callable[[int, int], None] = lambda _done, _of: None
        self._bar = ExitStack()
        self._probed: list[ProbedRow] = []
        self._total = 0

    def on_begin(self, count: int) -> None:
        """Note that *count* peers will be called, and show a progress bar for them."""
        self._total = count
        self._advance = self._bar.enter_context(show_progress("probing", count))

    def on_result(self, probed: ProbedRow) -> None:
        """Record the result for one of them."""
        self._probed.append(probed)
        self._advance(len(self._probed), self._total)

    @contextmanager
    def show_results(self, calling_ae_title: str, *, on_stderr: bool) -> Iterator[None]:
        """After the block, show the results instead of the progress bar, also if interrupted.

        The JSON of a failure also has the results.
        """
        invocation.current().partial_result = lambda: {
            "changed": False,
            "probe_results": probe_results_json(self._probed),
        }
        try:
            with self._bar:
                yield
        finally:
            ordered = sorted(self._probed, key=lambda each: each.proposal.row.index)
            print_probe_results(
                make_stderr_console() if on_stderr else make_stdout_console(), ordered, calling_ae_title, self._total
            )


def _make_rejects_file(path: Path, sheet: Sheet, rejected_rows: Sequence[RejectedRow]) -> RejectsFile:
    reasons = {each.row.index: each.reason for each in rejected_rows}
    rejected_items = (
        RejectedItem(
            str(each),
            {"location": str(each.row.location), "ae_title": each.row.text(TITLE) or None, "reason": each.reason},
        )
        for each in rejected_rows
    )

    def render_file(heading: str) -> str:
        return sheet.source_format.write_rejected_rows(
            reasons, f"{heading}; fix the rows, then run dcmcfg import with this file"
        )

    return RejectsFile(path, tuple(rejected_items), render_file, "rows")
