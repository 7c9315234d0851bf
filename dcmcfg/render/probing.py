"""What came of calling a peer, in words."""

from __future__ import annotations

from dcmcfg.probe import Verdict


def answer_in_words(verdict: Verdict, *, tls: bool) -> str:
    """Return how the peer answered, or the problem; with *tls* it was a TCP connection only."""
    if not verdict.answered:
        return verdict.problem
    within = f"in {verdict.seconds * 1000:.0f} ms"
    return f"connected {within}; TLS and C-ECHO were not tried" if tls else f"C-ECHO answered {within}"


def seconds_json(verdict: Verdict) -> float | None:
    """Return the seconds until the answer for ``--json``, None where there was none."""
    return round(verdict.seconds, 3) if verdict.answered else None
