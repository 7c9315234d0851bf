"""Questions to the person at the terminal."""

from __future__ import annotations

import sys

import click

from dcmcfg.cli.printing import fitting, tell
from dcmcfg.errors import AnswerIsNo, ArchiveError, DirectoryError
from dcmcfg.printable import visible
from dcmcfg.settings import Settings
from dcmcfg.settings.oidc import OidcClient


def ask(question: str) -> bool:
    """Return whether *question* was answered with yes; asked on stderr, the answer is no unless said.

    Raises :class:`AnswerIsNo` when standard input is no terminal.
    """
    require_terminal()
    try:
        return click.confirm(fitting(question, beside=len(" [y/N]: ")), default=False, err=True)
    except click.Abort:
        tell("")  # what comes next does not belong to the question's line
        raise


def ask_hidden(what: str, *, twice: bool = False) -> str:
    """Return what is typed at the prompt *what*, on stderr and without echo; *twice* to be sure of it."""
    asked = click.prompt(visible(what), hide_input=True, confirmation_prompt=twice, err=True)
    return str(asked)


def require_terminal() -> None:
    """Raise :class:`AnswerIsNo` when nobody can be asked: standard input is no terminal."""
    if not sys.stdin.isatty():
        raise AnswerIsNo("there is no terminal to ask on, nothing was changed", next_step="--yes answers yes")


def bind_password(settings: Settings) -> str:
    """Return the password of the site's bind DN: from its source, or asked for without echo; never empty.

    Raises what :func:`known_bind_password` raises.
    """
    known = known_bind_password(settings)
    return asked_bind_password(settings) if known is None else known


def known_bind_password(settings: Settings) -> str | None:
    """Return the password of the site's bind DN from its source, None when it is to be asked for.

    Raises :class:`DirectoryError` when there is none and standard input is no terminal, and what
    :meth:`Settings.bind_password` raises.
    """
    known = settings.bind_password()
    if known is None and not sys.stdin.isatty():
        raise DirectoryError(
            f"no password for {settings.bind_dn}",
            on=settings.ldap_url,
            next_step="--bind-password-file FILE; a password counts only where the URL comes from: docs/settings.md",
        )
    return known


def asked_bind_password(settings: Settings) -> str:
    """Return the password of the site's bind DN, asked for without echo."""
    return ask_hidden(f"Password of {settings.bind_dn} @ {settings.ldap_url}")


def client_secret(settings: Settings) -> str:
    """Return the secret of the client that gets the archive's tokens: from its source, or asked for; never empty.

    Raises what :func:`require_client_secret` and :meth:`Secret.read` raise.
    """
    client = settings.oidc
    if client is None:
        raise ValueError("no client gets tokens on this site")
    if client.secret is not None:
        return client.secret.read()
    require_client_secret(client)
    return ask_hidden(f"Secret of the client {client.client_id} @ {client.server}")


def require_client_secret(client: OidcClient) -> None:
    """Raise :class:`ArchiveError` when no secret of *client* is known and standard input is no terminal."""
    if client.secret is None and not sys.stdin.isatty():
        raise ArchiveError(
            f"no secret for the client {client.client_id}",
            on=client.server,
            next_step="oidc_client_secret_file; a secret counts only where the issuer comes from: docs/secured.md",
        )
