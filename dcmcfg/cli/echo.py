"""``dcmcfg echo``."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from urllib.parse import urlsplit

import click

from dcmcfg.aetitle import parse_ae_title
from dcmcfg.cli import invocation
from dcmcfg.cli.completers import complete_ae_title
from dcmcfg.cli.options.association_tls import TlsOptions, over_tls_option, tls_options
from dcmcfg.cli.options.display_options import wide_option
from dcmcfg.cli.options.node_options import node_name_option
from dcmcfg.cli.options.output_options import HTML, JSON, MARKDOWN, REPORT_FORMS, TEXT, format_option, output_option
from dcmcfg.cli.options.parallel import parallel_option
from dcmcfg.cli.options.quantities import Quantity
from dcmcfg.cli.options.site_command import SiteCommand, site_options
from dcmcfg.cli.session.directory import open_directory
from dcmcfg.cli.session.output import print_json
from dcmcfg.cli.session.report_output import print_formatted_report
from dcmcfg.cli.session.status_hint import append_status_hint
from dcmcfg.connectivity.call import CallResult
from dcmcfg.connectivity.echo import AeEchoResult, EchoTarget, call_at_node, echo_all, select_targets
from dcmcfg.connectivity.echo_matrix import (
    EchoMatrix,
    call_matrix,
    expand_nodes,
    list_calling_ae_titles,
    make_matrix,
)
from dcmcfg.connectivity.probe import PROBE_TIMEOUTS
from dcmcfg.dicom.peer import DicomTimeouts
from dcmcfg.directory.tree_reader import read_tree
from dcmcfg.model.devices import Configuration
from dcmcfg.render.echo import echo_results_json, print_echo_results
from dcmcfg.render.echo_matrix import echo_matrix_json, print_echo_matrix
from dcmcfg.render.echo_report import build_echo_matrix_report, build_echo_report
from dcmcfg.render.terminal.console import make_stdout_console, show_progress
from dcmcfg.route.request import get_default_ae
from dcmcfg.settings import Settings, format_site_headline
from dcmcfg.settings.nodes import select_node_settings

_MAX_TIMEOUT_S = 3600


@click.command("echo", cls=SiteCommand)
@click.argument("titles", nargs=-1, metavar="[AET]...", shell_complete=complete_ae_title)
@click.option(
    "--all", "all_aes", is_flag=True, help="Call every AE that is installed and has a connection with a port."
)
@click.option(
    "--calling",
    multiple=True,
    metavar="AET",
    help="Calling AE title. Default: the archive's AE. If the option is repeated, the result is a matrix.",
)
@click.option(
    "--matrix",
    is_flag=True,
    help="Call each AE once for each AE title of the archive, with this title as the calling AE title. The result is a "
    "matrix. The archive's own AEs are called at each node.",
)
@parallel_option
@click.option(
    "--timeout-s",
    type=Quantity(min=0, min_open=True, max=_MAX_TIMEOUT_S),
    default=PROBE_TIMEOUTS.connect,
    show_default=True,
    metavar="S",
    help="Time-out in seconds for the connection and for each response.",
)
@over_tls_option("Use the TLS connection of each AE. An AE that has only TLS connections is always called over TLS.")
@tls_options
@node_name_option
@wide_option
@format_option(TEXT, JSON, MARKDOWN, HTML)
@output_option
@site_options
def echo_command(
    settings: Settings,
    *,
    titles: tuple[str, ...],
    all_aes: bool,
    node: str | None,
    calling: tuple[str, ...],
    matrix: bool,
    parallel: int,
    timeout_s: float,
    over_tls: bool,
    tls: TlsOptions,
    form: str,
) -> int:
    """Send a C-ECHO to AEs from this machine.

    The addresses come from the configuration. With --node, dcmcfg calls the archive's own AEs at the host of the node.
    Over TLS, dcmcfg first verifies the certificate of the peer. A successful C-ECHO does not prove that the AE permits
    a store or a retrieve. To prove a retrieve, use 'dcmcfg verify'.

    A peer may accept one calling AE title and refuse another. With --matrix, dcmcfg calls each AE several times: once
    with each AE title of the archive as calling AE title. AEs of the archive that cannot open associations are omitted.
    dcmcfg shows one line for each called AE.

    Exit codes: 0 all AEs responded. 1 an AE did not respond, or an AE that you specified has no address.
    """
    if titles and all_aes:
        raise click.UsageError(f"--all and AET cannot be used together. To call {titles[0]} only, omit --all")
    if not titles and not all_aes:
        raise click.UsageError("Specify AEs to call, or --all")
    node_settings = select_node_settings(settings, node)
    names = [text if "/" in text else parse_ae_title(text) for text in titles]
    calling_titles = tuple(dict.fromkeys(map(parse_ae_title, calling)))
    with open_directory(settings) as directory:
        configuration = Configuration(read_tree(directory))
    targets = select_targets(configuration, names, tls=over_tls)
    if node_settings.node:
        targets = call_at_node(targets, settings.device, _get_host(node_settings.archive_url))
    device = configuration.get_device(settings.device)
    if not calling_titles:
        calling_titles = list_calling_ae_titles(device) if matrix else (get_default_ae(device, "--calling").title,)
    uses_tls = [each.endpoint.tls for each in targets if each.endpoint is not None]
    needs_tls = any(uses_tls)
    if uses_tls:
        tls.refuse_unused(calls_with_tls=needs_tls)
    run = _EchoRun(
        settings=settings,
        tls=tls.get_tls_files(settings).client_context() if needs_tls else None,
        parallel=parallel,
        timeouts=DicomTimeouts(connect=timeout_s, acse=timeout_s, dimse=timeout_s, network=timeout_s),
        named=bool(titles),
        form=form,
    )
    if matrix or len(calling_titles) > 1:
        hosts = [] if node_settings.node else [(each.name, _get_host(each.archive_url)) for each in settings.nodes]
        rows = expand_nodes(targets, settings.device, hosts)
        results = [each for row in run.call_matrix(rows, calling_titles).rows for each in row.results]
    else:
        results = [each.call_result for each in run.call(targets, calling_titles[0])]
    answered = [result.is_success if result is not None else all_aes for result in results]
    return 0 if all(answered) else 1


def _get_host(url: str) -> str:
    return urlsplit(url).hostname or ""


@dataclass(frozen=True, kw_only=True)
class _EchoRun:
    """How AEs are called, and in which format the results are printed; with ``named``, the user specified the AEs."""

    settings: Settings
    tls: ssl.SSLContext | None
    parallel: int
    timeouts: DicomTimeouts
    named: bool
    form: str

    def call(self, targets: tuple[EchoTarget, ...], calling_ae_title: str) -> tuple[AeEchoResult, ...]:
        """Call the targets with a progress bar, and print the results; if interrupted, those so far."""
        results_so_far: list[AeEchoResult] = []
        target_count = sum(each.endpoint is not None for each in targets)
        try:
            with show_progress("calling", target_count) as step:

                def collect(each: AeEchoResult) -> None:
                    results_so_far.append(self._add_advice(each))
                    step(len(results_so_far), target_count)

                all_results = echo_all(
                    targets,
                    calling_ae_title,
                    tls=self.tls,
                    parallel=self.parallel,
                    timeouts=self.timeouts,
                    on_result=collect,
                )
                results = tuple(map(self._add_advice, all_results))
        except KeyboardInterrupt:
            if self.form == TEXT:
                self._print(results_so_far, calling_ae_title, len(targets))
            raise
        self._print(results, calling_ae_title, len(targets))
        return results

    def _print(self, results: Sequence[AeEchoResult], calling_ae_title: str, total: int) -> None:
        if self.form == JSON:
            print_json(echo_results_json(results, calling_ae_title))
        elif self.form in REPORT_FORMS:
            site, now = format_site_headline(self.settings), datetime.now(UTC)
            report = build_echo_report(results, calling_ae_title, site, now, show_uncalled_steps=self.named)
            print_formatted_report(report, self.form)
        else:
            print_echo_results(make_stdout_console(), results, calling_ae_title, total, show_uncalled_steps=self.named)

    def call_matrix(self, rows: tuple[tuple[EchoTarget, str], ...], calling_ae_titles: tuple[str, ...]) -> EchoMatrix:
        """Call each target of *rows* as each of *calling_ae_titles*, and print the matrix; if interrupted, so far."""
        collected: dict[tuple[int, int], CallResult] = {}
        call_count = len(calling_ae_titles) * sum(target.endpoint is not None for target, _ in rows)
        try:
            with show_progress("calling", call_count) as step:
                matrix = call_matrix(
                    rows,
                    calling_ae_titles,
                    tls=self.tls,
                    parallel=self.parallel,
                    timeouts=self.timeouts,
                    on_result=lambda done: step(done, call_count),
                    collected=collected,
                )
        except KeyboardInterrupt:
            if self.form == TEXT:
                self._print_matrix(make_matrix(rows, calling_ae_titles, collected))
            raise
        self._print_matrix(matrix)
        return matrix

    def _print_matrix(self, matrix: EchoMatrix) -> None:
        matrix = matrix.map_results(self._add_advice)
        if self.form == JSON:
            print_json(echo_matrix_json(matrix))
        elif self.form in REPORT_FORMS:
            site, now = format_site_headline(self.settings), datetime.now(UTC)
            report = build_echo_matrix_report(matrix, site, now, show_uncalled_steps=self.named)
            print_formatted_report(report, self.form)
        else:
            print_echo_matrix(make_stdout_console(), matrix, show_uncalled_steps=self.named)

    def _add_advice(self, result: AeEchoResult) -> AeEchoResult:
        return _add_advice(self.settings.device, result.add_address_command(is_named=self.named))


def _add_advice(device: str, result: AeEchoResult) -> AeEchoResult:
    """Return *result*; the commands in its next steps have the site options.

    For an unreachable AE of the archive's *device*, the next step also has the status command.
    """
    call_result = result.call_result
    if call_result is not None and not call_result.is_reached and result.target.ae.device.name == device:
        result = replace(result, call_result=replace(call_result, next_step=append_status_hint(call_result.next_step)))
    return result.map_next_steps(invocation.current().insert_site_options)
