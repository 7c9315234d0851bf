"""Render the AEs of accepted rows, and the results of probing them, as tables and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Console

from dcmcfg.onboard import ProbedRow
from dcmcfg.onboarding.proposal import Proposal
from dcmcfg.printable import escape_unprintable
from dcmcfg.render.call_result import call_result_json, format_call_result, format_next_steps
from dcmcfg.render.terminal.console import print_line, print_prose
from dcmcfg.render.terminal.table import Column, WrapMode, print_table

_PROBE_COLUMNS = (Column("Row"), Column("Peer"), Column("Result", WrapMode.AT_SPACES))


_ADDED_COLUMNS = (Column("Row"), Column("New AE"), Column("TLS"), Column("Role"), Column("Device"))


def print_added_aes(console: Console, added: Sequence[Proposal]) -> None:
    """Print the AEs of the accepted rows."""
    rows = (
        (
            str(each.row.location),
            str(each),
            _format_yes(each.tls),
            each.effective_role.value,
            each.device or each.title.lower(),
        )
        for each in added
    )
    print_table(console, _ADDED_COLUMNS, [[escape_unprintable(cell) for cell in row] for row in rows])


def added_aes_json(added: Sequence[Proposal]) -> list[dict[str, Any]]:
    """Return the AEs of the accepted rows for ``--json``."""
    return [
        {
            "location": str(each.row.location),
            "ae_title": each.title,
            "host": each.host,
            "port": each.port,
            "tls": bool(each.tls),
            "role": each.effective_role.value,
            "device": each.device or each.title.lower(),
        }
        for each in added
    ]


def print_probe_results(console: Console, results: Sequence[ProbedRow], calling_ae_title: str, total: int) -> None:
    """Print the result of each probe, and the number of AEs (of *total*) that answered to *calling_ae_title*."""
    if not total:
        print_line(console, "No new AE to probe")
        return
    rows = [
        (str(each.proposal.row.location), str(each.proposal), format_call_result(each.probe_result)) for each in results
    ]
    if rows:
        print_table(console, _PROBE_COLUMNS, [[escape_unprintable(cell) for cell in row] for row in rows])
    for step in format_next_steps((each.proposal.title, each.probe_result.next_step) for each in results):
        print_prose(console, step)
    answered_count = sum(each.probe_result.is_success for each in results)
    probed_count = f"{len(results)} of {total}" if len(results) < total else str(total)
    print_line(
        console,
        f"AEs probed with the calling AE title {escape_unprintable(calling_ae_title)}: {probed_count} "
        f"({answered_count} answered, {len(results) - answered_count} did not answer)",
    )


def probe_results_json(results: Sequence[ProbedRow]) -> list[dict[str, Any]]:
    """Return the results for ``--json``: ``location``, ``peer``, ``tls``, and the keys of a call result."""
    return [
        {
            "location": str(each.proposal.row.location),
            "peer": str(each.proposal),
            "tls": bool(each.proposal.tls),
            **call_result_json(each.probe_result),
        }
        for each in results
    ]


def _format_yes(value: bool | None) -> str:
    return "yes" if value else ""
