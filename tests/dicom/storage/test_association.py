"""What is said to senders that keep to the standard in unusual ways, and to those that do not."""

from __future__ import annotations

import operator
import struct
import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import psutil
import pytest

from dcmcfg.dicom.peer import DicomTimeouts, Peer
from dcmcfg.dicom.storage.receiver import MAX_ASSOCIATIONS, Receiver
from tests.dicom import dcmtk
from tests.dicom.raw_scu import (
    CT,
    IMPLICIT,
    RELEASE,
    RawScu,
    associate,
    command,
    context,
    data_set,
    item,
    p_data,
    pdu,
    raw_scu,
    store,
    stored,
    value,
)
from tests.patience import PATIENCE_S, PATIENT, comes_true

pytestmark = pytest.mark.real
VERIFICATION, FIND, MOVE = b"1.2.840.10008.1.1", b"1.2.840.10008.5.1.4.1.2.2.1", b"1.2.840.10008.5.1.4.1.2.2.2"
PRIVATE, JPEG_2000, BIG_ENDIAN = b"1.2.826.0.1.3680043.9.9", b"1.2.840.10008.1.2.4.90", b"1.2.840.10008.1.2.2"
BY_USER, UNRECOGNIZED, UNEXPECTED, INVALID = b"\0\0\0\0", b"\0\0\2\1", b"\0\0\2\2", b"\0\0\2\6"
ABORT = 7
A_STORE: dict[int, bytes | int] = {0x0002: CT, 0x0100: 1, 0x0110: 7, 0x0700: 0, 0x0800: 1, 0x1000: b"1.2.3.1"}


@pytest.fixture(scope="module")
def shared() -> Iterator[Receiver]:
    with Receiver("STORESCP", dcmtk.LOOPBACK, 0, PATIENT) as receiver:
        yield receiver


@pytest.fixture
def receiver(shared: Receiver) -> Receiver:
    shared.take(lambda _: True)
    return shared


@pytest.fixture
def scu(receiver: Receiver) -> Iterator[RawScu]:
    with raw_scu(_peer(receiver)) as scu:
        yield scu


def _peer(receiver: Receiver) -> Peer:
    return Peer(receiver.ae_title, receiver.host, receiver.port)


def _results(answer: bytes) -> dict[int, tuple[int, bytes]]:
    """Return result and transfer syntax of each presentation context in an A-ASSOCIATE-AC."""
    found = {}
    for kind, content in _items(answer[68:]):
        if kind == 0x21:
            found[content[0]] = content[2], content[8:]
    return found


def _items(octets: bytes) -> Iterator[tuple[int, bytes]]:
    while octets:
        kind, length = struct.unpack_from(">BxH", octets)
        yield kind, octets[4 : 4 + length]
        octets = octets[4 + length :]


def _user_items(answer: bytes) -> dict[int, bytes]:
    return next(dict(_items(content)) for kind, content in _items(answer[68:]) if kind == 0x50)


# ---- negotiation


def test_each_context_is_answered_with_what_was_proposed_first(scu: RawScu) -> None:
    contexts = [
        context(1, CT, JPEG_2000, IMPLICIT),
        context(3, PRIVATE, b"1.2.826.0.1.3680043.9.10"),
        context(5, VERIFICATION, BIG_ENDIAN),
        context(7, FIND, IMPLICIT),
        context(9, CT),
        context(11, b"", IMPLICIT),
    ]
    scu.send(associate(contexts=contexts))
    kind, answer = scu.pdu()
    assert kind == 2
    assert _results(answer) == {
        1: (0, JPEG_2000),
        3: (0, b"1.2.826.0.1.3680043.9.10"),
        5: (0, BIG_ENDIAN),
        7: (3, IMPLICIT),
        9: (4, b""),
        11: (3, IMPLICIT),
    }


