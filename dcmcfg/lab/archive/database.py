"""The archive's database of instances: header, location, external archive, availability."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import KW_ONLY, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock

from pydicom.dataset import Dataset

from dcmcfg.lab.matching import get_key_values
from dcmcfg.private_folders import create_private_folder

#: The external AE title of an instance without a recorded storage commitment.
NO_EXTERNAL_AET = "*"
_INSTANCE_TABLE = """
CREATE TABLE IF NOT EXISTS instance (
    sop_instance_uid TEXT PRIMARY KEY,
    study_uid TEXT NOT NULL,
    header TEXT NOT NULL,
    is_local INTEGER NOT NULL,
    external_aet TEXT NOT NULL,
    availability TEXT NOT NULL,
    retrieve_aets TEXT NOT NULL,
    storage_id TEXT NOT NULL,
    received TEXT NOT NULL
)
"""
_INCOMPLETE_STUDY_TABLE = """
CREATE TABLE IF NOT EXISTS incomplete_study (
    study_uid TEXT PRIMARY KEY,
    failed_retrieves INTEGER NOT NULL
)
"""
_INDEX = "CREATE INDEX IF NOT EXISTS instance_of ON instance (study_uid)"
#: The attribute Patient ID of a header, as JSON; NULL if the header does not have it.
_PATIENT_ID = """json_extract(header, '$."00100020"')"""
_PATIENT_INDEX = f"CREATE INDEX IF NOT EXISTS study_of_patient ON instance ({_PATIENT_ID}, study_uid)"
_COLUMNS = "sop_instance_uid, header, is_local, external_aet, availability, retrieve_aets, storage_id, received"
_Row = tuple[str, str, int, str, str, str, str, str]
#: The storage of the lab's tree.
STORAGE_ID = "fs1"


def get_current_dt() -> str:
    """Return the current time as a DT value with milliseconds and zone (PS3.5 6.2)."""
    now = datetime.now(UTC)
    return f"{now:%Y%m%d%H%M%S}.{now.microsecond // 1000:03d}+0000"


@dataclass(frozen=True)
class InstanceRecord:
    """One instance; ``is_local`` is True if the storage ``storage_id`` has its file. Do not change ``header``.

    ``retrieve_aets`` are AE titles of the archive itself. ``received_at`` is the time of the first reception (DT
    value).
    """

    header: Dataset
    _: KW_ONLY
    is_local: bool
    external_aet: str = NO_EXTERNAL_AET
    availability: str = "ONLINE"
    retrieve_aets: tuple[str, ...] = ()
    storage_id: str = STORAGE_ID
    received_at: str = field(default_factory=get_current_dt)

    @property
    def sop_instance_uid(self) -> str:
        """The SOP Instance UID."""
        return str(self.header.SOPInstanceUID)


class Database:
    """The instances known to the archive, in a file that survives a restart; thread-safe."""

    def __init__(self, path: Path) -> None:
        create_private_folder(path.parent)
        self._lock = Lock()
        # Associations and HTTP requests run in threads of their own. The lock serialises them.
        self._connection = sqlite3.connect(path, check_same_thread=False)
        # By SOP Instance UID: the JSON text and the header. Parsing takes longer than anything else in a query.
        self._header_cache: dict[str, tuple[str, Dataset]] = {}
        with self._lock, self._connection:
            self._connection.execute(_INSTANCE_TABLE)
            self._connection.execute(_INCOMPLETE_STUDY_TABLE)
            self._connection.execute(_INDEX)
            self._connection.execute(_PATIENT_INDEX)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def is_empty(self) -> bool:
        """Return whether no instance is known."""
        return not self._fetch_rows("SELECT 1 FROM instance LIMIT 1", ())

    def save(self, instances: Iterable[InstanceRecord]) -> None:
        """Add or replace *instances*, atomically."""
        rows = [
            (
                each.sop_instance_uid,
                str(each.header.StudyInstanceUID),
                each.header.to_json(),
                each.is_local,
                each.external_aet,
                each.availability,
                "\\".join(each.retrieve_aets),
                each.storage_id,
                each.received_at,
            )
            for each in instances
        ]
        with self._lock, self._connection:
            self._connection.executemany("INSERT OR REPLACE INTO instance VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)

    def find_instance(self, sop_instance_uid: str) -> InstanceRecord | None:
        """Return the instance, or None if it is unknown."""
        rows = self._fetch_rows(f"SELECT {_COLUMNS} FROM instance WHERE sop_instance_uid = ?", (sop_instance_uid,))  # noqa: S608 — a constant
        return self._parse_row(rows[0]) if rows else None

    def list_instances(self) -> tuple[InstanceRecord, ...]:
        """Return all instances, ordered by the UIDs of study and instance."""
        rows = self._fetch_rows(f"SELECT {_COLUMNS} FROM instance ORDER BY study_uid, sop_instance_uid", ())  # noqa: S608 — a constant
        return tuple(self._parse_row(row) for row in rows)

    def list_study_instances(self, study_uid: str) -> tuple[InstanceRecord, ...]:
        """Return the instances of a study, ordered by UID."""
        query = f"SELECT {_COLUMNS} FROM instance WHERE study_uid = ? ORDER BY sop_instance_uid"  # noqa: S608 — constants
        return tuple(self._parse_row(row) for row in self._fetch_rows(query, (study_uid,)))

    def find_candidates(self, identifier: Dataset) -> tuple[InstanceRecord, ...]:
        """Return the instances that *identifier* may match: those of the named studies, or all instances."""
        key = identifier.get_item("StudyInstanceUID") if "StudyInstanceUID" in identifier else None
        uids = get_key_values(identifier["StudyInstanceUID"]) if key is not None else ()
        if not uids:
            return self.list_instances()
        placeholders = ", ".join("?" * len(uids))
        query = (
            f"SELECT {_COLUMNS} FROM instance WHERE study_uid IN ({placeholders}) ORDER BY study_uid, sop_instance_uid"  # noqa: S608 — constants
        )
        return tuple(self._parse_row(row) for row in self._fetch_rows(query, uids))

    def count_patient_studies(self, sop_instance_uid: str) -> int:
        """Return the number of studies with the Patient ID of the instance *sop_instance_uid*."""
        query = (
            f"SELECT COUNT(DISTINCT study_uid) FROM instance WHERE {_PATIENT_ID} IS "  # noqa: S608 — constants
            f"(SELECT {_PATIENT_ID} FROM instance WHERE sop_instance_uid = ?)"
        )
        with self._lock:
            return int(self._connection.execute(query, (sop_instance_uid,)).fetchone()[0])

    def get_failed_retrieves(self, study_uid: str) -> int | None:
        """Return the number of failed retrieves of the rest of an incomplete study, or None for a complete study."""
        query = "SELECT failed_retrieves FROM incomplete_study WHERE study_uid = ?"
        with self._lock:
            row = self._connection.execute(query, (study_uid,)).fetchone()
        return None if row is None else int(row[0])

    def set_failed_retrieves(self, study_uid: str, number: int | None) -> None:
        """Mark a study as incomplete after *number* failed retrieves, or as complete with None."""
        with self._lock, self._connection:
            self._connection.execute("DELETE FROM incomplete_study WHERE study_uid = ?", (study_uid,))
            if number is not None:
                self._connection.execute("INSERT INTO incomplete_study VALUES (?, ?)", (study_uid, number))

    def _fetch_rows(self, query: str, values: tuple[str, ...]) -> list[_Row]:
        with self._lock:
            return self._connection.execute(query, values).fetchall()

    def _parse_row(self, row: _Row) -> InstanceRecord:
        uid, header, is_local, external_aet, availability, retrieve_aets, storage_id, received = row
        titles = tuple(title for title in retrieve_aets.split("\\") if title)
        return InstanceRecord(
            self._parse_header(uid, header),
            is_local=bool(is_local),
            external_aet=external_aet,
            availability=availability,
            retrieve_aets=titles,
            storage_id=storage_id,
            received_at=received,
        )

    def _parse_header(self, sop_instance_uid: str, text: str) -> Dataset:
        known = self._header_cache.get(sop_instance_uid)
        if known is None or known[0] != text:
            known = self._header_cache[sop_instance_uid] = (text, Dataset.from_json(text))
        return known[1]


def extract_header(dataset: Dataset) -> Dataset:
    """Return the top-level attributes of *dataset* for queries, without pixel data and File Meta Information."""
    header = Dataset()
    for element in dataset:
        # Bulk data is in the object store, and would make each query slow.
        if element.tag.group < 0x7FE0 and element.VR not in ("OB", "OW", "OF", "OD", "OL", "OV", "UN"):
            header.add(element)
    if "TransferSyntaxUID" in getattr(dataset, "file_meta", ()):
        header.AvailableTransferSyntaxUID = dataset.file_meta.TransferSyntaxUID
    return header
