"""The options that say where the site is; each is accepted before and after the command."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import click

F = TypeVar("F", bound=Callable[..., object])

#: (setting, placeholder, names a file, help); the option is the setting with ``-`` for ``_``.
_OPTIONS = (
    ("profile", "NAME", False, "Profile that describes the site."),
    ("ldap_url", "URL", False, "Directory server: ldap://, ldaps:// or ldapi://."),
    ("base_dn", "DN", False, "Entry below which the configuration is kept."),
    ("bind_dn", "DN", False, "Who to bind as."),
    ("bind_password_file", "FILE", True, "File that holds the password of the bind DN."),
    ("device", "NAME", False, "The archive's device."),
    ("archive_url", "URL", False, "The archive's base URL."),
    ("archive_token_file", "FILE", True, "File that holds a bearer token for the archive."),
    ("ca_file", "FILE", True, "CA certificates (PEM) to verify ldaps:// and https:// with."),
)
#: The settings that have an option.
SITE_SETTINGS = tuple(setting for setting, *_ in _OPTIONS)


def add_site_options(function: F) -> F:
    """Return *function* with the site options added; each parameter is a str, or None when not given."""
    for setting, placeholder, names_a_file, text in reversed(_OPTIONS):
        kind = click.Path() if names_a_file else click.STRING
        option = click.option("--" + setting.replace("_", "-"), metavar=placeholder, type=kind, help=text)
        function = option(function)
    return function
