"""The AEs of rows that are taken, and what came of probing them, as tables and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console

from dcmcfg.onboard import Probed
from dcmcfg.onboarding.proposal import Proposal
from dcmcfg.render.call_result import answer_in_words, next_step_lines, verdict_json
from dcmcfg.render.terminal.console import print_line, visible
from dcmcfg.render.terminal.table import Breaks, Column, print_table

_COLUMNS = (Column("row"), Column("peer"), Column("answer", Breaks.AT_BLANKS))


_ADDED = (Column("row"), Column("new AE"), Column("TLS"), Column("role"), Column("device"))


def print_added(console: Console, added: Sequence[Proposal]) -> None:
    """Print the AEs of the rows that are taken."""
    rows = (
        (each.row.place, str(each), _yes(each.tls), each.taken_role.value, each.device or each.title.lower())
        for each in added
    )
    print_table(console, _ADDED, [[visible(cell) for cell in row] for row in rows])


def added_json(added: Sequence[Proposal]) -> list[dict[str, Any]]:
    """Return the AEs of the rows that are taken for ``--json``."""
    return [
        {
            "place": each.row.place,
            "title": each.title,
            "host": each.host,
            "port": each.port,
            "tls": bool(each.tls),
            "role": each.taken_role.value,
            "device": each.device or each.title.lower(),
        }
        for each in added
    ]


def print_probed(console: Console, probed: Sequence[Probed], calling: str, of: int) -> None:
    """Print the verdict on each peer, and how many of *of* answered to *calling*."""
    if not of:
        print_line(console, "no new AE to probe")
        return
    rows = [(each.proposal.row.place, str(each.proposal), answer_in_words(each.verdict)) for each in probed]
    if rows:
        print_table(console, _COLUMNS, [[visible(cell) for cell in row] for row in rows])
    for step in next_step_lines((each.proposal.title, each.verdict.next_step) for each in probed):
        print_line(console, visible(step))
    answered = sum(each.verdict.answered for each in probed)
    asked = f"{len(probed)} of {of}" if len(probed) < of else str(of)
    print_line(console, f"{asked} probed as {visible(calling)}: {answered} answered, {len(probed) - answered} did not")


def probed_json(probed: Sequence[Probed]) -> list[dict[str, Any]]:
    """Return the verdicts for ``--json``: ``place``, ``peer``, ``tls``, and what came of it."""
    return [
        {
            "place": each.proposal.row.place,
            "peer": str(each.proposal),
            "tls": bool(each.proposal.tls),
            **verdict_json(each.verdict),
        }
        for each in probed
    ]


def _yes(value: bool | None) -> str:
    return "yes" if value else ""
