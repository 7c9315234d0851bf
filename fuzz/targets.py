"""What is fuzzed: each target takes octets, says in short how it answered, and may raise its declared errors only."""

from __future__ import annotations

import struct
import traceback
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from dcmcfg.ber import OCTET_STRING, SEQUENCE, SET, encode_element, encode_integer
from dcmcfg.changes import Change
from dcmcfg.dicom.data_set_parser import InvalidDataSet, TruncatedDataSet, iterate_elements
from dcmcfg.dicom.storage.incoming_data_set import read_data_set_uids
from dcmcfg.dicom.ul.command_set import CommandField, decode_command_set
from dcmcfg.dicom.ul.negotiation import accept, read_request
from dcmcfg.dicom.ul.pdu import ProtocolViolation
from dcmcfg.directory.decoding import EntryDecoder
from dcmcfg.directory.messages import InvalidResponse, ResponseBuffer
from dcmcfg.directory.search_responses import read_search_entries
from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.errors import DcmcfgError, LdifError, MalformedInput
from dcmcfg.lab.tree import list_example_files, list_site_files
from dcmcfg.ldif.reader import iter_records
from dcmcfg.ldif.records import ContentRecord
from dcmcfg.ldif.writer import format_change, format_entry


@dataclass(frozen=True)
class Target:
    """A function of octets, the errors that it may raise, and octets to begin with."""

    run: Callable[[bytes], str]
    errors: tuple[type[Exception], ...]
    seeds: Callable[[], Iterator[bytes]]


def ldif(octets: bytes, *, strict: bool) -> str:
    """Read *octets*; what was read is written, and must read the same."""
    answers = set()
    for item in iter_records([octets], "fuzz", strict=strict):
        match item:
            case LdifError():
                answers.add(place(item))
                assert "\n" not in str(item)
            case ContentRecord(entry):
                assert read_back(format_entry(entry)) == entry
            case _:
                assert read_back(format_change(item.change)) == item.change
                answers.add(type(item.change).__name__)
    return " ".join(sorted(answers))


