"""What a server says of the parts of the tree that other servers hold."""

from __future__ import annotations

import pytest

from dcmcfg.directory.referrals import Referral
from dcmcfg.dn import DN
from tests.directory.messages import contents, entry

URL = "ldap://other/cn=x,dc=org"


def octets(*attributes: tuple[bytes, list[bytes]]) -> bytes:
    """The SearchResultEntry of an entry with *attributes*."""
    message = contents(entry(b"cn=x,dc=org", list(attributes)))
    return message[message.index(b"\x64") :]


@pytest.mark.parametrize("spelt", [b"referral", b"Referral", b"REFERRAL"])
def test_a_referral_entry_says_where_it_stands_and_leads(spelt: bytes) -> None:
    entry_octets = octets((b"objectClass", [spelt, b"extensibleObject"]), (b"ref", [URL.encode(), b"ldap://third/"]))
    found = Referral.from_entry(entry_octets)
    assert found == Referral(DN.parse("cn=x,dc=org"), (URL, "ldap://third/"))
    assert found.urls_text == f"{URL} or ldap://third/"


def test_another_entry_is_none() -> None:
    assert Referral.from_entry(octets((b"objectClass", [b"referral"]), (b"cn", [b"x"]))) is None
    assert Referral.from_entry(octets((b"objectClass", [b"dicomDevice"]), (b"ref", [b"x"]))) is None
    assert Referral.from_entry(octets((b"objectClass", [b"dicomDevice"]), (b"cn", [b"\x04\x03ref\x31"]))) is None


@pytest.mark.parametrize(
    ("url", "dn"),
    [
        ("ldap://other/cn=x,dc=org??sub", "cn=x,dc=org"),
        ("ldap://other/cn=DICOM%20Configuration,dc=org", "cn=DICOM Configuration,dc=org"),
        ("ldap://other/", None),
        ("ldap://other", None),
        ("ldap://[other/cn=x", None),
        ("ldap://other/no name", None),
        ("", None),
    ],
)
def test_a_reference_stands_where_its_url_says_if_it_does(url: str, dn: str | None) -> None:
    assert Referral.from_reference((url,)) == Referral(None if dn is None else DN.parse(dn), (url,))
    assert Referral.from_reference(()) == Referral(None, ())
