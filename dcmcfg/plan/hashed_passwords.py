"""Compare passwords that a server stores as hashes (RFC 3112: ``{SCHEME}…``) with given passwords."""

from __future__ import annotations

import binascii
import hashlib
import hmac
import re
from base64 import b64decode

from dcmcfg.schema_names import USER_PASSWORD

PASSWORD = USER_PASSWORD.lower()

_HASHED = re.compile(rb"\{([A-Za-z0-9._/+-]+)\}(.*)", re.DOTALL)
#: Scheme → digest algorithm; the digest is of the password (``SHA``), or of the password with the salt that follows the
#: digest (``SSHA``).
_DIGESTS = {
    "MD5": "md5",
    "SMD5": "md5",
    "SHA": "sha1",
    "SSHA": "sha1",
    **{f"{salted}{size}": f"sha{size}" for salted in ("SHA", "SSHA") for size in (256, 384, 512)},
    **{f"{salted}-{size}": f"sha{size}" for salted in ("SHA", "SSHA") for size in (256, 384, 512)},
}
#: Scheme → digest algorithm of PBKDF2 (RFC 8018 §5.2), as used by 389 Directory Server and OpenLDAP's pw-pbkdf2.
_PBKDF2 = {"PBKDF2": "sha1", **{f"PBKDF2-SHA{size}": f"sha{size}" for size in (1, 256, 512)}}
#: The text after the scheme of PBKDF2: rounds, salt and derived key.
_KEY = re.compile(rb"([0-9]{1,7})\$([^$]+)\$([^$]+)")
#: More rounds than any server's default, and at most some seconds of computing time.
_MAX_ROUNDS = 2_000_000


def is_hashed(value: bytes) -> bool:
    """Return whether the password *value* is a hash."""
    return _HASHED.match(value) is not None


def substitute_stored_passwords(stored: tuple[bytes, ...], given: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """Return *given*, with each password replaced by its form in *stored*: the hash, or the plain password."""
    return tuple(dict.fromkeys(next((each for each in stored if _is_same(each, value)), value) for value in given))


def substitute_given_passwords(stored: tuple[bytes, ...], given: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """Return *stored*, with each password replaced by its form in *given*.

    A hash with an unsupported scheme is treated as the hash of a plain password in *given* that matches no other value.
    """
    remaining, matched = list(given), dict[int, bytes]()
    for matches in (_is_same, _may_be_hash_of):
        for index, value in enumerate(stored):
            match = next((each for each in remaining if index not in matched and matches(value, each)), None)
            if match is not None:
                remaining.remove(match)
                matched[index] = match
    return tuple(matched.get(index, value) for index, value in enumerate(stored))


def _is_same(one: bytes, other: bytes) -> bool:
    return one == other or _is_hash_of(one, other) or _is_hash_of(other, one)


def _is_hash_of(hashed: bytes, plain: bytes) -> bool:
    """Return whether *hashed* is a hash of *plain*; also False for an unsupported scheme."""
    match = _HASHED.fullmatch(hashed)
    if match is None or is_hashed(plain):
        return False
    scheme, text = match[1].decode().upper(), match[2]
    try:
        if scheme in _PBKDF2:
            return _is_pbkdf2(_PBKDF2[scheme], text, plain)
        return scheme in _DIGESTS and _is_digest(_DIGESTS[scheme], b64decode(text), plain)
    except binascii.Error:
        return False


def _may_be_hash_of(hashed: bytes, plain: bytes) -> bool:
    """Return whether *hashed* is a hash that cannot be verified, so that it may be one of *plain*."""
    match = _HASHED.fullmatch(hashed)
    if match is None or is_hashed(plain):
        return False
    scheme, text = match[1].decode().upper(), match[2]
    # A hash with an unreadable key or too many rounds is not computed, so it cannot be verified either.
    if scheme in _PBKDF2:
        key = _KEY.fullmatch(text)
        return key is None or not 0 < int(key[1]) <= _MAX_ROUNDS
    return scheme not in _DIGESTS


def _is_digest(name: str, octets: bytes, plain: bytes) -> bool:
    # The server chose the algorithm. Without the flag, a FIPS build of OpenSSL refuses MD5.
    size = hashlib.new(name, usedforsecurity=False).digest_size
    digest = hashlib.new(name, plain + octets[size:], usedforsecurity=False).digest()
    return hmac.compare_digest(digest, octets[:size])


def _is_pbkdf2(name: str, text: bytes, plain: bytes) -> bool:
    key = _KEY.fullmatch(text)
    if key is None or not 0 < int(key[1]) <= _MAX_ROUNDS:
        return False
    salt, expected = _decode_base64(key[2]), _decode_base64(key[3])
    # pbkdf2_hmac refuses a key length of 0; an empty *expected* then differs from the derived key.
    return hmac.compare_digest(hashlib.pbkdf2_hmac(name, plain, salt, int(key[1]), len(expected) or 1), expected)


def _decode_base64(text: bytes) -> bytes:
    """Return the octets of the base64 *text*, with or without padding, and with ``.`` instead of ``+`` (pw-pbkdf2)."""
    return b64decode(text.replace(b".", b"+") + b"=" * (-len(text) % 4))
