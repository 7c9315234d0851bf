"""``dcmcfg onboard``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from dcmcfg.aetitle import parse_ae_title
from dcmcfg.cli import invocation
from dcmcfg.cli.options.arguments import cipher_suite_option
from dcmcfg.cli.options.association_tls import TlsOptions, tls_options
from dcmcfg.cli.options.change_options import Choices, changing_options
from dcmcfg.cli.options.parallel import parallel_option
from dcmcfg.cli.options.site_command import SiteCommand, site_options
from dcmcfg.cli.session.change import carry_out
from dcmcfg.cli.session.directory import open_directory
from dcmcfg.cli.session.rejects import Rejected, Rejects, rejects_path
from dcmcfg.directory.tree_reader import read_tree
from dcmcfg.files.onboarding import read_file
from dcmcfg.model.devices import Configuration
from dcmcfg.onboard import Probed, Probing, onboard
from dcmcfg.onboarding.additions import Secured
from dcmcfg.onboarding.proposal import LeftOut
from dcmcfg.onboarding.reader import Form
from dcmcfg.onboarding.row import TITLE, TLS, Sheet
from dcmcfg.render.onboarding import added_json, print_added, print_probed, probed_json
from dcmcfg.render.terminal.console import Beside, progress, stderr_console, stdout_console
from dcmcfg.route.request import usual_ae
from dcmcfg.settings import Settings

_LEFT_OUT = 1
#: Steps of a bar before it is known how many there are.
_SOME = 100


@click.command("onboard", cls=SiteCommand)
@click.argument("file", metavar="FILE", type=click.Path(path_type=Path, allow_dash=True))
@site_options
@click.option(
    "--format",
    "form",
    type=click.Choice([form.value for form in Form]),
    help="What FILE is, where its name does not end in .csv, .yaml or .json.",
)
@click.option("--probe", is_flag=True, help="Take a new AE only when it answers: association and C-ECHO, from here.")
@parallel_option
@click.option("--calling", metavar="AET", help="Title that --probe calls as; the archive's AE by default.")
@click.option("--keep-unreachable", is_flag=True, help="Take those too that do not answer --probe, with a warning.")
@click.option(
    "--rejects",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="NEW",
    help="Where rows that are left out are written; FILE's name with .rejects before the suffix by default.",
)
@tls_options
@cipher_suite_option
@changing_options
def onboard_command(
    settings: Settings,
    choices: Choices,
    *,
    file: Path,
    form: str | None,
    probe: bool,
    parallel: int,
    calling: str | None,
    keep_unreachable: bool,
    rejects: Path | None,
    tls: TlsOptions,
    cipher_suites: tuple[str, ...],
) -> int:
    """Add the AEs of a file, a row each.

    FILE is CSV whose first line names the columns title, host, port, tls, description, role and device; YAML or JSON
    with a list of the same keys; an Orthanc configuration (DicomModalities); or Gazelle's CSV. '-' is standard input.

    The good rows are one plan. What is so already is passed over; a row that is wrong, whose title is taken, or that
    differs from what is there is left out, written to a file of the same form with its reason, and can be mended and
    given again: exit code 1. docs/onboarding.md tells what is written for each role.
    """
    if not probe and (calling is not None or keep_unreachable or tls.given or _given("parallel")):
        raise click.UsageError("--parallel, --calling, --keep-unreachable and options for TLS go with --probe")
    title = parse_ae_title(calling) if calling is not None else None
    path = rejects_path((file,), rejects, suffix=file.suffix)
    secured = Secured(settings.device, cipher_suites)
    sheet = read_file(file, Form(form) if form else None)
    with open_directory(settings) as directory:
        tree = read_tree(directory)
        known = _Known()
        if probe:
            secure = any(row.text(TLS) for row in sheet.rows)
            context = tls.files(settings).client_context() if secure else None
            title = title or usual_ae(Configuration(tree).device(settings.device), "--calling").title
            with known.told(title, on_stderr=choices.stdout_taken):
                how = Probing(title, parallel, keep_unreachable, known, context)
                found = onboard(tree, sheet.rows, secured, how)
        else:
            found = onboard(tree, sheet.rows, secured)
        left_out = _rejects(path, sheet, found.left_out)
        warnings = (*sheet.warnings, *found.warnings)
        beside = Beside(
            show=lambda console: print_added(console, found.added),
            json={"added": added_json(found.added), "probed": probed_json(found.probed)},
            ldif=False,
        )
        carry_out(settings, directory, found.plan, choices, warnings, rejects=left_out, beside=beside)
    return _LEFT_OUT if found.left_out and not choices.dry_run else 0


def _given(option: str) -> bool:
    return click.get_current_context().get_parameter_source(option) is not click.core.ParameterSource.DEFAULT


class _Known:
    """The verdicts on peers that are known."""

    def __init__(self) -> None:
        self._step: Callable[[int, int], None] = lambda _done, _of: None
        self._probed: list[Probed] = []
        self._of = 0

    def begin(self, count: int) -> None:
        """Hear that *count* peers will be called."""
        self._of = count

    def hear(self, probed: Probed) -> None:
        """Hear the verdict on one of them."""
        self._probed.append(probed)
        self._step(len(self._probed), self._of)

    @contextmanager
    def told(self, calling: str, *, on_stderr: bool) -> Iterator[None]:
        """Show a bar as verdicts come, then what they are, though it be interrupted; a failure's JSON has them too."""
        invocation.current().so_far = lambda: {"changed": False, "probed": probed_json(self._probed)}
        try:
            with progress("probing", _SOME) as self._step:
                yield
        finally:
            ordered = sorted(self._probed, key=lambda each: each.proposal.row.number)
            print_probed(stderr_console() if on_stderr else stdout_console(), ordered, calling, self._of)


def _rejects(path: Path, sheet: Sheet, left_out: Sequence[LeftOut]) -> Rejects:
    reasons = {each.row.number: each.reason for each in left_out}
    rejected = (
        Rejected(str(each), {"place": each.row.place, "title": each.row.text(TITLE) or None, "reason": each.reason})
        for each in left_out
    )

    def text(heading: str) -> str:
        return sheet.source.with_reasons(reasons, f"{heading}; to be mended and given to dcmcfg onboard")

    return Rejects(path, tuple(rejected), text, "rows")
