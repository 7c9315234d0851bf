"""The C-STOREs of a verification: summary lines, each one, and JSON."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from dcmcfg.dicom.uid_registry import uid_name
from dcmcfg.verify.evidence import Evidence
from dcmcfg.verify.legs import Alike, Leg, Store, alike
from dcmcfg.verify.store_legs import legs_of

_MOST_KINDS = 10


def sent_lines(evidence: Evidence, *, details: bool) -> Iterator[str]:
    """Yield one line for each leg, SOP class, transfer syntax and status; with *details* one for each C-STORE too."""
    kept = {each.sop_instance_uid: each.kept for each in evidence.received or () if each.kept}
    for leg in legs_of(evidence):
        kinds = alike(leg.stores)
        for each in kinds[:_MOST_KINDS]:
            yield f"{route_of(leg)}: {alike_in_words(each)} ({leg.witness})"
        if len(kinds) > _MOST_KINDS:
            yield f"{route_of(leg)}: {len(kinds) - _MOST_KINDS} more kinds (--details and --json have all)"
        if details:
            yield from map(_store_in_words, leg.stores)
    if details:
        yield from (f"kept: {path}" for path in sorted(map(str, kept.values())))


def route_of(leg: Leg) -> str:
    """Return ``LONGTERM → DCM4CHEE``."""
    return f"{leg.calling or 'unknown'} → {leg.called or 'unknown'}"


def alike_in_words(each: Alike) -> str:
    """Return the number, a multiplication sign, then ``CT Image Storage, Explicit VR Little Endian, 0000``."""
    return f"{each.number} \N{MULTIPLICATION SIGN} {_kind(each)}"


def _store_in_words(store: Store) -> str:
    time = f"{_time(store.moment)} " if store.moment else ""
    return f"  {time}{store.sop_instance_uid or 'instance not logged'}: {_kind(store)}"


def _kind(each: Alike | Store) -> str:
    sop_class = uid_name(each.sop_class_uid) if each.sop_class_uid else "SOP class not logged"
    syntax = uid_name(each.transfer_syntax) if each.transfer_syntax else "transfer syntax not logged"
    if each.stored_as and each.stored_as != each.transfer_syntax:
        syntax += f" (file: {uid_name(each.stored_as)})"
    status = "no response" if each.status is None else f"{each.status:04X}"
    return f"{sop_class}, {syntax}, {status}"


def legs_json(evidence: Evidence) -> list[dict[str, Any]]:
    """Return each leg with a summary and all its C-STOREs; what is not known is null."""
    return [
        {
            "calling": leg.calling or None,
            "called": leg.called or None,
            "witness": leg.witness,
            "summary": [{"number": each.number, **_kind_json(each)} for each in alike(leg.stores)],
            "stores": [
                {
                    "sop_instance_uid": each.sop_instance_uid or None,
                    **_kind_json(each),
                    "move_originator": each.originator or None,
                    "time": _iso(each.moment) if each.moment else None,
                }
                for each in leg.stores
            ],
        }
        for leg in legs_of(evidence)
    ]


def _kind_json(each: Alike | Store) -> dict[str, Any]:
    return {
        "sop_class_uid": each.sop_class_uid or None,
        "sop_class": uid_name(each.sop_class_uid) or None,
        "transfer_syntax_uid": each.transfer_syntax or None,
        "transfer_syntax": uid_name(each.transfer_syntax) or None,
        "stored_as": each.stored_as or None,
        "status": each.status,
        "status_hex": None if each.status is None else f"{each.status:04X}",
    }


def listening_json(evidence: Evidence) -> dict[str, Any] | None:
    """Return where and since when our receiver listened; None where it did not."""
    if evidence.listening is None:
        return None
    return {"address": evidence.listening.address, "since": _iso(evidence.listening.since)}


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds")


def _time(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%H:%M:%S.%f}"[:12]
