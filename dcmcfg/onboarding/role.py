"""Roles of new AEs, for ``ae add --role`` and the column ``role`` of ``import``.

The role determines the entries that are written for an AE. Like ``dcmldap``, no role writes transfer capabilities:
without any, the archive sends everything, but a single SCP capability would exclude all other SOP classes
(RetrieveServiceImpl).
"""

from __future__ import annotations

from enum import Enum

from dcmcfg.errors import MalformedInput
from dcmcfg.model.devices import NetworkAE
from dcmcfg.network_address import ADDRESS_FORM, parse_ae_address
from dcmcfg.schema_names import DICOM_ASSOCIATION_ACCEPTOR, DICOM_PRIMARY_DEVICE_TYPE

#: dicomPrimaryDeviceType of an archive in the stock configuration.
ARCHIVE_TYPE = "ARCHIVE"


class AERole(Enum):
    """The role of an AE: a workstation or other destination, a modality (sends only), or another archive."""

    WORKSTATION = "workstation"
    MODALITY = "modality"
    ARCHIVE = "archive"

    @property
    def listens(self) -> bool:
        """Whether the AE accepts associations (dicomAssociationAcceptor) and therefore requires a port."""
        return self is not AERole.MODALITY

    @property
    def device_type(self) -> str | None:
        """The dicomPrimaryDeviceType of a new device for the AE, or None."""
        return ARCHIVE_TYPE if self is AERole.ARCHIVE else None

    @property
    def description(self) -> str:
        """The behaviour of an AE with this role, as a phrase for help texts."""
        return _DESCRIPTIONS[self]


_DESCRIPTIONS = {
    AERole.WORKSTATION: "accepts associations",
    AERole.MODALITY: "only sends objects and requires no port",
    AERole.ARCHIVE: "accepts associations, and its device gets the type ARCHIVE if the device is new",
}
DEFAULT_ROLE = AERole.WORKSTATION
_WITHOUT_PORT = f"only --role {AERole.MODALITY.value} requires no port"


def describe_roles() -> str:
    """Return all roles with their descriptions in one line, the default first."""
    return "; ".join(f"{role.value}: {role.description}" for role in AERole)


def parse_role(text: str) -> AERole:
    """Return the role called *text*, whose case is not significant; raises :class:`MalformedInput`."""
    try:
        return AERole(text.casefold())
    except ValueError:
        raise MalformedInput(f"unknown role; must be one of {', '.join(role.value for role in AERole)}") from None


def parse_new_address(text: str, role: AERole) -> tuple[str, str, int | None]:
    """Return title, host and port in *text*, ``AET@HOST:PORT``; the port is optional if *role* does not listen.

    Raises :class:`MalformedInput`.
    """
    title, host, port = parse_ae_address(text)
    if port is None and role.listens:
        raise MalformedInput("the port is missing", subject=repr(text), next_step=f"{ADDRESS_FORM}; {_WITHOUT_PORT}")
    return title, host, port


def determine_role(ae: NetworkAE) -> AERole:
    """Return the role of *ae*, derived from its entry and its device."""
    # LDAP booleans are upper case only (RFC 4517 §3.3.3).
    if ae.entry.text(DICOM_ASSOCIATION_ACCEPTOR) == "FALSE":
        return AERole.MODALITY
    if ARCHIVE_TYPE in ae.device.entry.texts(DICOM_PRIMARY_DEVICE_TYPE):
        return AERole.ARCHIVE
    return AERole.WORKSTATION
