"""What an AE is to the archive, which decides what is written for it.

No role writes transfer capabilities, as ``dcmldap`` does not: with none the archive sends whatever it has, while a
single SCP capability would hide all other SOP classes (RetrieveServiceImpl).
"""

from __future__ import annotations

from enum import Enum

from dcmcfg.model.devices import NetworkAE

#: dicomPrimaryDeviceType of an archive, as the stock configuration has it.
ARCHIVE_TYPE = "ARCHIVE"


class Role(Enum):
    """A workstation or other destination of images; a modality, which only sends; another archive."""

    WORKSTATION = "workstation"
    MODALITY = "modality"
    ARCHIVE = "archive"

    @property
    def listens(self) -> bool:
        """Whether it accepts associations (dicomAssociationAcceptor), so that it needs a port."""
        return self is not Role.MODALITY

    @property
    def device_type(self) -> str | None:
        """The dicomPrimaryDeviceType of a device that is made for it, if any."""
        return ARCHIVE_TYPE if self is Role.ARCHIVE else None


def role_of(ae: NetworkAE) -> Role:
    """Return the role that *ae* has by its entry and its device."""
    if ae.entry.text("dicomAssociationAcceptor") == "FALSE":
        return Role.MODALITY
    if ARCHIVE_TYPE in ae.device.entry.texts("dicomPrimaryDeviceType"):
        return Role.ARCHIVE
    return Role.WORKSTATION
