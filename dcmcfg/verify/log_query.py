"""What is looked for in the log of another program: one study, and the titles that tell whose log it is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Sought:
    """The study: its UID, its SOP Instance UIDs, and what Orthanc calls it and its parts.

    ``calling`` is our own AE title, ``archive_titles`` are those of the archive: a log whose AE has one of them is the
    archive's own. ``external_titles`` are those of the external archives that the archive may ask; none where they
    are not known.
    """

    study_uid: str
    sop_instance_uids: frozenset[str] = frozenset()
    resources: frozenset[str] = frozenset()
    calling: str = ""
    archive_titles: frozenset[str] = frozenset()
    external_titles: frozenset[str] = frozenset()
