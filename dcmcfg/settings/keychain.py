"""The keychain of the account that runs dcmcfg: macOS Keychain, Windows Credential Locker, Secret Service.

Kept apart: keyring takes 90 ms to load, and only where a secret is kept there.
"""

from __future__ import annotations

import shlex

from dcmcfg.errors import DcmcfgError, NotFound


def read_keychain_secret(service: str, user: str, origin: str) -> str:
    """Return what the keychain keeps for *user* of *service*; *origin* is named in errors.

    Raises :class:`NotFound` when it keeps nothing there, :class:`DcmcfgError` when there is no keychain, or it stays
    locked.
    """
    import keyring  # 90 ms, and no run but those whose secret is there needs it
    import keyring.errors

    try:
        secret = keyring.get_password(service, user)
    except keyring.errors.NoKeyringError:
        raise DcmcfgError(
            f"there is no keychain on this machine (asked for by {origin})",
            subject=f"keychain {service}",
            next_step="on a server keep the secret in a file that only its owner can read: docs/settings.md",
        ) from None
    except keyring.errors.KeyringError as error:
        raise DcmcfgError(
            f"the keychain was not read: {error or type(error).__name__} (asked for by {origin})",
            subject=f"keychain {service}",
            next_step="unlock it, and try again",
        ) from None
    if not secret:
        raise NotFound(
            f"the keychain keeps nothing for {user} (asked for by {origin})",
            subject=f"keychain {service}",
            next_step=f"{shlex.join(('keyring', 'set', service, user))} puts it there",
        )
    return secret
