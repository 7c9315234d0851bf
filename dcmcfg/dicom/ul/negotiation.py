"""Encode and decode association requests and their answers (PS3.8 Section 9.3.2 to 9.3.4, PS3.7 Annex D).

Items of unknown types are skipped, as PS3.8 Section 9.3.1 requires; pynetdicom's reader stops at them.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field, replace
from functools import lru_cache

from dcmcfg.dicom.ul.pdu import (
    HEADER,
    IMPLEMENTATION_CLASS_UID,
    IMPLEMENTATION_VERSION_NAME,
    AbortReason,
    PduType,
    ProtocolViolation,
)
from dcmcfg.dicom.ul.rejection import Rejection

APPLICATION_CONTEXT = b"1.2.840.10008.3.1.1.1"
#: Version, called and calling AE title, which precede the items.
FIXED_FIELDS = struct.Struct(">Hxx16s16s32x")
_ITEM = struct.Struct(">BxH")
#: The smallest usable PDU length: six octets for the header of a value, and a fragment with an even length.
MIN_PDU_OCTETS = 8


@dataclass(frozen=True)
class ProposedContext:
    """A presentation context as it was proposed."""

    abstract_syntax: str
    transfer_syntaxes: tuple[str, ...]


@dataclass(frozen=True)
class AcceptedContext:
    """A presentation context that both sides accepted."""

    abstract_syntax: str
    transfer_syntax: str


@dataclass(frozen=True, kw_only=True)
class AssociationRequest:
    """An association request of a peer; ``roles`` are the roles (SCU, SCP) that it negotiates, if any.

    ``maximum_length`` is the longest PDU that it accepts, 0 for no limit.
    """

    version: int
    called_field: bytes
    calling_field: bytes
    application_context: bytes
    contexts: Mapping[int, ProposedContext]
    maximum_length: int = 0
    roles: Mapping[str, tuple[bool, bool]] = field(default_factory=dict)
    asynchronous: bool = False

    @property
    def called_ae_title(self) -> str:
        """The called AE title, without padding."""
        return decode_ae_title(self.called_field)

    @property
    def calling_ae_title(self) -> str:
        """The calling AE title as reported by the caller, without padding."""
        return decode_ae_title(self.calling_field)


#: Rejections that dcmcfg sends (PS3.8 Table 9-21).
VERSION_NOT_SUPPORTED = Rejection(1, 2, 2)
CONTEXT_NAME_NOT_SUPPORTED = Rejection(1, 1, 2)
CALLED_TITLE_NOT_RECOGNIZED = Rejection(1, 1, 7)
LOCAL_LIMIT_EXCEEDED = Rejection(2, 3, 2)


def decode_ae_title(octets: bytes) -> str:
    """Return an AE title without its padding."""
    return octets.decode("latin-1").strip(" \0")


# Several associations share a cached result, so nothing may change it.
@lru_cache(maxsize=8)
def negotiate(
    octets: bytes, accepts: Callable[[str], bool], maximum_length: int
) -> tuple[AssociationRequest, Mapping[int, AcceptedContext], bytes]:
    """Return the request in *octets* (:func:`read_request`) with the result of :func:`accept`.

    An archive opens an association for each C-MOVE with the same request. Negotiating 120 contexts takes longer than a
    study of two images, so the results are cached.
    """
    request = read_request(octets)
    return request, *accept(request, accepts, maximum_length)


def read_request(octets: bytes) -> AssociationRequest:
    """Return the A-ASSOCIATE-RQ in *octets* (without PDU header); raises :class:`ProtocolViolation`."""
    if len(octets) < FIXED_FIELDS.size:
        raise ProtocolViolation(AbortReason.INVALID_VALUE, "the association request is too short")
    version, called, calling = FIXED_FIELDS.unpack_from(octets)
    name, user_information = b"", b""
    contexts: dict[int, ProposedContext] = {}
    for kind, content in iterate_items(octets[FIXED_FIELDS.size :]):
        match kind:
            case 0x10:
                name = content.rstrip(b"\0 ")
            case 0x20:
                identifier, context = _read_proposed_context(content)
                # Identifiers are odd (PS3.8 Section 9.3.2.2).
                if identifier % 2 == 0 or identifier in contexts:
                    raise ProtocolViolation(
                        AbortReason.INVALID_VALUE, "the identifier of a presentation context is invalid"
                    )
                contexts[identifier] = context
            case 0x50:
                user_information = content
    return _add_user_information(
        AssociationRequest(
            version=version, called_field=called, calling_field=calling, application_context=name, contexts=contexts
        ),
        user_information,
    )


def find_rejection(request: AssociationRequest, ae_title: str) -> Rejection | None:
    """Return why *ae_title* rejects *request*, None if it accepts."""
    # Bit 0 stands for version 1; other bits are not tested (PS3.8 Section 9.3.2).
    if not request.version & 1:
        return VERSION_NOT_SUPPORTED
    if request.application_context != APPLICATION_CONTEXT:
        return CONTEXT_NAME_NOT_SUPPORTED
    return None if request.called_ae_title == ae_title else CALLED_TITLE_NOT_RECOGNIZED


def encode_rejection(rejection: Rejection) -> bytes:
    """Return the A-ASSOCIATE-RJ for *rejection*."""
    return HEADER.pack(PduType.ASSOCIATE_RJ, 4) + bytes((0, rejection.result, rejection.source, rejection.reason))


def accept(
    request: AssociationRequest, accepts: Callable[[str], bool], maximum_length: int
) -> tuple[Mapping[int, AcceptedContext], bytes]:
    """Return the accepted contexts by identifier, and the A-ASSOCIATE-AC.

    A context is accepted if *accepts* returns True for its abstract syntax, with the transfer syntax proposed first.
    dcmcfg is an SCP only, invokes no operations, and accepts PDUs of *maximum_length*. It does not check a user
    identity, so the answer contains none.
    """
    accepted: dict[int, AcceptedContext] = {}
    items = []
    for identifier, proposed in request.contexts.items():
        result = _get_context_result(request, proposed, accepts)
        # The item of a refused context also contains a transfer syntax, which the peer ignores (PS3.8 Table 9-18).
        syntax = proposed.transfer_syntaxes[0] if proposed.transfer_syntaxes else ""
        if not result:
            accepted[identifier] = AcceptedContext(proposed.abstract_syntax, syntax)
        items.append(encode_item(0x21, bytes((identifier, 0, result, 0)) + encode_item(0x40, syntax.encode("latin-1"))))
    information = _encode_acceptance_information(request, accepted, maximum_length)
    return accepted, encode_association_pdu(
        PduType.ASSOCIATE_AC,
        request.called_field,
        request.calling_field,
        contexts=items,
        user_information=information,
    )


def _get_context_result(request: AssociationRequest, proposed: ProposedContext, accepts: Callable[[str], bool]) -> int:
    """Return the result of one context (PS3.8 Table 9-18)."""
    if not accepts(proposed.abstract_syntax):
        return 3
    if not proposed.transfer_syntaxes:
        return 4
    # Without role selection, the requestor is SCU (PS3.7 Section D.3.3.4).
    as_scu, _ = request.roles.get(proposed.abstract_syntax, (True, False))
    return 0 if as_scu else 1


def _encode_acceptance_information(
    request: AssociationRequest, accepted: Mapping[int, AcceptedContext], maximum_length: int
) -> Iterator[bytes]:
    yield encode_item(0x51, struct.pack(">L", maximum_length))
    yield encode_item(0x52, IMPLEMENTATION_CLASS_UID.encode())
    if request.asynchronous:
        # One operation at a time is also the default without this item (PS3.7 Section D.3.3.3).
        yield encode_item(0x53, struct.pack(">HH", 1, 1))
    for uid in dict.fromkeys(context.abstract_syntax for context in accepted.values()):
        if uid in request.roles:
            encoded = uid.encode("latin-1")
            # The requestor is accepted as SCU, not as SCP.
            yield encode_item(0x54, struct.pack(">H", len(encoded)) + encoded + b"\x01\x00")
    yield encode_item(0x55, IMPLEMENTATION_VERSION_NAME.encode())


def encode_association_pdu(
    kind: PduType,
    called_field: bytes,
    calling_field: bytes,
    *,
    contexts: Iterable[bytes],
    user_information: Iterable[bytes],
) -> bytes:
    """Return an A-ASSOCIATE-RQ or -AC; *contexts* and *user_information* are items, the AE titles are padded."""
    items = (encode_item(0x10, APPLICATION_CONTEXT), *contexts, encode_item(0x50, b"".join(user_information)))
    body = FIXED_FIELDS.pack(1, called_field, calling_field) + b"".join(items)
    return HEADER.pack(kind, len(body)) + body


def encode_item(kind: int, content: bytes) -> bytes:
    """Return an item of type *kind*."""
    return _ITEM.pack(kind, len(content)) + content


def iterate_items(octets: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the type and content of each item in *octets*; raises :class:`ProtocolViolation`."""
    position = 0
    while position < len(octets):
        if len(octets) - position < _ITEM.size:
            raise ProtocolViolation(AbortReason.INVALID_VALUE, "an item is truncated")
        kind, length = _ITEM.unpack_from(octets, position)
        position += _ITEM.size + length
        if position > len(octets):
            raise ProtocolViolation(AbortReason.INVALID_VALUE, "an item is longer than its container")
        yield kind, octets[position - length : position]


