"""What only the strict reader refuses (RFC 2849)."""

from __future__ import annotations

import pytest

from dcmcfg.errors import LdifError
from dcmcfg.ldif.reader import read, read_all

VERSION = "version: 1\n\n"
MODIFY = VERSION + "dn: cn=a\nchangetype: modify\n"


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("dn: cn=a\ncn: a\n", 1, "does not begin with 'version: 1'"),
        ("dn: cn=a\nversion: 1\n", 1, "does not begin with 'version: 1'"),
        (VERSION + "version: 1\n\n", 3, "'version:' stands twice"),
        ("version: 1\nversion: 1\ndn: cn=a\ncn: a\n", 1, "'version:' stands twice"),
        (VERSION + "dn: cn=a\ncn: a", 4, "no line ending"),
        (VERSION + "dn: cn=a\ncn: ä\n", 4, "must be in base64"),
        (VERSION + "dn: cn=ä\ncn: a\n", 3, "must be in base64"),
        (VERSION + "dn: cn=a\ncn: :a\n", 4, "must be in base64"),
        (VERSION + "dn: cn=a\nreplace: cn\n-\n", 4, "'changetype:' is missing before 'replace:'"),
        (MODIFY + "replace: cn\ncn: a\n", 6, "'-' after the last modification is missing"),
        (VERSION + "dn: cn=a\nchangetype: rename\nnewrdn: cn=b\ndeleteoldrdn: 1\n", 4, "unknown changetype"),
        (VERSION + "dn: cn=a\ncn: a\n\ndn: cn=a\nchangetype: delete\n", 6, "mixed"),
    ],
)
def test_strict_refuses_what_the_default_reads(text: str, line: int, says: str) -> None:
    problems = [item for item in read([text.encode()], "t", strict=True) if isinstance(item, LdifError)]
    assert [problem.on for problem in problems] == [f"t:{line}"]
    assert says in str(problems[0])
    if "nversion" not in text or text.startswith("version"):
        read_all([text.encode()], "t")


def test_a_leading_tab_belongs_to_the_value_by_the_rfc() -> None:
    (record,) = read_all([(VERSION + "dn: cn=a\ncn: \ta\n").encode()], "t", strict=True)
    assert "(b'\\ta',)" in repr(record)


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
