"""The options that describe the site; each is accepted before and after the command."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click
from click.shell_completion import CompletionItem

from dcmcfg.cli.options.topic_option import topic_option
from dcmcfg.cli.topics import SITE_OPTIONS

F = TypeVar("F", bound=Callable[..., object])
_site_option = topic_option(SITE_OPTIONS)

#: (setting, placeholder, type, help); the option is the setting with ``-`` for ``_``.
_FILE = click.Path()
#: Without a check of the permissions here, the command reports the reason and the next step.
_FOLDER = click.Path(readable=False)
_FLAG = None
OPTIONS: tuple[tuple[str, str, click.ParamType[Any] | None, str], ...] = (
    ("profile", "NAME", click.STRING, "Profile that describes the site ('dcmcfg config list')."),
    ("ldap_url", "URL", click.STRING, "URL of the directory server: ldap://, ldaps:// or ldapi://."),
    ("base_dn", "DN", click.STRING, "DN of the entry that contains the configuration (base DN)."),
    ("bind_dn", "DN", click.STRING, "DN of your account on the directory server (bind DN)."),
    ("bind_password_file", "FILE", _FILE, "File that contains the password of the bind DN."),
    ("device", "NAME", click.STRING, "Device of the archive."),
    ("archive_url", "URL", click.STRING, "Base URL of the archive."),
    ("archive_token_file", "FILE", _FILE, "File that contains a bearer token for the archive."),
    ("oidc_issuer", "URL", click.STRING, "Issuer of tokens for the archive, such as a Keycloak realm."),
    ("oidc_client_id", "ID", click.STRING, "OpenID Connect client that requests tokens for the archive."),
    ("oidc_client_secret_file", "FILE", _FILE, "File that contains the secret of the OpenID Connect client."),
    ("ca_file", "FILE", _FILE, "CA certificates (PEM) for verifying servers (ldaps://, StartTLS and https://)."),
    ("require_crl", "", _FLAG, "Require the CA file to contain a revocation list (CRL) of each authority."),
    ("starttls", "", _FLAG, "Encrypt ldap:// with StartTLS. Do not connect if encryption fails."),
    ("client_cert", "FILE", _FILE, "Client certificate (PEM) for the directory server."),
    (
        "client_key",
        "FILE",
        _FILE,
        "Private key (PEM) of the client certificate. Default: the key in the file of --client-cert.",
    ),
    ("history_dir", "FOLDER", _FOLDER, "Folder that a group shares. dcmcfg also records each change in this folder."),
    (
        "audit_to",
        "SERVER",
        click.STRING,
        "Send a message about each change to a syslog server: syslog (this machine), syslog://HOST (UDP), "
        "syslog+tcp://HOST or syslog+tls://HOST.",
    ),
    ("audit_format", "FORMAT", click.STRING, "Format of the syslog messages: syslog (default) or dicom (PS3.15)."),
)
#: The settings whose option takes no value.
FLAGS = tuple(setting for setting, _, kind, _ in OPTIONS if kind is _FLAG)
#: The settings that have an option.
SITE_SETTINGS = tuple(setting for setting, *_ in OPTIONS)


def complete_profile(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Return the profiles that begin with *incomplete*; the completers are loaded only for shell completion."""
    from dcmcfg.cli import completers

    return completers.complete_profile(ctx, param, incomplete)


def _complete_device(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    from dcmcfg.cli.completers import complete_device

    return complete_device(ctx, param, incomplete)


#: Setting → the completer of its values.
_COMPLETERS = {"profile": complete_profile, "device": _complete_device}


def add_site_options(function: F, *, except_setting: str | None = None) -> F:
    """Return *function* with the site options, except that of *except_setting*.

    Each parameter is a str, or None if not given.
    """
    for setting, placeholder, kind, text in reversed(OPTIONS):
        if setting == except_setting:
            continue
        name = "--" + setting.replace("_", "-")
        if kind is _FLAG:  # a flag value instead of a boolean: None means that another source may set it
            option = _site_option(name, flag_value="true", default=None, help=text)
        else:
            option = _site_option(
                name, metavar=placeholder, type=kind, shell_complete=_COMPLETERS.get(setting), help=text
            )
        function = option(function)
    return function