def place(error: BaseException) -> str:
    """Return the kind of *error* with the line that raised it."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "nowhere"
    return f"{type(error).__name__} at {where}"


def read_back(text: str) -> Entry | Change | LdifError:
    (item,) = iter_records([text.encode()], "fuzz")
    match item:
        case LdifError():
            return item
        case ContentRecord(entry):
            return entry
        case _:
            return item.change


def ldif_in_pieces(octets: bytes) -> str:
    """Read *octets* cut in two, at a place that they choose themselves; that must change nothing."""
    cut = int.from_bytes(octets[:2], "big") % (len(octets) + 1)
    whole = [str(item) for item in iter_records([octets], "fuzz")]
    assert whole == [str(item) for item in iter_records([octets[:cut], octets[cut:]], "fuzz")]
    return ""


def distinguished_name(octets: bytes) -> str:
    """Parse *octets*; what was parsed is printed, and must parse the same."""
    dn = DN.parse(octets.decode("utf-8", "surrogateescape"))
    assert DN.parse(str(dn)) == dn
    dn.normalised()
    assert dn.is_below(dn)
    return f"{min(len(dn.rdns), 4)} {max((len(rdn.parts) for rdn in dn.rdns), default=0)}"


def search_answers(octets: bytes) -> str:
    """Read *octets* as what a server answers to a search, whole and an octet at a time.

    Both come to the same end with the same entries, or both to an error, maybe another one of several.
    """
    whole, piecemeal = (_found(iter(pieces)) for pieces in ([octets], (bytes((octet,)) for octet in octets)))
    assert whole[-1].startswith(_DONE) == piecemeal[-1].startswith(_DONE)
    assert whole == piecemeal or not whole[-1].startswith(_DONE)
    return whole[-1].partition(":")[0]


_DONE = "done: "


def _found(pieces: Iterator[bytes]) -> list[str]:
    """Return what is found in the answer that comes in *pieces*, and how it ended."""
    found: list[str] = []
    decoder, answer = EntryDecoder(), read_search_entries(lambda _: next(pieces, b""), 1)
    try:
        while True:
            found += [repr(decoder.decode_entry(each)) for each in next(answer)]
    except StopIteration as end:
        return [*found, f"{_DONE}{end.value}"]
    except DcmcfgError as error:
        return [*found, f"{place(error)}: {error}"]


def change_answers(octets: bytes) -> str:
    """Read *octets* as what a server answers to changes, whole and an octet at a time."""
    whole, piecemeal = (_answers(pieces) for pieces in ([octets], [bytes((octet,)) for octet in octets]))
    assert whole == piecemeal
    return " ".join(sorted({each.partition("(")[0] for each in whole}))


def _answers(pieces: Iterable[bytes]) -> list[str]:
    incoming, found = ResponseBuffer(), []
    try:
        for piece in pieces:
            incoming.add(piece)
            found += [repr(answer) for answer in incoming.pop_responses()]
    except InvalidResponse as error:
        found = [place(error)]
    return found


def found_messages() -> Iterator[bytes]:
    """Yield the answers of a server that holds the entries of those files: an entry each, and what ends them."""
    done = encode_element(SEQUENCE, encode_integer(1) + encode_element(0x65, b"\x0a\x01\x00\x04\x00\x04\x00"))
    for record in records():
        for item in iter_records([record], "seed"):
            if isinstance(item, ContentRecord):
                yield _encode_message(item.entry) + done
    yield encode_element(SEQUENCE, encode_integer(1) + encode_element(0x73, encode_element(OCTET_STRING, b"ldap://x/")))
    yield encode_element(SEQUENCE, encode_integer(0) + encode_element(0x78, b"\x0a\x01\x34\x04\x00\x04\x00"))


def _encode_message(entry: Entry) -> bytes:
    attributes = b"".join(
        encode_element(
            SEQUENCE,
            encode_element(OCTET_STRING, each.name.encode())
            + encode_element(SET, b"".join(encode_element(OCTET_STRING, value) for value in each.values)),
        )
        for each in entry.attributes
    )
    name = encode_element(OCTET_STRING, str(entry.dn).encode())
    return encode_element(
        SEQUENCE, encode_integer(1) + encode_element(0x64, name + encode_element(SEQUENCE, attributes))
    )


def change_messages() -> Iterator[bytes]:
    """Yield answers to changes: done, refused with a text and a referral, and that of an extended request."""
    texts = encode_element(OCTET_STRING, b"dc=org") + encode_element(OCTET_STRING, b"no such object")
    referral = encode_element(0xA3, encode_element(OCTET_STRING, b"ldap://elsewhere/"))
    for tag in (0x67, 0x69, 0x6B, 0x6D):
        yield encode_element(SEQUENCE, encode_integer(7) + encode_element(tag, b"\x0a\x01\x00\x04\x00\x04\x00"))
        yield encode_element(SEQUENCE, encode_integer(300) + encode_element(tag, b"\x0a\x01\x20" + texts + referral))
    value = encode_element(0x8A, b"1.3.6.1.1.21.3") + encode_element(0x8B, encode_element(SEQUENCE, encode_integer(3)))
    yield encode_element(SEQUENCE, encode_integer(9) + encode_element(0x78, b"\x0a\x01\x00\x04\x00\x04\x00" + value))


def records() -> Iterator[bytes]:
    """Yield the records of the LDIF files that come with dcmcfg, one by one, and some forms they do not have."""
    for file in (*list_site_files(), *list_example_files()):
        yield from file.read_bytes().split(b"\n\n")
    yield b"version: 1\r\ndn:: Y249YQ==\r\ncontrol: 1.3.6.1.1.12 true:: MAA=\r\nchangetype: delete\r\n"
    yield b"dn: cn=a,o=x\nchangetype: moddn\nnewrdn: cn=b+sn=c\ndeleteoldrdn: 1\nnewsuperior: o=y"
    yield b"dn: cn=a\nadd: a\na:< file:x\n-\nreplace: b\n-\nincrement: c\nc: 1\n"


def names() -> Iterator[bytes]:
    """Yield the DNs of those files, and some with escapes."""
    for record in records():
        if record.startswith(b"dn: "):
            yield record[4:].partition(b"\n")[0]
    yield rb'cn=\2c\20a\, b\\+sn="x,y" , o=#0403414243;c=\c3\a4'


#: By the name on the command line; a further target is one further line.
def association_request(octets: bytes) -> str:
    """Read an A-ASSOCIATE-RQ without its head; what is accepted was proposed."""
    request = read_request(octets)
    accepted, answer = accept(request, lambda uid: uid.endswith("1"), 1 << 18)
    assert accepted.keys() <= request.contexts.keys()
    assert answer.startswith(b"\2\0")
    return f"{len(request.contexts)} proposed, {len(accepted)} accepted"


def requests() -> Iterator[bytes]:
    """Yield an association request with all that can be negotiated."""
    uid = b"1.2.840.10008.1.1"
    context = _item(0x20, b"\1\0\0\0" + _item(0x30, uid) + _item(0x40, b"1.2.840.10008.1.2"))
    user = _item(0x51, b"\0\0\x40\0") + _item(0x52, uid) + _item(0x53, b"\0\0\0\0")
    user += _item(0x54, struct.pack(">H", len(uid)) + uid + b"\1\0") + _item(0x58, b"\1\1\0\1u\0\0")
    yield struct.pack(">Hxx16s16s32x", 1, b"A", b"B") + _item(0x10, uid) + context + _item(0x50, user)


def _item(kind: int, content: bytes) -> bytes:
    return struct.pack(">BxH", kind, len(content)) + content


def command_set(octets: bytes) -> str:
    """Read a command set; the answer to it is one, too."""
    command = decode_command_set(octets)
    answer = decode_command_set(command.build_response(0))
    assert answer.is_response
    return command.field.__class__.__name__ if command.field in set(CommandField) else "another"


def command_sets() -> Iterator[bytes]:
    """Yield a C-STORE."""
    values = {0x0002: b"1.2", 0x0100: b"\1\0", 0x0110: b"\7\0", 0x0800: b"\1\0", 0x1000: b"1.2.3\0", 0x1030: b"AE"}
    yield b"".join(struct.pack("<HHL", 0, tag, len(value)) + value for tag, value in values.items())


def data_set(octets: bytes) -> str:
    """Look for the study as in each encoding, and step to the end; never more is found in less of it."""
    for syntax in ("1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.2", "1.2.3", "1.2.840.10008.1.2"):
        head = read_data_set_uids(octets, syntax, 1 << 20)
        assert len(head.study_uid) <= 1 << 20
    number = sum(1 for _ in iterate_elements(octets, "1.2.840.10008.1.2.1"))
    return f"{min(number, 10)} elements, {'known' if head.is_conclusive else 'not known'}"


def data_sets() -> Iterator[bytes]:
    """Yield a data set with a sequence in it, explicit and implicit."""
    item = b"\xfe\xff\0\xe0\xff\xff\xff\xff" + b"\x08\0\x50\x11UI\2\0" + b"1\0" + b"\xfe\xff\x0d\xe0\0\0\0\0"
    sequence = b"\x08\0\x40\x11SQ\0\0\xff\xff\xff\xff" + item + b"\xfe\xff\xdd\xe0\0\0\0\0"
    yield sequence + b"\x20\0\x0d\0UI\4\0" + b"1.2\0"
    yield b"\x08\0\x18\0\4\0\0\0" + b"1.2\0" + b"\x20\0\x0d\0\4\0\0\0" + b"1.2\0"


TARGETS: dict[str, Target] = {
    "ldif": Target(partial(ldif, strict=False), (), records),
    "ldif-strict": Target(partial(ldif, strict=True), (), records),
    "ldif-pieces": Target(ldif_in_pieces, (), records),
    "dn": Target(distinguished_name, (MalformedInput,), names),
    "search-answers": Target(search_answers, (), found_messages),
    "change-answers": Target(change_answers, (), change_messages),
    "association-request": Target(association_request, (ProtocolViolation,), requests),
    "command-set": Target(command_set, (ProtocolViolation,), command_sets),
    "data-set": Target(data_set, (TruncatedDataSet, InvalidDataSet), data_sets),
}
