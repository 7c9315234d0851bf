"""What was received, instance by instance."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dcmcfg.dicom.storage.receiver import ReceivedInstance
from dcmcfg.verify.evidence import Evidence
from dcmcfg.verify.verdict import Received


def kept_line(received: Received) -> str:
    """Return how many files were kept, and where."""
    number = len(received.files)
    folders = sorted({str(path.parent.parent) for path in received.files})
    unsound = "" if received.unsound else ", each read back"
    return f"kept: {number} file{'' if number == 1 else 's'} in {', '.join(folders)}{unsound}"


def received_json(evidence: Evidence) -> list[dict[str, Any]] | None:
    """Return all that is known of each instance in the order in which they arrived; None where nobody listened."""
    return None if evidence.received is None else instances_json(evidence.received)


def instances_json(instances: Iterable[ReceivedInstance]) -> list[dict[str, Any]]:
    """Return all that is known of each of *instances*."""
    return [
        {
            "sop_instance_uid": each.sop_instance_uid,
            "sop_class_uid": each.sop_class_uid,
            "study_instance_uid": each.study_uid,
            "transfer_syntax_uid": each.transfer_syntax,
            "calling": each.calling_ae_title,
            "move_originator": each.move_originator_ae_title,
            "octets": each.octets,
            "sha256": each.sha256,
            "kept": None if each.kept is None else str(each.kept),
            "problem": each.problem or None,
        }
        for each in instances
    ]
