"""Format the result of calling a peer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from dcmcfg.connectivity.call import CallResult
from dcmcfg.render.tls_session import tls_session_json
from dcmcfg.suggestions import join_limited

#: The maximum number of AE titles listed in a line; the others are counted.
_MAX_NAMED_TITLES = 5


def format_call_result(result: CallResult) -> str:
    """Return the result of the C-ECHO or the problem; with TLS, also the version and the expiry of the certificate."""
    if not result.is_success:
        return result.problem
    answer_text = f"C-ECHO answered in {result.seconds * 1000:.0f} ms"
    tls_session = result.tls_session
    if tls_session is None:
        return answer_text
    validity = (
        f", certificate valid until {tls_session.certificate_valid_until:%Y-%m-%d}"
        if tls_session.certificate_valid_until
        else ""
    )
    return f"{answer_text} over {tls_session.version}{validity}"


def format_next_steps(steps: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Yield a line for each distinct next step in *steps* (pairs of AE title and next step), with its AE titles."""
    titles: dict[str, list[str]] = {}
    for title, step in steps:
        if step:
            titles.setdefault(step, []).append(title)
    for step, step_titles in titles.items():
        yield f"Next step for {join_limited(step_titles, _MAX_NAMED_TITLES)}: {step}"


def call_result_json(result: CallResult | None) -> dict[str, Any]:
    """Return the result of a call for ``--json``: ``success``, ``duration_seconds``, ``problem`` and its details.

    All values are null if there is no result. ``failed_stage`` is tcp, tls, association or echo.
    """
    if result is None:
        result, success = CallResult(), None
    else:
        success = result.is_success
    return {
        "success": success,
        "duration_seconds": round(result.seconds, 3) if success else None,
        "problem": result.problem or None,
        "failed_stage": result.failed_stage.value if result.failed_stage else None,
        "next_step": result.next_step or None,
        "tls_session": tls_session_json(result.tls_session),
    }
