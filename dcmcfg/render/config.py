"""Render profiles, and the settings of a run, as tables and as JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from dcmcfg.model.device_cluster import ClusterMember
from dcmcfg.printable import escape_unprintable
from dcmcfg.render.terminal.console import print_line
from dcmcfg.render.terminal.table import Column, WrapMode, print_table
from dcmcfg.settings.description import ProfileList, SettingDescription, SiteDescription
from dcmcfg.settings.profile_edits import ProfileEdit
from dcmcfg.settings.site import Settings

_PROFILE_COLUMNS = (Column("Profile"), Column("Used"), Column("Directory server"), Column("Archive"))
_NODE_COLUMNS = (Column("Node"), Column("Archive"), Column("Replica"))
_SETTING_COLUMNS = (Column("Setting"), Column("Value", WrapMode.AT_COMMAS), Column("Source", WrapMode.AT_SPACES))


def print_profiles(console: Console, listed: ProfileList, folder: Path) -> None:
    """Print a line for each profile, and their *folder*."""
    if not listed.profiles:
        print_line(console, f"No profiles in {escape_unprintable(str(folder))}")
        return
    rows = [
        (each.name, "yes" if each.is_used else "", each.ldap_url, each.archive_url)
        if not each.problem
        else (each.name, "yes" if each.is_used else "", "(unreadable)", "")
        for each in listed.profiles
    ]
    print_table(console, _PROFILE_COLUMNS, [tuple(map(escape_unprintable, row)) for row in rows])
    print_line(console, f"Folder: {escape_unprintable(str(folder))}")
    if listed.used_profile:
        print_line(console, f"Selected by: {format_selection(listed.selected_by)}")


#: The source of a profile that is the argument of ``config show``.
NAME_ARGUMENT = "NAME"


def format_selection(selected_by: str) -> str:
    """Return the source that selected a profile: an argument, option, variable or file, or the profile's name."""
    if selected_by == NAME_ARGUMENT:
        return "argument NAME"
    if selected_by == "--profile":
        return "option --profile"
    if selected_by == "DCMCFG_PROFILE":
        return "environment variable DCMCFG_PROFILE"
    return "its name, 'default'" if selected_by == "default" else f"'dcmcfg config use' ({selected_by})"


def profiles_json(listed: ProfileList, folder: Path) -> dict[str, Any]:
    """Return the profiles for ``--json``."""
    return {
        "folder": str(folder),
        "used_profile": listed.used_profile or None,
        "selected_by": listed.selected_by or None,
        "profiles": [
            {
                "name": each.name,
                "file": str(each.path),
                "used": each.is_used,
                "ldap_url": each.ldap_url or None,
                "archive_url": each.archive_url or None,
                "problem": each.problem or None,
            }
            for each in listed.profiles
        ],
    }


def print_site(console: Console, site: SiteDescription) -> None:
    """Print a line for each setting: name, value, source."""
    rows = [(each.name, _format_value(each), _format_source(each, site)) for each in site.settings]
    print_table(console, _SETTING_COLUMNS, [tuple(map(escape_unprintable, row)) for row in rows])
    if site.profile:
        print_line(console, f"Profile {site.profile}: {escape_unprintable(str(site.profile_file))}")
        print_line(console, f"Selected by: {format_selection(site.profile_selected_by)}")


def _format_value(setting: SettingDescription) -> str:
    if not setting.is_set:
        return "not set"
    if not setting.is_secret:
        return setting.value or ""
    if setting.secret_file is not None:
        return f"set, in the file {setting.secret_file}"
    return f"set, in the keychain as {setting.keychain_service}" if setting.keychain_service else "set"


def _format_source(setting: SettingDescription, site: SiteDescription) -> str:
    match setting.source:
        case "option":
            return f"option {setting.origin}"
        case "environment":
            return f"environment variable {setting.origin}"
        case "profile":
            return f"profile {site.profile}"
        case source:
            return source


def site_json(site: SiteDescription) -> dict[str, Any]:
    """Return the settings for ``--json``; the value of a secret is null."""
    return {
        "profile": site.profile or None,
        "profile_file": str(site.profile_file) if site.profile_file else None,
        "profile_selected_by": site.profile_selected_by or None,
        "settings": [
            {
                "name": each.name,
                "set": each.is_set,
                "value": each.value,
                "secret": each.is_secret,
                "secret_file": str(each.secret_file) if each.secret_file else None,
                "keychain_service": each.keychain_service or None,
                "source": each.source or None,
                "origin": each.origin or None,
            }
            for each in site.settings
        ],
    }


def profile_edit_json(name: str, key: str, edit: ProfileEdit) -> dict[str, Any]:
    """Return one change of a profile for ``--json``; ``value`` is null if the key was removed."""
    return {
        "profile": name,
        "key": key,
        "value": edit.value,
        "file": str(edit.path),
        "changed": edit.is_changed,
        "unknown_keys": list(edit.unknown_keys),
    }


def print_nodes(console: Console, settings: Settings) -> None:
    """Print a line for each node of the site."""
    if not settings.nodes:
        print_line(console, "The profile lists no nodes. The archive has one node:")
        print_line(console, escape_unprintable(settings.archive_url))
        return
    rows = [
        (each.name, each.archive_url, "" if each.ldap_url == settings.ldap_url else each.ldap_url)
        for each in settings.nodes
    ]
    print_table(console, _NODE_COLUMNS, [tuple(map(escape_unprintable, row)) for row in rows])


def nodes_json(settings: Settings) -> dict[str, Any]:
    """Return the nodes of the site for ``--json``."""
    return {
        "profile": settings.profile or None,
        "ldap_url": settings.ldap_url,
        "nodes": [
            {
                "name": each.name,
                "archive_url": each.archive_url,
                "ldap_url": each.ldap_url,
                "has_own_token": each.token_secret is not None,
            }
            for each in settings.nodes
        ],
    }


def proposed_nodes_json(members: Sequence[ClusterMember], commands: Mapping[str, str]) -> dict[str, Any]:
    """Return the members of clusters for ``--json``; ``command`` adds a member to the profile, null without need."""
    return {
        "proposed_nodes": [
            {
                "cluster": each.cluster,
                "name": each.name,
                "archive_url": each.archive_url,
                "has_own_device": each.has_own_device,
                "command": commands.get(each.archive_url),
            }
            for each in members
        ]
    }
