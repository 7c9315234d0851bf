"""``dcmcfg blame``."""

from __future__ import annotations

import functools
from collections.abc import Iterable

import click

from dcmcfg.cli.completers import complete_allowed_attribute, complete_target
from dcmcfg.cli.options.display_options import wide_option
from dcmcfg.cli.options.output_options import json_option, output_option
from dcmcfg.cli.options.site_command import SiteCommand, site_options
from dcmcfg.cli.session.directory import open_directory
from dcmcfg.cli.session.output import print_json
from dcmcfg.cli.session.shared_history import open_shared_history, warn
from dcmcfg.cli.session.targets import resolve_target_with_note
from dcmcfg.directory.subschema import read_schema_for_attributes
from dcmcfg.directory.tree_reader import read_tree
from dcmcfg.dn import DN
from dcmcfg.errors import DcmcfgError, NotFound
from dcmcfg.model.devices import Configuration, find_devices_dn
from dcmcfg.model.tree import Tree
from dcmcfg.render.blame import blame_json, print_blame
from dcmcfg.render.terminal.console import make_stdout_console
from dcmcfg.rollout.blame import (
    MODIFIERS_NAME,
    MODIFY_TIMESTAMP,
    NamedChange,
    blame_entry,
    compare_with_directory,
    find_removal,
)
from dcmcfg.rollout.history import History
from dcmcfg.rollout.site_history import SiteHistory
from dcmcfg.schema.definitions import Schema
from dcmcfg.schema.explain import get_attribute_type
from dcmcfg.settings import Settings
from dcmcfg.settings.folders import get_state_folder
from dcmcfg.timestamps import reformat_timestamp


@click.command("blame", cls=SiteCommand)
@click.argument("target", shell_complete=complete_target)
@click.argument("attributes", nargs=-1, metavar="[ATTR]...", shell_complete=complete_allowed_attribute)
@site_options
@wide_option
@json_option
@output_option
def blame_command(settings: Settings, *, target: str, attributes: tuple[str, ...], as_json: bool) -> None:
    """Show the newest change that wrote an attribute.

    Without ATTR, all attributes of the entry are shown. dcmcfg searches the changes that your account made on this
    machine. If the site has a shared history (history_dir), dcmcfg also searches the changes by other accounts. Renames
    of the entry are followed. If an undo wrote the attribute, the output also names the change whose value the undo
    restored.

    The output compares the history with the directory (modifiersName, modifyTimestamp and the present values). If
    somebody has written the entry without dcmcfg since the last change, the output reports a contradiction. "unknown"
    means that no change in the history wrote the attribute.
    """
    site_history = SiteHistory(History(get_state_folder()), open_shared_history())
    list_changes = functools.partial(site_history.iterate_changes, settings.ldap_url, warn)
    with open_directory(settings) as directory:
        schema = read_schema_for_attributes(directory, attributes)
        tree = read_tree(directory)
        try:
            entry = resolve_target_with_note(Configuration(tree), target).entry
        except NotFound as error:
            raise _add_deletion(error, tree, target, changes=list_changes()) from error
        operational = directory.read_entry(entry.dn, (MODIFIERS_NAME, MODIFY_TIMESTAMP))
    names = tuple(get_attribute_type(schema, name).name for name in attributes)
    blame = blame_entry(
        list_changes(),
        entry,
        names or tuple(attribute.name for attribute in entry.attributes),
        operational=operational,
        schema=schema,
    )
    blame = compare_with_directory(blame, schema, functools.partial(_describe_modifier, settings, schema))
    if as_json:
        print_json(blame_json(blame))
    else:
        print_blame(make_stdout_console(), blame)


def _add_deletion(error: NotFound, tree: Tree, target: str, *, changes: Iterable[NamedChange]) -> NotFound:
    """Return *error* with the change that deleted or renamed the entry *target*, if *target* is its DN."""
    try:
        dn = DN.parse(target)
        absolute = DN(dn.rdns + find_devices_dn(tree).rdns)
    except DcmcfgError:
        return error
    keys = (tree.key(dn), tree.key(absolute))
    change = find_removal(changes, keys, tree.schema)
    if change is None:
        return error
    record, time = change.record, reformat_timestamp(change.record.started_at)
    return NotFound(
        f"the entry does not exist: {record.account} deleted or renamed the entry at {time} (change "
        f"{change.reference})",
        subject=target,
        next_step=f"to show this change: dcmcfg history {change.reference}",
    )


def _describe_modifier(settings: Settings, schema: Schema, name: str) -> str:
    """Return *name*, a modifiersName, and whether it is the archive."""
    archive = settings.archive_bind_dn
    try:
        is_archive = bool(archive) and schema.normalise_dn(DN.parse(archive)) == schema.normalise_dn(DN.parse(name))
    except DcmcfgError:
        is_archive = False
    return f"the archive ({name})" if is_archive else name
