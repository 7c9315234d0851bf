"""The tree of the recorded archive and the question of each recording, as ``dcmcfg route`` gets them.

The tree is the lab's with the differences that the README of the recordings lists, then those of the recording.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from dcmcfg.changes import Change, Delete
from dcmcfg.dn import DN
from dcmcfg.lab.site import Ports
from dcmcfg.lab.tree import load_site_entries
from dcmcfg.model.devices import Configuration
from dcmcfg.model.tree import Tree
from dcmcfg.route.request import RouteRequest, StudyState
from dcmcfg.schema.definitions import load_bundled_schema
from tests.recorded import recordings
from tests.recorded.recordings import DimseRecording
from tests.route.sites import DEVICES, LONGTERM_DEVICE, another_archive, capability, put
from tests.trees import CT, LITTLE_ENDIAN

MR = "1.2.840.10008.5.1.4.1.1.4"
_PORTS = Ports(ldap=1, http=2, archive=9112, external=9113, storage=11117, archive_tls=9762, workstation=9117)
_WORKSTATION = DEVICES.child("dicomDeviceName", "workstation")
#: The storages that are configured; fs9 is none of them.
_STORAGES = frozenset({"fs1"})
#: C-MOVE requests of which the study in ``state_before`` is only a part.
_STATES = {"move-two-studies-local-and-purged": StudyState.PARTIAL}
_CHANGED = "LDAP changed for this: "
_RESTRICTED = "WORKSTATION lists one transfer capability, MR as SCP"


def moves() -> list[str]:
    """Return the names of the recordings of a C-MOVE of a study, sorted."""
    return [
        each["name"]
        for each in sorted(recordings.index()["dimse"], key=lambda each: str(each["name"]))
        if _is_move(each)
    ]


def _is_move(listed: Mapping[str, Any]) -> bool:
    if listed["state_before"] is None:
        return False
    messages = [
        each["what"] for leg in recordings.dimse(listed["name"]).legs("client-archive") for each in leg["messages"]
    ]
    return "C-MOVE-RQ" in messages


def question_of(recording: DimseRecording) -> tuple[Configuration, RouteRequest, StudyState]:
    """Return what *recording* asks of the archive, in the tree that it was recorded with, and where the study was."""
    configuration = Configuration(tree_of(recording))
    (leg,) = recording.legs("client-archive")
    association = leg["messages"][0]["association"]
    request = next(each["command"] for each in leg["messages"] if each["what"] == "C-MOVE-RQ")
    asked = configuration.get_device("dcm4chee-arc").get_network_ae(association["called"])
    before = recording.before
    assert before is not None
    question = RouteRequest(
        asked, request["MoveDestination"], association["calling"], before.external, sop_classes=frozenset({CT})
    )
    return configuration, question, _STATES.get(recording.name, state_of(before))


def state_of(study: recordings.StudyState) -> StudyState:
    """Return the state for ``route`` of a study in the recorded database."""
    if not study.known:
        return StudyState.UNKNOWN
    if not _STORAGES.issuperset(study.storage_ids):
        return StudyState.UNCONFIGURED_STORAGE
    if study.local == study.number:
        return StudyState.LOCAL
    return StudyState.PARTIAL if study.local else StudyState.PURGED


def tree_of(recording: DimseRecording) -> Tree:
    """Return the tree with which *recording* was made."""
    changes: list[Change] = []
    for part in recording.configured.split(" | "):
        if part.startswith(_CHANGED):
            changes += _changes(part.removeprefix(_CHANGED))
        elif part.startswith(_RESTRICTED):
            changes.append(capability(_WORKSTATION.child("dicomAETitle", "WORKSTATION"), MR, "SCP", LITTLE_ENDIAN))
    return _recorded_site().with_changes(changes)


@cache
def _recorded_site() -> Tree:
    lab = Tree.from_entries(load_bundled_schema(), load_site_entries(_PORTS))
    others = (LONGTERM_DEVICE, _WORKSTATION)
    listed = [
        entry.dn
        for entry in lab.entries.values()
        if entry.is_a("dicomTransferCapability") and any(entry.dn.is_below(other) for other in others)
    ]
    without = lab.with_changes([Delete(dn) for dn in listed])
    return without.with_changes(
        [*another_archive("FALLBACK", "9114"), put("dcmExternalRetrieveAEDestination", "DCM4CHEE")]
    )


def _changes(text: str) -> Iterator[Change]:
    """Yield the changes of ``RDNs below cn=Devices: attribute=value; …``, the value None for an absent attribute."""
    for change in text.split("; "):
        found = re.fullmatch(r"(?P<dn>\S+): (?P<name>[A-Za-z]+)=(?P<value>.+)", change)
        assert found is not None, change
        values = () if found["value"] == "None" else (found["value"],)
        yield put(found["name"], *values, on=DN.parse(f"{found['dn']},{DEVICES}"))
