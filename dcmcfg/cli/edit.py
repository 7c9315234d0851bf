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
from dcmcfg.model.targets import Target, resolve_target
from dcmcfg.model.tree import Tree
from dcmcfg.plan.access_lists import warn_about_new_restrictions
from dcmcfg.plan.plan import DesiredChange, Plan, make_plan
from dcmcfg.printable import escape_unprintable
from dcmcfg.schema.definitions import Schema, load_bundled_schema
from dcmcfg.settings import Settings, format_site_headline

_HEAD = """\
# {of}, of {site}, as LDIF.
# What you change becomes a plan, which is shown before anything is done. A value or an attribute that is
# left out is taken away, a record that is left out is deleted, and a new record is added. Names (dn) stay
# as they are: dcmcfg ae rename, device rename and rename change them. Close the text as it is to change nothing.

"""


@click.command("edit", cls=SiteCommand)
@click.argument("target", shell_complete=complete_target)
@site_options
@click.option("--subtree", is_flag=True, help="Also edit the entries below it.")
@click.option("--with-secrets", is_flag=True, help="Include passwords, PINs and vendor data in the text.")
@click.option(
    "--resume",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Continue with a text that was kept.",
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

    The editor is $VISUAL or $EDITOR. The difference between the text before and after becomes a plan, which is shown
    and confirmed like any other. If the text is not valid or does not fit, you can edit it again. The text is kept
    until the plan is applied.

    Secrets and vendor data are not in the text, and do not change, unless you specify --with-secrets. Without a
    terminal, specify --yes or --dry-run, and an editor that does not use a terminal.
    """
    if resume is not None and with_secrets:
        raise click.UsageError("--resume and --with-secrets exclude each other")
    require_editor(asks_confirmation=not (options.yes or options.dry_run))
    with open_directory(settings) as directory:
        tree = read_tree(directory)
        resolved_target = resolve_target(Configuration(tree), target)
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
            with directory.reopen() as reopened:  # it may have been idle for long
                apply_plan(settings, reopened, plan, options=options, warnings=tuple(warn_about_new_restrictions(plan)))
        except IncompleteChange:  # the roll-out has a record of its own, to go on with or to take back
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
    """Return the next step for somebody who has deleted all text of *target*."""
    if target.ae is not None:
        command = shlex.join(["dcmcfg", "ae", "remove", target.ae.qualified_title])
    elif target.device is not None:
        command = shlex.join(["dcmcfg", "device", "remove", target.device.name])
    else:
        return "to delete one, edit the one above with --subtree"
    return f"{command} deletes it with all below it, and tells who refers to it"


def _print_saved_path(command: Sequence[str], path: Path | None) -> None:
    if path is not None:
        command_line = shlex.join([*command, str(path)])
        print_message(invocation.current().insert_site_options(f"the text is kept: {command_line}"))


def _make_text(settings: Settings, before: Sequence[ShownEntry], *, subtree: bool) -> str:
    dn = escape_unprintable(str(before[0].entry.dn))
    head = _HEAD.format(of=f"{dn} and all below it" if subtree else dn, site=format_site_headline(settings))
    return head + "".join(format_for_editor(each.entry, comments=_comment_hidden_attributes(each)) for each in before)


def _comment_hidden_attributes(each: ShownEntry) -> list[str]:
    names = ", ".join(attribute.name for attribute in each.hidden)
    return [f"not shown, and kept as it is: {names}"] if names else []


def _read_text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DcmcfgError("the text cannot be read", subject=str(path)) from error


def _plan_edited_text(
    directory: LdapDirectory, tree: Tree, before: Sequence[ShownEntry], path: Path, *, deletion_hint: str
) -> Plan:
    """Return the plan of what the user makes of the text in *path*; a problem is reported, and the text edited again.

    *deletion_hint* says how an entry is deleted, for a text that holds none any more.
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
            if not confirm("Edit it again?"):
                raise NegativeResult("declined, nothing was changed") from error


def _read_needed_schema(directory: LdapDirectory, entries: Sequence[Entry]) -> Schema:
    """Return a schema that knows what is in the text, if the server does; the connection may have been idle long."""
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
                "a record with changetype is no entry",
                subject=f"{path}:{record.line}",
                next_step="write entries as they shall be, without changetype; changes are for dcmcfg apply",
            )
    if not records:
        raise Refused("the text holds no entry any more", subject=str(path), next_step=deletion_hint)
    return [record.entry for record in records if isinstance(record, ContentRecord)]
