"""Timestamps as people read them, or as files hold them; always UTC.

Kept apart: all layers use it, and it loads nothing of dcmcfg.
"""

from __future__ import annotations

from datetime import UTC, datetime


def format_iso(timestamp: datetime) -> str:
    """Return *timestamp*, to the second, as JSON and files hold it: ``2026-11-24T03:49:00Z`` (RFC 3339)."""
    return f"{timestamp.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def format_timestamp(timestamp: datetime) -> str:
    """Return *timestamp*, to the second, as people read it: ``2026-11-24 03:49:00 UTC``."""
    return f"{timestamp.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def parse_timestamp(text: str) -> datetime | None:
    """Return the time of an ISO 8601 *text*, UTC where it names no offset, or None if it is not a valid timestamp."""
    try:
        timestamp = datetime.fromisoformat(text)
    except ValueError:
        return None
    return timestamp if timestamp.tzinfo else timestamp.replace(tzinfo=UTC)


def reformat_timestamp(text: str) -> str:
    """Return an ISO 8601 *text* as :func:`format_timestamp` does; unchanged if it is not a valid timestamp."""
    timestamp = parse_timestamp(text)
    return text if timestamp is None else format_timestamp(timestamp)


def reformat_as_iso(text: str) -> str:
    """Return an ISO 8601 *text* as :func:`format_iso` does; unchanged if it is not a valid timestamp."""
    timestamp = parse_timestamp(text)
    return text if timestamp is None else format_iso(timestamp)
