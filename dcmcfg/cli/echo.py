"""``dcmcfg echo``."""

from __future__ import annotations

import functools
import ssl
from collections.abc import Callable
from dataclasses import replace
from urllib.parse import urlsplit

import click

from dcmcfg.aetitle import parse_ae_title
from dcmcfg.cli import invocation
from dcmcfg.cli.completers import complete_ae_title
from dcmcfg.cli.options.association_tls import TlsOptions, over_tls_option, tls_options
from dcmcfg.cli.options.display_options import wide_option
from dcmcfg.cli.options.node_options import node_name_option
from dcmcfg.cli.options.output_options import json_option, output_option
from dcmcfg.cli.options.parallel import parallel_option
from dcmcfg.cli.options.quantities import Quantity
from dcmcfg.cli.options.site_command import SiteCommand, site_options
from dcmcfg.cli.session.directory import open_directory
from dcmcfg.cli.session.output import print_json
from dcmcfg.cli.session.status_hint import append_status_hint
from dcmcfg.connectivity.echo import AeEchoResult, EchoTarget, call_at_node, echo_all, select_targets
from dcmcfg.connectivity.probe import PROBE_TIMEOUTS
from dcmcfg.dicom.peer import DicomTimeouts
from dcmcfg.directory.tree_reader import read_tree
from dcmcfg.model.devices import Configuration
from dcmcfg.render.echo import echo_results_json, print_echo_results
from dcmcfg.render.terminal.console import make_stdout_console, show_progress
from dcmcfg.route.request import get_default_ae
from dcmcfg.settings import Settings
from dcmcfg.settings.nodes import select_node_settings

_MAX_TIMEOUT_S = 3600


@click.command("echo", cls=SiteCommand)
@click.argument("titles", nargs=-1, metavar="[AET]...", shell_complete=complete_ae_title)
@click.option(
    "--all", "all_aes", is_flag=True, help="Call every AE that is installed and has a connection with a port."
)
@click.option("--calling", metavar="AET", help="Calling AE title; the archive's AE by default.")
@parallel_option
@click.option(
    "--timeout-s",
    type=Quantity(min=0, min_open=True, max=_MAX_TIMEOUT_S),
    default=PROBE_TIMEOUTS.connect,
    show_default=True,
    metavar="S",
    help="Time-out in seconds for the connection and for each response.",
)
@over_tls_option("Use the TLS connection of each AE. An AE with only a TLS connection is always called over TLS.")
@tls_options
@node_name_option
@wide_option
@json_option
@output_option
@site_options
def echo_command(
    settings: Settings,
    *,
    titles: tuple[str, ...],
    all_aes: bool,
    node: str | None,
    calling: str | None,
    parallel: int,
    timeout_s: float,
    over_tls: bool,
    tls: TlsOptions,
    as_json: bool,
) -> int:
    """Send a C-ECHO to AEs from this machine.

    The addresses come from the configuration. With --node, dcmcfg calls the archive's own AEs at the host of the node.
    Over TLS, dcmcfg first verifies the certificate of the peer. A successful C-ECHO does not prove that the AE permits
    a store or a retrieve. To prove a retrieve, use 'dcmcfg verify'.

    Exit codes: 0 all AEs responded. 1 an AE did not respond, or an AE that you specified has no address.
    """
    if titles and all_aes:
        raise click.UsageError(f"--all and AET exclude each other. To call {titles[0]} only, omit --all")
    if not titles and not all_aes:
        raise click.UsageError("Specify AEs to call, or --all")
    node_settings = select_node_settings(settings, node)
    names = [text if "/" in text else parse_ae_title(text) for text in titles]
    title = parse_ae_title(calling) if calling is not None else None
    with open_directory(settings) as directory:
        configuration = Configuration(read_tree(directory))
    targets = select_targets(configuration, names, tls=over_tls)
    if node_settings.node:
        targets = call_at_node(targets, settings.device, urlsplit(node_settings.archive_url).hostname or "")
    title = title or get_default_ae(configuration.get_device(settings.device), "--calling").title
    timeouts = DicomTimeouts(connect=timeout_s, acse=timeout_s, dimse=timeout_s, network=timeout_s)
    uses_tls = [each.endpoint.tls for each in targets if each.endpoint is not None]
    needs_tls = any(uses_tls)
    if uses_tls:
        tls.refuse_unused(calls_with_tls=needs_tls)
    context = tls.get_tls_files(settings).client_context() if needs_tls else None
    add_advice = functools.partial(_add_advice, settings.device)
    results = _echo_and_print(
        targets,
        calling_ae_title=title,
        tls=context,
        parallel=parallel,
        timeouts=timeouts,
        add_advice=add_advice,
        named=bool(titles),
        as_json=as_json,
    )
    answered = [each.call_result.is_success if each.call_result is not None else all_aes for each in results]
    return 0 if all(answered) else 1


def _echo_and_print(
    targets: tuple[EchoTarget, ...],
    *,
    calling_ae_title: str,
    tls: ssl.SSLContext | None,
    parallel: int,
    timeouts: DicomTimeouts,
    add_advice: Callable[[AeEchoResult], AeEchoResult],
    named: bool,
    as_json: bool,
) -> tuple[AeEchoResult, ...]:
    """Call the targets with a progress bar, and print the results; if interrupted, those so far."""
    results_so_far: list[AeEchoResult] = []
    target_count = sum(each.endpoint is not None for each in targets)
    try:
        with show_progress("calling", target_count) as step:

            def collect(each: AeEchoResult) -> None:
                results_so_far.append(add_advice(each))
                step(len(results_so_far), target_count)

            all_results = echo_all(
                targets, calling_ae_title, tls=tls, parallel=parallel, timeouts=timeouts, on_result=collect
            )
            results = tuple(map(add_advice, all_results))
    except KeyboardInterrupt:
        if not as_json:
            print_echo_results(
                make_stdout_console(), results_so_far, calling_ae_title, len(targets), show_uncalled_steps=named
            )
        raise
    if as_json:
        print_json(echo_results_json(results, calling_ae_title))
    else:
        print_echo_results(make_stdout_console(), results, calling_ae_title, len(targets), show_uncalled_steps=named)
    return results


def _add_advice(device: str, result: AeEchoResult) -> AeEchoResult:
    """Return *result*; the commands in its next steps have the site options.

    For an unreachable AE of the archive's *device*, the next step also has the status command.
    """
    call_result = result.call_result
    if call_result is not None and not call_result.is_reached and result.target.ae.device.name == device:
        result = replace(result, call_result=replace(call_result, next_step=append_status_hint(call_result.next_step)))
    return result.map_next_steps(invocation.current().insert_site_options)