def test_all_that_can_be_negotiated_is_answered_as_the_standard_says(scu: RawScu) -> None:
    """PS3.7 Annex D: roles and the window are answered, who the user is and extended negotiation are not."""
    length_of = struct.pack(">H", len(CT))
    user = (
        item(0x51, struct.pack(">L", 16384)),
        item(0x52, b"1.2.3"),
        item(0x53, struct.pack(">HH", 0, 0)),
        item(0x54, length_of + CT + b"\1\1"),
        item(0x55, b"RAW"),
        item(0x56, length_of + CT + b"\1\0\0\0\0\0"),
        item(0x57, length_of + CT + b"\0\0\0\0"),
        item(0x58, b"\1\1" + struct.pack(">H", 4) + b"user" + b"\0\0"),
        item(0x77, b"what nobody knows"),
    )
    scu.send(associate(user=b"".join(user)))
    kind, answer = scu.pdu()
    items = _user_items(answer)
    assert kind == 2
    assert (answer[4:20], answer[20:36]) == (b"STORESCP        ", b"RAW             ")
    assert set(items) == {0x51, 0x52, 0x53, 0x54, 0x55}
    assert items[0x53] == struct.pack(">HH", 1, 1)
    assert items[0x54] == length_of + CT + b"\1\0"
    assert struct.unpack(">L", items[0x51])[0] >= 16384


def test_whoever_wants_to_be_scp_only_is_refused_the_context(scu: RawScu) -> None:
    role = item(0x54, struct.pack(">H", len(CT)) + CT + b"\0\1")
    scu.send(associate(user=item(0x51, b"\0\0\0\0") + role))
    _, answer = scu.pdu()
    assert _results(answer)[1][0] == 1
    scu.send(stored())
    assert scu.pdu() == (ABORT, INVALID)


def test_128_contexts_fit(scu: RawScu) -> None:
    classes = [b"1.2.826.0.1.3680043.9.%d" % number for number in range(128)]
    scu.associated(associate(contexts=[context(2 * n + 1, uid, IMPLICIT) for n, uid in enumerate(classes)]))
    scu.send(stored(context_id=255))
    assert scu.status() == 0


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        (associate(b"OTHER"), b"\0\1\1\7"),
        (associate(b""), b"\0\1\1\7"),
        (associate(b"storescp"), b"\0\1\1\7"),
        (associate(version=2), b"\0\1\2\2"),
        (associate(name=b"1.2.3"), b"\0\1\1\2"),
    ],
)
def test_a_request_that_is_not_for_us_is_rejected(scu: RawScu, request_: bytes, answer: bytes) -> None:
    scu.send(request_)
    assert scu.pdu() == (3, answer)
    assert scu.pdu() == (0, b"")


@pytest.mark.parametrize(
    ("octets", "answer"),
    [
        (associate(contexts=[context(1, CT, IMPLICIT)] * 2), INVALID),
        (associate(contexts=[context(n % 256, CT, IMPLICIT) for n in range(1, 300, 2)]), INVALID),
        (associate(contexts=[context(2, CT, IMPLICIT)]), INVALID),
        (associate(contexts=[item(0x20, b"\1")]), INVALID),
        (associate(contexts=[item(0x20, b"\1\0\0\0" + b"\x30\0\xff\xff")]), INVALID),
        (associate(user=item(0x51, b"\0\0\0\2")), INVALID),
        (associate()[:-1], b""),
        (pdu(1, b"\0\1"), INVALID),
        (b"\1\0\xff\xff\xff\xff", INVALID),
        (stored(), UNEXPECTED),
        (RELEASE, UNEXPECTED),
        (b"GET / HTTP/1.1\r\n\r\n", UNRECOGNIZED),
    ],
)
def test_what_is_no_association_request_is_aborted(
    scu: RawScu, receiver: Receiver, octets: bytes, answer: bytes
) -> None:
    scu.send(octets)
    if not answer:
        scu.close()
        return
    assert scu.pdu() == (ABORT, answer)
    assert scu.pdu() == (0, b"")
    assert "violated the protocol" in receiver.problems[-1]


def test_one_association_too_many_is_rejected_for_now(timeouts: DicomTimeouts) -> None:
    with Receiver("STORESCP", dcmtk.LOOPBACK, 0, timeouts) as receiver:
        connections = [raw_scu(_peer(receiver)) for _ in range(MAX_ASSOCIATIONS + 1)]
        *within, beyond = (each.__enter__() for each in connections)
        for scu in within:
            scu.associated()
        beyond.send(associate())
        assert beyond.pdu() == (3, b"\0\2\3\2")
        within[0].send(RELEASE)
        assert within[0].pdu()[0] == 6
        within[0].close()
        for scu in within[1:]:
            scu.send(stored())
        assert {scu.status() for scu in within[1:]} == {0}
        assert len(receiver.received) == MAX_ASSOCIATIONS - 1
        for each in connections:
            each.__exit__(None, None, None)


