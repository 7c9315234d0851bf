"""Effective settings of an AE that control retrieves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dcmcfg.model.devices import NetworkAE
from dcmcfg.schema_names import (
    ACCEPTED_CALLING_AE_TITLE,
    ACCEPTED_MOVE_DESTINATION,
    ALT_C_MOVE_SCP,
    DICOM_ASSOCIATION_ACCEPTOR,
    EXTERNAL_RETRIEVE_AE_DESTINATION,
    FALLBACK_C_MOVE_SCP,
    FALLBACK_C_MOVE_SCP_CALLING_AET,
    FALLBACK_C_MOVE_SCP_DESTINATION,
    FALLBACK_C_MOVE_SCP_LEADING_C_FIND_SCP,
    FALLBACK_C_MOVE_SCP_RETRIES,
    OBJECT_STORAGE_ID,
    OTHER_AE_TITLE,
    RESTRICT_RETRIEVE_SILENTLY,
    RETURN_RETRIEVE_AET,
    SEND_PENDING_C_MOVE_INTERVAL,
)

#: Attributes that an archive AE inherits from its device if it has no value of its own (ArchiveAEExtension).
INHERITED_ATTRIBUTES = (
    EXTERNAL_RETRIEVE_AE_DESTINATION,
    FALLBACK_C_MOVE_SCP,
    FALLBACK_C_MOVE_SCP_DESTINATION,
    FALLBACK_C_MOVE_SCP_CALLING_AET,
    FALLBACK_C_MOVE_SCP_LEADING_C_FIND_SCP,
    FALLBACK_C_MOVE_SCP_RETRIES,
    "dcmFallbackCMoveSCPStudyOlderThan",
    ALT_C_MOVE_SCP,
    SEND_PENDING_C_MOVE_INTERVAL,
    RETURN_RETRIEVE_AET,
    RESTRICT_RETRIEVE_SILENTLY,
)
#: Attributes that only the AE has.
AE_ONLY_ATTRIBUTES = (
    ACCEPTED_MOVE_DESTINATION,
    OTHER_AE_TITLE,
    OBJECT_STORAGE_ID,
    ACCEPTED_CALLING_AE_TITLE,
)

Level = Literal["AE", "device", ""]


@dataclass(frozen=True)
class EffectiveSetting:
    """The effective values of an attribute for an AE; ``level`` is where they are set, empty if they are not set."""

    name: str
    values: tuple[str, ...]
    level: Level


def find_storage_problem(ae: NetworkAE) -> str:
    """Return why the archive's own *ae* cannot receive objects from an external archive; empty if it can."""
    if not ae.installed or ae.entry.text(DICOM_ASSOCIATION_ACCEPTOR) != "TRUE":
        return "accepts no associations (dicomInstalled or dicomAssociationAcceptor)"
    if not ae.is_storage_scp:
        return "has no storage SCP capability"
    if OBJECT_STORAGE_ID not in ae.entry and OBJECT_STORAGE_ID not in ae.device.entry:
        return "has no dcmObjectStorageID"
    return ""


def get_effective_setting(ae: NetworkAE, name: str) -> EffectiveSetting:
    """Return the effective setting of *ae*: its own values, or the inherited values of its device."""
    if own := ae.entry.texts(name):
        return EffectiveSetting(name, own, "AE")
    inherited = ae.device.entry.texts(name) if name in INHERITED_ATTRIBUTES else ()
    return EffectiveSetting(name, inherited, "device" if inherited else "")


def list_retrieve_settings(ae: NetworkAE) -> tuple[EffectiveSetting, ...]:
    """Return the retrieve settings of *ae* that have a value, and always the external retrieve destination."""
    found = (get_effective_setting(ae, name) for name in (*INHERITED_ATTRIBUTES, *AE_ONLY_ATTRIBUTES))
    return tuple(setting for setting in found if setting.values or setting.name == INHERITED_ATTRIBUTES[0])
