"""Each equality rule, and real slapd's word on it."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

import pytest

from dcmcfg.changes import Modification, Modify, Operation
from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.lab.slapd import Slapd
from dcmcfg.lab.tree import list_site_files
from dcmcfg.ldif.writer import format_change, format_entry
from dcmcfg.schema.definitions import load_bundled_schema
from dcmcfg.schema.equality import normalise
from tests.ports import free_port
from tests.running_slapd import PASSWORD, RunningSlapd

SCHEMA = load_bundled_schema()
SUFFIX = "dc=dcm4che,dc=org"
COMPARE_FALSE, COMPARE_TRUE = 5, 6  # RFC 4511 A.1
BLANKS = [("A B", "A  B"), ("A", " A "), ("A B", "AB"), (" ", "   "), ("A", "a"), ("A\tB", "A B")]
LETTERS = [
    ("É", "é"),
    ("é", "e\u0301"),
    ("ß", "ss"),
    ("ß", "SS"),
    ("ẞ", "ß"),
    ("\N{GREEK CAPITAL LETTER SIGMA}", "\N{GREEK SMALL LETTER FINAL SIGMA}"),
    ("\N{GREEK CAPITAL LETTER SIGMA}", "\N{GREEK SMALL LETTER SIGMA}"),
    ("İ", "i"),
    ("ﬁ", "fi"),
    ("\N{FULLWIDTH LATIN CAPITAL LETTER A}", "a"),
    ("Ⅷ", "viii"),
    ("Ω", "ω"),
    ("µ", "μ"),
    ("\N{CHEROKEE LETTER A}", "\N{CHEROKEE SMALL LETTER A}"),
    ("𐐀", "𐐨"),
    ("a\u00adb", "ab"),
    ("A\u00a0B", "A B"),
    (" é  a", "é a"),
]
PAIRS = {
    "dicomAETitle": BLANKS,  # caseExactIA5Match
    "dc": BLANKS,  # caseIgnoreIA5Match
    "dcmWebAppName": BLANKS + LETTERS,  # caseExactMatch
    "dicomDescription": BLANKS + LETTERS,  # caseIgnoreMatch
    "dicomPort": [("1", "1"), ("1", "-1"), ("12345678901234567890123", "12345678901234567890124")],
    "dicomInstalled": [("TRUE", "TRUE"), ("TRUE", "FALSE")],
    "dicomSOPClass": [("1.2.3", "1.2.3"), ("1.2.3", "1.2.30")],
    "userPassword": [("a", "a"), ("a", "A"), ("a", "a ")],
    "objectClass": [
        ("dcmQueue", "DCMQUEUE"),
        ("dcmQueue", "1.2.40.0.13.1.15.110.4.14"),
        ("dcmQueue", "dcmStorage"),
    ],
    "dicomNetworkConnectionReference": [
        ("cn=a,dc=x", "CN=A, dc=X"),
        ("cn=a,dc=x", "cn=a;dc=x"),
        ("cn=a,dc=x", "commonName=a,dc=x"),
        ("cn=a,dc=x", "2.5.4.3=a,dc=x"),
        ("cn=a\\2cb,dc=x", "cn=a\\,b,dc=x"),
        ("cn=\\20a,dc=x", "cn=a,dc=x"),
        ("cn=ß,dc=x", "cn=ss,dc=x"),
        ("dicomAETitle=A,dc=x", "dicomAETitle=a,dc=x"),
        ("dicomAETitle=A  B,dc=x", "dicomAETitle=A B,dc=x"),
        ("cn=a+dicomAETitle=B,dc=x", "dicomAETitle=B+cn=a,dc=x"),
    ],
}


@pytest.mark.parametrize(
    ("rule", "value", "normal"),
    [
        ("caseExactIA5Match", b"  A  b ", b"A b"),
        ("caseIgnoreIA5Match", b"  A  b ", b"a b"),
        ("caseExactMatch", " \ufb01  A".encode(), b"fi A"),
        ("caseIgnoreMatch", " É  B".encode(), "é b".encode()),
        ("CASEIGNOREMATCH", b"A", b"a"),
        ("integerMatch", b"-007", b"-7"),
        ("integerMatch", b"-0", b"0"),
        ("integerMatch", b"seven", b"seven"),
        ("booleanMatch", b"true", b"true"),
        ("objectIdentifierMatch", b"dicomDevice", b"dicomdevice"),
        ("distinguishedNameMatch", b"CN=A, DC=b", b"cn=a,dc=b"),
        ("distinguishedNameMatch", b"no DN", b"no DN"),
        ("octetStringMatch", b" A ", b" A "),
        ("certificateExactMatch", b"\x30\x00", b"\x30\x00"),
        ("caseIgnoreMatch", b"\xff  A", b"\xff A"),
        ("unheardOfMatch", b"A  ", b"A  "),
        (None, b"A  ", b"A  "),
    ],
)
def test_normal_form(rule: str | None, value: bytes, normal: bytes) -> None:
    assert normalise(rule, value) == normal


def stored_entry(attribute: str, number: int, value: str) -> Entry:
    values = {"objectClass": ["dcmQueue", "extensibleObject"], "dcmQueueName": f"{attribute} {number}"}
    dn = DN.parse(SUFFIX).child("dcmQueueName", f"{attribute} {number}")
    return Entry.from_values(dn, values if attribute == "objectClass" else {**values, attribute: value})


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSlapd]:
    """A server with one entry for each pair, holding the first value of it."""
    server = Slapd(tmp_path_factory.mktemp("slapd"), port=free_port(), root_password=PASSWORD)
    server.prepare()
    server.load_files(list_site_files()[:1])
    for attribute, pairs in PAIRS.items():
        entries = [stored_entry(attribute, number, stored) for number, (stored, _) in enumerate(pairs)]
        server.load_ldif("".join(map(format_entry, entries)))
    with server:
        yield RunningSlapd(server)


@pytest.mark.real
@pytest.mark.parametrize("attribute", PAIRS)
def test_slapd_agrees_on_which_values_match(directory: RunningSlapd, attribute: str) -> None:
    for number, (stored, asserted) in enumerate(PAIRS[attribute]):
        dn = stored_entry(attribute, number, stored).dn
        assertion = f"{attribute}::{b64encode(asserted.encode()).decode()}"
        answer = directory.run_client("ldapcompare", str(dn), assertion)

        one, other = (SCHEMA.normalise_value(attribute, value.encode()) for value in (stored, asserted))
        assert answer.returncode == (COMPARE_TRUE if one == other else COMPARE_FALSE), (stored, asserted, answer)


@pytest.mark.real
def test_slapd_deletes_a_value_by_another_spelling_of_it(directory: RunningSlapd, tmp_path: Path) -> None:
    dn = stored_entry("dicomNetworkConnectionReference", 0, "").dn
    change = Modification(Operation.DELETE, "dicomNetworkConnectionReference", (b"CN=A, DC=X",))
    file = tmp_path / "change.ldif"
    file.write_text(format_change(Modify(dn, (change,))))

    done = directory.run_client("ldapmodify", "-f", str(file))
    assert done.returncode == 0, done.stderr
    assert "dicomNetworkConnectionReference" not in directory.entries(str(dn))[0]
