"""Render the results of C-ECHO requests as a table and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from dcmcfg.connectivity.echo import AeEchoResult, EchoTarget
from dcmcfg.network_address import format_host_port
from dcmcfg.printable import escape_unprintable
from dcmcfg.render.call_result import call_result_json, format_call_result, format_next_steps
from dcmcfg.render.terminal.console import print_line, wrap_text
from dcmcfg.render.terminal.list_table import ListColumn, print_list
from dcmcfg.render.terminal.styles import NOTE

LIMITATION = "A C-ECHO does not prove permission to store or retrieve. To prove a retrieve: dcmcfg verify"
_COLUMNS = (
    ListColumn(heading="AE"),
    ListColumn(heading="Address", min_width=24, keep_end=True),
    ListColumn(heading="TLS", drop_order=2),
    ListColumn(heading="Device", drop_order=1, min_width=16),
    ListColumn(heading="Result", min_width=30),
)


def print_echo_results(
    console: Console,
    results: Sequence[AeEchoResult],
    calling_ae_title: str,
    total: int,
    *,
    show_uncalled_steps: bool = True,
) -> None:
    """Print *results*, the number of *total* AEs that answered to *calling_ae_title*, and the limits of a C-ECHO.

    With *show_uncalled_steps*, also the next steps for AEs that were not called.
    """
    if results:
        print_list(console, _COLUMNS, [tuple(map(escape_unprintable, _build_row(each))) for each in results])
    call_results = [each.call_result for each in results if each.call_result is not None]
    steps = (
        (each.target.ae.title, _get_next_step(each))
        for each in results
        if show_uncalled_steps or each.call_result is not None
    )
    for step in format_next_steps(steps):
        _print_wrapped(console, Text(escape_unprintable(step)))
    answered = sum(call_result.is_success for call_result in call_results)
    parts = [f"{answered} answered"]
    parts += [f"{len(call_results) - answered} did not"] if call_results else []
    parts += [f"{total - len(call_results)} not called"] if total > len(call_results) else []
    print_line(console, f"Called as {escape_unprintable(calling_ae_title)}: {', '.join(parts)}")
    if answered:
        _print_wrapped(console, Text(LIMITATION, style=NOTE))


def _get_next_step(result: AeEchoResult) -> str:
    return result.call_result.next_step if result.call_result is not None else result.target.next_step


def _print_wrapped(console: Console, text: Text) -> None:
    for line in wrap_text(text, console, 0):
        console.print(line, soft_wrap=True)


def echo_results_json(results: Sequence[AeEchoResult], calling_ae_title: str) -> dict[str, Any]:
    """Return *results* for ``--json``: ``calling_ae_title``, ``aes``, and ``limitation``, the limits of this proof.

    ``success`` is null if an AE was not called, with the reason in ``problem``.
    """
    return {
        "calling_ae_title": calling_ae_title,
        "aes": [_result_json(each) for each in results],
        "limitation": LIMITATION,
    }


def _result_json(result: AeEchoResult) -> dict[str, Any]:
    target, call_result = result.target, result.call_result
    endpoint = target.endpoint
    return {
        "ae_title": target.ae.title,
        "device": target.ae.device.name,
        "host": endpoint.peer.host if endpoint else None,
        "port": endpoint.peer.port if endpoint else None,
        "tls": endpoint.tls if endpoint else None,
        **(call_result_json(call_result) | ({} if call_result else _not_called_json(target))),
    }


def _not_called_json(target: EchoTarget) -> dict[str, Any]:
    return {"problem": target.problem, "next_step": target.next_step}


def _build_row(result: AeEchoResult) -> tuple[str, ...]:
    target, call_result = result.target, result.call_result
    endpoint = target.endpoint
    address = format_host_port(endpoint.peer.host, endpoint.peer.port) if endpoint else ""
    tls = "TLS" if endpoint and endpoint.tls else ""
    answer_text = format_call_result(call_result) if call_result else f"not called: {target.problem}"
    return target.ae.title, address, tls, target.ae.device.name, answer_text
