"""What came of C-ECHOs, as a table and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from dcmcfg.connectivity.echo import Echoed, Target
from dcmcfg.render.call_result import answer_in_words, next_step_lines, verdict_json
from dcmcfg.render.terminal.console import print_line, visible, wrapped
from dcmcfg.render.terminal.table import Breaks, Column, print_table
from dcmcfg.route.path import Address

PROVES = "An echo proves no permission to store or retrieve; dcmcfg verify proves a retrieve."
_COLUMNS = (Column("AE"), Column("address"), Column("device"), Column("answer", Breaks.AT_BLANKS))


def print_echoed(console: Console, echoed: Sequence[Echoed], calling: str, of: int, *, named: bool = True) -> None:
    """Print the answer of each, how many of *of* answered to *calling*, and what that does not prove.

    What to do about one that was not called is told where it was *named*.
    """
    if echoed:
        print_table(console, _COLUMNS, [tuple(map(visible, _row(each))) for each in echoed])
    verdicts = [each.verdict for each in echoed if each.verdict is not None]
    steps = ((each.target.ae.title, _next_step(each)) for each in echoed if named or each.verdict is not None)
    for step in next_step_lines(steps):
        _print_wrapped(console, Text(visible(step)))
    answered = sum(verdict.answered for verdict in verdicts)
    parts = [f"{answered} answered"]
    parts += [f"{len(verdicts) - answered} did not"] if verdicts else []
    parts += [f"{of - len(verdicts)} not called"] if of > len(verdicts) else []
    print_line(console, f"called as {visible(calling)}: {', '.join(parts)}")
    if answered:
        _print_wrapped(console, Text(PROVES, style="dim"))


def _next_step(each: Echoed) -> str:
    return each.verdict.next_step if each.verdict is not None else each.target.next_step


def _print_wrapped(console: Console, text: Text) -> None:
    for line in wrapped(text, console, 0):
        console.print(line, soft_wrap=True)


def echoed_json(echoed: Sequence[Echoed], calling: str) -> dict[str, Any]:
    """Return the answers for ``--json``: ``calling``, ``aes`` and ``proves``, what an echo does not prove.

    ``answered`` is null where an AE was not called, with the reason in ``problem``.
    """
    return {"calling": calling, "aes": [_json(each) for each in echoed], "proves": PROVES}


def _json(each: Echoed) -> dict[str, Any]:
    target, verdict = each.target, each.verdict
    callee = target.callee
    return {
        "title": target.ae.title,
        "device": target.ae.device.name,
        "host": callee.peer.host if callee else None,
        "port": callee.peer.port if callee else None,
        "tls": callee.tls if callee else None,
        **(verdict_json(verdict) | ({} if verdict else _not_called(target))),
    }


def _not_called(target: Target) -> dict[str, Any]:
    return {"problem": target.problem, "next_step": target.next_step}


def _row(each: Echoed) -> tuple[str, ...]:
    target, verdict = each.target, each.verdict
    callee = target.callee
    address = str(Address(callee.peer.host, callee.peer.port, callee.tls)) if callee else ""
    answer = answer_in_words(verdict) if verdict else f"not called: {target.problem}"
    return target.ae.title, address, target.ae.device.name, answer
