"""What transfer capabilities keep back of what an archive sends."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dcmcfg.model.devices import ANY, STORAGE_SOP_CLASSES, NetworkAE

IMPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2"
EXPLICIT_LITTLE_ENDIAN = "1.2.840.10008.1.2.1"
#: C-MOVE of the Patient Root and Study Root models (PS3.4 C.6).
_MOVE = ("1.2.840.10008.5.1.4.1.2.1.2", "1.2.840.10008.5.1.4.1.2.2.2")
_ALWAYS_OFFERED = frozenset({IMPLICIT_LITTLE_ENDIAN, EXPLICIT_LITTLE_ENDIAN})


@dataclass(frozen=True)
class KeptBack:
    """Of the storage SOP classes that the archive may hold: which do not go out, and which go out re-encoded.

    ``sent`` are those that do. ``not_offered`` the sending AE does not list as SCU, ``not_taken`` the destination
    does not list although it lists others, ``not_let_in`` the AE that they come back to does not list as SCP.
    ``re_encoded`` are transfer syntaxes that the destination or the sending AE does not list, with the number of
    SOP classes: such objects are sent in a little endian encoding, or not at all.
    """

    sent: tuple[str, ...]
    not_offered: tuple[str, ...] = ()
    not_taken: tuple[str, ...] = ()
    not_let_in: tuple[str, ...] = ()
    re_encoded: tuple[tuple[str, int], ...] = ()

    @property
    def all(self) -> frozenset[str]:
        """Every SOP class that it is about."""
        return frozenset((*self.sent, *self.not_offered, *self.not_taken, *self.not_let_in))


def kept_back(
    sender: NetworkAE,
    destination: NetworkAE,
    back_to: NetworkAE | None = None,
    *,
    locally: bool = True,
    only: frozenset[str] | None = None,
) -> KeptBack:
    """Return what is kept back of what *sender* sends to *destination* (``RetrieveServiceImpl``, ``CStoreSCUImpl``).

    ``back_to`` is the archive's AE that an external archive sends to first, if it does; with *locally*, *sender*
    sends objects of its own storage, and so decides how they are encoded. ``only`` are the SOP classes that it is
    about; without it those that the archive may hold.
    """
    held = _held(sender)
    if only is not None:
        held = {uid: held.get(uid, frozenset()) for uid in sorted(only)}
    offered, taken = sender.syntaxes["SCU"], destination.syntaxes["SCP"]
    let_in = held if back_to is None else back_to.syntaxes["SCP"]
    out = [uid for uid in held if uid in offered]
    goes = [uid for uid in out if (not taken or uid in taken) and uid in let_in]
    return KeptBack(
        sent=tuple(goes),
        not_offered=tuple(uid for uid in held if uid not in offered),
        not_taken=tuple(uid for uid in out if taken and uid not in taken),
        not_let_in=tuple(uid for uid in out if uid not in let_in),
        re_encoded=_re_encoded(goes, held, offered, taken) if locally else (),
    )


def takes_moves(ae: NetworkAE) -> bool:
    """Tell whether *ae* accepts a presentation context for C-MOVE, by what it lists or shares as SCP."""
    return any(uid in ae.syntaxes["SCP"] for uid in _MOVE)


def _held(sender: NetworkAE) -> Mapping[str, frozenset[str]]:
    """Return the storage SOP classes that may be held, with transfer syntaxes.

    Those that some AE of the sender's device takes in, or that the sender means to send.
    """
    found: dict[str, set[str]] = {}
    lists = [ae.syntaxes["SCP"] for ae in sender.device.network_aes]
    for listed in (*lists, sender.syntaxes["SCU"]):
        for uid, syntaxes in listed.items():
            if uid.startswith(STORAGE_SOP_CLASSES):
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
        for syntax in held[uid] - _ALWAYS_OFFERED - {ANY}:
            if not all(ANY in listed or syntax in listed for listed in lists):
                count[syntax] = count.get(syntax, 0) + 1
    return tuple(sorted(count.items()))
