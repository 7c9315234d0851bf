"""An association request, and the answer of a storage SCP (PS3.8 Section 9.3.2 to 9.3.4, PS3.7 Annex D).

Items of types that are not known are passed over, as PS3.8 Section 9.3.1 asks; pynetdicom's reader stops at them.

An association request of ours, and the answer to it (PS3.8 Section 9.3.2 and 9.3.3, PS3.7 Annex D).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from dcmcfg.dicom.ul.pdu import CLASS_UID, HEADER, VERSION_NAME, PduType, Reason, Violation
from dcmcfg.dicom.ul.rejection import Rejection

APPLICATION_CONTEXT = b"1.2.840.10008.3.1.1.1"
#: Version, called and calling AE title, before the items.
FIXED = struct.Struct(">Hxx16s16s32x")
_ITEM = struct.Struct(">BxH")
#: A P-DATA-TF's head of one value takes six octets, and a fragment has an even number.
SMALLEST_PDU = 8


@dataclass(frozen=True)
class Proposed:
    """A presentation context as it was proposed."""

    abstract_syntax: str
    transfer_syntaxes: tuple[str, ...]


@dataclass(frozen=True)
class Accepted:
    """A presentation context that both sides agreed on."""

    abstract_syntax: str
    transfer_syntax: str


@dataclass(frozen=True)
class AssociationRequest:
    """What the peer asks for; ``roles`` are what it wants to be (SCU, SCP) where it says so.

    ``maximum_length`` is the longest PDU that it takes, 0 for any.
    """

    version: int
    called: bytes
    calling: bytes
    application_context: bytes
    contexts: Mapping[int, Proposed]
    maximum_length: int = 0
    roles: Mapping[str, tuple[bool, bool]] = field(default_factory=dict)
    asynchronous: bool = False

    @property
    def called_title(self) -> str:
        """The AE title that is called, without padding."""
        return title(self.called)

    @property
    def calling_title(self) -> str:
        """The AE title of the caller, by its own account, without padding."""
        return title(self.calling)


#: Why we reject (PS3.8 Table 9-21).
VERSION_NOT_SUPPORTED = Rejection(1, 2, 2)
CONTEXT_NAME_NOT_SUPPORTED = Rejection(1, 1, 2)
CALLED_TITLE_NOT_RECOGNIZED = Rejection(1, 1, 7)
TOO_MANY = Rejection(2, 3, 2)


def title(octets: bytes) -> str:
    """Return an AE title without its padding."""
    return octets.decode("latin-1").strip(" \0")


@lru_cache(maxsize=8)
def agreed(
    octets: bytes, takes: Callable[[str], bool], maximum_length: int
) -> tuple[AssociationRequest, Mapping[int, Accepted], bytes]:
    """Return the request in *octets*, as :func:`read_request` does, with what :func:`accept` says to it.

    An archive opens an association for each C-MOVE, and says the same each time: 120 contexts take longer than a study
    of two images, so what was worked out is kept.
    """
    request = read_request(octets)
    return request, *accept(request, takes, maximum_length)


def read_request(octets: bytes) -> AssociationRequest:
    """Return the A-ASSOCIATE-RQ whose octets after its head are *octets*; raises :class:`Violation`."""
    if len(octets) < FIXED.size:
        raise Violation(Reason.INVALID_VALUE, "the association request is too short")
    version, called, calling = FIXED.unpack_from(octets)
    name, user_information = b"", b""
    contexts: dict[int, Proposed] = {}
    for kind, content in items(octets[FIXED.size :]):
        match kind:
            case 0x10:
                name = content.rstrip(b"\0 ")
            case 0x20:
                identifier, context = _proposed(content)
                if identifier % 2 == 0 or identifier in contexts:
                    raise Violation(Reason.INVALID_VALUE, "the identifier of a presentation context is wrong")
                contexts[identifier] = context
            case 0x50:
                user_information = content
    return _with_user_information(AssociationRequest(version, called, calling, name, contexts), user_information)


def refusal(request: AssociationRequest, ae_title: str) -> Rejection | None:
    """Return why *ae_title* rejects *request*, None where it does not."""
    if not request.version & 1:
        return VERSION_NOT_SUPPORTED
    if request.application_context != APPLICATION_CONTEXT:
        return CONTEXT_NAME_NOT_SUPPORTED
    return None if request.called_title == ae_title else CALLED_TITLE_NOT_RECOGNIZED


def rejection_pdu(rejection: Rejection) -> bytes:
    """Return the A-ASSOCIATE-RJ that says so."""
    return HEADER.pack(PduType.ASSOCIATE_RJ, 4) + bytes((0, rejection.result, rejection.source, rejection.reason))


def accept(
    request: AssociationRequest, takes: Callable[[str], bool], maximum_length: int
) -> tuple[Mapping[int, Accepted], bytes]:
    """Return the contexts accepted, by identifier, and the A-ASSOCIATE-AC that says so.

    Of a context whose abstract syntax *takes* is true of, the transfer syntax proposed first is accepted. We are
    SCP only, invoke nothing, and take PDUs of *maximum_length*. Who the user is, is not asked, so no answer tells
    that it was.
    """
    accepted: dict[int, Accepted] = {}
    answers = []
    for identifier, proposed in request.contexts.items():
        result = _result(request, proposed, takes)
        syntax = proposed.transfer_syntaxes[0] if proposed.transfer_syntaxes else ""
        if not result:
            accepted[identifier] = Accepted(proposed.abstract_syntax, syntax)
        answers.append(item(0x21, bytes((identifier, 0, result, 0)) + item(0x40, syntax.encode("latin-1"))))
    information = _answered(request, accepted, maximum_length)
    return accepted, association_pdu(PduType.ASSOCIATE_AC, request.called, request.calling, answers, information)


def _result(request: AssociationRequest, proposed: Proposed, takes: Callable[[str], bool]) -> int:
    """Return the result of one context (PS3.8 Table 9-18)."""
    if not takes(proposed.abstract_syntax):
        return 3
    if not proposed.transfer_syntaxes:
        return 4
    as_scu, _ = request.roles.get(proposed.abstract_syntax, (True, False))
    return 0 if as_scu else 1


def _answered(request: AssociationRequest, accepted: Mapping[int, Accepted], maximum_length: int) -> Iterator[bytes]:
    yield item(0x51, struct.pack(">L", maximum_length))
    yield item(0x52, CLASS_UID.encode())
    if request.asynchronous:
        yield item(0x53, struct.pack(">HH", 1, 1))
    for uid in dict.fromkeys(context.abstract_syntax for context in accepted.values()):
        if uid in request.roles:
            encoded = uid.encode("latin-1")
            yield item(0x54, struct.pack(">H", len(encoded)) + encoded + b"\x01\x00")
    yield item(0x55, VERSION_NAME.encode())


def association_pdu(
    kind: PduType, called: bytes, calling: bytes, contexts: Iterable[bytes], user_information: Iterable[bytes]
) -> bytes:
    """Return an A-ASSOCIATE-RQ or -AC; *contexts* and *user_information* are items, the AE titles are padded."""
    items = (item(0x10, APPLICATION_CONTEXT), *contexts, item(0x50, b"".join(user_information)))
    body = FIXED.pack(1, called, calling) + b"".join(items)
    return HEADER.pack(kind, len(body)) + body


def item(kind: int, content: bytes) -> bytes:
    """Return an item of that type."""
    return _ITEM.pack(kind, len(content)) + content


def items(octets: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the type and content of each item in *octets*; raises :class:`Violation`."""
    position = 0
    while position < len(octets):
        if len(octets) - position < _ITEM.size:
            raise Violation(Reason.INVALID_VALUE, "an item is cut off")
        kind, length = _ITEM.unpack_from(octets, position)
        position += _ITEM.size + length
        if position > len(octets):
            raise Violation(Reason.INVALID_VALUE, "an item is longer than what it is in")
        yield kind, octets[position - length : position]


