"""Parts of the tree on other servers: referral entries (RFC 3296) and references (RFC 4511 §4.5.3)."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from dcmcfg.directory.decoding import EntryDecoder
from dcmcfg.dn import DN
from dcmcfg.errors import MalformedInput

#: The control by which a server returns its referral entries as entries (ManageDsaIT, RFC 3296 §3).
MANAGE_DSA_IT = "2.16.840.1.113730.3.4.2"
#: The attribute of referral entries with the URLs; it is operational, so it must be requested explicitly.
REF_ATTRIBUTE = "ref"
_REFERRAL = "referral"
#: The start of this attribute in the octets of an entry: its name, and the tag of the set of its values.
_REF_OCTETS = b"\x04\x03ref\x31"


@dataclass(frozen=True)
class Referral:
    """A part of the tree on other servers.

    ``dn`` is its top entry, None if the server does not show it; ``urls`` are the URLs of the other servers.
    """

    dn: DN | None
    urls: tuple[str, ...]

    @staticmethod
    def from_reference(urls: tuple[str, ...]) -> Referral:
        """Return the referral for *urls*, which a server sends in place of entries; the first URL has the top DN."""
        try:
            dn = DN.parse(unquote(urlsplit(urls[0]).path.removeprefix("/")))
        except (MalformedInput, ValueError, IndexError):
            return Referral(None, urls)
        return Referral(dn if dn.rdns else None, urls)

    @staticmethod
    def from_entry(octets: bytes) -> Referral | None:
        """Return the referral in *octets* (a SearchResultEntry), or None if the entry is not a referral."""
        # Almost no entry is a referral, and decoding all of them would take much longer than this check.
        if _REF_OCTETS not in octets:
            return None
        entry = EntryDecoder().decode_entry(octets)
        return Referral(entry.dn, entry.texts(REF_ATTRIBUTE)) if entry.is_a(_REFERRAL) else None

    @property
    def urls_text(self) -> str:
        """The URLs, for a message."""
        return " or ".join(self.urls)
