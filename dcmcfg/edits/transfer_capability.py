"""A transfer capability as an entry below its AE (PS3.15 H.1.3).

Kept apart: dicom.capability_lines uses it and does not load edits.capabilities.
"""

from __future__ import annotations

from dataclasses import dataclass

from dcmcfg.dn import DN
from dcmcfg.entry import Entry

CLASSES = ("dicomTransferCapability", "dcmTransferCapability")


@dataclass(frozen=True)
class TransferCapability:
    """What an AE can do: ``role`` (SCU or SCP) of a SOP class, with transfer syntaxes, the preferred ones first.

    ``name`` becomes its ``cn``; the default configuration calls them "CT Image Storage SCP".
    """

    name: str
    sop_class: str
    role: str
    transfer_syntaxes: tuple[str, ...]

    def build_entry(self, ae: DN) -> Entry:
        """Return its entry below the AE at *ae*, with the classes that the archive writes."""
        return Entry.from_values(
            ae.child("cn", self.name),
            {
                "objectClass": CLASSES,
                "cn": self.name,
                "dicomSOPClass": self.sop_class,
                "dicomTransferRole": self.role,
                "dicomTransferSyntax": self.transfer_syntaxes,
            },
        )
