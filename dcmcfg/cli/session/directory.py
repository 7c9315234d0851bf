"""Connect to the site's directory server."""

from __future__ import annotations

from dcmcfg.cli.default_site import describe_selection, format_profile_note, uses_default_url
from dcmcfg.cli.printing import print_message, print_wait
from dcmcfg.cli.terminal import prompt_bind_password, read_bind_password
from dcmcfg.directory.connection import check_connection
from dcmcfg.directory.failures import INVALID_CREDENTIALS, ServerUnreachable
from dcmcfg.directory.ldap import LdapDirectory, connect
from dcmcfg.directory.referrals import Referral
from dcmcfg.directory.server import LdapServerSettings
from dcmcfg.errors import DirectoryError
from dcmcfg.settings import Settings
from dcmcfg.settings.exposure import find_exposures
from dcmcfg.slow_response import report_slow_response


def open_directory(settings: Settings) -> LdapDirectory:
    """Return an open connection to the site's directory server; prompts for the password if no source has one.

    Before the prompt, the server must be reachable and trusted. If no profile is selected, a note lists the profiles.
    Warns on stderr of exposed credentials: a password that is sent unencrypted, a private key that others can read.
    Raises :class:`~dcmcfg.errors.DirectoryError` if the server cannot be reached, cannot be trusted or refuses.
    """
    uses_external = not settings.bind_dn
    # Read the password before the warnings, because that may fail. Prompt after them, so that the user is warned.
    password = "" if uses_external else read_bind_password(settings)
    for warning in find_exposures(settings):
        print_message(f"warning: {warning}")
    try:
        if password is None:
            # The user enters a password only for a server that exists and is trusted.
            server = make_directory_server(settings, "")
            with report_slow_response(server.url, print_wait, server.slow_after_s):
                check_connection(server)
            if note := format_profile_note(settings):
                print_message(note)
            password = prompt_bind_password(settings)
        return connect(make_directory_server(settings, password), _warn_of_referral, print_wait)
    except ServerUnreachable as error:
        raise ServerUnreachable(
            error.message, subject=error.subject, next_step=_advise_unreachable(settings) or error.next_step
        ) from error
    except DirectoryError as error:
        if error.result_code != INVALID_CREDENTIALS or uses_external:
            raise
        origin = settings.origins.get("bind_password", "the prompt")
        raise DirectoryError(
            error.message,
            subject=error.subject,
            next_step=f"check the bind DN (from {settings.origins['bind_dn']}) and the password (from {origin})",
            result_code=error.result_code,
        ) from error


def _advise_unreachable(settings: Settings) -> str:
    """Return the next step if the server cannot be reached, by the source of its URL; "" for another source."""
    origin = settings.origins.get("ldap_url", "")
    if origin.startswith("profile"):
        return f"check that the server is running, and that the URL of {origin} is correct"
    return describe_selection(settings, "ldap_url") if uses_default_url(settings, "ldap_url") else ""


def _warn_of_referral(referral: Referral) -> None:
    subject = f"{referral.dn} is" if referral.dn is not None else "a part of the tree is"
    print_message(f"warning: {subject} on other servers and was not read: {referral.urls_text}")


def make_directory_server(settings: Settings, password: str) -> LdapServerSettings:
    """Return the connection settings of the site's directory server; without a bind DN, SASL EXTERNAL is used."""
    return LdapServerSettings(
        settings.ldap_url,
        settings.base_dn,
        settings.bind_dn,
        password,
        ca_file=settings.ca_file,
        require_crl=settings.require_crl,
        starttls=settings.starttls,
        client_cert=settings.client_cert,
        client_key=settings.client_key,
        sasl_external=not settings.bind_dn,
    )