def _read_proposed_context(content: bytes) -> tuple[int, ProposedContext]:
    if len(content) < 4:
        raise ProtocolViolation(AbortReason.INVALID_VALUE, "a presentation context is too short")
    syntaxes = [(kind, decode_uid(value)) for kind, value in iterate_items(content[4:])]
    abstract_syntax = next((value for kind, value in syntaxes if kind == 0x30), "")
    return content[0], ProposedContext(abstract_syntax, tuple(value for kind, value in syntaxes if kind == 0x40))


def _add_user_information(request: AssociationRequest, content: bytes) -> AssociationRequest:
    maximum_length, asynchronous = 0, False
    roles: dict[str, tuple[bool, bool]] = {}
    for kind, value in iterate_items(content):
        match kind:
            case 0x51 if len(value) == 4:
                (maximum_length,) = struct.unpack(">L", value)
            case 0x53:
                asynchronous = True
            case 0x54 if len(value) > 4:
                roles[decode_uid(value[2:-2])] = (bool(value[-2]), bool(value[-1]))
    if 0 < maximum_length < MIN_PDU_OCTETS:
        raise ProtocolViolation(AbortReason.INVALID_VALUE, "the maximum PDU length is too short for a response")
    return replace(request, maximum_length=maximum_length, roles=roles, asynchronous=asynchronous)


