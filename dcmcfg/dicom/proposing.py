"""An association request of ours, and the answer to it (PS3.8 Section 9.3.2 and 9.3.3, PS3.7 Annex D)."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from dcmcfg.dicom.implementation import CLASS_UID, VERSION_NAME
from dcmcfg.dicom.negotiation import FIXED, SMALLEST_PDU, Accepted, Proposed, association_pdu, item, items, uid_of
from dcmcfg.dicom.upper_layer import PduType, Reason, Violation


@dataclass(frozen=True)
class Acceptance:
    """What the peer agreed to: contexts by identifier, the longest PDU that it takes (0 for any), and who it is.

    ``relational`` are the SOP classes for which it takes relational queries or retrievals.
    """

    contexts: Mapping[int, Accepted]
    maximum_length: int = 0
    implementation_class_uid: str = ""
    implementation_version_name: str = ""
    relational: frozenset[str] = frozenset()


def proposals(sop_classes: Sequence[str], transfer_syntaxes: tuple[str, ...]) -> Mapping[int, Proposed]:
    """Return a presentation context for each of *sop_classes*, by odd identifiers."""
    return {2 * number + 1: Proposed(uid, transfer_syntaxes) for number, uid in enumerate(sop_classes)}


def request_pdu(
    calling: str, called: str, contexts: Mapping[int, Proposed], maximum_length: int, relational: Sequence[str] = ()
) -> bytes:
    """Return the A-ASSOCIATE-RQ; relational queries are asked for of the SOP classes *relational* (PS3.4 C.5.1)."""
    parts = []
    for identifier, proposed in contexts.items():
        syntaxes = b"".join(item(0x40, uid.encode()) for uid in proposed.transfer_syntaxes)
        head = bytes((identifier, 0, 0, 0)) + item(0x30, proposed.abstract_syntax.encode())
        parts.append(item(0x20, head + syntaxes))
    information = _user_information(maximum_length, relational)
    return association_pdu(PduType.ASSOCIATE_RQ, _padded(called), _padded(calling), parts, information)


def read_acceptance(octets: bytes, proposed: Mapping[int, Proposed]) -> Acceptance:
    """Return the A-ASSOCIATE-AC whose octets after its head are *octets*; raises :class:`Violation`."""
    if len(octets) < FIXED.size:
        raise Violation(Reason.INVALID_VALUE, "the answer to the association request is too short")
    accepted: dict[int, Accepted] = {}
    user_information = b""
    for kind, content in items(octets[FIXED.size :]):
        match kind:
            case 0x21 if len(content) >= 4 and content[2] == 0 and content[0] in proposed:
                syntax = next((uid_of(value) for kind, value in items(content[4:]) if kind == 0x40), "")
                accepted[content[0]] = Accepted(proposed[content[0]].abstract_syntax, syntax)
            case 0x50:
                user_information = content
    return _introduced(accepted, user_information)


def _introduced(accepted: Mapping[int, Accepted], content: bytes) -> Acceptance:
    maximum_length, class_uid, version_name = 0, "", ""
    relational = set()
    for kind, value in items(content):
        match kind:
            case 0x51 if len(value) == 4:
                (maximum_length,) = struct.unpack(">L", value)
                if 0 < maximum_length < SMALLEST_PDU:
                    raise Violation(Reason.INVALID_VALUE, "no request fits into so short a PDU")
            case 0x52:
                class_uid = uid_of(value)
            case 0x55:
                version_name = value.decode("latin-1").strip(" \0")
            case 0x56 if len(value) > 2:
                length = int.from_bytes(value[:2], "big")
                if value[2 + length : 3 + length] == b"\x01":
                    relational.add(uid_of(value[2 : 2 + length]))
    return Acceptance(accepted, maximum_length, class_uid, version_name, frozenset(relational))


def _user_information(maximum_length: int, relational: Sequence[str]) -> Iterator[bytes]:
    yield item(0x51, struct.pack(">L", maximum_length))
    yield item(0x52, CLASS_UID.encode())
    yield item(0x55, VERSION_NAME.encode())
    for uid in relational:
        yield item(0x56, struct.pack(">H", len(uid)) + uid.encode() + b"\x01")


def _padded(title: str) -> bytes:
    return title.encode("ascii").ljust(16)
