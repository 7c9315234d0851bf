"""``dcmcfg edit``."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from dcmcfg.cli import invocation
from dcmcfg.cli.completers import complete_target
from dcmcfg.cli.options.change_options import ChangeOptions, changing_options
from dcmcfg.cli.options.site_command import SiteCommand, site_options
from dcmcfg.cli.printing import print_message
from dcmcfg.cli.session.change import apply_plan
from dcmcfg.cli.session.directory import open_directory
from dcmcfg.cli.session.editor import SavedText, edit_file, require_editor
from dcmcfg.cli.session.failures import format_problem
from dcmcfg.cli.session.targets import resolve_target_with_note
from dcmcfg.cli.terminal import confirm
from dcmcfg.directory.ldap import LdapDirectory
from dcmcfg.directory.subschema import read_schema_for_attributes
from dcmcfg.directory.tree_reader import read_tree
from dcmcfg.edits.text_edit import ShownEntry, hide_secrets, make_edit
from dcmcfg.entry import Entry
from dcmcfg.errors import DcmcfgError, IncompleteChange, LdifError, NegativeResult, Refused
from dcmcfg.ldif.reader import read_all
from dcmcfg.ldif.records import ContentRecord
from dcmcfg.ldif.writer import format_for_editor
from dcmcfg.model.devices import Configuration
from dcmcfg.model.targets import Target
from dcmcfg.model.tree import Tree
from dcmcfg.plan.access_lists import warn_about_new_restrictions
from dcmcfg.plan.plan import DesiredChange, Plan, make_plan
from dcmcfg.printable import escape_unprintable
from dcmcfg.schema.definitions import Schema, load_bundled_schema
from dcmcfg.settings import Settings, format_site_headline

_HEAD = """\
# LDIF of {of} ({site}).
# dcmcfg shows a plan of your changes before the changes are applied. To delete a value, an attribute or
# an entry, remove its lines. To add an entry, write a new record. Do not change names (dn): use
# dcmcfg ae rename, dcmcfg device rename or dcmcfg rename. To change nothing, close the file unchanged.

