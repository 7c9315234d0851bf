"""The names of registered UIDs (PS3.6 Annex A)."""

from __future__ import annotations

from dcmcfg.dicom.registered_uids import UIDS


def uid_name(uid: str) -> str:
    """Return the name of *uid* in the registry, or the UID itself where it is not there."""
    known = UIDS.get(uid)
    return (known[0] if known else "") or uid
