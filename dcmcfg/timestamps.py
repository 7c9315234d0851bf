"""Timestamps for output and for files, always in UTC.

Kept apart: all layers use this module, and it imports nothing of dcmcfg.
"""

from __future__ import annotations

from datetime import UTC, datetime


def format_iso(timestamp: datetime) -> str:
    """Return *timestamp*, to the second, for JSON and files: ``2026-11-24T03:49:00Z`` (RFC 3339)."""
    return f"{timestamp.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def format_iso_ms(timestamp: datetime) -> str:
    """Return *timestamp* in milliseconds, for the order of records: ``2026-11-24T03:49:00.125Z`` (RFC 3339)."""
    return f"{timestamp.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='milliseconds')}Z"


def make_iso_key(text: str) -> str:
    """Return a key that sorts texts of :func:`format_iso` and :func:`format_iso_ms` together; of any text."""
    return text.removesuffix("Z")  # else "00Z" would be after "00.125Z"


def format_timestamp(timestamp: datetime) -> str:
    """Return *timestamp*, to the second, for output: ``2026-11-24 03:49:00 UTC``."""
    return f"{timestamp.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def parse_timestamp(text: str) -> datetime | None:
    """Return the time of an ISO 8601 *text*, or None if it is not a valid timestamp; without an offset, it is UTC."""
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
