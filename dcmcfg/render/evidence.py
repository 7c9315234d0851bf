"""Render a verification as one JSON document for archiving."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from dcmcfg.dicom.uid_registry import look_up_uid_name
from dcmcfg.render.route import route_json
from dcmcfg.render.verify import verdict_json
from dcmcfg.verify.evidence import Evidence, MoveRecord
from dcmcfg.verify.proof import Proof, VerifiedConfiguration
from dcmcfg.verify.timeline import TimelineEvent
from dcmcfg.verify.verdict import ReceiptFinding

#: The name and version of the format; the version changes if a key is removed or its meaning changes.
FORMAT, FORMAT_VERSION = "dcmcfg-evidence", 2


def evidence_json(proof: Proof) -> dict[str, Any]:
    """Return the document; unknown values are null, times are in ISO 8601 in UTC with milliseconds."""
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "started_at": format_timestamp_ms(proof.began),
        "ended_at": format_timestamp_ms(proof.ended),
        "clock": {"time_zone": "UTC", "local_time_zone": proof.time_zone},
        "versions": dict(proof.versions),
        "configuration": _configuration_json(proof.configuration),
        "events": [_event_json(event) for event in proof.events],
        "received_instances": _received_json(proof),
        "logged_moves": _records_json(proof.evidence),
        "verdict": verdict_json(proof.verdict, proof.evidence),
    }


def format_timestamp_ms(timestamp: datetime) -> str:
    """Return *timestamp* in ISO 8601 in UTC, with milliseconds and offset."""
    return timestamp.astimezone(UTC).isoformat(timespec="milliseconds")


def _configuration_json(configuration: VerifiedConfiguration) -> dict[str, Any]:
    addresses = configuration.addresses
    return {
        "site": [{"name": each.name, "value": each.value, "origin": each.origin} for each in configuration.site],
        "tree": {
            "base_dn": configuration.tree.base_dn,
            "entry_count": configuration.tree.entries,
            "sha256": configuration.tree.sha256,
        },
        "device": configuration.device,
        "software_versions": list(configuration.software),
        "archive": str(addresses.archive),
        "destination": str(addresses.destination) if addresses.destination else None,
        "retrieve_settings": [
            {"name": each.name, "values": list(each.values), "level": each.level or None}
            for each in configuration.settings
        ],
        "route": route_json(configuration.route, delivered=configuration.route.is_delivered()),
    }


def _event_json(event: TimelineEvent) -> dict[str, Any]:
    content: dict[str, Any] = {"time": format_timestamp_ms(event.time), "description": event.description}
    if event.progress is not None:
        progress = event.progress
        content |= {"remaining": progress.remaining, "completed": progress.completed}
        content |= {"failed": progress.failed, "warning": progress.warning}
    return content


def _received_json(proof: Proof) -> list[dict[str, Any]] | None:
    if proof.verdict.receipt.finding is ReceiptFinding.NOT_OBSERVED:
        return None
    return [
        {
            "sop_instance_uid": each.sop_instance_uid,
            "sop_class_uid": each.sop_class_uid,
            "sop_class": look_up_uid_name(each.sop_class_uid),
            "study_instance_uid": each.study_uid,
            "transfer_syntax_uid": each.transfer_syntax,
            "transfer_syntax": look_up_uid_name(each.transfer_syntax),
            "octets": each.data_set_length,
            "sha256": each.sha256,
            "status": each.status,
            "calling_ae_title": each.calling_ae_title,
            "move_originator_ae_title": each.move_originator_ae_title,
            "received_at": format_timestamp_ms(each.received_at) if each.received_at else None,
            "file": str(each.saved_path) if each.saved_path else None,
        }
        for each in proof.evidence.received or ()
    ]


def _records_json(evidence: Evidence) -> list[dict[str, Any]] | None:
    return None if evidence.move_records is None else [_record_json(record) for record in evidence.move_records]


def _record_json(record: MoveRecord) -> dict[str, Any]:
    return {
        "started_at": format_timestamp_ms(record.started),
        "calling_ae_title": record.calling_ae_title or None,
        "called_ae_title": record.called_ae_title or None,
        "destination_ae_title": record.destination_ae_title or None,
        "study_instance_uid": record.study_uid or None,
        "status": record.status,
        "completed": record.completed,
        "failed": record.failed,
        "failure": record.failure or None,
        "evidence_source": "archive" if record.is_from_archive_log else "external archive",
        "forwarded_count": record.forwarded_count,
    }
