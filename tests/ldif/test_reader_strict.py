"""What only the strict reader refuses (RFC 2849)."""

from __future__ import annotations

import pytest

from dcmcfg.errors import LdifError
from dcmcfg.ldif.reader import iter_records, read_all

VERSION = "version: 1\n\n"
MODIFY = VERSION + "dn: cn=a\nchangetype: modify\n"


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("dn: cn=a\ncn: a\n", 1, "does not begin with 'version: 1'"),
        ("dn: cn=a\nversion: 1\n", 1, "does not begin with 'version: 1'"),
        (VERSION + "version: 1\n\n", 3, "'version:' occurs twice"),
        ("version: 1\nversion: 1\ndn: cn=a\ncn: a\n", 1, "'version:' occurs twice"),
        (VERSION + "dn: cn=a\ncn: a", 4, "no line ending"),
        (VERSION + "dn: cn=a\ncn: ä\n", 4, "requires base64"),
        (VERSION + "dn: cn=ä\ncn: a\n", 3, "requires base64"),
        (VERSION + "dn: cn=a\ncn: :a\n", 4, "requires base64"),
        (VERSION + "dn: cn=a\nreplace: cn\n-\n", 4, "'changetype:' is missing before 'replace:'"),
        (MODIFY + "replace: cn\ncn: a\n", 6, "'-' after the last modification is missing"),
        (VERSION + "dn: cn=a\nchangetype: rename\nnewrdn: cn=b\ndeleteoldrdn: 1\n", 4, "unknown changetype"),
        (VERSION + "dn: cn=a\ncn: a\n\ndn: cn=a\nchangetype: delete\n", 6, "both entries and change records"),
        ("version:: MQ==\n\ndn: cn=a\ncn: a\n", 1, "requires plain text after 'version:'"),
        (VERSION + "dn: cn=a\nmy_attr: a\n", 4, "the name my_attr contains an underscore"),
        (VERSION + "dn: cn=a\ncn;my_option: a\n", 4, "the name cn;my_option contains an underscore"),
        (MODIFY + "delete: my_attr\n-\n", 5, "the name my_attr contains an underscore"),
        (VERSION + "dn: cn=a\nchangetype:: ZGVsZXRl\n", 4, "requires plain text after 'changetype:'"),
        (MODIFY + "delete:: Y24=\n-\n", 5, "requires plain text after 'delete:'"),
        (VERSION + "dn: cn=a\ncontrol:: MS4y\nchangetype: delete\n", 4, "requires plain text after 'control:'"),
        (VERSION + "dn: cn=a\ncontrol: 1.2 true : x\nchangetype: delete\n", 4, "not a control"),
        (VERSION + "dn: cn=a\ncontrol: 1.2 \nchangetype: delete\n", 4, "not a control"),
        (
            VERSION + "dn: cn=a\nchangetype: modrdn\nnewrdn: cn=b\ndeleteoldrdn:: MQ==\n",
            6,
            "requires plain text after 'deleteoldrdn:'",
        ),
    ],
)
def test_strict_refuses_what_the_default_reads(text: str, line: int, says: str) -> None:
    problems = [item for item in iter_records([text.encode()], "t", strict=True) if isinstance(item, LdifError)]
    assert [problem.subject for problem in problems] == [f"t:{line}"]
    assert says in str(problems[0])
    if "nversion" not in text or text.startswith("version"):
        read_all([text.encode()], "t")


def test_a_leading_tab_belongs_to_the_value_by_the_rfc() -> None:
    (record,) = read_all([(VERSION + "dn: cn=a\ncn: \ta\n").encode()], "t", strict=True)
    assert "(b'\\ta',)" in repr(record)


def test_strict_takes_a_url_without_blanks_around_it_only() -> None:
    for text, problems in (("cn:< file:x\n", 0), ("cn:< file:x \n", 1)):
        items = list(iter_records([(VERSION + f"dn: cn=a\n{text}").encode()], "t", strict=True, resolve_url=str.encode))
        assert sum(isinstance(item, LdifError) for item in items) == problems


def test_strict_takes_names_in_base64_and_lines_folded_anywhere() -> None:
    text = VERSION + "dn:: Y249YQ==\nchangetype: mod\n rdn\nnewrdn:: Y249Yg==\ndelete\n oldrdn: 1\nnewsuperior:: bz14\n"
    (record,) = read_all([text.encode()], "t", strict=True)
    (same,) = read_all([text.replace("\n ", "").encode()], "t")
    assert record == same
    folded = "dn: cn=a\nchangetype: modify\nreplace: cn\nc\n n: a\n-\n \n"
    assert read_all([(VERSION + folded).encode()], "t", strict=True)


def test_strict_reads_the_examples_of_the_rfc() -> None:
    source = (
        "version: 1\n# Add a new entry\ndn: cn=Fiona Jensen, ou=Marketing, dc=airius, dc=com\nchangetype: add\n"
        "objectclass: top\nobjectclass: person\ncn: Fiona Jensen\nsn: Jensen\n\n"
        "# Delete an existing entry\ndn: cn=Robert Jensen, ou=Marketing, dc=airius, dc=com\nchangetype: delete\n\n"
        "# Rename an entry and move all of its children\ndn: ou=PD Accountants, ou=Product Development\n"
        "changetype: modrdn\nnewrdn: ou=Product Development Accountants\ndeleteoldrdn: 0\n"
        "newsuperior: ou=Accounting, dc=airius, dc=com\n\n"
        "dn: cn=Paula Jensen, ou=Product Development\nchangetype: modify\nadd: postaladdress\n"
        "postaladdress: 123 Anystreet $ Sunnyvale, CA $ 94086\n-\ndelete: description\n-\n"
        "replace: telephonenumber\ntelephonenumber: +1 408 555 1234\ntelephonenumber: +1 408 555 5678\n-\n"
        "delete: facsimiletelephonenumber\nfacsimiletelephonenumber: +1 408 555 9876\n-\n\n"
        "dn: cn=Ingrid Jensen, ou=Product Support\nchangetype: modify\nreplace: postaladdress\n-\n\n"
        "dn: ou=Product Development, dc=airius, dc=com\ncontrol: 1.2.840.113556.1.4.805 true\nchangetype: delete\n"
    )
    assert len(read_all([source.encode()], "rfc2849", strict=True)) == 6
