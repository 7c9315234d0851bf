"""Prompts for confirmation, passwords and secrets."""

from __future__ import annotations

import sys

import click

from dcmcfg.cli.default_site import list_unselected_profiles
from dcmcfg.cli.printing import print_message, wrap_for_terminal
from dcmcfg.errors import ArchiveError, DirectoryError, NegativeResult
from dcmcfg.printable import escape_unprintable
from dcmcfg.settings import Settings
from dcmcfg.settings.oidc import OidcClient


def confirm(question: str) -> bool:
    """Ask *question* on stderr, and return whether the answer is yes; the default is no.

    Raises :class:`NegativeResult` if standard input is not a terminal.
    """
    require_terminal()
    try:  # click appends the suffix to the question
        return click.confirm(wrap_for_terminal(question, reserved_columns=len(" [y/N]: ")), default=False, err=True)
    except click.Abort:
        print_message("")  # end the line of the question
        raise


def prompt_hidden(prompt: str, *, repeat: bool = False) -> str:
    """Prompt on stderr, and return the input, read without echo; with *repeat*, the user must enter the input twice."""
    typed = click.prompt(escape_unprintable(prompt), hide_input=True, confirmation_prompt=repeat, err=True)
    return str(typed)


def require_terminal() -> None:
    """Raise :class:`NegativeResult` if standard input is not a terminal, so that nobody can confirm."""
    if not sys.stdin.isatty():
        raise NegativeResult(
            "there is no terminal for the confirmation; nothing was changed", next_step="pass --yes to confirm"
        )


def get_bind_password(settings: Settings) -> str:
    """Return the password of the site's bind DN, from its source or a prompt without echo; never empty.

    Raises what :func:`read_bind_password` raises.
    """
    password = read_bind_password(settings)
    return prompt_bind_password(settings) if password is None else password


def read_bind_password(settings: Settings) -> str | None:
    """Return the password of the site's bind DN from its source; None if a prompt is required.

    Raises :class:`DirectoryError` if there is no password and standard input is not a terminal, and what
    :meth:`Settings.bind_password` raises.
    """
    password = settings.bind_password()
    if password is None and not sys.stdin.isatty():
        raise DirectoryError(
            f"no password for {settings.bind_dn}",
            subject=settings.ldap_url,
            next_step=f"{_suggest_profiles(settings)}specify --bind-password-file FILE; or set the password "
            "where the LDAP URL is set: both in the profile, or both in the environment (dcmcfg help secrets)",
        )
    return password


def _suggest_profiles(settings: Settings) -> str:
    """Return the beginning of a next step that lists the profiles, or "" if the LDAP URL is set or none exist."""
    names = list_unselected_profiles(settings, "ldap_url")
    return f"select a profile with --profile NAME ({', '.join(names)}); or " if names else ""


def prompt_bind_password(settings: Settings) -> str:
    """Prompt for the password of the site's bind DN, without echo."""
    return prompt_hidden(f"Password of {settings.bind_dn} @ {settings.ldap_url}")


def get_client_secret(settings: Settings) -> str:
    """Return the secret of the client that requests the archive's tokens, from its source or a prompt; never empty.

    Raises what :func:`require_client_secret` and :meth:`~dcmcfg.settings.secret.Secret.read` raise.
    """
    client = settings.oidc
    if client is None:
        raise ValueError("this site has no client that requests tokens")
    if client.secret is not None:
        return client.secret.read()
    require_client_secret(client)
    return prompt_hidden(f"Secret of the client {client.client_id} @ {client.server_url}")


def require_client_secret(client: OidcClient) -> None:
    """Raise :class:`ArchiveError` if *client* has no secret and standard input is not a terminal."""
    if client.secret is None and not sys.stdin.isatty():
        raise ArchiveError(
            f"no secret for the client {client.client_id}",
            subject=client.server_url,
            next_step="set oidc_client_secret_file where the issuer is set: both in the profile, or both in the "
            "environment (dcmcfg help secured)",
        )
