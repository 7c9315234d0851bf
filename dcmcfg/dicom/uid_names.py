"""The names of registered UIDs (PS3.6 Annex A)."""

from __future__ import annotations

from pydicom.uid import UID


def uid_name(uid: str) -> str:
    """Return the name of *uid* in the registry, or the UID itself where it is not there."""
    return UID(uid).name
