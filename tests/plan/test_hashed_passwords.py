"""Hashed passwords, as directory servers and OpenLDAP's own tools were seen to make them, and what they are of."""

from __future__ import annotations

import pytest

from dcmcfg.plan.hashed_passwords import substitute_given_passwords, substitute_stored_passwords

#: 389 Directory Server 2.3.1, ApacheDS 2.0.0.AM26, and ``slappasswd`` 2.5.13 for the others.
HASHES = {
    b"{PBKDF2-SHA512}10000$sOOeoDhMur6TCdilFEwyodxR4lkLbYEc$2o+Rf6O9y+089EaFdR2pXFrnscZtpjhtswfWmg6rdPXLg00R5RHiERsHtSGF"
    b"fXb1xj/bcf2OD8YzA1ixbzAvXQ==": b"lab-viewer-password",
    b"{SSHA}2IbTSUlpImd0vFXa567tJWWp4zz8FRIGgQvGTw==": b"geheim",
    b"{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=": b"secret",
    b"{MD5}Xr4ilOzQ4PCOq3aQ0qbuaQ==": b"secret",
    b"{SMD5}Zsugkh7KBkGD6ztOtzhBssG9Sbc=": b"secret",
    b"{SSHA256}wAr1LronhG0N8IkDEWn8cK0U3gFODXKC68ENSpYKIRmxMYMXRXx95Q==": b"secret",
    b"{SHA512}vSsar3708Jvp9Szi2NWZZ02Bqp1qRCFpbcTZPdBhnWgs5WtNZKnvCXdhztmeD2cmW192CF5bDufKRpayrW/isg==": b"secret",
}


@pytest.mark.parametrize("hashed", HASHES)
def test_a_hash_and_the_password_that_it_is_of_are_the_same(hashed: bytes) -> None:
    plain = HASHES[hashed]
    assert substitute_stored_passwords((hashed,), (plain,)) == (hashed,)
    assert substitute_stored_passwords((plain,), (hashed,)) == (plain,)
    assert substitute_stored_passwords((b"x", hashed), (plain, b"y", hashed)) == (hashed, b"y")


@pytest.mark.parametrize("hashed", HASHES)
def test_another_password_is_another_one(hashed: bytes) -> None:
    assert substitute_stored_passwords((hashed,), (HASHES[hashed] + b"x",)) == (HASHES[hashed] + b"x",)
    assert substitute_stored_passwords((hashed,), (hashed,)) == (hashed,)


@pytest.mark.parametrize(
    "damaged",
    [
        b"{CRYPT}$1$x",
        b"{SSHA}\xff",
        b"{SSHA}",
        b"{SHA}abc",
        b"{PBKDF2}",
        b"{PBKDF2-SHA256}0$AAAA$AAAA",
        b"{PBKDF2-SHA256}9999999$AAAA$AAAA",
        b"{PBKDF2-SHA256}1$AAAA$",
        b"{PBKDF2-SHA256}1$A$A",
        b"{}",
        b"{SSHA",
    ],
)
def test_what_is_no_hash_or_of_an_unknown_kind_is_a_value_as_any_other(damaged: bytes) -> None:
    for plain in (b"", b"geheim"):
        assert substitute_stored_passwords((damaged,), (plain,)) == (plain,)


@pytest.mark.parametrize("hashed", HASHES)
def test_what_a_server_holds_is_as_given_where_the_hash_is_one_of_it(hashed: bytes) -> None:
    plain = HASHES[hashed]
    assert substitute_given_passwords((hashed,), (plain,)) == (plain,)
    assert substitute_given_passwords((hashed, b"x"), (b"x", plain)) == (plain, b"x")
    assert substitute_given_passwords((hashed,), (plain + b"x",)) == (hashed,), "it is a hash of another password"


def test_a_hash_that_cannot_be_verified_counts_as_that_of_the_password_that_is_left() -> None:
    unknown = b"{ARGON2}$argon2id$v=19$m=7168,t=5,p=1$c2FsdA$aGFzaA"
    hashed = next(iter(HASHES))
    assert substitute_given_passwords((unknown,), (b"geheim",)) == (b"geheim",)
    assert substitute_given_passwords((unknown, hashed), (HASHES[hashed], b"geheim")) == (b"geheim", HASHES[hashed])
    assert substitute_given_passwords((unknown,), (b"{CRYPT}x",)) == (unknown,)
    assert substitute_given_passwords((unknown, b"{CRYPT}x"), (b"geheim",)) == (b"geheim", b"{CRYPT}x")
