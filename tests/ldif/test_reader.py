"""What the reader reads, in the dialect that OpenLDAP's tools accept."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from dcmcfg.changes import Add, Change, Control, Delete, Modification, Modify, Operation, Rename
from dcmcfg.dn import DN, RDN
from dcmcfg.entry import Attribute, Entry
from dcmcfg.errors import LdifError
from dcmcfg.ldif.reader import iter_records, read_all
from dcmcfg.ldif.records import ChangeRecord, ContentRecord

ADD, DELETE, REPLACE = Operation.ADD, Operation.DELETE, Operation.REPLACE


def entry_of(text: str | bytes) -> Entry:
    (record,) = read_all([text.encode() if isinstance(text, str) else text], "test.ldif")
    assert isinstance(record, ContentRecord)
    return record.entry


def change_of(text: str) -> Change:
    (record,) = read_all([text.encode()], "test.ldif")
    assert isinstance(record, ChangeRecord)
    return record.change


def modifications_of(body: str) -> tuple[Modification, ...]:
    change = change_of(f"dn: cn=a\nchangetype: modify\n{body}")
    assert isinstance(change, Modify)
    return change.modifications


def test_a_record_without_changetype_is_content_with_its_line() -> None:
    records = read_all([b"version: 1\n\n# hello\ndn: cn=a\ncn: a\n\n\n\ndn: cn=b\ncn: b"], "test.ldif")
    assert records == (
        ContentRecord(Entry.from_values("cn=a", {"cn": "a"}), 4),
        ContentRecord(Entry.from_values("cn=b", {"cn": "b"}), 9),
    )


def test_values_of_one_attribute_come_together_as_first_spelt() -> None:
    entry = entry_of("dn: cn=a\nmember: 1\ncn: a\nMEMBER: 2\nmember;x: 3\n")
    assert entry.attributes == (
        Attribute("member", (b"1", b"2")),
        Attribute("cn", (b"a",)),
        Attribute("member;x", (b"3",)),
    )


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("cn: a", b"a"),
        ("cn:a", b"a"),
        ("cn:    a", b"a"),
        ("cn:\ta", b"a"),
        ("cn:", b""),
        ("cn: ", b""),
        ("cn::", b""),
        ("cn: a  ", b"a  "),
        ("cn: a: b", b"a: b"),
        ("cn: :a", b":a"),
        ("cn: <a", b"<a"),
        ("cn: ä", "ä".encode()),
        ("cn: ${jboss.server.data.url}/fs1/", b"${jboss.server.data.url}/fs1/"),
        ("cn:: IGEg", b" a "),
        ("cn::IGEg", b" a "),
        ("cn:: YQ== ", b"a"),
        ("cn: # no comment", b"# no comment"),
    ],
)
def test_a_value_is_read_as_openldap_reads_it(line: str, value: bytes) -> None:
    assert entry_of(f"dn: o=x\n{line}\n").values("cn") == (value,)


def test_octets_that_are_not_utf8_stay_as_they_are() -> None:
    assert entry_of(b"dn: o=x\ncn: \xff\xfe\n").values("cn") == (b"\xff\xfe",)


def test_comments_are_skipped_folded_and_inside_a_record_too() -> None:
    assert entry_of("# top\n  folded: on\ndn: cn=a\n# in\n side: 1\ncn: a\n#end") == Entry.from_values(
        "cn=a", {"cn": "a"}
    )


def test_a_folded_dn_and_a_base64_dn_are_read() -> None:
    assert entry_of("dn: cn=a,\n o=x\ncn: a\n").dn == DN.parse("cn=a,o=x")
    assert entry_of("dn:: Y249w6Q=\ncn: a\n").dn == DN.parse("cn=ä")
    assert entry_of("dn: cn=ä\ncn: a\n").dn == DN.parse("cn=ä")


def test_the_rdn_may_have_several_values() -> None:
    dn = entry_of("dn: dcmAttributeSetID=X+dcmAttributeSetType=Y,o=x\no: x\n").dn
    assert dn.rdn.parts == (("dcmAttributeSetID", "X"), ("dcmAttributeSetType", "Y"))


def test_the_empty_dn_is_the_root_dse() -> None:
    assert entry_of("dn:\nobjectClass: top\n").dn == DN()


def test_crlf_text_reads_like_lf_text() -> None:
    text = b"version: 1\n\ndn: cn=a\ncn: lo\n ng\n\ndn: cn=b\nchangetype: delete\n"
    assert read_all([text.replace(b"\n", b"\r\n")], "t") == read_all([text], "t")


@pytest.mark.parametrize(
    "version", ["", "version: 1\n", "version:1\n\n", "version: 1\n\nversion: 1\n\n", "VERSION: 1\n"]
)
def test_the_version_line_may_be_missing_or_repeated(version: str) -> None:
    assert entry_of(f"{version}dn: cn=a\ncn: a\n") == Entry.from_values("cn=a", {"cn": "a"})


def test_a_version_line_may_begin_any_record() -> None:
    assert len(read_all([b"dn: cn=a\ncn: a\n\nversion: 1\n\ndn: cn=b\ncn: b\n"], "t")) == 2


def test_each_modification_has_its_operation_and_values() -> None:
    assert modifications_of(
        "add: a\na: 1\nA: 2\n-\ndelete: b\nb: 1\n-\ndelete: c\n-\nreplace: d\n-\nreplace: e\ne:: AA==\n-\n"
        "increment: f\nf: 1\n-\n"
    ) == (
        Modification(ADD, "a", (b"1", b"2")),
        Modification(DELETE, "b", (b"1",)),
        Modification(DELETE, "c"),
        Modification(REPLACE, "d"),
        Modification(REPLACE, "e", (b"\0",)),
        Modification(Operation.INCREMENT, "f", (b"1",)),
    )


@pytest.mark.parametrize("ending", ["-\n", "-", "", "\n\n"])
def test_the_last_modification_needs_no_closing(ending: str) -> None:
    assert modifications_of(f"replace: a\na: 1\n{ending}") == (Modification(REPLACE, "a", (b"1",)),)


def test_one_attribute_may_stand_in_two_modifications() -> None:
    assert modifications_of("delete: a\na: 1\n-\nadd: a\na: 2") == (
        Modification(DELETE, "a", (b"1",)),
        Modification(ADD, "a", (b"2",)),
    )


def test_options_belong_to_the_attribute() -> None:
    assert modifications_of("delete: userCertificate;binary\nuserCertificate;binary:: AA==") == (
        Modification(DELETE, "userCertificate;binary", (b"\0",)),
    )


@pytest.mark.parametrize("operation", ["add", "delete", "replace", "Replace"])
def test_a_modify_body_without_changetype_is_a_modify(operation: str) -> None:
    change = change_of(f"dn: cn=a\n{operation}: cn\ncn: b\n")
    assert change == Modify(DN.parse("cn=a"), (Modification(Operation(operation.lower()), "cn", (b"b",)),))


def test_keywords_are_read_in_any_case() -> None:
    assert change_of("DN: cn=a\nChangeType: MODIFY\nADD: cn\ncn: b\n") == Modify(
        DN.parse("cn=a"), (Modification(ADD, "cn", (b"b",)),)
    )


def test_add_and_delete_are_read() -> None:
    assert change_of("dn: cn=a\nchangetype: add\ncn: a\n") == Add(Entry.from_values("cn=a", {"cn": "a"}))
    assert change_of("dn: cn=a\nchangetype: delete\n") == Delete(DN.parse("cn=a"))
    assert change_of("dn: cn=a\nchangetype:delete") == Delete(DN.parse("cn=a"))


@pytest.mark.parametrize("kind", ["modrdn", "moddn", "rename"])
def test_a_rename_is_read_under_each_of_its_names(kind: str) -> None:
    change = change_of(f"dn: cn=a,o=x\nchangetype: {kind}\nnewrdn: cn=b+sn=c\ndeleteoldrdn: 0\n")
    assert change == Rename(DN.parse("cn=a,o=x"), RDN((("cn", "b"), ("sn", "c"))), delete_old_rdn=False)


def test_a_rename_may_move_the_entry() -> None:
    change = change_of("dn: cn=a,o=x\nchangetype: moddn\nnewrdn:: Y249w6Q=\ndeleteoldrdn: 1\nnewsuperior: o=y\n")
    assert change == Rename(DN.parse("cn=a,o=x"), RDN.of("cn", "ä"), new_superior=DN.parse("o=y"))


@pytest.mark.parametrize(
    ("text", "control"),
    [
        ("1.2.3", Control("1.2.3")),
        ("1.2.3 true", Control("1.2.3", critical=True)),
        ("1.2.3   False", Control("1.2.3")),
        ("1.2.3: x", Control("1.2.3", value=b"x")),
        ("1.2.3 true:", Control("1.2.3", critical=True, value=b"")),
        ("1.2.3 true: x", Control("1.2.3", critical=True, value=b"x")),
        ("1.2.3 true:: AAE=", Control("1.2.3", critical=True, value=b"\0\1")),
        ("1.2.3 false :: AAE=", Control("1.2.3", value=b"\0\1")),
        ("1.2.3 true:< file:v", Control("1.2.3", critical=True, value=b"<file:v>")),
    ],
)
def test_a_control_is_read(text: str, control: Control) -> None:
    source = f"dn: cn=a\ncontrol: {text}\nchangetype: delete\n".encode()
    (record,) = read_all([source], "t", resolve_url=lambda url: f"<{url}>".encode())
    assert record == ChangeRecord(Delete(DN.parse("cn=a"), (control,)), 1)


@pytest.mark.parametrize(
    "body",
    [
        "changetype: add\ncn: a",
        "changetype: modify\nreplace: cn\n-",
        "changetype: modrdn\nnewrdn: cn=b\ndeleteoldrdn: 1",
        "changetype: delete",
        "replace: cn\n-",
    ],
)
def test_every_change_keeps_its_controls_in_order(body: str) -> None:
    change = change_of(f"dn: cn=a\ncontrol: 1.2 true\ncontrol: 1.1\n{body}\n")
    assert change.controls == (Control("1.2", critical=True), Control("1.1"))


def test_a_url_is_resolved_by_the_resolver_that_was_given() -> None:
    source = [b"dn: cn=a\nreplace: dicomVendorData\ndicomVendorData:< file:vendor-data.zip\n-\n"]
    (record,) = read_all(source, "t", resolve_url={"file:vendor-data.zip": b"PK\3\4"}.__getitem__)
    assert isinstance(record, ChangeRecord)
    assert record.change == Modify(DN.parse("cn=a"), (Modification(REPLACE, "dicomVendorData", (b"PK\3\4",)),))


def test_content_and_changes_may_be_mixed() -> None:
    kinds = [type(item) for item in iter_records([b"dn: cn=a\ncn: a\n\ndn: cn=a\nchangetype: delete\n"], "t")]
    assert kinds == [ContentRecord, ChangeRecord]


def test_the_collector_is_as_it_was_after_reading_whatever_happens() -> None:
    def source() -> Iterator[bytes]:
        yield b"dn: cn=a\ncn: a\n\n"
        assert not gc.isenabled()
        raise OSError

    with pytest.raises(OSError):
        read_all(source(), "t")
    assert gc.isenabled()


def test_an_empty_source_has_no_records() -> None:
    assert read_all([b""], "t") == read_all([b"version: 1\n\n# nothing\n"], "t") == ()


def test_records_come_while_the_source_is_still_being_read() -> None:
    def source() -> object:
        yield b"dn: cn=a\ncn: a\n\n"
        raise AssertionError("read too far")

    first = next(iter_records(source(), "t"))  # type: ignore[arg-type]  # a generator that fails on its second step
    assert not isinstance(first, LdifError)