# ---- messages


def test_however_a_message_is_cut_it_is_understood(scu: RawScu, receiver: Receiver) -> None:
    scu.associated()
    request, data = store(), data_set()
    for octet in request[:-1]:
        scu.send(p_data(value(bytes((octet,)), is_command=True, is_last=False)))
    scu.send(p_data(value(request[-1:], is_command=True), value(b"", is_command=False, is_last=False)))
    for octet in data:
        scu.send(p_data(value(bytes((octet,)), is_command=False, is_last=False)))
    scu.send(p_data(value(b"", is_command=False)))
    assert scu.status() == 0
    (instance,) = receiver.received
    assert (instance.sop_instance_uid, instance.study_uid, instance.data_set_length) == ("1.2.3.1", "1.2.3", len(data))


def test_the_same_octets_have_one_fingerprint_however_they_are_cut(scu: RawScu, receiver: Receiver) -> None:
    scu.associated()
    first, second = data_set()[:40], data_set()[40:]
    scu.send(stored(b"1.2.3.1"))
    for last in (second, second[:-1] + bytes((second[-1] ^ 1,))):
        pieces = value(first, is_command=False, is_last=False) + value(last, is_command=False)
        scu.send(p_data(value(store(), is_command=True)) + p_data(pieces))
    assert [scu.status() for _ in range(3)] == [0] * 3
    same, again, other = (each.fingerprint for each in receiver.received)
    assert (len(same), again == same, other == same) == (16, True, False)


def test_requests_that_do_not_wait_for_answers_are_answered_in_turn(scu: RawScu, receiver: Receiver) -> None:
    scu.associated()
    scu.send(b"".join(stored(b"1.2.3.%d" % number) for number in range(1, 21)) + RELEASE)
    assert [scu.status() for _ in range(20)] == [0] * 20
    assert scu.pdu() == (6, b"\0\0\0\0")
    assert [each.sop_instance_uid for each in receiver.received] == [f"1.2.3.{number}" for number in range(1, 21)]


def test_an_answer_is_cut_for_a_sender_that_takes_short_pdus_only(scu: RawScu) -> None:
    scu.associated(associate(user=item(0x51, struct.pack(">L", 32))))
    scu.send(stored())
    pieces: list[bytes] = []
    while not pieces or pieces[-1][5] != 3:
        kind, content = scu.pdu()
        assert kind == 4
        assert len(content) <= 32
        pieces.append(content)
    answer = b"".join(piece[6:] for piece in pieces)
    assert len(pieces) > 3
    assert answer.endswith(struct.pack("<HHL", 0, 0x1000, 8) + b"1.2.3.1\0")


def test_a_data_set_without_an_octet_is_received_and_of_no_study(scu: RawScu, receiver: Receiver) -> None:
    scu.associated()
    scu.send(p_data(value(store(), is_command=True), value(b"", is_command=False)))
    assert scu.status() == 0
    assert [(each.study_uid, each.data_set_length) for each in receiver.received] == [(None, 0)]


def test_a_data_set_of_another_instance_is_told(scu: RawScu, receiver: Receiver) -> None:
    scu.associated()
    scu.send(p_data(value(store(b"1.2.3.1"), is_command=True), value(data_set(b"1.2.3.2"), is_command=False)))
    assert scu.status() == 0
    assert [each.problem for each in receiver.received] == ["the data set belongs to another instance, 1.2.3.2"]


