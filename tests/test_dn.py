from __future__ import annotations

import pytest

from dcmcfg.dn import DN, RDN, sort_children_first, sort_parents_first
from dcmcfg.errors import MalformedInput

DEVICE = DN.parse("dicomDeviceName=dcm4chee-arc,cn=Devices,cn=DICOM Configuration,dc=dcm4che,dc=org")


def value_of(text: str) -> str:
    ((_, value),) = RDN.parse(text).parts
    return value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("cn=a", "a"),
        ("cn = a ", "a"),
        (" cn=a", "a"),
        ("cn=", ""),
        ("cn=a=b", "a=b"),
        ("cn=dicom:(x)/[1]", "dicom:(x)/[1]"),
        ("cn=a#b", "a#b"),
        (r"cn=a\,b\+c", "a,b+c"),
        (r"cn=\20a\ ", " a "),
        (r"cn=a\ \  ", "a  "),
        (r"cn=\#a", "#a"),
        (r"cn=\c3\a4\E2\82\AC", "ä€"),
        (r"cn=\\", "\\"),
        ("cn=ä", "ä"),
        ('cn="a,b + c" ', "a,b + c"),
        (r'cn="a\"b"', 'a"b'),
        ('cn=" a "', " a "),
        ("cn=#0c02c3a4", "ä"),
        ("cn=#040141", "A"),
        ("cn=a\nb", "a\nb"),
        (r"cn=\ff", "\udcff"),
    ],
)
def test_a_value_is_read_in_every_way_of_writing_it(text: str, value: str) -> None:
    assert value_of(text) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("a,b", r"cn=a\,b"),
        (" a ", r"cn=\20a\ "),
        (" ", r"cn=\20"),
        ("#1", r"cn=\#1"),
        ('"+;<>\\', r"cn=\"\+\;\<\>\\"),
        ("a\nb\0", r"cn=a\0ab\00"),
        ("\udcff", r"cn=\ff"),
        ("ä = €", "cn=ä = €"),
    ],
)
def test_a_value_is_printed_as_rfc_4514_writes_it(value: str, text: str) -> None:
    assert str(RDN.of("cn", value)) == text


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a", "'=' is missing"),
        (",", "an attribute type is missing at character 1"),
        ("cn=a,", "an attribute type is missing at character 6"),
        ("cn=a,,o=x", "an attribute type is missing at character 6"),
        ("=a", "an attribute type is missing"),
        ("1.=a", "'=' is missing"),
        ("c_n=a", "'=' is missing"),
        ("cn=a<b", "'<' must be escaped"),
        ('cn=a"b', "must be escaped"),
        (r"cn=a\zb", "must be followed by"),
        ("cn=a\\", "must be followed by"),
        ('cn="a', "the closing quote is missing"),
        ('cn="a"b', "unexpected 'b'"),
        ("cn=#0", "pairs of hex digits"),
        ("cn=#0203", "must be a short BER string"),
        ("cn=#0c05c3a4", "must be a short BER string"),
        ("cn=a+", "an attribute type is missing"),
        ("cn=\ud800", "no UTF-8 encoding"),
    ],
)
def test_what_is_no_dn_is_refused_with_the_place(text: str, problem: str) -> None:
    with pytest.raises(MalformedInput, match="not a DN") as caught:
        DN.parse(text)
    assert problem in str(caught.value)


def test_rdns_stand_leaf_first() -> None:
    assert DEVICE.rdn == RDN.of("dicomDeviceName", "dcm4chee-arc")
    assert DEVICE.parent.parent == DN.parse("cn=DICOM Configuration,dc=dcm4che,dc=org")
    assert str(DEVICE) == "dicomDeviceName=dcm4chee-arc,cn=Devices,cn=DICOM Configuration,dc=dcm4che,dc=org"


def test_semicolons_and_blanks_separate_as_in_older_dns() -> None:
    assert DN.parse("cn=a; o=x , c = y") == DN.parse("cn=a,o=x,c=y")


def test_the_empty_dn_is_its_own_parent_and_has_no_rdn() -> None:
    assert DN.parse("") == DN.parse("  ") == DN()
    assert DN().parent == DN()
    with pytest.raises(IndexError):
        _ = DN().rdn


def test_an_rdn_with_several_values_compares_as_a_set() -> None:
    written, shipped = (DN.parse(text) for text in ("a=X+b=Y,o=x", "B=y+A=x,O=X"))
    assert written != shipped
    assert written.normalised() == shipped.normalised()


def test_runs_of_blanks_compare_as_one() -> None:
    names = [DN.parse(f"cn=Enhanced US Volume{blanks}Storage") for blanks in (" ", "  ", "   ")]
    assert len({name.normalised() for name in names}) == 1


def test_the_attribute_decides_how_its_values_compare() -> None:
    def case_exact(attribute_type: str, value: str) -> str:
        return value if attribute_type.lower() == "dicomaetitle" else value.lower()

    upper, lower = DN.parse("dicomAETitle=A,cn=X"), DN.parse("dicomAETitle=a,cn=x")
    assert upper.normalised() == lower.normalised()
    assert upper.normalised(case_exact) != lower.normalised(case_exact)
    assert DN.parse("o=y,dicomAETitle=A,cn=x").is_below(upper, case_exact)
    assert not DN.parse("o=y,dicomAETitle=a,cn=x").is_below(upper, case_exact)


def test_a_dn_is_below_itself_and_its_ancestors_only() -> None:
    assert DEVICE.is_below(DEVICE)
    assert DEVICE.is_below(DN.parse("DC=DCM4CHE,dc=org"))
    assert DEVICE.is_below(DN())
    assert not DEVICE.parent.is_below(DEVICE)
    assert not DEVICE.is_below(DN.parse("dc=hospital,dc=org"))


def test_a_child_keeps_its_value_as_plain_text() -> None:
    child = DEVICE.child("cn", "a,b")
    assert str(child).startswith(r"cn=a\,b,dicomDeviceName=")
    assert child.parent == DEVICE


def test_a_dn_is_rebased_from_one_suffix_to_another() -> None:
    rebased = DEVICE.rebased(DN.parse("dc=dcm4che,dc=org"), DN.parse("dc=hospital"))
    assert str(rebased) == "dicomDeviceName=dcm4chee-arc,cn=Devices,cn=DICOM Configuration,dc=hospital"


@pytest.mark.parametrize("text", ["", "cn=a,o=x", "a"])
def test_an_rdn_is_exactly_one(text: str) -> None:
    with pytest.raises(MalformedInput):
        RDN.parse(text)


def test_parents_sort_before_children_and_siblings_by_name() -> None:
    top, one, two, below = (("dc=org",), ("cn=a", "dc=org"), ("cn=b", "dc=org"), ("cn=0", "cn=a", "dc=org"))
    names = [tuple(((("cn", part),)) for part in name) for name in (top, one, two, below)]
    assert sort_parents_first(reversed(names)) == [names[0], names[1], names[3], names[2]]
    assert sort_children_first(names) == [names[2], names[3], names[1], names[0]]
