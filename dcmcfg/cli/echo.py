"""``dcmcfg echo``."""

from __future__ import annotations

import functools
import ssl
from collections.abc import Callable
from dataclasses import replace

import click

from dcmcfg.aetitle import parse_ae_title
from dcmcfg.cli import invocation
from dcmcfg.cli.completers import complete_title
from dcmcfg.cli.options.association_tls import TlsOptions, over_tls_option, tls_options
from dcmcfg.cli.options.examples import examples
from dcmcfg.cli.options.parallel import parallel_option
from dcmcfg.cli.options.quantities import Quantity
from dcmcfg.cli.options.site_command import SiteCommand, site_options
from dcmcfg.cli.session.directory import open_directory
from dcmcfg.cli.session.output import print_json
from dcmcfg.cli.session.status_hint import with_status
from dcmcfg.connectivity.echo import Echoed, Target, echo_all, targets
from dcmcfg.connectivity.probe import PATIENCE
from dcmcfg.dicom.peer import Timeouts
from dcmcfg.directory.tree_reader import read_tree
from dcmcfg.model.devices import Configuration
from dcmcfg.render.echo import echoed_json, print_echoed
from dcmcfg.render.terminal.console import progress, stdout_console
from dcmcfg.route.request import usual_ae
from dcmcfg.settings import Settings

_LONGEST_S = 3600


@click.command(
    "echo",
    cls=SiteCommand,
    epilog=examples(
        ("Does the external archive answer?", "dcmcfg echo LONGTERM"),
        ("All AEs of the tree", "dcmcfg echo --all"),
        ("Is the archive's certificate good?", "dcmcfg echo DCM4CHEE --tls --tls-ca hospital-ca.pem"),
    ),
)
@click.argument("titles", nargs=-1, metavar="[AET]...", shell_complete=complete_title)
@click.option("--all", "everyone", is_flag=True, help="Call every AE of the tree that is installed and listens.")
@click.option("--calling", metavar="AET", help="Title that we call as; the archive's AE by default.")
@parallel_option
@click.option(
    "--timeout-s",
    type=Quantity(min=0, min_open=True, max=_LONGEST_S),
    default=PATIENCE.connect,
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
    everyone: bool,
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
    if titles and everyone:
        raise click.UsageError(f"--all calls every AE: name none beside it, or leave it out to call {titles[0]}")
    if not titles and not everyone:
        raise click.UsageError("name the AEs to call, or say --all")
    named = [text if "/" in text else parse_ae_title(text) for text in titles]
    title = parse_ae_title(calling) if calling is not None else None
    with open_directory(settings) as directory:
        configuration = Configuration(read_tree(directory))
    called = targets(configuration, named, tls=over_tls)
    title = title or usual_ae(configuration.device(settings.device), "--calling").title
    timeouts = Timeouts(connect=timeout_s, acse=timeout_s, dimse=timeout_s, network=timeout_s)
    over = [each.callee.tls for each in called if each.callee is not None]
    secure = any(over)
    if over:
        tls.require_use(calls=secure)
    context = tls.files(settings).client_context() if secure else None
    advised = functools.partial(_advised, settings.device)
    echoed = _call(called, title, context, parallel, timeouts, advised, named=bool(titles), as_json=as_json)
    answers = [each.verdict.answered if each.verdict is not None else everyone for each in echoed]
    return 0 if all(answers) else 1


def _call(
    called: tuple[Target, ...],
    calling: str,
    tls: ssl.SSLContext | None,
    parallel: int,
    timeouts: Timeouts,
    advised: Callable[[Echoed], Echoed],
    *,
    named: bool,
    as_json: bool,
) -> tuple[Echoed, ...]:
    """Call them with a bar, and print what came of it; of an interrupted run what is known."""
    known: list[Echoed] = []
    of = sum(each.callee is not None for each in called)
    try:
        with progress("calling", of) as step:

            def hear(each: Echoed) -> None:
                known.append(advised(each))
                step(len(known), of)

            called_all = echo_all(called, calling, tls=tls, parallel=parallel, timeouts=timeouts, on_echoed=hear)
            echoed = tuple(map(advised, called_all))
    except KeyboardInterrupt:
        if not as_json:
            print_echoed(stdout_console(), known, calling, len(called), named=named)
        raise
    if as_json:
        print_json(echoed_json(echoed, calling))
    else:
        print_echoed(stdout_console(), echoed, calling, len(called), named=named)
    return echoed


def _advised(device: str, echoed: Echoed) -> Echoed:
    """Return *echoed* with the site's options in its next steps.

    For an AE of the archive's *device* out of reach the status command is added to them.
    """
    verdict = echoed.verdict
    if verdict is not None and not verdict.reached and echoed.target.ae.device.name == device:
        echoed = replace(echoed, verdict=replace(verdict, next_step=with_status(verdict.next_step)))
    return echoed.told(invocation.current().spoken)