def _proposed(content: bytes) -> tuple[int, Proposed]:
    if len(content) < 4:
        raise Violation(Reason.INVALID_VALUE, "a presentation context is too short")
    syntaxes = [(kind, uid_of(value)) for kind, value in items(content[4:])]
    abstract = next((value for kind, value in syntaxes if kind == 0x30), "")
    return content[0], Proposed(abstract, tuple(value for kind, value in syntaxes if kind == 0x40))


def _with_user_information(request: AssociationRequest, content: bytes) -> AssociationRequest:
    maximum_length, asynchronous = 0, False
    roles: dict[str, tuple[bool, bool]] = {}
    for kind, value in items(content):
        match kind:
            case 0x51 if len(value) == 4:
                (maximum_length,) = struct.unpack(">L", value)
            case 0x53:
                asynchronous = True
            case 0x54 if len(value) > 4:
                roles[uid_of(value[2:-2])] = (bool(value[-2]), bool(value[-1]))
    if 0 < maximum_length < SMALLEST_PDU:
        raise Violation(Reason.INVALID_VALUE, "no answer fits into so short a PDU")
    return replace(request, maximum_length=maximum_length, roles=roles, asynchronous=asynchronous)


def uid_of(value: bytes) -> str:
    """Return the UID in *value*, without padding."""
    return value.decode("latin-1").rstrip("\0 ")


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
