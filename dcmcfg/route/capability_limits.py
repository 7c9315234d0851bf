"""What transfer capabilities keep back of what an archive sends."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dcmcfg.model.devices import ANY_TRANSFER_SYNTAX, NetworkAE
from dcmcfg.well_known_uids import (
    EXPLICIT_VR_LITTLE_ENDIAN,
    IMPLICIT_VR_LITTLE_ENDIAN,
    PATIENT_ROOT_MOVE,
    STORAGE_SOP_CLASS_PREFIX,
    STUDY_ROOT_MOVE,
)

#: C-MOVE of the Patient Root and Study Root models (PS3.4 C.6).
_MOVE = (PATIENT_ROOT_MOVE, STUDY_ROOT_MOVE)
_ALWAYS_OFFERED = frozenset({IMPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_VR_LITTLE_ENDIAN})


@dataclass(frozen=True, kw_only=True)
class CapabilityLimits:
    """Of the storage SOP classes that the archive may hold: which do not go out, and which go out re-encoded.

    ``sent`` are those that do. ``not_offered_by_sender`` the sending AE does not list as SCU,
    ``not_accepted_by_destination`` the destination does not list although it lists others, ``not_accepted_by_archive``
    the AE that they come back to does not list as SCP. ``reencoded_transfer_syntaxes`` are transfer syntaxes that the
    destination or the sending AE does not list, with the number of SOP classes: such objects are sent in a little
    endian encoding, or not at all.
    """

    sent: tuple[str, ...]
    not_offered_by_sender: tuple[str, ...] = ()
    not_accepted_by_destination: tuple[str, ...] = ()
    not_accepted_by_archive: tuple[str, ...] = ()
    reencoded_transfer_syntaxes: tuple[tuple[str, int], ...] = ()

    @property
    def all_sop_classes(self) -> frozenset[str]:
        """Every SOP class that it is about."""
        return frozenset(
            (*self.sent, *self.not_offered_by_sender, *self.not_accepted_by_destination, *self.not_accepted_by_archive)
        )


def find_capability_limits(
    sender: NetworkAE,
    destination: NetworkAE,
    return_ae: NetworkAE | None = None,
    *,
    sends_locally: bool = True,
    sop_classes: frozenset[str] | None = None,
) -> CapabilityLimits:
    """Return what is kept back of what *sender* sends to *destination* (``RetrieveServiceImpl``, ``CStoreSCUImpl``).

    ``return_ae`` is the archive's AE that an external archive sends to first, if it does; with *sends_locally*,
    *sender* sends objects of its own storage, and so decides how they are encoded. ``sop_classes`` are the SOP classes
    that it is about; without it those that the archive may hold.
    """
    held = _find_storage_sop_classes(sender)
    if sop_classes is not None:
        held = {uid: held.get(uid, frozenset()) for uid in sorted(sop_classes)}
    offered, taken = sender.transfer_syntaxes["SCU"], destination.transfer_syntaxes["SCP"]
    let_in = held if return_ae is None else return_ae.transfer_syntaxes["SCP"]
    out = [uid for uid in held if uid in offered]
    goes = [uid for uid in out if (not taken or uid in taken) and uid in let_in]
    return CapabilityLimits(
        sent=tuple(goes),
        not_offered_by_sender=tuple(uid for uid in held if uid not in offered),
        not_accepted_by_destination=tuple(uid for uid in out if taken and uid not in taken),
        not_accepted_by_archive=tuple(uid for uid in out if uid not in let_in),
        reencoded_transfer_syntaxes=_re_encoded(goes, held, offered, taken) if sends_locally else (),
    )


def accepts_moves(ae: NetworkAE) -> bool:
    """Tell whether *ae* accepts a presentation context for C-MOVE, by what it lists or shares as SCP."""
    return any(uid in ae.transfer_syntaxes["SCP"] for uid in _MOVE)


def _find_storage_sop_classes(sender: NetworkAE) -> Mapping[str, frozenset[str]]:
    """Return the storage SOP classes that may be held, with transfer syntaxes.

    Those that some AE of the sender's device takes in, or that the sender means to send.
    """
    found: dict[str, set[str]] = {}
    lists = [ae.transfer_syntaxes["SCP"] for ae in sender.device.network_aes]
    for listed in (*lists, sender.transfer_syntaxes["SCU"]):
        for uid, syntaxes in listed.items():
            if uid.startswith(STORAGE_SOP_CLASS_PREFIX):
                found.setdefault(uid, set()).update(syntaxes)
    return {uid: frozenset(found[uid]) for uid in sorted(found)}


def _re_encoded(
    goes: Iterable[str],
    held: Mapping[str, frozenset[str]],
    offered: Mapping[str, frozenset[str]],
    taken: Mapping[str, frozenset[str]],
) -> tuple[tuple[str, int], ...]:
    count: dict[str, int] = {}
    for uid in goes:
        lists = [offered[uid], taken[uid]] if taken else [offered[uid]]
        for syntax in held[uid] - _ALWAYS_OFFERED - {ANY_TRANSFER_SYNTAX}:
            if not all(ANY_TRANSFER_SYNTAX in listed or syntax in listed for listed in lists):
                count[syntax] = count.get(syntax, 0) + 1
    return tuple(sorted(count.items()))