@pytest.mark.parametrize("octets", [66, 128, 130, 8000])
@pytest.mark.parametrize("number", [0x0002, 0x1000])
def test_uids_of_more_than_twice_the_length_are_refused(
    scu: RawScu, receiver: Receiver, number: int, octets: int
) -> None:
    scu.associated()
    request = A_STORE | {number: b"1." * (octets // 2)}
    scu.send(p_data(value(command(request), is_command=True), value(data_set(), is_command=False)))
    is_refused = octets > 128
    assert scu.status() == (0x0117 if is_refused else 0)
    assert len(receiver.received) == (not is_refused)
    if is_refused:
        assert (
            "RAW sent instances with UIDs of more than 128 octets; dcmcfg refused these instances (0117)"
            in receiver.problems
        )


def test_of_a_move_originator_without_end_the_beginning_is_held(scu: RawScu, receiver: Receiver) -> None:
    scu.associated()
    request = A_STORE | {0x1030: b"A" * 8000}
    scu.send(p_data(value(command(request), is_command=True), value(data_set(), is_command=False)))
    assert scu.status() == 0
    assert [each.move_originator_ae_title for each in receiver.received] == ["A" * 64]


@pytest.mark.parametrize(
    ("elements", "status"),
    [
        ({0x0100: 0x0030, 0x0110: 1, 0x0800: 0x0101, 0x0002: VERIFICATION}, 0x0000),
        ({0x0100: 0x0020, 0x0110: 1, 0x0800: 0x0101, 0x0002: FIND}, 0x0211),
        ({0x0100: 0x0021, 0x0110: 1, 0x0800: 0x0101, 0x0002: MOVE}, 0x0211),
        ({0x0100: 0x0010, 0x0110: 1, 0x0800: 0x0101, 0x0002: MOVE}, 0x0211),
        ({0x0100: 0x0130, 0x0110: 1, 0x0800: 0x0101, 0x1000: b"1.2"}, 0x0211),
        ({0x0100: 0x0001, 0x0110: 1, 0x0800: 0x0101, 0x1000: b"1.2", 0x0002: CT}, 0xC000),
    ],
)
def test_what_is_not_served_is_refused_and_the_association_goes_on(
    scu: RawScu, receiver: Receiver, elements: dict[int, bytes | int], status: int
) -> None:
    scu.associated()
    scu.send(p_data(value(command(elements), is_command=True)))
    assert scu.status() == status
    scu.send(p_data(value(command(elements | {0x0800: 0, 0x1000: b""}), is_command=True)))
    scu.send(p_data(value(b"whatever", is_command=False)))
    assert scu.status() == status
    assert receiver.received == ()
    scu.send(stored())
    assert scu.status() == 0


def test_a_cancel_is_not_answered(scu: RawScu) -> None:
    scu.associated()
    scu.send(p_data(value(command({0x0100: 0x0FFF, 0x0120: 7, 0x0800: 0x0101}), is_command=True)) + stored())
    assert scu.status() == 0


@pytest.mark.parametrize(
    ("octets", "answer"),
    [
        (p_data(value(data_set(), is_command=False)), BY_USER),
        (p_data(value(store(), is_command=True), value(store(), is_command=True)), BY_USER),
        (p_data(value(store(), is_command=True), value(b"", is_command=False, context_id=3)), BY_USER),
        (p_data(value(b"x", is_command=True, is_last=False), value(b"", is_command=False)), BY_USER),
        (p_data(value(b"nonsense", is_command=True)), BY_USER),
        (p_data(value(b"", is_command=True)), BY_USER),
        (p_data(value(b"\0\0\0\1\xff\xff\xff\xff", is_command=True)), BY_USER),
        (p_data(value(command({0x0100: 1, 0x0800: 1}), is_command=True)), BY_USER),
        (p_data(value(command({0x0110: 1, 0x0800: 1}), is_command=True)), BY_USER),
        (p_data(value(command({0x0100: 0x8001, 0x0120: 1, 0x0800: 0x0101}), is_command=True)), BY_USER),
        (p_data(*[value(b"\0" * 60000, is_command=True, is_last=False)]), BY_USER),
        (p_data(value(store(), is_command=True, context_id=5)), INVALID),
        (p_data(b"\0\0"), INVALID),
        (p_data(b"\0\0\0\1\1\0"), INVALID),
        (p_data(b"\0\0\0\0\1\0"), INVALID),
        (p_data(b"\xff\xff\xff\xff\1\0"), INVALID),
        (b"\4\0\xff\xff\xff\xff" + b"\0\0\0\4\1\0", INVALID),
        (associate(), UNEXPECTED),
        (pdu(2, b""), UNEXPECTED),
        (pdu(6, b"\0\0\0\0"), UNEXPECTED),
        (pdu(9, b""), UNRECOGNIZED),
        (pdu(0, b""), UNRECOGNIZED),
    ],
)
def test_what_breaks_the_protocol_is_aborted_and_told(
    scu: RawScu, receiver: Receiver, octets: bytes, answer: bytes
) -> None:
    scu.associated(associate(contexts=[context(1, CT, IMPLICIT), context(3, PRIVATE, IMPLICIT)]))
    scu.send(octets)
    assert scu.pdu() == (ABORT, answer)
    assert scu.pdu() == (0, b"")
    assert "RAW (127.0.0.1) violated the protocol" in "\n".join(receiver.problems)
    assert receiver.received == ()


def test_an_abort_in_the_middle_of_a_data_set_leaves_nothing(scu: RawScu, receiver: Receiver) -> None:
    scu.associated()
    scu.send(p_data(value(store(), is_command=True), value(b"\0" * 5000, is_command=False, is_last=False)))
    scu.send(pdu(ABORT, b"\0\0\0\0"))
    assert scu.pdu() == (0, b"")
    assert receiver.received == ()


def test_half_a_pdu_and_then_silence_is_aborted() -> None:
    with (
        Receiver("STORESCP", dcmtk.LOOPBACK, 0, replace(PATIENT, network=0.2)) as receiver,
        raw_scu(_peer(receiver)) as established,
    ):
        established.associated(associate() + stored()[:50])
        assert established.pdu() == (ABORT, BY_USER)
        assert receiver.problems == ("RAW (127.0.0.1) sent nothing until the time-out",)


def test_half_an_association_request_and_then_silence_is_no_association() -> None:
    with (
        Receiver("STORESCP", dcmtk.LOOPBACK, 0, replace(PATIENT, acse=0.2)) as receiver,
        raw_scu(_peer(receiver)) as asking,
    ):
        asking.send(associate()[:50])
        assert asking.pdu() == (0, b"")
        assert receiver.problems == ()


def test_a_request_that_drips_has_no_longer_than_a_silent_one() -> None:
    with (
        Receiver("STORESCP", dcmtk.LOOPBACK, 0, replace(PATIENT, acse=0.3)) as receiver,
        raw_scu(_peer(receiver)) as scu,
        pytest.raises(OSError, match=r"reset|[Bb]roken pipe"),
    ):
        _drip(scu, associate())


def _drip(scu: RawScu, octets: bytes) -> None:
    for octet in octets:
        scu.send(bytes((octet,)))
        time.sleep(0.02)


def test_a_sender_that_never_stops_does_not_keep_the_receiver_from_ending(timeouts: DicomTimeouts) -> None:
    before = set(threading.enumerate())
    with Receiver("STORESCP", dcmtk.LOOPBACK, 0, timeouts) as receiver, raw_scu(_peer(receiver)) as scu:
        scu.associated()
        scu.send(p_data(value(store(), is_command=True)))
        sending = threading.Thread(target=_send_for_ever, args=(scu,))
        sending.start()
        time.sleep(0.1)
        receiver.__exit__(None, None, None)
        sending.join(PATIENCE_S)
        assert not sending.is_alive()
    assert comes_true(lambda: set(threading.enumerate()) <= before)


def _send_for_ever(scu: RawScu) -> None:
    piece = p_data(value(b"\0" * 16000, is_command=False, is_last=False))
    try:
        while True:
            scu.send(piece)
    except OSError:
        return


def test_whoever_is_connected_when_the_receiver_ends_is_told(timeouts: DicomTimeouts) -> None:
    with Receiver("STORESCP", dcmtk.LOOPBACK, 0, timeouts) as receiver, raw_scu(_peer(receiver)) as scu:
        scu.associated()
        receiver.__exit__(None, None, None)
        assert scu.pdu() == (ABORT, BY_USER)
        assert receiver.problems == ()


def test_senders_of_all_kinds_leave_no_descriptor_and_no_thread_behind(receiver: Receiver) -> None:
    def many() -> None:
        for octets in (associate() + stored(), associate() + RELEASE, associate(b"OTHER"), b"nonsense", b"") * 5:
            with raw_scu(_peer(receiver)) as scu:
                scu.send(octets)

    def held() -> tuple[int, int]:
        return psutil.Process().num_fds(), threading.active_count()

    before = held()
    many()
    assert comes_true(lambda: max(map(operator.sub, held(), before)) <= 0)
