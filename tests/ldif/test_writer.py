from __future__ import annotations

import base64

import pytest

from dcmcfg.changes import Add, Control, Delete, Modification, Modify, Operation, Rename
from dcmcfg.dn import DN, RDN
from dcmcfg.entry import Entry
from dcmcfg.errors import MalformedInput
from dcmcfg.ldif.writer import VERSION_LINE, format_change, format_entry

DEVICE = DN.parse("dicomDeviceName=dcm4chee-arc,dc=dcm4che,dc=org")


def line_of(value: bytes) -> str:
    return format_entry(Entry.from_values("o=x", {"cn": [value]})).splitlines()[1]


def test_an_entry_keeps_its_order_and_spelling() -> None:
    entry = Entry.from_values(
        "cn=a,o=x", {"objectClass": ["top", "person"], "CN": "a", "userCertificate;binary": b"\0"}
    )
    assert format_entry(entry) == (
        "dn: cn=a,o=x\nobjectClass: top\nobjectClass: person\nCN: a\nuserCertificate;binary:: AA==\n\n"
    )


def test_a_change_file_is_the_version_line_and_its_records() -> None:
    modify = Modify(DEVICE, (Modification(Operation.REPLACE, "dcmExternalRetrieveAEDestination", (b"STORESCP",)),))
    assert VERSION_LINE + "\n" + format_change(modify) == (
        "version: 1\n\ndn: dicomDeviceName=dcm4chee-arc,dc=dcm4che,dc=org\nchangetype: modify\n"
        "replace: dcmExternalRetrieveAEDestination\ndcmExternalRetrieveAEDestination: STORESCP\n-\n\n"
    )


def test_every_modification_is_closed() -> None:
    modify = Modify(
        DEVICE,
        (
            Modification(Operation.DELETE, "a"),
            Modification(Operation.ADD, "a", (b"1", b"2")),
            Modification(Operation.REPLACE, "b"),
        ),
    )
    assert format_change(modify).splitlines()[1:] == (
        ["changetype: modify", "delete: a", "-", "add: a", "a: 1", "a: 2", "-", "replace: b", "-", ""]
    )


def test_add_delete_and_rename_name_their_changetype() -> None:
    assert format_change(Add(Entry.from_values("o=x", {"o": "x"}))) == "dn: o=x\nchangetype: add\no: x\n\n"
    assert format_change(Delete(DN.parse("o=x"))) == "dn: o=x\nchangetype: delete\n\n"
    rename = Rename(DN.parse("cn=a,o=x"), RDN.of("cn", "ä"), delete_old_rdn=False, new_superior=DN.parse("o=y"))
    assert format_change(rename) == (
        "dn: cn=a,o=x\nchangetype: modrdn\nnewrdn:: Y249w6Q=\ndeleteoldrdn: 0\nnewsuperior: o=y\n\n"
    )


def test_controls_stand_before_the_changetype_with_their_criticality() -> None:
    controls = (Control("1.3.6.1.1.12", critical=True, value=b"\x30\0"), Control("1.2"), Control("1.3", value=b""))
    assert format_change(Delete(DN.parse("o=x"), controls)) == (
        "dn: o=x\ncontrol: 1.3.6.1.1.12 true:: MAA=\ncontrol: 1.2 false\ncontrol: 1.3 false:\nchangetype: delete\n\n"
    )


@pytest.mark.parametrize("value", [b"a", b"a: b", b"a<b", b"#a", b"-", b"~!", b"a b", b"cn=a,o=x"])
def test_plain_values_stay_readable(value: bytes) -> None:
    assert line_of(value) == f"cn: {value.decode()}"


@pytest.mark.parametrize(
    "value", [b" a", b":a", b"<a", b"\ta", b"a ", b"a\tb", b"\xc3\xa4", b"a\0", b"a\nb", b"a\r", b"\x7f", b"\x1b[31m"]
)
def test_delicate_values_are_written_in_base64(value: bytes) -> None:
    assert line_of(value) == f"cn:: {base64.b64encode(value).decode()}"


def test_an_empty_value_is_written_without_a_trailing_blank() -> None:
    assert line_of(b"") == "cn:"


def test_a_dn_outside_ascii_or_ending_with_a_blank_is_written_in_base64() -> None:
    assert format_change(Delete(DN.parse("cn=ä"))).startswith("dn:: Y249w6Q=\n")
    assert format_change(Delete(DN((RDN.of("cn", "a "),)))).startswith("dn:: ")


def test_a_line_of_76_octets_is_not_folded_one_of_77_is() -> None:
    assert line_of(b"x" * 72) == "cn: " + "x" * 72
    assert format_entry(Entry.from_values("o=x", {"cn": "x" * 73})).splitlines()[1:3] == ["cn: " + "x" * 72, " x"]


def test_folding_leaves_no_blank_at_the_end_of_a_line() -> None:
    text = format_entry(Entry.from_values("o=x", {"cn": "x" * 70 + "   " + "y" * 100}))
    assert not any(line.endswith(" ") for line in text.splitlines())
    assert text.replace("\n ", "") == "dn: o=x\ncn: " + "x" * 70 + "   " + "y" * 100 + "\n\n"


def test_comments_stand_before_the_record_each_line_behind_its_own_mark() -> None:
    text = format_change(Delete(DN.parse("o=x")), comments=["first", "", "a\ndn: o=evil\r\rchangetype: delete"])
    assert text == "# first\n# a\n# dn: o=evil\n#\n# changetype: delete\ndn: o=x\nchangetype: delete\n\n"


def test_a_long_comment_is_broken_between_words() -> None:
    text = format_entry(Entry.from_values("o=x", {"o": "x"}), comments=["word " * 40])
    lines = [line for line in text.splitlines() if line.startswith("#")]
    assert all(line.endswith("word") and len(line) <= 76 for line in lines)
    assert sum(line.count("word") for line in lines) == 40


def test_a_long_word_in_a_comment_is_broken_between_characters() -> None:
    lines = format_entry(Entry.from_values("o=x", {"o": "x"}), comments=["a" + "ä" * 100]).splitlines()[:3]
    assert "".join(line.removeprefix("# ") for line in lines) == "a" + "ä" * 100


def test_control_characters_in_a_comment_are_made_visible() -> None:
    assert format_entry(Entry.from_values("o=x", {"o": "x"}), comments=["a\x1b[31m"]).startswith("# a\\x1b[31m\n")


@pytest.mark.parametrize("name", ["", "a b", "cn\n", "cn\nchangetype", "cn:", "dn", "changetype", "-", "ä"])
def test_a_name_that_ldif_cannot_hold_is_refused(name: str) -> None:
    with pytest.raises(MalformedInput, match="not a valid attribute name"):
        format_entry(Entry.from_values("o=x", {name: "x"}))
    with pytest.raises(MalformedInput, match="not a valid attribute name"):
        format_change(Modify(DEVICE, (Modification(Operation.DELETE, name),)))


def test_a_control_without_an_oid_is_refused() -> None:
    with pytest.raises(MalformedInput, match="not a valid OID of a control"):
        format_change(Delete(DEVICE, (Control("1.2\nchangetype: delete"),)))
