"""Whatever is sent to the receiver, each association ends in order, and what was received whole is told."""

from __future__ import annotations

import itertools
import socket
import struct
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset
from pydicom.sequence import Sequence
from pydicom.uid import UID

from dcmcfg.dicom.peer import DicomTimeouts
from dcmcfg.dicom.storage.association import StorageAssociation
from dcmcfg.dicom.storage.incoming_data_set import read_data_set_uids
from dcmcfg.dicom.storage.received_instances import ReceivedInstance
from dcmcfg.dicom.storage.service import StorageScp
from dcmcfg.dicom.ul.accepted_connection import AcceptedConnection
from tests.dicom import raw_scu as raw

pytestmark = pytest.mark.real
_TIMEOUTS = DicomTimeouts(acse=5, network=5)
_WHOLE = [
    raw.associate(),
    raw.associate(b"OTHER"),
    raw.stored(),
    raw.stored(b"1.2.3.2"),
    raw.stored(context_id=3),
    raw.RELEASE,
    raw.pdu(7, b"\0\0\0\0"),
    raw.p_data(raw.value(raw.store(), is_command=True)),
    raw.p_data(raw.value(raw.data_set(), is_command=False)),
    raw.p_data(raw.value(raw.command({0x0100: 0x0030, 0x0110: 1, 0x0800: 0x0101}), is_command=True)),
]


def _spoilt(octets: bytes, place: int, instead: bytes) -> bytes:
    place %= len(octets)
    return octets[:place] + instead + octets[place + len(instead) :]


_PIECES = st.one_of(
    st.sampled_from(_WHOLE),
    st.builds(_spoilt, st.sampled_from(_WHOLE), st.integers(0, 400), st.binary(min_size=1, max_size=4)),
    st.builds(lambda octets, end: octets[:end], st.sampled_from(_WHOLE), st.integers(0, 200)),
    st.binary(max_size=40),
    st.builds(lambda kind, length: struct.pack(">BxL", kind, length), st.integers(0, 255), st.integers(0, 2**32 - 1)),
)


@contextmanager
def _connected() -> Iterator[tuple[socket.socket, socket.socket]]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ours = socket.create_connection(listener.getsockname())
        theirs, _ = listener.accept()
    with ours, theirs:
        yield ours, theirs


def _served(octets: bytes, most_at_once: int) -> tuple[bytes, list[ReceivedInstance], list[str]]:
    """Return the last words to a sender of *octets*, what was received, and what was noted."""
    received: list[ReceivedInstance] = []
    troubles: list[str] = []
    scp = StorageScp("STORESCP", _TIMEOUTS, received.append, troubles.append)
    with _connected() as (sender, connection):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, most_at_once)
        sender.sendall(octets)
        sender.shutdown(socket.SHUT_WR)
        line = AcceptedConnection(connection, 5, lambda: False)
        return StorageAssociation(scp, line, "somewhere").serve(), received, troubles


@settings(max_examples=400, deadline=None)
@given(st.lists(_PIECES, max_size=6).map(lambda pieces: b"".join([raw.associate(), *pieces])), st.integers(1, 4096))
def test_whatever_follows_the_request_each_association_ends_in_order(octets: bytes, most_at_once: int) -> None:
    last_words, received, troubles = _served(octets, most_at_once)
    assert last_words[:1] in (b"", b"\6", b"\7")
    assert all(instance.sop_instance_uid for instance in received)
    assert last_words[:1] != b"\7" or troubles, "what is aborted is told"


@settings(max_examples=200, deadline=None)
@given(st.lists(_PIECES, min_size=1, max_size=3).map(b"".join))
def test_whatever_the_request_is_nothing_is_received_without_one(octets: bytes) -> None:
    last_words, received, _ = _served(octets, 4096)
    assert last_words[:1] in (b"", b"\3", b"\6", b"\7")
    assert not received or octets[:1] == b"\1"


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_however_an_instance_is_cut_into_values_and_pdus_it_arrives(data: st.DataObject) -> None:
    values = [
        raw.value(content[start:end], is_command=is_command, is_last=end == len(content))
        for content, is_command in ((raw.store(), True), (raw.data_set(), False))
        for start, end in _cuts(data, len(content))
    ]
    pdus = [values[start:end] for start, end in _cuts(data, len(values))]
    octets = raw.associate() + b"".join(raw.p_data(*each) for each in pdus) + raw.RELEASE
    last_words, received, troubles = _served(octets, 4096)
    assert (last_words[:1], troubles) == (b"\6", [])
    assert [(each.sop_instance_uid, each.study_uid) for each in received] == [("1.2.3.1", "1.2.3")]


def _cuts(data: st.DataObject, length: int) -> Iterable[tuple[int, int]]:
    places = sorted(data.draw(st.sets(st.integers(1, length - 1), max_size=8)) | {0, length})
    return itertools.pairwise(places)


# ---- which study a data set is of

_SYNTAXES = ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.2", "1.2.826.0.1.3680043.9.10"]


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(_SYNTAXES),
    st.lists(st.tuples(st.integers(0x0009, 0x001F), st.binary(max_size=300)), max_size=4),
    st.integers(0, 4),
    st.booleans(),
)
def test_the_study_is_found_behind_whatever_pydicom_writes(
    syntax: str, private: list[tuple[int, bytes]], deep: int, undefined: bool
) -> None:
    encoded = _encoded(syntax, private, deep, undefined=undefined)
    head = read_data_set_uids(encoded, syntax, 1 << 20)
    assert (head.sop_instance_uid, head.study_uid, head.is_conclusive) == ("1.2.3.4", "1.2.3", True)
    for end in range(len(encoded)):
        cut = read_data_set_uids(encoded[:end], syntax, 1 << 20)
        assert cut == head or (cut.study_uid == "" and not cut.is_conclusive)


def _encoded(syntax: str, private: list[tuple[int, bytes]], deep: int, *, undefined: bool) -> bytes:
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2", "1.2.3.4"
    nested = dataset
    for _ in range(deep):
        item = Dataset()
        item.StudyInstanceUID = "9.9.9"  # that of another study, which is referred to
        nested.ReferencedStudySequence = Sequence([item])
        nested["ReferencedStudySequence"].is_undefined_length = undefined
        item.is_undefined_length_sequence_item = undefined
        nested = item
    for group, content in private:
        dataset.add_new((group | 1, 0x1001), "OB", content)
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = "1.2.3", "1.2.3.0"
    dataset.PatientID = "P"
    file = DicomBytesIO()
    uid = UID(syntax)
    file.is_implicit_VR = not uid.is_private and uid.is_implicit_VR
    file.is_little_endian = uid.is_private or uid.is_little_endian
    write_dataset(file, dataset)
    return file.getvalue()
