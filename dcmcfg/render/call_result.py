"""What came of calling a peer, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from dcmcfg.connectivity.call import Verdict
from dcmcfg.render.tls_session import secured_json
from dcmcfg.suggestions import first_of

#: Titles that a line names before it counts the others.
_NAMED = 5


def answer_in_words(verdict: Verdict) -> str:
    """Return how the peer answered, or the problem; over TLS also until when its certificate is valid."""
    if not verdict.answered:
        return verdict.problem
    within = f"C-ECHO answered in {verdict.seconds * 1000:.0f} ms"
    secured = verdict.secured
    if secured is None:
        return within
    until = f", certificate valid until {secured.valid_until:%Y-%m-%d}" if secured.valid_until else ""
    return f"{within} over {secured.version}{until}"


def next_step_lines(steps: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Yield a line for each of *steps*, pairs of a title and its next step, with the titles that it is for."""
    titles: dict[str, list[str]] = {}
    for title, step in steps:
        if step:
            titles.setdefault(step, []).append(title)
    for step, those in titles.items():
        yield f"next, {first_of(those, _NAMED)}: {step}"


def verdict_json(verdict: Verdict | None) -> dict[str, Any]:
    """Return a verdict for ``--json``: ``answered``, ``seconds``, ``problem`` and what more is known of it.

    All of it is null where there is no verdict. ``failed_at`` is tcp, tls, association or echo.
    """
    if verdict is None:
        verdict, answered = Verdict(), None
    else:
        answered = verdict.answered
    return {
        "answered": answered,
        "seconds": round(verdict.seconds, 3) if answered else None,
        "problem": verdict.problem or None,
        "failed_at": verdict.failed_at.value if verdict.failed_at else None,
        "next_step": verdict.next_step or None,
        "secured": secured_json(verdict.secured),
    }
