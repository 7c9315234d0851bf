"""The external archive's own record of the C-MOVEs it served, as JSON lines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from datetime import datetime

from dcmcfg.timestamps import parsed
from dcmcfg.verify.evidence import MoveRecord
from dcmcfg.verify.legs import Leg, Store

_HIGHEST_STATUS = 0xFFFF


def parse_records(lines: Iterable[str]) -> Iterator[MoveRecord]:
    """Yield the C-MOVEs that *lines* record.

    Each line is one JSON object: ``started`` and ``time`` (ISO 8601; UTC unless they say otherwise), ``calling``,
    ``called``, ``destination``, ``study_uid``, ``status``, ``completed``, ``failed``. Lines that are not such an
    object are ignored.
    """
    return (record for record, _ in parse(lines))


def parse(lines: Iterable[str]) -> Iterator[tuple[MoveRecord, Leg | None]]:
    """Yield each C-MOVE that *lines* record, with the C-STOREs that were sent for it; None where none is recorded.

    They are in ``stores``, a list of objects: ``sop_instance_uid``, ``sop_class_uid``, ``transfer_syntax_uid``,
    ``status``.
    """
    for line in lines:
        try:
            fields = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(fields, dict) and (record := _record(fields)):
            yield record, _leg(record, fields.get("stores"))


def _leg(record: MoveRecord, stores: object) -> Leg | None:
    found = [_store(each) for each in stores if isinstance(each, dict)] if isinstance(stores, list) else []
    witness = f"{record.called or 'the external archive'}'s record"
    return Leg(record.called, record.destination, witness, tuple(found)) if found else None


def _store(fields: dict[str, object]) -> Store:
    return Store(
        _text(fields.get("sop_instance_uid")),
        _text(fields.get("sop_class_uid")),
        _text(fields.get("transfer_syntax_uid")),
        _status(fields.get("status")),
    )


def _record(fields: dict[str, object]) -> MoveRecord | None:
    started = _instant(fields.get("started")) or _instant(fields.get("time"))
    study_uid = fields.get("study_uid")
    if started is None or not isinstance(study_uid, str):
        return None
    return MoveRecord(
        started=started,
        calling=_text(fields.get("calling")),
        called=_text(fields.get("called")),
        destination=_text(fields.get("destination")),
        study_uid=study_uid,
        status=_status(fields.get("status")),
        completed=_number(fields.get("completed")),
        failed=_number(fields.get("failed")),
    )


def _instant(value: object) -> datetime | None:
    return parsed(value) if isinstance(value, str) else None


def _text(value: object) -> str:
    return value.strip(" ") if isinstance(value, str) else ""


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _status(value: object) -> int | None:
    """Return a DIMSE status written as a number or as hexadecimal text (``A801``, ``0xA801``): two octets (PS3.7 C)."""
    if isinstance(value, str):
        try:
            value = int(value.removesuffix("H"), 16)
        except ValueError:
            return None
    number = _number(value)
    return number if number is not None and number <= _HIGHEST_STATUS else None
