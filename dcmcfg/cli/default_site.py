"""Advice for a run without a profile and a URL, which uses the default URL: a stock installation on this machine.

A user who forgot to select a profile would otherwise work on another site than intended.
"""

from __future__ import annotations

import shlex

from dcmcfg.settings import Settings
from dcmcfg.settings.profiles import list_profile_names


def uses_default_url(settings: Settings, setting: str) -> bool:
    """Return whether no source specifies the URL *setting* (``ldap_url`` or ``archive_url``), and no profile is used.

    A profile without this URL is a selection too: its user knows which site is meant.
    """
    return settings.origins.get(setting) == "default" and not settings.profile


def list_unselected_profiles(settings: Settings, setting: str) -> tuple[str, ...]:
    """Return the profiles that the user can select, sorted; empty unless :func:`uses_default_url` is true."""
    return list_profile_names() if uses_default_url(settings, setting) else ()


def format_profile_note(settings: Settings) -> str:
    """Return the note that precedes a prompt for the password of the default URL; "" if it does not apply."""
    names = list_unselected_profiles(settings, "ldap_url")
    if not names:
        return ""
    return f"note: no profile is selected. To select a profile ({', '.join(names)}): --profile NAME"


def describe_selection(settings: Settings, setting: str) -> str:
    """Return the next step if the server at the default URL *setting* does not respond: how to select a site."""
    option = f"--{setting.replace('_', '-')}"
    names = list_unselected_profiles(settings, setting)
    if names:
        return (
            "dcmcfg used the default URL, because no profile is selected. To use another URL, select a profile "
            f"({', '.join(names)}) with --profile NAME or DCMCFG_PROFILE, or specify {option}"
        )
    return (
        f"dcmcfg used the default URL, because no profile exists. To use another URL, specify {option}, or create "
        f"a profile: dcmcfg config set NAME.{setting} URL. To start a lab: dcmcfg lab up"
    )


def describe_profile_without_archive_url(settings: Settings) -> str:
    """Return how to set the archive's URL in the profile in use, if the default URL is used; "" otherwise."""
    if not settings.profile or settings.origins.get("archive_url") != "default":
        return ""
    return (
        f"The profile {settings.profile} has no archive_url, so dcmcfg used the default URL. To set the URL: dcmcfg "
        f"config set {shlex.quote(settings.profile)}.archive_url URL"
    )
