"""Durations as the archive's ``Duration`` class reads them."""

from __future__ import annotations

from dcmcfg.lab.archive.java import IllegalArgumentException
from dcmcfg.schema.value_kinds import durations


def seconds(text: str) -> float:
    """Return the seconds of ``P[nD][T[nH][nM][n[.,n]S]]``; raises :class:`IllegalArgumentException`."""
    found = durations.seconds(text)
    if found is None:
        raise IllegalArgumentException(text)
    return found
