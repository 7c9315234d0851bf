"""``dcmcfg config``."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from dcmcfg.cli import invocation
from dcmcfg.cli.options.help_page import CommandGroup
from dcmcfg.cli.options.output_options import json_option
from dcmcfg.cli.options.site_command import SiteCommand, site_options
from dcmcfg.cli.options.site_settings import SITE_SETTINGS, add_site_options, complete_profile
from dcmcfg.cli.options.unique_options import UniqueOptionsCommand
from dcmcfg.cli.printing import print_message, print_output
from dcmcfg.cli.session.output import print_json
from dcmcfg.errors import DcmcfgError, Refused
from dcmcfg.render.config import (
    NAME_ARGUMENT,
    format_selection,
    nodes_json,
    print_nodes,
    print_profiles,
    print_site,
    profile_edit_json,
    profiles_json,
    site_json,
)
from dcmcfg.render.terminal.console import make_stdout_console
from dcmcfg.settings import Settings, resolve_settings
from dcmcfg.settings.description import describe_site, list_profiles
from dcmcfg.settings.node_tables import NODES_TABLE
from dcmcfg.settings.profile_edits import (
    ProfileEdit,
    parse_profile_value,
    select_profile,
    set_profile_value,
    unset_profile_value,
)
from dcmcfg.settings.profiles import (
    BOOLEAN_KEYS,
    FILE_KEYS,
    PROFILE_KEYS,
    get_profile_path,
    get_selection_path,
    list_profile_names,
    read_profile,
)
from dcmcfg.settings.sources import find_profile_to_use
from dcmcfg.shared_folders import require_shared_folder
from dcmcfg.suggestions import suggest_names

#: The ratio of difflib: enough for one wrong letter in a name of four.
_NAME_SIMILARITY = 0.75
_NODE_KEY = re.compile(rf"(?P<name>.+?)\.(?P<key>{NODES_TABLE}\.[A-Za-z0-9_-]+(?:\.[A-Za-z_-]+)?)")


def _complete_key(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001 — click's signature, as below
    """Return completions of ``NAME.KEY``: profiles first, then every key of a profile."""
    return _complete_dotted(incomplete, lambda _name: PROFILE_KEYS)


def _complete_existing_key(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001
    """Return completions of ``NAME.KEY`` for keys that are set."""

    def list_keys(name: str) -> tuple[str, ...]:
        try:
            return tuple(read_profile(name))
        except DcmcfgError:  # an error message would break the command line that the user is typing
            return ()

    return _complete_dotted(incomplete, list_keys)


def _complete_dotted(incomplete: str, list_keys: Callable[[str], Iterable[str]]) -> list[CompletionItem]:
    name, dot, _ = incomplete.rpartition(".")
    if not dot or name not in list_profile_names():
        return [CompletionItem(f"{each}.") for each in list_profile_names() if each.startswith(incomplete)]
    candidates = (f"{name}.{key}" for key in list_keys(name))
    return [CompletionItem(each) for each in candidates if each.startswith(incomplete)]


def _complete_value(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001
    """Return completions of the value: true and false, or file names, depending on the key."""
    _, key = ctx.params.get("key") or ("", "")
    if key in FILE_KEYS:
        return [CompletionItem(incomplete, type="file")]
    values = ("true", "false") if key in BOOLEAN_KEYS else ()
    return [CompletionItem(each) for each in values if each.startswith(incomplete)]


def _parse_key(ctx: click.Context, param: click.Parameter, text: str) -> tuple[str, str]:
    """Return name and key of ``NAME.KEY``; a name may contain dots, a key only that of a node (``nodes.NODE.KEY``)."""
    text, assigned, _ = text.partition("=")
    if assigned:  # what follows may be a secret
        raise click.BadParameter(f"write a space instead of '=' between {text!r} and the value", ctx, param)
    # A key of a node, or a whole node, has more dots.
    if (match := _NODE_KEY.fullmatch(text)) is not None:
        return match["name"], match["key"]
    name, _, key = text.rpartition(".")
    if not name or not key:
        raise click.BadParameter(f"{text!r} does not have the form NAME.KEY. Example: hospital.ldap_url", ctx, param)
    return name, key


def _parse_existing_key(ctx: click.Context, param: click.Parameter, text: str) -> tuple[str, str]:
    """Return name and key of ``NAME.KEY``; for the name of a profile, the error shows how to remove the profile."""
    profiles = list_profile_names()
    if text in profiles and text.rpartition(".")[0] not in profiles:
        raise click.BadParameter(
            f"{text!r} is a profile. To remove a key, specify NAME.KEY. To remove the profile: "
            f'rm "$(dcmcfg config path {shlex.quote(text)})"',
            ctx,
            param,
        )
    return _parse_key(ctx, param, text)


@click.group("config", cls=CommandGroup, short_help="List, show and change profiles.")
def config_group() -> None:
    """List, show and change profiles.

    A profile contains the addresses and credentials of one site. With a profile, you do not have to specify these
    settings as options of each command. See 'dcmcfg help site-options' for the settings. The topic also describes which
    value dcmcfg uses if you specify a setting in several places: as an option, as an environment variable and in a
    profile.
    """


@config_group.command("list", cls=UniqueOptionsCommand)
@json_option
def list_command(*, as_json: bool) -> None:
    """List the profiles, and show which profile is in use.

    dcmcfg looks for a profile in this order: the option --profile, the environment variable DCMCFG_PROFILE, the
    profile selected with 'dcmcfg config use', the profile called 'default'.
    """
    listed = list_profiles(_get_options_before_command(), os.environ)
    folder = get_profile_path("x").parent  # the same for any name
    if as_json:
        print_json(profiles_json(listed, folder))
    else:
        print_profiles(make_stdout_console(), listed, folder)
    for each in listed.profiles:
        if each.problem:
            print_message(f"warning: {each.name}: {each.problem}")
    if listed.used_profile and not any(each.is_used for each in listed.profiles):
        print_message(
            f"warning: {format_selection(listed.selected_by)} specifies the profile {listed.used_profile}, but this "
            "profile does not exist"
        )


@config_group.command("show", cls=SiteCommand)
@click.argument("name", required=False, shell_complete=complete_profile)
@add_site_options
@json_option
def show_command(*, name: str | None, as_json: bool, **site: str | None) -> None:
    """Show each setting in effect, and its source.

    The source is an option, an environment variable, a profile or the default. The output shows the settings that a
    command with the same options uses. The argument NAME has the same effect as '--profile NAME'.

    Secrets are never shown. For each secret, the output shows only whether the secret is set, and the file or keychain
    that contains the secret.
    """
    options = _get_options_before_command() | {key: value for key, value in site.items() if value is not None}
    is_named = name is not None and "profile" not in options
    if name is not None:
        if options.get("profile", name) != name:
            raise click.UsageError("NAME and --profile cannot be used together")
        options["profile"] = name
    described = describe_site(options, os.environ)
    if is_named:
        described = replace(described, profile_selected_by=NAME_ARGUMENT)
    if as_json:
        print_json(site_json(described))
    else:
        print_site(make_stdout_console(), described)


@config_group.command("set", cls=UniqueOptionsCommand)
@click.argument("key", metavar="NAME.KEY", callback=_parse_key, shell_complete=_complete_key)
@click.argument("value", shell_complete=_complete_value)
@json_option
def set_command(*, key: tuple[str, str], value: str, as_json: bool) -> None:
    """Set a key of a profile.

    If the profile does not exist, dcmcfg creates a profile that only you can read, and reports this. The name of a new
    profile must not contain a dot. The value is checked before it is written. Comments and all other lines of the file
    are unchanged.

    A relative file name refers to the current folder, and is stored as an absolute file name. A profile never contains
    a password. To specify the file that contains the password, set bind_password_file. To specify the keychain service
    that contains the password, set bind_password_keychain.
    """
    name, profile_key = key
    parsed = parse_profile_value(profile_key, value, f"{name}.{profile_key}")
    edit = set_profile_value(name, profile_key, parsed)
    if isinstance(parsed, str) and profile_key.rpartition(".")[2] in FILE_KEYS:
        _warn_about_path(profile_key, Path(parsed).expanduser())
    text = str(parsed).lower() if isinstance(parsed, bool) else parsed
    _report(name, profile_key, edit, f"{name}.{profile_key} = {text}", as_json=as_json)
    if edit.is_new_file:
        _report_new_profile(name, edit.path)


def _report_new_profile(name: str, path: Path) -> None:
    """Print on stderr that the profile *name* is new, and existing profiles that the user may mean."""
    print_message(f"Created the profile {name}.")
    others = [each for each in list_profile_names() if each != name]
    if similar := suggest_names(name, others, min_similarity=_NAME_SIMILARITY):
        print_message(
            f"note: did you mean the profile {' or '.join(similar)}? To remove the new profile: "
            f"rm {shlex.quote(str(path))}"
        )


def _warn_about_path(key: str, path: Path) -> None:
    """Print a warning if commands cannot use *path* yet, the value of *key*."""
    if key != "history_dir":
        if not path.exists():
            print_message(f"warning: the file {path} does not exist yet")
        return
    try:
        require_shared_folder(path)
    except OSError as error:
        print_message(
            f"warning: the folder {path} cannot be used yet ({error.strerror}). To create it: "
            f"sudo install -d -m 2770 -g GROUP {shlex.quote(str(path))}"
        )
    except Refused as refusal:
        print_message(f"warning: dcmcfg will refuse changes, because the history folder is not safe: {refusal}")


@config_group.command("unset", cls=UniqueOptionsCommand)
@click.argument("key", metavar="NAME.KEY", callback=_parse_existing_key, shell_complete=_complete_existing_key)
@json_option
def unset_command(*, key: tuple[str, str], as_json: bool) -> None:
    """Remove a key from a profile.

    Comments and all other lines of the file are unchanged. Other commands refuse a profile that contains an unknown
    key. This command accepts such a profile, and can remove the unknown key. To remove a whole profile, run 'rm
    "$(dcmcfg config path NAME)"'.
    """
    name, profile_key = key
    edit = unset_profile_value(name, profile_key)
    _report(name, profile_key, edit, f"{name}.{profile_key} removed", as_json=as_json)


def _report(name: str, key: str, edit: ProfileEdit, text: str, *, as_json: bool) -> None:
    for each in edit.unknown_keys:
        print_message(
            f"warning: dcmcfg refuses the profile because of the unknown key {each!r}; "
            f"to remove the key: dcmcfg config unset {name}.{each}"
        )
    if as_json:
        print_json(profile_edit_json(name, key, edit))
    elif edit.is_changed:
        print_output(f"{text} ({edit.path})")
    else:
        print_output(f"Unchanged: {name}.{key} ({edit.path})")
    if not edit.unknown_keys:  # else the profile is refused because of them, as the warning above reports
        _warn_if_unusable(name)


def _warn_if_unusable(name: str) -> None:
    """Warn if the settings of the profile *name* contradict each other; the next change may correct this."""
    try:
        resolve_settings({"profile": name}, {})  # without the environment, to check the profile alone
    except DcmcfgError as error:
        print_message(f"warning: the profile cannot be used with these settings: {error}")


@config_group.command("nodes", cls=SiteCommand)
@site_options
@click.option(
    "--from-tree",
    is_flag=True,
    help="Propose nodes for the profile: the nodes that the archive's web interface stores in the directory "
    "(dcmuiDeviceClusterObject).",
)
@json_option
def nodes_command(settings: Settings, *, from_tree: bool, as_json: bool) -> None:
    """List the nodes of the site, or propose nodes from the directory.

    The command lists the nodes in the profile. To add a node, run 'dcmcfg config set NAME.nodes.NODE.archive_url URL'.
    To remove a node, run 'dcmcfg config unset NAME.nodes.NODE'. With --from-tree, the command only prints the 'config
    set' commands for the nodes in the directory.
    """
    if from_tree:
        # Only this command connects to the directory.
        from dcmcfg.cli.session.node_proposals import propose_nodes

        propose_nodes(settings, as_json=as_json)
    elif as_json:
        print_json(nodes_json(settings))
    else:
        print_nodes(make_stdout_console(), settings)


@config_group.command("use", cls=UniqueOptionsCommand)
@click.argument("name", required=False, shell_complete=complete_profile)
@click.option("--none", "use_none", is_flag=True, help="Select no profile.")
@json_option
def use_command(*, name: str | None, use_none: bool, as_json: bool) -> None:
    """Select the profile that commands use by default.

    The option --profile and the environment variable DCMCFG_PROFILE take precedence over this selection. With --none,
    commands use the profile called 'default' if that profile exists.
    """
    if (name is None) != use_none:
        raise click.UsageError(
            "Specify a profile or --none" if name is None else "NAME and --none cannot be used together"
        )
    is_changed = select_profile(name)
    if name is not None:
        _warn_if_unusable(name)
    used, selected_by = find_profile_to_use(_get_options_before_command(), os.environ)
    if as_json:
        print_json({"selected_profile": name, "changed": is_changed, "file": str(get_selection_path())})
    elif name is None:
        print_output("No profile is selected.")
    else:
        print_output(f"Commands use the profile {name} by default.")
    if used != (name or "") and selected_by != "default":
        print_message(
            f"warning: commands use the profile {used}, because the {format_selection(selected_by)} takes precedence"
        )
    elif name is None and used:
        print_message(f"Commands use the profile {used}.")


@config_group.command("path", cls=UniqueOptionsCommand)
@click.argument("name", required=False, shell_complete=complete_profile)
@json_option
def path_command(*, name: str | None, as_json: bool) -> None:
    """Print the path of a profile, or of the profile folder.

    The path is printed even if the profile or the folder does not exist.
    """
    path = get_profile_path("x").parent if name is None else get_profile_path(name)
    if as_json:
        print_json({"path": str(path), "exists": path.exists()})
    else:
        print_output(str(path))


def _get_options_before_command() -> dict[str, str]:
    """Return the site options given before the command."""
    options = invocation.current().site_options
    return {name: options[name] for name in SITE_SETTINGS if name in options}
