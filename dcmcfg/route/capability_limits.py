"""Find the SOP classes that transfer capabilities prevent an archive from sending."""

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
_MOVE_SOP_CLASSES = (PATIENT_ROOT_MOVE, STUDY_ROOT_MOVE)
#: Encodings that the archive uses if it cannot send an object in its own transfer syntax.
_ALWAYS_OFFERED = frozenset({IMPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_VR_LITTLE_ENDIAN})


@dataclass(frozen=True, kw_only=True)
class CapabilityLimits:
    """Which storage SOP classes of the archive are sent, not sent, or sent re-encoded.

    ``sent`` are the SOP classes that are sent. The sending AE does not list ``not_offered_by_sender`` as SCU. The
    destination does not list ``not_accepted_by_destination`` although it lists others. The archive's AE that objects
    come back to does not list ``not_accepted_by_archive`` as SCP. ``reencoded_transfer_syntaxes`` are transfer syntaxes
    that the destination or the sending AE does not list, with the number of SOP classes: such objects are sent in a
    little endian encoding, or not at all.
    """

    sent: tuple[str, ...]
    not_offered_by_sender: tuple[str, ...] = ()
    not_accepted_by_destination: tuple[str, ...] = ()
    not_accepted_by_archive: tuple[str, ...] = ()
    reencoded_transfer_syntaxes: tuple[tuple[str, int], ...] = ()

    @property
    def all_sop_classes(self) -> frozenset[str]:
        """All SOP classes in these limits."""
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
    """Return the SOP classes that *sender* cannot send to *destination* (``RetrieveServiceImpl``, ``CStoreSCUImpl``).

    ``return_ae`` is the archive's AE to which an external archive sends first, if it does. With *sends_locally*,
    *sender* sends objects from its own storage, and therefore decides on their encoding. ``sop_classes`` restricts the
    result to these SOP classes; without it, all that the archive may hold are considered.
    """
    held_syntaxes = _find_storage_sop_classes(sender)
    if sop_classes is not None:
        # A study may contain SOP classes that no AE lists any more.
        held_syntaxes = {uid: held_syntaxes.get(uid, frozenset()) for uid in sorted(sop_classes)}
    offered, accepted = sender.transfer_syntaxes["SCU"], destination.transfer_syntaxes["SCP"]
    returned = held_syntaxes if return_ae is None else return_ae.transfer_syntaxes["SCP"]
    sendable = [uid for uid in held_syntaxes if uid in offered]
    # The archive restricts nothing for a destination without SCP capabilities; a single one hides all others.
    sent = [uid for uid in sendable if (not accepted or uid in accepted) and uid in returned]
    return CapabilityLimits(
        sent=tuple(sent),
        not_offered_by_sender=tuple(uid for uid in held_syntaxes if uid not in offered),
        not_accepted_by_destination=tuple(uid for uid in sendable if accepted and uid not in accepted),
        not_accepted_by_archive=tuple(uid for uid in sendable if uid not in returned),
        reencoded_transfer_syntaxes=_count_reencoded(sent, held_syntaxes, offered, accepted) if sends_locally else (),
    )


def accepts_moves(ae: NetworkAE) -> bool:
    """Return whether *ae* accepts a presentation context for C-MOVE, from the SCP capabilities it has or shares."""
    return any(uid in ae.transfer_syntaxes["SCP"] for uid in _MOVE_SOP_CLASSES)


def _find_storage_sop_classes(sender: NetworkAE) -> Mapping[str, frozenset[str]]:
    """Return the storage SOP classes that the archive may hold, with their transfer syntaxes.

    These are the ones that any AE of the sender's device receives, or that the sender offers.
    """
    syntaxes_by_class: dict[str, set[str]] = {}
    capability_lists = [ae.transfer_syntaxes["SCP"] for ae in sender.device.network_aes]
    for capabilities in (*capability_lists, sender.transfer_syntaxes["SCU"]):
        for uid, syntaxes in capabilities.items():
            if uid.startswith(STORAGE_SOP_CLASS_PREFIX):
                syntaxes_by_class.setdefault(uid, set()).update(syntaxes)
    return {uid: frozenset(syntaxes_by_class[uid]) for uid in sorted(syntaxes_by_class)}


def _count_reencoded(
    sent: Iterable[str],
    held_syntaxes: Mapping[str, frozenset[str]],
    offered: Mapping[str, frozenset[str]],
    accepted: Mapping[str, frozenset[str]],
) -> tuple[tuple[str, int], ...]:
    counts: dict[str, int] = {}
    for uid in sent:
        syntax_lists = [offered[uid], accepted[uid]] if accepted else [offered[uid]]
        for syntax in held_syntaxes[uid] - _ALWAYS_OFFERED - {ANY_TRANSFER_SYNTAX}:
            if not all(ANY_TRANSFER_SYNTAX in syntax_list or syntax in syntax_list for syntax_list in syntax_lists):
                counts[syntax] = counts.get(syntax, 0) + 1
    return tuple(sorted(counts.items()))
