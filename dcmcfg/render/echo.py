"""What came of C-ECHOs, as a table and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from dcmcfg.echo_all import Echoed
from dcmcfg.render.console import print_line, visible, wrapped
from dcmcfg.render.probing import answer_in_words, next_step_lines, verdict_json
from dcmcfg.render.table import Breaks, Column, print_table
from dcmcfg.route.way import Address

PROVES = (
    "An echo shows that the address is right and that something takes this association. It shows no permission: many a "
    "peer answers it to callers whose C-STORE or C-MOVE it refuses. dcmcfg verify proves a retrieve."
)
_COLUMNS = (Column("AE"), Column("address"), Column("device"), Column("answer", Breaks.AT_BLANKS))


def print_echoed(console: Console, echoed: Sequence[Echoed], calling: str, of: int) -> None:
    """Print the answer of each, how many of *of* answered to *calling*, and what that proves."""
    if echoed:
        print_table(console, _COLUMNS, [tuple(map(visible, _row(each))) for each in echoed])
    called = [(each.target.ae.title, each.verdict) for each in echoed if each.verdict is not None]
    for step in next_step_lines(called):
        _print_wrapped(console, Text(visible(step)))
    answered = sum(verdict.answered for _, verdict in called)
    parts = [f"{answered} answered"]
    parts += [f"{len(called) - answered} did not"] if called else []
    parts += [f"{of - len(called)} not called"] if of > len(called) else []
    print_line(console, f"called as {visible(calling)}: {', '.join(parts)}")
    _print_wrapped(console, Text(PROVES, style="dim"))


def _print_wrapped(console: Console, text: Text) -> None:
    for line in wrapped(text, console, 0):
        console.print(line, soft_wrap=True)


def echoed_json(echoed: Sequence[Echoed], calling: str) -> dict[str, Any]:
    """Return the answers for ``--json``: ``calling``, ``aes`` and ``proves``, what an echo does and does not show.

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
        **(verdict_json(verdict) | ({} if verdict else {"problem": target.problem})),
    }


def _row(each: Echoed) -> tuple[str, ...]:
    target, verdict = each.target, each.verdict
    callee = target.callee
    address = str(Address(callee.peer.host, callee.peer.port, callee.tls)) if callee else ""
    answer = answer_in_words(verdict) if verdict else f"not called: {target.problem}"
    return target.ae.title, address, target.ae.device.name, answer
