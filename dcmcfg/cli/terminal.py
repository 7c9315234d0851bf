"""Questions to the person at the terminal."""

from __future__ import annotations

import sys

import click

from dcmcfg.cli.printing import print_message, wrap_for_terminal
from dcmcfg.errors import ArchiveError, DirectoryError, NegativeResult
from dcmcfg.printable import escape_unprintable
from dcmcfg.settings import Settings
from dcmcfg.settings.oidc import OidcClient


def confirm(question: str) -> bool:
    """Return whether *question* was answered with yes; asked on stderr, the answer is no unless said.

    Raises :class:`NegativeResult` when standard input is no terminal.
    """
    require_terminal()
    try:
        return click.confirm(wrap_for_terminal(question, reserved_columns=len(" [y/N]: ")), default=False, err=True)
    except click.Abort:
        print_message("")  # what comes next does not belong to the question's line
        raise


def prompt_hidden(prompt: str, *, repeat: bool = False) -> str:
    """Return what is typed at the prompt *prompt*, on stderr and without echo; *repeat* to be sure of it."""
    typed = click.prompt(escape_unprintable(prompt), hide_input=True, confirmation_prompt=repeat, err=True)
    return str(typed)


def require_terminal() -> None:
    """Raise :class:`NegativeResult` when nobody can be asked: standard input is no terminal."""
    if not sys.stdin.isatty():
        raise NegativeResult("there is no terminal to ask on, nothing was changed", next_step="--yes answers yes")


def get_bind_password(settings: Settings) -> str:
    """Return the password of the site's bind DN: from its source, or asked for without echo; never empty.

    Raises what :func:`read_bind_password` raises.
    """
    password = read_bind_password(settings)
    return prompt_bind_password(settings) if password is None else password


def read_bind_password(settings: Settings) -> str | None:
    """Return the password of the site's bind DN from its source, None when it is to be asked for.

    Raises :class:`DirectoryError` when there is none and standard input is no terminal, and what
    :meth:`Settings.bind_password` raises.
    """
    password = settings.bind_password()
    if password is None and not sys.stdin.isatty():
        raise DirectoryError(
            f"no password for {settings.bind_dn}",
            subject=settings.ldap_url,
            next_step="--bind-password-file FILE; a password counts only where the URL comes from: docs/settings.md",
        )
    return password


def prompt_bind_password(settings: Settings) -> str:
    """Return the password of the site's bind DN, asked for without echo."""
    return prompt_hidden(f"Password of {settings.bind_dn} @ {settings.ldap_url}")


def get_client_secret(settings: Settings) -> str:
    """Return the secret of the client that gets the archive's tokens: from its source, or asked for; never empty.

    Raises what :func:`require_client_secret` and :meth:`~dcmcfg.settings.secret.Secret.read` raise.
    """
    client = settings.oidc
    if client is None:
        raise ValueError("no client gets tokens on this site")
    if client.secret is not None:
        return client.secret.read()
    require_client_secret(client)
    return prompt_hidden(f"Secret of the client {client.client_id} @ {client.server_url}")


def require_client_secret(client: OidcClient) -> None:
    """Raise :class:`ArchiveError` when no secret of *client* is known and standard input is no terminal."""
    if client.secret is None and not sys.stdin.isatty():
        raise ArchiveError(
            f"no secret for the client {client.client_id}",
            subject=client.server_url,
            next_step="oidc_client_secret_file; a secret counts only where the issuer comes from: docs/secured.md",
        )
