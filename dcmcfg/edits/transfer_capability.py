"""The transfer capability of an AE, and its entry below the AE (PS3.15 H.1.3).

Kept apart: dicom.capability_lines uses it and does not load edits.capabilities.
"""

from __future__ import annotations

from dataclasses import dataclass

from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.schema_names import (
    COMMON_NAME,
    DCM_TRANSFER_CAPABILITY_OBJECT_CLASS,
    DICOM_SOP_CLASS,
    DICOM_TRANSFER_CAPABILITY_OBJECT_CLASS,
    DICOM_TRANSFER_ROLE,
    DICOM_TRANSFER_SYNTAX,
    OBJECT_CLASS,
)

CLASSES = (DICOM_TRANSFER_CAPABILITY_OBJECT_CLASS, DCM_TRANSFER_CAPABILITY_OBJECT_CLASS)


@dataclass(frozen=True)
class TransferCapability:
    """A capability of an AE: the ``role`` (SCU or SCP) for a SOP class, with transfer syntaxes in preferred order.

    ``name`` is its ``cn``; names in the default configuration are like "CT Image Storage SCP".
    """

    name: str
    sop_class: str
    role: str
    transfer_syntaxes: tuple[str, ...]

    def build_entry(self, ae: DN) -> Entry:
        """Return the entry of the capability below the AE at *ae*, with the classes that the archive writes."""
        return Entry.from_values(
            ae.child(COMMON_NAME, self.name),
            {
                OBJECT_CLASS: CLASSES,
                COMMON_NAME: self.name,
                DICOM_SOP_CLASS: self.sop_class,
                DICOM_TRANSFER_ROLE: self.role,
                DICOM_TRANSFER_SYNTAX: self.transfer_syntaxes,
            },
        )
