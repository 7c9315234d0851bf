"""Sets of capabilities that are wanted often."""

from __future__ import annotations

from dcmcfg.capabilities import SCP, SCU, ability, is_of_storage, plain_name
from dcmcfg.devices import Configuration
from dcmcfg.dicom.registered_uids import name_of, storage_sop_classes
from dcmcfg.edits.transfer_capability import TransferCapability

_VERIFICATION = "1.2.840.10008.1.1"
_IMPLICIT, _EXPLICIT = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1"


def storage_scp(configuration: Configuration) -> tuple[TransferCapability, ...]:
    """Return what takes everything in little endian: the standard's storage SOP classes, and what archives may send.

    The archives of the *configuration* know private SOP classes too. Verification comes first; each name is there once.
    """
    names = {_VERIFICATION: name_of(_VERIFICATION), **{uid: name_of(uid) for uid in storage_sop_classes()}}
    for device in configuration.devices:
        for ae in device.network_aes if device.is_archive else ():
            for entry in ae.capabilities:
                sop_class, role = ability(entry)
                if role == SCU and is_of_storage(entry) and plain_name(entry) not in names.values():
                    names.setdefault(sop_class, plain_name(entry))
    return tuple(
        TransferCapability(f"{name} {SCP}", uid, SCP, (_IMPLICIT,) if uid == _VERIFICATION else (_IMPLICIT, _EXPLICIT))
        for uid, name in names.items()
    )
