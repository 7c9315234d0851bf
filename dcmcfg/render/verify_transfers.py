"""Render the C-STORE operations of a verification: as summary lines, one by one, and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from dcmcfg.dicom.uid_registry import look_up_uid_name
from dcmcfg.verify.evidence import Evidence
from dcmcfg.verify.legs import StoreGroup, StoreRecord, TransferLeg, group_stores
from dcmcfg.verify.store_legs import collect_legs

#: Combinations of SOP class, transfer syntax and status that are listed for a leg; JSON has all.
_MAX_KINDS = 10


def format_transfer_lines(evidence: Evidence, *, details: bool) -> Iterator[str]:
    """Yield a line for each leg, SOP class, transfer syntax and status; with *details*, also one for each C-STORE."""
    saved_paths = {each.sop_instance_uid: each.saved_path for each in evidence.received or () if each.saved_path}
    for leg in collect_legs(evidence):
        kinds = group_stores(leg.stores)
        for each in kinds[:_MAX_KINDS]:
            yield f"{format_leg(leg)}: {format_store_group(each)} ({leg.evidence_source})"
        if len(kinds) > _MAX_KINDS:
            yield f"{format_leg(leg)}: {len(kinds) - _MAX_KINDS} more kinds of C-STORE (--details or --json shows all)"
        if details:
            yield from map(_format_store, leg.stores)
    if details:
        yield from (f"Stored: {path}" for path in sorted(map(str, saved_paths.values())))


def format_leg(leg: TransferLeg) -> str:
    """Return the calling and the called AE title of *leg*: ``LONGTERM → DCM4CHEE``."""
    return f"{leg.calling_ae_title or 'unknown'} → {leg.called_ae_title or 'unknown'}"


def format_store_group(group: StoreGroup) -> str:
    """Return the number, a multiplication sign, then ``CT Image Storage, Explicit VR Little Endian, 0000``."""
    return f"{group.count} \N{MULTIPLICATION SIGN} {_format_store_kind(group)}"


def _format_store(store: StoreRecord) -> str:
    time_text = f"{_format_time(store.time)} " if store.time else ""
    return f"  {time_text}{store.sop_instance_uid or 'instance not logged'}: {_format_store_kind(store)}"


def _format_store_kind(store: StoreGroup | StoreRecord) -> str:
    sop_class = look_up_uid_name(store.sop_class_uid) if store.sop_class_uid else "SOP class not logged"
    syntax = look_up_uid_name(store.transfer_syntax) if store.transfer_syntax else "transfer syntax not logged"
    if store.file_transfer_syntax and store.file_transfer_syntax != store.transfer_syntax:
        syntax += f" (file: {look_up_uid_name(store.file_transfer_syntax)})"
    status = "no response" if store.status is None else f"{store.status:04X}"
    return f"{sop_class}, {syntax}, {status}"


def legs_json(evidence: Evidence) -> list[dict[str, Any]]:
    """Return each leg with a summary and all its C-STORE operations for ``--json``; unknown values are null."""
    return [
        {
            "calling_ae_title": leg.calling_ae_title or None,
            "called_ae_title": leg.called_ae_title or None,
            "evidence_source": leg.evidence_source,
            "summary": [{"count": each.count, **_store_kind_json(each)} for each in group_stores(leg.stores)],
            "stores": [
                {
                    "sop_instance_uid": each.sop_instance_uid or None,
                    **_store_kind_json(each),
                    "move_originator_ae_title": each.move_originator or None,
                    "time": _format_iso(each.time) if each.time else None,
                }
                for each in leg.stores
            ],
        }
        for leg in collect_legs(evidence)
    ]


def _store_kind_json(store: StoreGroup | StoreRecord) -> dict[str, Any]:
    return {
        "sop_class_uid": store.sop_class_uid or None,
        "sop_class": look_up_uid_name(store.sop_class_uid) or None,
        "transfer_syntax_uid": store.transfer_syntax or None,
        "transfer_syntax": look_up_uid_name(store.transfer_syntax) or None,
        "file_transfer_syntax_uid": store.file_transfer_syntax or None,
        "status": store.status,
        "status_hex": None if store.status is None else f"{store.status:04X}",
    }


def receiver_json(evidence: Evidence) -> dict[str, Any] | None:
    """Return the address and the start of the receiver for ``--json``; None if dcmcfg was not the receiver."""
    if evidence.receiver_info is None:
        return None
    return {
        "address": evidence.receiver_info.address,
        "started_at": _format_iso(evidence.receiver_info.listening_since),
    }


def _format_iso(timestamp: datetime) -> str:
    return timestamp.astimezone(UTC).isoformat(timespec="milliseconds")


def _format_time(timestamp: datetime) -> str:
    return f"{timestamp.astimezone(UTC):%H:%M:%S.%f}"[:12]
