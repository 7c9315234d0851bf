"""The keychain of the account that runs dcmcfg: macOS Keychain, Windows Credential Locker, Secret Service.

Kept apart: keyring takes 90 ms to load and is only loaded if a secret is stored there.
"""

from __future__ import annotations

import shlex

from dcmcfg.errors import DcmcfgError, NotFound


def read_keychain_secret(service: str, user: str, origin: str) -> str:
    """Return the secret of *user* for *service* in the keychain; errors name *origin*.

    Raises :class:`NotFound` if there is no such secret, :class:`DcmcfgError` if there is no keychain or it is locked.
    """
    import keyring  # takes 90 ms, so it is loaded only if the secret is in the keychain
    import keyring.errors

    try:
        secret = keyring.get_password(service, user)
    except keyring.errors.NoKeyringError:
        raise DcmcfgError(
            f"there is no keychain on this machine (required by {origin})",
            subject=f"keychain {service}",
            next_step="on a server, store the secret in a file that only its owner can read (see dcmcfg help secrets)",
        ) from None
    except keyring.errors.KeyringError as error:
        raise DcmcfgError(
            f"cannot read the keychain: {error or type(error).__name__} (required by {origin})",
            subject=f"keychain {service}",
            next_step="unlock the keychain and try again",
        ) from None
    if not secret:
        raise NotFound(
            f"the keychain has no secret for {user} (required by {origin})",
            subject=f"keychain {service}",
            next_step=f"to store the secret: {shlex.join(('keyring', 'set', service, user))}",
        )
    return secret
