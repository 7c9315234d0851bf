"""The archive's private attributes of a patient, study, series or instance (``PrivateTag``, group 7777).

The simulation supports only the attributes about the location and reception time of a study. For the others it knows
only the VR: requested by number, they are returned empty.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from dcmcfg.lab.archive.database import NO_EXTERNAL_AET
from dcmcfg.lab.archive.store_and_find import ArchiveQueryInstance
from dcmcfg.lab.identifier import LEVELS, Level

PRIVATE_CREATOR = "DCM4CHEE Archive 5"
PRIVATE_GROUP = 0x7777
#: Attributes that are always empty in the simulation: element → VR.
ALWAYS_EMPTY: Mapping[int, str] = {
    0x16: "LO",
    0x29: "UL",
    0x2A: "US",
    0x37: "AE",
    0x51: "LO",
    0x52: "UI",
    0x53: "UL",
    0x54: "LO",
    0x68: "AE",
    0x69: "UR",
    0x6A: "UR",
    0x6F: "DT",
}
#: VR and value; None means no value. An empty list is a value: the attribute is returned without being requested.
Element = tuple[str, object]


@dataclass(frozen=True)
class PrivateAttributes:
    """The private attributes of an entity of ``level`` with ``instances``, in a ``study`` with all its instances.

    ``failed_retrieves`` is None for a complete study.
    """

    study: Sequence[ArchiveQueryInstance]
    instances: Sequence[ArchiveQueryInstance]
    level: Level
    failed_retrieves: int | None

    @property
    def external_ae_title(self) -> str:
        """The external AE title that all instances of the study have in common, else ``*``."""
        return _find_common_external_title(self.study)

    @property
    def storages(self) -> list[str]:
        """The IDs of the storages with files of the study."""
        return sorted({each.record.storage_id for each in self.study if each.record.is_local})

    def make_elements(self) -> dict[int, Element]:
        """Return all elements by their number in the private block."""
        series_uid = self.instances[0].unique_key("SERIES")
        series = [each for each in self.study if each.unique_key("SERIES") == series_uid]
        elements: dict[int, Element] = {number: (vr, None) for number, vr in ALWAYS_EMPTY.items()}
        elements |= _make_time_elements({0x10: min, 0x11: max}, self.study)
        elements |= self._clear_below_level(
            "STUDY", _make_time_elements({0x20: min, 0x21: max, 0x22: max, 0x2D: max}, self.study)
        )
        elements |= self._clear_below_level("STUDY", self._make_study_elements())
        elements |= self._clear_below_level("SERIES", _make_time_elements({0x30: min, 0x31: max}, series))
        elements |= self._clear_below_level("SERIES", {0x44: ("AE", _find_external_title(series))})
        elements |= self._clear_below_level("IMAGE", _make_time_elements({0x40: min, 0x41: max}, self.instances))
        elements |= self._clear_below_level("IMAGE", self._make_instance_elements())
        return elements

    def _make_study_elements(self) -> dict[int, Element]:
        return {
            0x25: ("CS", None if self.failed_retrieves is None else "PARTIAL"),
            0x26: ("US", self.failed_retrieves or None),
            0x28: ("LO", self.storages),
            0x45: ("AE", _find_external_title(self.study)),
        }

    def _make_instance_elements(self) -> dict[int, Element]:
        record = self.instances[0].record
        return {
            0x43: ("AE", _find_external_title(self.instances)),
            0x50: ("LO", record.storage_id if record.is_local else None),
        }

    def _clear_below_level(self, level: Level, elements: dict[int, Element]) -> dict[int, Element]:
        """Return *elements* of *level*, without values if the entity is of a higher level."""
        if LEVELS.index(level) <= LEVELS.index(self.level):
            return elements
        return {number: (vr, None) for number, (vr, _) in elements.items()}


def _make_time_elements(
    elements: Mapping[int, Callable[[Iterable[str]], str]], instances: Iterable[ArchiveQueryInstance]
) -> dict[int, Element]:
    """Return an element for each of *elements*, with the first or last reception time."""
    timestamps = [each.record.received_at for each in instances]
    return {number: ("DT", choose(timestamps)) for number, choose in elements.items()}


def _find_common_external_title(instances: Iterable[ArchiveQueryInstance]) -> str:
    titles = {each.record.external_aet for each in instances}
    # The archive stores the common title of a study, or ``*`` if instances differ (StgCmtEJB).
    return titles.pop() if len(titles) == 1 else NO_EXTERNAL_AET


def _find_external_title(instances: Iterable[ArchiveQueryInstance]) -> str | None:
    title = _find_common_external_title(instances)
    return None if title == NO_EXTERNAL_AET else title