def decode_uid(value: bytes) -> str:
    """Return the UID in *value*, without padding."""
    return value.decode("latin-1").rstrip("\0 ")


@dataclass(frozen=True)
class Acceptance:
    """The peer's acceptance: contexts by identifier, its longest PDU (0 for no limit), and its implementation.

    ``relational_sop_classes`` are the SOP classes for which it accepts relational queries or retrievals.
    """

    contexts: Mapping[int, AcceptedContext]
    _: KW_ONLY
    maximum_length: int = 0
    implementation_class_uid: str = ""
    implementation_version_name: str = ""
    relational_sop_classes: frozenset[str] = frozenset()


def build_proposed_contexts(
    sop_classes: Sequence[str], transfer_syntaxes: tuple[str, ...]
) -> Mapping[int, ProposedContext]:
    """Return a presentation context for each of *sop_classes*, by odd identifiers."""
    return {2 * number + 1: ProposedContext(uid, transfer_syntaxes) for number, uid in enumerate(sop_classes)}


def encode_association_request(
    calling_ae_title: str,
    called_ae_title: str,
    contexts: Mapping[int, ProposedContext],
    maximum_length: int,
    *,
    relational_sop_classes: Sequence[str] = (),
) -> bytes:
    """Return the A-ASSOCIATE-RQ, with relational queries for *relational_sop_classes* (PS3.4 C.5.1)."""
    parts = []
    for identifier, proposed in contexts.items():
        syntaxes = b"".join(encode_item(0x40, uid.encode()) for uid in proposed.transfer_syntaxes)
        item_header = bytes((identifier, 0, 0, 0)) + encode_item(0x30, proposed.abstract_syntax.encode())
        parts.append(encode_item(0x20, item_header + syntaxes))
    information = _encode_request_information(maximum_length, relational_sop_classes)
    return encode_association_pdu(
        PduType.ASSOCIATE_RQ,
        _pad_ae_title(called_ae_title),
        _pad_ae_title(calling_ae_title),
        contexts=parts,
        user_information=information,
    )


