"""What came of calling a peer, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from dcmcfg.connectivity.call import CallResult
from dcmcfg.render.tls_session import tls_session_json
from dcmcfg.suggestions import join_limited

#: Titles that a line names before it counts the others.
_NAMED = 5


def format_call_result(result: CallResult) -> str:
    """Return how the peer answered, or the problem; over TLS also until when its certificate is valid."""
    if not result.is_answered:
        return result.problem
    within = f"C-ECHO answered in {result.seconds * 1000:.0f} ms"
    secured = result.tls_session
    if secured is None:
        return within
    until = (
        f", certificate valid until {secured.certificate_valid_until:%Y-%m-%d}"
        if secured.certificate_valid_until
        else ""
    )
    return f"{within} over {secured.version}{until}"


def format_next_steps(steps: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Yield a line for each of *steps*, pairs of a title and its next step, with the titles that it is for."""
    titles: dict[str, list[str]] = {}
    for title, step in steps:
        if step:
            titles.setdefault(step, []).append(title)
    for step, those in titles.items():
        yield f"next, {join_limited(those, _NAMED)}: {step}"


def call_result_json(result: CallResult | None) -> dict[str, Any]:
    """Return a verdict for ``--json``: ``success``, ``duration_seconds``, ``problem`` and what more is known of it.

    All of it is null where there is no verdict. ``failed_stage`` is tcp, tls, association or echo.
    """
    if result is None:
        result, success = CallResult(), None
    else:
        success = result.is_answered
    return {
        "success": success,
        "duration_seconds": round(result.seconds, 3) if success else None,
        "problem": result.problem or None,
        "failed_stage": result.failed_at.value if result.failed_at else None,
        "next_step": result.next_step or None,
        "tls_session": tls_session_json(result.tls_session),
    }