"""


@click.command("edit", cls=SiteCommand)
@click.argument("target", shell_complete=complete_target)
@site_options
@click.option("--subtree", is_flag=True, help="Also edit the entries below the entry TARGET.")
@click.option("--with-secrets", is_flag=True, help="Include passwords, PINs and vendor data in the text.")
@click.option(
    "--resume",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Continue with the text that an earlier edit saved in FILE.",
)
@changing_options
def edit_command(
    settings: Settings,
    options: ChangeOptions,
    *,
    target: str,
    subtree: bool,
    with_secrets: bool,
    resume: Path | None,
) -> None:
    """Edit an entry or a subtree as LDIF in your editor.

    The editor is $VISUAL or $EDITOR. dcmcfg makes a plan from your changes, shows the plan, and asks for confirmation.
    If the text is not valid or cannot be applied, you can edit the text again. The text is kept until the plan is
    applied.

    Without --with-secrets, secrets and vendor data are not in the text, and do not change. Without a terminal, specify
    --yes or --dry-run, and choose an editor that does not use a terminal.
    """
    if resume is not None and with_secrets:
        raise click.UsageError("--resume and --with-secrets cannot be used together")
    require_editor(asks_confirmation=not (options.yes or options.dry_run))
    with open_directory(settings) as directory:
        tree = read_tree(directory)
        resolved_target = resolve_target_with_note(Configuration(tree), target)
        top_entry = resolved_target.entry
        before = [
            hide_secrets(each, with_secrets=with_secrets)
            for each in (tree.subtree(top_entry.dn) if subtree else (top_entry,))
        ]
        text = _make_text(settings, before, subtree=subtree) if resume is None else _read_text(resume)
        saved_text = SavedText(text, resume)
        resume_command = ["dcmcfg", "edit", target, *(["--subtree"] if subtree else []), "--resume"]
        try:
            plan = _plan_edited_text(
                directory, tree, before, saved_text.path, deletion_hint=_describe_deletion(resolved_target)
            )
            with directory.reopen() as reopened:  # the server may have closed the connection during the edit
                apply_plan(settings, reopened, plan, options=options, warnings=tuple(warn_about_new_restrictions(plan)))
        except IncompleteChange:  # the interrupted change has its own record, to resume or revert it
            saved_text.remove()
            raise
        except (DcmcfgError, KeyboardInterrupt, click.Abort):
            _print_saved_path(resume_command, saved_text.save())
            raise
    if options.dry_run and plan.steps:
        _print_saved_path(resume_command, saved_text.save())
    else:
        saved_text.remove()


def _describe_deletion(target: Target) -> str:
    """Return the next step if the user has deleted all records of *target*."""
    if target.ae is not None:
        command = shlex.join(["dcmcfg", "ae", "remove", target.ae.qualified_title])
    elif target.device is not None:
        command = shlex.join(["dcmcfg", "device", "remove", target.device.name])
    else:
        return "to delete an entry, edit its parent with --subtree"
    return f"to delete the entry and all entries below, and to list the references to the entry: {command}"


def _print_saved_path(command: Sequence[str], path: Path | None) -> None:
    if path is not None:
        command_line = shlex.join([*command, str(path)])
        print_message(invocation.current().insert_site_options(f"The text is saved. To continue: {command_line}"))


def _make_text(settings: Settings, before: Sequence[ShownEntry], *, subtree: bool) -> str:
    dn = escape_unprintable(str(before[0].entry.dn))
    head = _HEAD.format(of=f"{dn} and all entries below" if subtree else dn, site=format_site_headline(settings))
    return head + "".join(format_for_editor(each.entry, comments=_comment_hidden_attributes(each)) for each in before)


def _comment_hidden_attributes(each: ShownEntry) -> list[str]:
    names = ", ".join(attribute.name for attribute in each.hidden)
    return [f"Not shown, and unchanged: {names}"] if names else []


def _read_text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DcmcfgError("the text cannot be read", subject=str(path)) from error


def _plan_edited_text(
    directory: LdapDirectory, tree: Tree, before: Sequence[ShownEntry], path: Path, *, deletion_hint: str
) -> Plan:
    """Let the user edit the text in *path*, and return the plan; after a problem, the user can edit the text again.

    *deletion_hint* is the next step if the text has no entry left.
    """
    while True:
        edit_file(path)
        try:
            after = _read_entries(path, deletion_hint)
            edit = make_edit(_read_needed_schema(directory, after), tree, before, after)
            return make_plan(tree, [DesiredChange(change) for change in edit.changes])
        except (LdifError, Refused) as error:
            if not sys.stdin.isatty():
                raise
            print_message(*format_problem(error), *([f"  next: {error.next_step}"] if error.next_step else []))
            if not confirm("Edit the text again?"):
                raise NegativeResult("declined; nothing was changed") from error


def _read_needed_schema(directory: LdapDirectory, entries: Sequence[Entry]) -> Schema:
    """Return a schema that knows the attributes of the text, if the server does.

    It is read over a new connection, because the server may have closed the old one during the edit.
    """
    names = {attribute.name for entry in entries for attribute in entry.attributes}
    if all(load_bundled_schema().attribute(name) is not None for name in names):
        return load_bundled_schema()
    with directory.reopen() as reopened:
        return read_schema_for_attributes(reopened, names)


def _read_entries(path: Path, deletion_hint: str) -> list[Entry]:
    with path.open("rb") as file:
        records = read_all(file, str(path))
    for record in records:
        if not isinstance(record, ContentRecord):
            raise LdifError(
                "a record with changetype is not an entry",
                subject=f"{path}:{record.line}",
                next_step="write each entry in its desired state, without changetype; to apply change records: "
                "dcmcfg apply FILE",
            )
    if not records:
        raise Refused("the text contains no entry", subject=str(path), next_step=deletion_hint)
    return [record.entry for record in records if isinstance(record, ContentRecord)]
