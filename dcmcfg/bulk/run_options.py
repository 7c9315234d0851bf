"""What is asked of whom, by which a store is known.

How a run goes about it: how many at once, how fast, how patient.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dcmcfg.settings import Settings
    from dcmcfg.verify.addresses import Addresses
    from dcmcfg.verify.evidence import Question

_KEY_LENGTH = 16


class ReceivedBy(Enum):
    """Who receives the studies of a run."""

    OTHERS = "by others"
    US = "by us (--receive)"
    TEMPORARY = "by us"  # at a destination that is there for the run only, with another title each time


@dataclass(frozen=True)
class Asked:
    """What the answers in a store are answers to: facts by name, in words that a person understands."""

    facts: Mapping[str, str]

    def key(self, source: str) -> str:
        """Return a file name that stands for this question about the studies of *source*."""
        octets = json.dumps([sorted(self.facts.items()), source]).encode()
        return hashlib.sha256(octets).hexdigest()[:_KEY_LENGTH]

    def difference(self, other: Asked) -> tuple[str, ...]:
        """Return in words where *other*, the question of now, asks something else."""
        names = dict.fromkeys((*self.facts, *other.facts))
        return tuple(
            f"{name}: {self.facts.get(name) or 'none'} there, {other.facts.get(name) or 'none'} here"
            for name in names
            if (self.facts.get(name) or "") != (other.facts.get(name) or "")
        )


def asked_about(
    question: Question, addresses: Addresses, settings: Settings, received_by: ReceivedBy, *, keeps_files: bool
) -> Asked:
    """Return what the store of a run is known by: everything that its answers depend on.

    *question* is about no study yet. *keeps_files* says whether received files are kept and read back.
    """
    temporary = received_by is ReceivedBy.TEMPORARY
    facts = {
        "archive": str(question.archive),
        "destination": "a temporary one" if temporary else question.destination,
        "calling": question.calling,
        "received": received_by.value,
        "level": question.selection.level.value,
        "model": question.model.value,
        "directory": f"{settings.ldap_url}/{settings.base_dn}",
        "device": settings.device,
        "dcmExternalRetrieveAEDestination": addresses.route.destination or "",
    }
    further = _further(question, keeps_files=keeps_files)
    return Asked(facts | {name: value for name, value in further.items() if value})


def _further(question: Question, *, keeps_files: bool) -> dict[str, str]:
    """Return what else an answer depends on, where it is set: an answer to a part is none to another."""
    patient, selection = question.patient, question.selection
    return {
        "series": ", ".join(sorted(selection.series_uids)),
        "instances": ", ".join(sorted(selection.instance_uids)),
        "patient": f"{patient.patient_id} {patient.issuer}".rstrip() if patient else "",
        "expected": "" if question.expected_number is None else str(question.expected_number),
        "files": "kept and read back" if keeps_files else "",
    }


PARALLEL = 4
RETRIES = 3
FIRST_BACK_OFF_S = 2.0
PATIENCE_S = 300.0


@dataclass(frozen=True)
class Manner:
    """The manner of a run; two C-MOVEs are ``interval_s`` apart at least."""

    parallel: int = PARALLEL  # associations
    retries: int = RETRIES  # of a study, beside the first attempt
    first_back_off_s: float = FIRST_BACK_OFF_S
    patience_s: float = PATIENCE_S  # with an archive that is away
    interval_s: float = 0.0
