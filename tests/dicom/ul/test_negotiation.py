"""Our association request and our requests, read by the side that accepts."""

from __future__ import annotations

import pytest

from dcmcfg.dicom.ul.association import DimseMessage, MessageAssembler
from dcmcfg.dicom.ul.command_set import (
    PRIORITY,
    CommandField,
    decode_command_set,
    encode_cancel_request,
    encode_request,
    encode_us,
)
from dcmcfg.dicom.ul.negotiation import (
    accept,
    build_proposed_contexts,
    encode_association_request,
    read_acceptance,
    read_request,
)
from dcmcfg.dicom.ul.pdu import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME, ProtocolViolation, encode_message

FIND, MOVE = "1.2.840.10008.5.1.4.1.2.2.1", "1.2.840.10008.5.1.4.1.2.2.2"
SYNTAXES = ("1.2.840.10008.1.2", "1.2.840.10008.1.2.1")
HEAD = 6


def test_what_we_propose_is_read_as_it_was_meant() -> None:
    read = read_request(
        encode_association_request(
            "ME", "ARCHIVE", build_proposed_contexts([FIND, MOVE], SYNTAXES), 16384, relational_sop_classes=[FIND]
        )[HEAD:]
    )
    assert (read.calling_ae_title, read.called_ae_title, read.maximum_length) == ("ME", "ARCHIVE", 16384)
    assert [(number, each.abstract_syntax) for number, each in read.contexts.items()] == [(1, FIND), (3, MOVE)]
    assert {each.transfer_syntaxes for each in read.contexts.values()} == {SYNTAXES}


def test_what_was_accepted_is_told_with_who_accepted_it() -> None:
    proposed = build_proposed_contexts([FIND, MOVE], SYNTAXES)
    request = read_request(encode_association_request("ME", "ARCHIVE", proposed, 16384)[HEAD:])
    _, answer = accept(request, lambda uid: uid == MOVE, 4096)
    acceptance = read_acceptance(answer[HEAD:], proposed)
    assert {number: each.abstract_syntax for number, each in acceptance.contexts.items()} == {3: MOVE}
    assert (acceptance.maximum_length, acceptance.implementation_class_uid) == (4096, IMPLEMENTATION_CLASS_UID)
    assert (acceptance.implementation_version_name, acceptance.relational_sop_classes) == (
        IMPLEMENTATION_VERSION_NAME,
        frozenset(),
    )


@pytest.mark.parametrize("length", [0, 8, 64, 16384])
def test_a_message_comes_as_it_was_sent_in_pdus_of_any_length(length: int) -> None:
    command_set = encode_request(CommandField.C_FIND, FIND, 7, {PRIORITY: encode_us(2)}, has_data_set=True)
    data_set = bytes(range(256))
    octets, incoming = encode_message(command_set, data_set, 1, length), MessageAssembler([1])
    messages: list[DimseMessage] = []
    while octets:
        end = HEAD + int.from_bytes(octets[2:HEAD], "big")
        assert length == 0 or end - HEAD <= length
        messages += incoming.add_pdu(octets[HEAD:end])
        octets = octets[end:]
    (message,) = messages
    assert (message.command.field, message.command.message_id, message.data_set) == (
        CommandField.C_FIND,
        7,
        data_set,
    )
    assert message.command.number(PRIORITY) == 2


def test_a_cancel_names_its_request() -> None:
    command = decode_command_set(encode_cancel_request(7))
    assert (command.field, command.has_data_set, command.number(0x0120)) == (CommandField.C_CANCEL, False, 7)


@pytest.mark.parametrize(
    "octets",
    [b"\0\0\0\2\1\3\0", b"\0\0\0\0", b"\0\0\0\1\1\3", b"\0\0\0\2\5\3", b"\0\0\0\2\1\2", b"\0\0\0\4\1\3\xff\xff"],
    ids=["rest", "cut off", "too short", "another context", "data first", "no command set"],
)
def test_octets_that_are_no_message_are_a_violation(octets: bytes) -> None:
    with pytest.raises(ProtocolViolation):
        list(MessageAssembler([1]).add_pdu(octets))


@pytest.mark.parametrize("octets", [b"", bytes(68) + b"\x21", bytes(68) + b"\x50\0\0\x08\x51\0\0\x04\0\0\0\x01"])
def test_an_answer_that_makes_no_sense_is_a_violation(octets: bytes) -> None:
    with pytest.raises(ProtocolViolation):
        read_acceptance(octets, build_proposed_contexts([FIND], SYNTAXES))
