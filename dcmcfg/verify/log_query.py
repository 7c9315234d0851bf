"""The query for the log of another program: one study, and the AE titles that identify the log's owner.

Kept apart: verify.external_log imports the readers of logs, and all use it: a cycle in external_log.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass


@dataclass(frozen=True)
class LogQuery:
    """The study to find: its UID, its SOP Instance UIDs, and Orthanc's IDs of the study and its parts.

    ``calling_ae_title`` is the AE title of dcmcfg. ``archive_ae_titles`` are those of the archive: a log whose AE has
    one of them is the archive's own. ``external_ae_titles`` are those of the external archives that the archive may
    ask; empty if unknown.
    """

    study_uid: str
    sop_instance_uids: frozenset[str] = frozenset()
    orthanc_resource_ids: frozenset[str] = frozenset()
    _: KW_ONLY
    calling_ae_title: str = ""
    archive_ae_titles: frozenset[str] = frozenset()
    external_ae_titles: frozenset[str] = frozenset()
