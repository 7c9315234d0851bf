"""What Debian's Orthanc is met as."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Part(Enum):
    """The part that Orthanc plays."""

    EXTERNAL = "the external archive, which sends straight to the destination"
    DESTINATION = "the destination"
    ARCHIVE = "the archive itself"


@dataclass(frozen=True)
class Orthanc:
    """``does`` completes the sentence "Orthanc, as ...": its part, and whom it knows; ``calling`` is who asks it."""

    name: str
    part: Part
    whom: str
    calling: str = "DCMCFG"
    destination: str = "WORKSTATION"

    @property
    def does(self) -> str:
        return f"{self.part.value}: {self.whom}"


EVERY_ORTHANC = (
    Orthanc("orthanc-external", Part.EXTERNAL, "it knows caller and destination"),
    Orthanc("orthanc-external-stranger", Part.EXTERNAL, "it does not know the destination", destination="STORESCP"),
    Orthanc("orthanc-external-caller", Part.EXTERNAL, "it does not know the caller", calling="STRANGER"),
    Orthanc("orthanc-destination", Part.DESTINATION, "it knows the archive", destination="LONGTERM"),
    Orthanc("orthanc-archive", Part.ARCHIVE, "it knows caller and destination"),
    Orthanc("orthanc-archive-stranger", Part.ARCHIVE, "it does not know the destination", destination="STORESCP"),
    Orthanc("orthanc-archive-caller", Part.ARCHIVE, "it does not know the caller", calling="STRANGER"),
)
