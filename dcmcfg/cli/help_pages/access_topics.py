"""The help topics about credentials: where dcmcfg reads them, and how it gets tokens for a secured archive."""

from __future__ import annotations

from dcmcfg.cli.help_pages.topic import Section, Topic
from dcmcfg.settings.config_identity import PASSWORD_FILE_VARIABLE, PASSWORD_VARIABLE


def make_secrets(name: str) -> Topic:
    """Return the topic about the sources of secrets."""
    return Topic(
        name,
        (
            "dcmcfg reads a password, a token or a client secret from a file, from the environment, or from the "
            "keychain of your account. If there is no such source, dcmcfg prompts at a terminal. No option takes a "
            "secret itself, because other accounts can see the command line.",
            (
                "dcmcfg connects to the directory server before it prompts for the password of the "
                "bind DN. If the server does not respond, dcmcfg reports the error at once. If no "
                "profile is selected and no URL is specified, dcmcfg prints a note with the names of "
                "the profiles. The option --yes confirms changes only: dcmcfg still prompts for the "
                "password."
            ),
            "The secret is the only line of the file. Only the owner should be able to read the file: 'chmod 600 "
            "FILE'. In a profile, a relative file name is relative to the folder of the profile.",
            (
                "Set a secret in the same source as the URL of its server: both in the profile, or both "
                "in the environment. dcmcfg sends the secret only to this server. For the order of the "
                "sources, see 'dcmcfg help site-options'."
            ),
            "The keychain is macOS Keychain, Windows Credential Locker, or Secret Service on a Linux desktop. A server "
            "without a desktop has no keychain: use a file. To store a secret in the keychain, run 'keyring set "
            "SERVICE USER'. USER is the bind DN or the client ID.",
        ),
        (
            Section(
                "Password of the bind DN",
                (
                    ("--bind-password-file FILE", "For one run: the file with the password."),
                    ("bind_password_file", "In a profile: the file with the password."),
                    ("bind_password_keychain", "In a profile: the name of the keychain service with the password."),
                    ("DCMCFG_BIND_PASSWORD", "In the environment: the password."),
                    ("DCMCFG_BIND_PASSWORD_FILE", "In the environment: the file with the password."),
                ),
            ),
            Section(
                "Token or client of the archive",
                (
                    ("archive_token_file", "In a profile: the file with the token. Option: --archive-token-file."),
                    (
                        "oidc_client_secret_file",
                        "In a profile: the file with the client secret. Option: --oidc-client-secret-file.",
                    ),
                    (
                        "oidc_client_secret_keychain",
                        "In a profile: the name of the keychain service with the client secret.",
                    ),
                    ("DCMCFG_ARCHIVE_TOKEN", "In the environment: the token."),
                    ("DCMCFG_OIDC_CLIENT_SECRET", "In the environment: the client secret."),
                ),
            ),
            Section(
                "Others",
                (
                    ("tls_key_passphrase_file", "The file with the passphrase of the key for DICOM over TLS."),
                    (PASSWORD_VARIABLE, "The password of the administrator of cn=config."),
                    (
                        PASSWORD_FILE_VARIABLE,
                        (
                            "The file with the password of the administrator of cn=config. Option: "
                            "--config-password-file."
                        ),
                    ),
                ),
            ),
        ),
    )


def make_secured(name: str) -> Topic:
    """Return the topic about an archive that requires tokens."""
    return Topic(
        name,
        (
            "A secured archive accepts only requests with a token of its OpenID Connect issuer, "
            "such as a Keycloak realm. dcmcfg requests the tokens as a client with a secret "
            "(client credentials). dcmcfg renews a token before the token expires.",
            "In the archive's realm of Keycloak: 1. Create a client of the type OpenID Connect. 2. Enable 'Client "
            "authentication' and 'Service accounts roles'. 3. Under 'Service accounts roles', assign the realm role "
            "that the archive requires: 'auth' in a standard installation. 4. Copy the client secret into a file that "
            "only you can read.",
            (
                "Then set the settings below in one source, for example in a profile: 'dcmcfg config "
                "set NAME.oidc_issuer URL'. To check the result, run 'dcmcfg token'. The command "
                "shows the contents of the token, and the issuer and the role that the archive "
                "requires. If the archive refuses the token, the command shows the reason."
            ),
        ),
        (
            Section(
                "Settings",
                (
                    ("archive_url", "Base URL of the archive."),
                    (
                        "oidc_issuer",
                        "URL of the issuer, exactly as in the configuration of the archive. For Keycloak: "
                        "https://HOST:PORT/realms/REALM; up to Keycloak 16: https://HOST:PORT/auth/realms/REALM.",
                    ),
                    ("oidc_client_id", "The client ID."),
                    ("oidc_client_secret_file", "File with the client secret; for other sources: dcmcfg help secrets."),
                    ("oidc_token_url", "Token endpoint, if the endpoint that the issuer publishes does not work."),
                    ("oidc_scope", "Scope to request, if the default scopes do not include the roles."),
                    ("ca_file", "CA certificates (PEM) of the archive and of the issuer."),
                    (
                        "archive_token_file",
                        "File with an existing token, if there is no client. dcmcfg cannot renew this token.",
                    ),
                ),
            ),
            Section(
                "If the archive refuses the token",
                (
                    ("401", "The token has expired, or its issuer, key, type or audience is wrong."),
                    ("403", "The role is missing, or the role belongs to a client instead of the realm."),
                ),
            ),
        ),
    )
