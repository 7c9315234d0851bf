"""The study of a recording as the archive's database had it: each instance with its file and external archive."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.recorded.recordings import DimseRecording, StudyState

NOBODY = "*"


@dataclass(frozen=True)
class StoredInstance:
    """``storage`` is the storage ID of its file, empty where the archive has none; ``external`` is an AE title or *."""

    sop_instance_uid: str
    series_uid: str
    storage: str
    external: str


@dataclass(frozen=True)
class StoredStudy:
    """A study with the external AE title and the storages that the database has at the level of the study."""

    study_uid: str
    external: str
    storage_ids: tuple[str, ...]
    instances: tuple[StoredInstance, ...]

    def series(self) -> tuple[str, ...]:
        """Return the Series Instance UIDs in their order."""
        return tuple(dict.fromkeys(each.series_uid for each in self.instances))

    def of_series(self, series_uid: str) -> tuple[StoredInstance, ...]:
        return tuple(each for each in self.instances if each.series_uid == series_uid)


def study_uid(recording: DimseRecording) -> str:
    """Return the Study Instance UID that the client's C-MOVE or C-FIND named, the last of several."""
    request = next(each for each in messages(recording, "client-archive") if each["what"] in ("C-MOVE-RQ", "C-FIND-RQ"))
    named = request["dataset"]["StudyInstanceUID"]
    return str(named) if isinstance(named, str) else str(named[-1])


def before(recording: DimseRecording) -> StoredStudy | None:
    """Return the study before the C-MOVE; None where the database had none."""
    state = recording.before
    if state is None or not state.known:
        return None
    sent = _sent(recording, "to-workstation")
    return _stored(study_uid(recording), state, sent[: state.local])


def after(recording: DimseRecording) -> StoredStudy | None:
    """Return the study after the C-MOVE; None where the database had none."""
    state, had = recording.after, before(recording)
    if state is None or not state.known:
        return None
    here = [each.sop_instance_uid for each in had.instances if each.storage] if had else []
    came = _sent(recording, "longterm-archive") + _sent(recording, "fallback-archive")
    return _stored(study_uid(recording), state, [*here, *came])


def messages(recording: DimseRecording, leg: str) -> list[Mapping[str, Any]]:
    """Return all messages of *leg* in the order of their time."""
    found = [message for connection in recording.legs(leg) for message in connection["messages"]]
    return sorted(found, key=lambda each: int(each["ms"]))


def _sent(recording: DimseRecording, leg: str) -> list[str]:
    requests = (each for each in messages(recording, leg) if each["what"] == "C-STORE-RQ")
    return [str(each["command"]["AffectedSOPInstanceUID"]) for each in requests]


def _stored(study: str, state: StudyState, here: Sequence[str]) -> StoredStudy:
    """Return the study in *state*; where it is there in part, the first ones *here* have their file."""
    uids = [f"{study}.1.{number}" for number in range(1, state.number + 1)]
    own = [uid for uid in dict.fromkeys(here) if uid in uids]
    local = set((own + [uid for uid in uids if uid not in own])[: state.local])
    storage = next(iter(state.storage_ids), "")
    instances = (
        StoredInstance(uid, f"{study}.1", storage if uid in local else "", state.external or NOBODY) for uid in uids
    )
    return StoredStudy(study, state.external, state.storage_ids, tuple(instances))
