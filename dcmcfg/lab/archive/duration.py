"""Durations as the archive's ``Duration`` class reads them."""

from __future__ import annotations

import re

from dcmcfg.lab.archive.java import IllegalArgumentException

_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?=\d)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:[.,]\d+)?)S)?)?", re.IGNORECASE)
_SECONDS = (86400, 3600, 60, 1)


def seconds(text: str) -> float:
    """Return the seconds of ``P[nD][T[nH][nM][n[.,n]S]]``; raises :class:`IllegalArgumentException`."""
    match = _DURATION.fullmatch(text)
    if match is None or not any(match.groups()):
        raise IllegalArgumentException(f"Invalid duration: {text}")
    parts = (float((part or "0").replace(",", ".")) for part in match.groups())
    return sum(number * unit for number, unit in zip(parts, _SECONDS, strict=True))
