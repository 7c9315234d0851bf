"""The settings that steer a retrieve, as they count for an AE."""

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

#: Attributes that an archive AE takes from its device where it has none of its own (ArchiveAEExtension).
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
    """The values of an attribute that count for an AE; ``level`` says where they stand, empty when nowhere."""

    name: str
    values: tuple[str, ...]
    level: Level


def find_storage_problem(ae: NetworkAE) -> str:
    """Return why the archive's own *ae* cannot take in what an external archive sends; empty where it can."""
    if not ae.installed or ae.entry.text(DICOM_ASSOCIATION_ACCEPTOR) != "TRUE":
        return "accepts no associations (dicomInstalled or dicomAssociationAcceptor)"
    if not ae.is_storage_scp:
        return "has no storage SCP capability"
    if OBJECT_STORAGE_ID not in ae.entry and OBJECT_STORAGE_ID not in ae.device.entry:
        return "has no dcmObjectStorageID"
    return ""


def get_effective_setting(ae: NetworkAE, name: str) -> EffectiveSetting:
    """Return what counts for *ae*: its own values, else (where they are inherited) its device's."""
    if own := ae.entry.texts(name):
        return EffectiveSetting(name, own, "AE")
    inherited = ae.device.entry.texts(name) if name in INHERITED_ATTRIBUTES else ()
    return EffectiveSetting(name, inherited, "device" if inherited else "")


def list_retrieve_settings(ae: NetworkAE) -> tuple[EffectiveSetting, ...]:
    """Return the settings for *ae* that are set, and the external retrieve destination in any case."""
    found = (get_effective_setting(ae, name) for name in (*INHERITED_ATTRIBUTES, *AE_ONLY_ATTRIBUTES))
    return tuple(setting for setting in found if setting.values or setting.name == INHERITED_ATTRIBUTES[0])
