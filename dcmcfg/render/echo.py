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
    ListColumn(heading="Result", min_width=30, wraps=True),
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
        print_list(console, _COLUMNS, [tuple(map(escape_unprintable, build_echo_row(each))) for each in results])
    steps = (
        (each.target.ae.title, get_next_step(each))
        for each in results
        if show_uncalled_steps or each.call_result is not None
    )
    for step in format_next_steps(steps):
        _print_wrapped(console, Text(escape_unprintable(step)))
    print_line(console, escape_unprintable(format_echo_counts(results, calling_ae_title, total)))
    if any(each.call_result is not None and each.call_result.is_success for each in results):
        _print_wrapped(console, Text(LIMITATION, style=NOTE))


def format_echo_counts(results: Sequence[AeEchoResult], calling_ae_title: str, total: int) -> str:
    """Return how many of *total* AEs answered to *calling_ae_title*, did not, and were not called."""
    call_results = [each.call_result for each in results if each.call_result is not None]
    answered = sum(call_result.is_success for call_result in call_results)
    parts = [f"{answered} answered"]
    parts += [f"{len(call_results) - answered} did not"] if call_results else []
    parts += [f"{total - len(call_results)} not called"] if total > len(call_results) else []
    return f"Called as {calling_ae_title}: {', '.join(parts)}"


def get_next_step(result: AeEchoResult) -> str:
    """Return the next step for *result*, empty for none."""
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
    return {
        **target_json(target),
        **(call_result_json(call_result) | ({} if call_result else _not_called_json(target))),
    }


def target_json(target: EchoTarget) -> dict[str, Any]:
    """Return the AE of *target* for ``--json``: ``ae_title``, ``device``, ``host``, ``port``, ``tls``."""
    endpoint = target.endpoint
    return {
        "ae_title": target.ae.title,
        "device": target.ae.device.name,
        "host": endpoint.peer.host if endpoint else None,
        "port": endpoint.peer.port if endpoint else None,
        "tls": endpoint.tls if endpoint else None,
    }


def _not_called_json(target: EchoTarget) -> dict[str, Any]:
    return {"problem": target.problem, "next_step": target.next_step}


def build_echo_row(result: AeEchoResult) -> tuple[str, ...]:
    """Return AE title, address, TLS, device and result as texts, which are not escaped."""
    target, call_result = result.target, result.call_result
    endpoint = target.endpoint
    address = format_host_port(endpoint.peer.host, endpoint.peer.port) if endpoint else ""
    tls = "TLS" if endpoint and endpoint.tls else ""
    answer_text = format_call_result(call_result) if call_result else f"not called: {target.problem}"
    return target.ae.title, address, tls, target.ae.device.name, answer_text