def read_acceptance(octets: bytes, proposed: Mapping[int, ProposedContext]) -> Acceptance:
    """Return the A-ASSOCIATE-AC in *octets* (without PDU header); raises :class:`ProtocolViolation`."""
    if len(octets) < FIXED_FIELDS.size:
        raise ProtocolViolation(AbortReason.INVALID_VALUE, "the answer to the association request is too short")
    accepted: dict[int, AcceptedContext] = {}
    user_information = b""
    for kind, content in iterate_items(octets[FIXED_FIELDS.size :]):
        match kind:
            case 0x21 if len(content) >= 4 and content[2] == 0 and content[0] in proposed:
                syntax = next((decode_uid(value) for kind, value in iterate_items(content[4:]) if kind == 0x40), "")
                accepted[content[0]] = AcceptedContext(proposed[content[0]].abstract_syntax, syntax)
            case 0x50:
                user_information = content
    return _read_user_information(accepted, user_information)


def _read_user_information(accepted: Mapping[int, AcceptedContext], content: bytes) -> Acceptance:
    maximum_length, class_uid, version_name = 0, "", ""
    relational_sop_classes = set()
    for kind, value in iterate_items(content):
        match kind:
            case 0x51 if len(value) == 4:
                (maximum_length,) = struct.unpack(">L", value)
                if 0 < maximum_length < MIN_PDU_OCTETS:
                    raise ProtocolViolation(
                        AbortReason.INVALID_VALUE, "the maximum PDU length is too short for a request"
                    )
            case 0x52:
                class_uid = decode_uid(value)
            case 0x55:
                version_name = value.decode("latin-1").strip(" \0")
            case 0x56 if len(value) > 2:
                length = int.from_bytes(value[:2], "big")
                # The first octet of the application information stands for relational queries (PS3.4 Section C.5.1.1).
                if value[2 + length : 3 + length] == b"\x01":
                    relational_sop_classes.add(decode_uid(value[2 : 2 + length]))
    return Acceptance(
        accepted,
        maximum_length=maximum_length,
        implementation_class_uid=class_uid,
        implementation_version_name=version_name,
        relational_sop_classes=frozenset(relational_sop_classes),
    )


def _encode_request_information(maximum_length: int, relational_sop_classes: Sequence[str]) -> Iterator[bytes]:
    yield encode_item(0x51, struct.pack(">L", maximum_length))
    yield encode_item(0x52, IMPLEMENTATION_CLASS_UID.encode())
    yield encode_item(0x55, IMPLEMENTATION_VERSION_NAME.encode())
    for uid in relational_sop_classes:
        yield encode_item(0x56, struct.pack(">H", len(uid)) + uid.encode() + b"\x01")


def _pad_ae_title(title: str) -> bytes:
    return title.encode("ascii").ljust(16)
