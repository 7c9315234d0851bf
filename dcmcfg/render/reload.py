"""Render the result of a reload as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dcmcfg.archive.listeners import ProbedListener
from dcmcfg.archive.reload_failures import Reload, ReloadAttempt
from dcmcfg.archive.reload_outcome import (
    LoadedButNotBound,
    NotLoaded,
    NotRunning,
    ReloadOutcome,
    ReloadSucceeded,
    ReloadUnclear,
)


def format_repair_note(reload: Reload) -> str:
    """Return the problem that a second reload fixed, or an empty text if the first reload had none."""
    binding_failure = reload.repaired_binding_failure
    if binding_failure is None:
        return ""
    listener = f"the listener {binding_failure.listener}" if binding_failure.listener else "a listener"
    return (
        f"The first reload could not open {listener} ({binding_failure.reason}). A second reload opened the listener."
    )


def format_listener_states(listeners: Iterable[ProbedListener]) -> str:
    """Return the listeners in one line, each with its state; empty without listeners."""
    states = [f"{each.listener.name} ({each.listener.address}): {_describe_state(each)}" for each in listeners]
    return f"Listeners (TCP connection): {'; '.join(states)}" if states else ""


def _describe_state(listener: ProbedListener) -> str:
    if listener.shares_port and listener.is_open is None:
        return "only one connection can listen on a shared port"
    if listener.is_used_by_other:
        return "port in use by another process or connection"
    return {True: "open", False: "closed", None: "unknown"}[listener.is_open]


def reload_json(reload: Reload) -> dict[str, Any]:
    """Return *reload* for ``--json``: whether the configuration is active, the closed listener, and each attempt."""
    binding_failure = reload.binding_failure
    repaired_failure = reload.repaired_binding_failure
    return {
        "configuration_active": reload.in_force,
        "closed_listener": None if binding_failure is None else binding_failure.listener or None,
        "has_closed_listener": binding_failure is not None,
        "reopened_listener": repaired_failure.listener if repaired_failure else None,
        "attempts": [_attempt_json(each) for each in reload.attempts],
    }


def listeners_json(listeners: Iterable[ProbedListener]) -> list[dict[str, Any]]:
    """Return the listeners for ``--json``; ``open`` is null if the state is unknown.

    ``port_in_use_by_other`` is true if another process or connection uses the port of a listener that the archive
    could not open.
    """
    return [
        {
            "connection": each.listener.name,
            "address": each.listener.address,
            "open": each.is_open,
            "shares_port": each.shares_port,
            "port_in_use_by_other": each.is_used_by_other,
        }
        for each in listeners
    ]


def _attempt_json(attempt: ReloadAttempt) -> dict[str, Any]:
    outcome = attempt.outcome
    return {
        "http_status": attempt.status or None,
        "outcome": _get_outcome_name(outcome),
        "configuration_active": outcome.in_force,
        "message": "" if isinstance(outcome, ReloadSucceeded) else outcome.reason,
        "closed_listener": outcome.listener or None if isinstance(outcome, LoadedButNotBound) else None,
        "duration_seconds": round(attempt.seconds, 3),
    }


def _get_outcome_name(outcome: ReloadOutcome) -> str:
    match outcome:
        case ReloadSucceeded():
            return "reloaded"
        case NotLoaded():
            return "not loaded"
        case LoadedButNotBound():
            return "loaded, listener closed"
        case NotRunning():
            return "not running"
        case ReloadUnclear():
            return "unknown"
