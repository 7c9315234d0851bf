"""``dcmcfg echo``."""

from __future__ import annotations

import functools
import ssl
from collections.abc import Callable
from dataclasses import replace

import click

from dcmcfg.aetitle import parse_ae_title
from dcmcfg.cli import invocation
from dcmcfg.cli.completers import complete_ae_title
from dcmcfg.cli.options.association_tls import TlsOptions, over_tls_option, tls_options
from dcmcfg.cli.options.examples import examples
from dcmcfg.cli.options.parallel import parallel_option
from dcmcfg.cli.options.quantities import Quantity
from dcmcfg.cli.options.site_command import SiteCommand, site_options
from dcmcfg.cli.session.directory import open_directory
from dcmcfg.cli.session.output import print_json
from dcmcfg.cli.session.status_hint import append_status_hint
from dcmcfg.connectivity.echo import AeEchoResult, EchoTarget, echo_all, select_targets
from dcmcfg.connectivity.probe import PROBE_TIMEOUTS
from dcmcfg.dicom.peer import DicomTimeouts
from dcmcfg.directory.tree_reader import read_tree
from dcmcfg.model.devices import Configuration
from dcmcfg.render.echo import echo_results_json, print_echo_results
from dcmcfg.render.terminal.console import show_progress, stdout_console
from dcmcfg.route.request import get_default_ae
from dcmcfg.settings import Settings

_MAX_TIMEOUT_S = 3600


@click.command(
    "echo",
    cls=SiteCommand,
    epilog=examples(
        ("Does the external archive answer?", "dcmcfg echo LONGTERM"),
        ("All AEs of the tree", "dcmcfg echo --all"),
        ("Is the archive's certificate good?", "dcmcfg echo DCM4CHEE --tls --tls-ca hospital-ca.pem"),
    ),
)
@click.argument("titles", nargs=-1, metavar="[AET]...", shell_complete=complete_ae_title)
@click.option("--all", "all_aes", is_flag=True, help="Call every AE of the tree that is installed and listens.")
@click.option("--calling", metavar="AET", help="Title that we call as; the archive's AE by default.")
@parallel_option
@click.option(
    "--timeout-s",
    type=Quantity(min=0, min_open=True, max=_MAX_TIMEOUT_S),
    default=PROBE_TIMEOUTS.connect,
    show_default=True,
    metavar="S",
    help="Seconds to wait for the connection, and for each answer.",
)
@over_tls_option("Call AEs at their TLS connection; by itself where an AE has no other.")
@tls_options
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@site_options
def echo_command(
    settings: Settings,
    *,
    titles: tuple[str, ...],
    all_aes: bool,
    calling: str | None,
    parallel: int,
    timeout_s: float,
    over_tls: bool,
    tls: TlsOptions,
    as_json: bool,
) -> int:
    """Call AEs with a C-ECHO, from this machine.

    At the addresses that the tree gives for them; an AE whose title others have too is named DEVICE/AE. Over TLS
    the peer's certificate is verified before anything else is sent. An echo proves no permission to store or retrieve:
    'verify' does.

    Exit code 0 when all that were called answered, 1 when one did not, or one that was named has no address.
    """
    if titles and all_aes:
        raise click.UsageError(f"--all calls every AE: name none beside it, or leave it out to call {titles[0]}")
    if not titles and not all_aes:
        raise click.UsageError("name the AEs to call, or say --all")
    named = [text if "/" in text else parse_ae_title(text) for text in titles]
    title = parse_ae_title(calling) if calling is not None else None
    with open_directory(settings) as directory:
        configuration = Configuration(read_tree(directory))
    called = select_targets(configuration, named, tls=over_tls)
    title = title or get_default_ae(configuration.get_device(settings.device), "--calling").title
    timeouts = DicomTimeouts(connect=timeout_s, acse=timeout_s, dimse=timeout_s, network=timeout_s)
    over = [each.endpoint.tls for each in called if each.endpoint is not None]
    secure = any(over)
    if over:
        tls.refuse_unused(calls_with_tls=secure)
    context = tls.get_tls_files(settings).client_context() if secure else None
    advised = functools.partial(_add_advice, settings.device)
    echoed = _echo_and_print(
        called,
        calling_ae_title=title,
        tls=context,
        parallel=parallel,
        timeouts=timeouts,
        add_advice=advised,
        named=bool(titles),
        as_json=as_json,
    )
    answers = [each.call_result.is_answered if each.call_result is not None else all_aes for each in echoed]
    return 0 if all(answers) else 1


def _echo_and_print(
    peers: tuple[EchoTarget, ...],
    *,
    calling_ae_title: str,
    tls: ssl.SSLContext | None,
    parallel: int,
    timeouts: DicomTimeouts,
    add_advice: Callable[[AeEchoResult], AeEchoResult],
    named: bool,
    as_json: bool,
) -> tuple[AeEchoResult, ...]:
    """Call them with a bar, and print what came of it; of an interrupted run what is known."""
    known: list[AeEchoResult] = []
    of = sum(each.endpoint is not None for each in peers)
    try:
        with show_progress("calling", of) as step:

            def hear(each: AeEchoResult) -> None:
                known.append(add_advice(each))
                step(len(known), of)

            called_all = echo_all(
                peers, calling_ae_title, tls=tls, parallel=parallel, timeouts=timeouts, on_result=hear
            )
            echoed = tuple(map(add_advice, called_all))
    except KeyboardInterrupt:
        if not as_json:
            print_echo_results(stdout_console(), known, calling_ae_title, len(peers), show_uncalled_steps=named)
        raise
    if as_json:
        print_json(echo_results_json(echoed, calling_ae_title))
    else:
        print_echo_results(stdout_console(), echoed, calling_ae_title, len(peers), show_uncalled_steps=named)
    return echoed


def _add_advice(device: str, echoed: AeEchoResult) -> AeEchoResult:
    """Return *echoed* with the site's options in its next steps.

    For an AE of the archive's *device* out of reach the status command is added to them.
    """
    verdict = echoed.call_result
    if verdict is not None and not verdict.is_reached and echoed.target.ae.device.name == device:
        echoed = replace(echoed, call_result=replace(verdict, next_step=append_status_hint(verdict.next_step)))
    return echoed.map_next_steps(invocation.current().insert_site_options)
