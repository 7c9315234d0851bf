"""Moments as people read them, or as files hold them; always UTC."""

from __future__ import annotations

from datetime import UTC, datetime


def iso(moment: datetime) -> str:
    """Return *moment*, to the second, as JSON and files hold it: ``2026-11-24T03:49:00Z`` (RFC 3339)."""
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def readable(moment: datetime) -> str:
    """Return *moment*, to the second, as people read it: ``2026-11-24 03:49:00 UTC``."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def parsed(text: str) -> datetime | None:
    """Return the moment of an ISO 8601 *text*, UTC where it names no offset, or None when it is none."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def readable_text(text: str) -> str:
    """Return an ISO 8601 *text* as :func:`readable` does; as it is when it is none."""
    moment = parsed(text)
    return text if moment is None else readable(moment)


def iso_text(text: str) -> str:
    """Return an ISO 8601 *text* as :func:`iso` does; as it is when it is none."""
    moment = parsed(text)
    return text if moment is None else iso(moment)
