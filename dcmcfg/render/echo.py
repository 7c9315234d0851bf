"""What came of C-ECHOs, as a table and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from dcmcfg.connectivity.echo import AeEchoResult, EchoTarget
from dcmcfg.printable import escape_unprintable
from dcmcfg.render.call_result import call_result_json, format_call_result, format_next_steps
from dcmcfg.render.terminal.console import print_line, wrap_text
from dcmcfg.render.terminal.table import Column, WrapMode, print_table
from dcmcfg.route.path import AEAddress

LIMITATION = "An echo proves no permission to store or retrieve; dcmcfg verify proves a retrieve."
_COLUMNS = (Column("AE"), Column("Address"), Column("Device"), Column("Result", WrapMode.AT_SPACES))


def print_echo_results(
    console: Console,
    results: Sequence[AeEchoResult],
    calling_ae_title: str,
    total: int,
    *,
    show_uncalled_steps: bool = True,
) -> None:
    """Print the answer of each, how many of *total* answered to *calling_ae_title*, and what that does not prove.

    What to do about one that was not called is told where it was *show_uncalled_steps*.
    """
    if results:
        print_table(console, _COLUMNS, [tuple(map(escape_unprintable, _row(each))) for each in results])
    verdicts = [each.call_result for each in results if each.call_result is not None]
    steps = (
        (each.target.ae.title, _next_step(each))
        for each in results
        if show_uncalled_steps or each.call_result is not None
    )
    for step in format_next_steps(steps):
        _print_wrapped(console, Text(escape_unprintable(step)))
    answered = sum(verdict.is_answered for verdict in verdicts)
    parts = [f"{answered} answered"]
    parts += [f"{len(verdicts) - answered} did not"] if verdicts else []
    parts += [f"{total - len(verdicts)} not called"] if total > len(verdicts) else []
    print_line(console, f"called as {escape_unprintable(calling_ae_title)}: {', '.join(parts)}")
    if answered:
        _print_wrapped(console, Text(LIMITATION, style="dim"))


def _next_step(each: AeEchoResult) -> str:
    return each.call_result.next_step if each.call_result is not None else each.target.next_step


def _print_wrapped(console: Console, text: Text) -> None:
    for line in wrap_text(text, console, 0):
        console.print(line, soft_wrap=True)


def echo_results_json(results: Sequence[AeEchoResult], calling_ae_title: str) -> dict[str, Any]:
    """Return the answers for ``--json``: ``calling_ae_title``, ``aes`` and ``limitation``, what an echo does not prove.

    ``success`` is null where an AE was not called, with the reason in ``problem``.
    """
    return {"calling_ae_title": calling_ae_title, "aes": [_json(each) for each in results], "limitation": LIMITATION}


def _json(each: AeEchoResult) -> dict[str, Any]:
    target, verdict = each.target, each.call_result
    callee = target.endpoint
    return {
        "ae_title": target.ae.title,
        "device": target.ae.device.name,
        "host": callee.peer.host if callee else None,
        "port": callee.peer.port if callee else None,
        "tls": callee.tls if callee else None,
        **(call_result_json(verdict) | ({} if verdict else _not_called(target))),
    }


def _not_called(target: EchoTarget) -> dict[str, Any]:
    return {"problem": target.problem, "next_step": target.next_step}


def _row(each: AeEchoResult) -> tuple[str, ...]:
    target, verdict = each.target, each.call_result
    callee = target.endpoint
    address = str(AEAddress(callee.peer.host, callee.peer.port, callee.tls)) if callee else ""
    answer = format_call_result(verdict) if verdict else f"not called: {target.problem}"
    return target.ae.title, address, target.ae.device.name, answer
