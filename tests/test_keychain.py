"""Secrets in the keychain, by keyring's own interface for backends."""

from __future__ import annotations

from collections.abc import Iterator

import keyring
import keyring.backends.fail
import pytest
from keyring.backend import KeyringBackend
from keyring.errors import KeyringLocked

from dcmcfg.errors import DcmcfgError, NotFound
from dcmcfg.settings.secret import Secret


class Keychain(KeyringBackend):
    priority = 1.0

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}
        self.locked = False

    def get_password(self, service: str, username: str) -> str | None:
        if self.locked:
            raise KeyringLocked("Failed to unlock the collection!")
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password


@pytest.fixture
def keychain() -> Iterator[Keychain]:
    before = keyring.get_keyring()
    keychain = Keychain()
    keyring.set_keyring(keychain)
    yield keychain
    keyring.set_keyring(before)


SECRET = Secret("profile hospital", service="hospital").for_user("cn=me,dc=x")


def test_secret_is_read_for_its_user(keychain: Keychain) -> None:
    keyring.set_password("hospital", "cn=me,dc=x", "geheim")
    assert SECRET.read() == "geheim"
    assert "geheim" not in repr(SECRET)


def test_what_the_keychain_does_not_keep_is_told_with_how_to_put_it_there(keychain: Keychain) -> None:
    with pytest.raises(NotFound) as caught:
        SECRET.read()
    assert str(caught.value) == (
        "keychain hospital: the keychain has no secret for cn=me,dc=x (required by profile hospital) — to store the "
        "secret: keyring set hospital cn=me,dc=x"
    )


def test_keychain_that_stays_locked_is_told(keychain: Keychain) -> None:
    keychain.locked = True
    with pytest.raises(DcmcfgError) as caught:
        SECRET.read()
    assert caught.value.message == (
        "cannot read the keychain: Failed to unlock the collection! (required by profile hospital)"
    )


def test_machine_without_a_keychain_is_told_what_else_there_is(keychain: Keychain) -> None:
    keyring.set_keyring(keyring.backends.fail.Keyring())  # type: ignore[no-untyped-call]
    with pytest.raises(DcmcfgError) as caught:
        SECRET.read()
    assert caught.value.message == "there is no keychain on this machine (required by profile hospital)"
    assert "file" in caught.value.next_step
