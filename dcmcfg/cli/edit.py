"""``dcmcfg edit``."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from dcmcfg.cli import invocation
from dcmcfg.cli.completers import complete_target
from dcmcfg.cli.options.change_options import Choices, changing_options
from dcmcfg.cli.options.site_command import SiteCommand, site_options
from dcmcfg.cli.printing import tell
from dcmcfg.cli.session.change import carry_out
from dcmcfg.cli.session.directory import open_directory
from dcmcfg.cli.session.editor import KeptText, edit_file, require_editing
from dcmcfg.cli.session.failures import problem_lines
from dcmcfg.cli.terminal import ask
from dcmcfg.directory.ldap import LdapDirectory
from dcmcfg.directory.subschema import schema_knowing
from dcmcfg.directory.tree_reader import read_tree
from dcmcfg.edits.text_edit import Shown, edited, shown
from dcmcfg.entry import Entry
from dcmcfg.errors import ChangedButNotFinished, DcmcfgError, LdifError, Refused
from dcmcfg.ldif.reader import read_all
from dcmcfg.ldif.records import ContentRecord
from dcmcfg.ldif.writer import editor_text
from dcmcfg.model.devices import Configuration
from dcmcfg.model.targets import Target, named
from dcmcfg.model.tree import Tree
from dcmcfg.plan.access_lists import narrowings
from dcmcfg.plan.plan import Plan, Wanted, make_plan
from dcmcfg.render.terminal.console import visible
from dcmcfg.schema.definitions import Schema, bundled
from dcmcfg.settings import Settings, site_headline

_HEAD = """\
# {of}, of {site}, as LDIF.
# What you change becomes a plan, which is shown before anything is done. A value or an attribute that is
# left out is taken away, a record that is left out is deleted, and a new record is added. Names (dn) stay
# as they are: dcmcfg rename gives others. Close the text as it is to change nothing.

"""


@click.command("edit", cls=SiteCommand)
@click.argument("target", shell_complete=complete_target)
@site_options
@click.option("--subtree", is_flag=True, help="The entries below it too.")
@click.option("--with-secrets", is_flag=True, help="Put passwords, PINs and vendor data into the text.")
@click.option(
    "--resume",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Go on with a text that was kept; what it was given without stays.",
)
@changing_options
def edit_command(
    settings: Settings,
    choices: Choices,
    *,
    target: str,
    subtree: bool,
    with_secrets: bool,
    resume: Path | None,
) -> None:
    """Edit an entry, or a subtree, as LDIF in your editor.

    TARGET is as for 'dcmcfg get'. The editor is $VISUAL or $EDITOR. Without a terminal, --yes or --dry-run is needed,
    and a $VISUAL or $EDITOR that needs none. The difference between what it was given and what
    it leaves becomes a plan like any other. Secrets and vendor data are not in the text unless --with-secrets, and
    stay as they are. A text that is not LDIF, or does not fit, can be edited again; it is kept until it is done.
    """
    if resume is not None and with_secrets:
        raise click.UsageError("--resume and --with-secrets exclude each other")
    require_editing(asked=not (choices.yes or choices.dry_run))
    with open_directory(settings) as directory:
        tree = read_tree(directory)
        meant = named(Configuration(tree), target)
        top = meant.entry
        before = [shown(each, with_secrets=with_secrets) for each in (tree.below(top.dn) if subtree else (top,))]
        text = _text(settings, before, subtree=subtree) if resume is None else _read(resume)
        kept = KeptText(text, resume)
        again = ["dcmcfg", "edit", target, *(["--subtree"] if subtree else []), "--resume"]
        try:
            plan = _edited(directory, tree, before, kept.path, deleting=_deleting(meant))
            with directory.reopened() as reopened:  # it may have been idle for long
                carry_out(settings, reopened, plan, choices, tuple(narrowings(plan)))
        except ChangedButNotFinished:  # the roll-out has a record of its own, to go on with or to take back
            kept.remove()
            raise
        except (DcmcfgError, KeyboardInterrupt, click.Abort):
            _tell_kept(again, kept.keep())
            raise
    if choices.dry_run and plan.steps:
        _tell_kept(again, kept.keep())
    else:
        kept.remove()


def _deleting(meant: Target) -> str:
    """Return the next step for somebody who has deleted all text of what is *meant*."""
    if meant.ae is not None:
        command = shlex.join(["dcmcfg", "ae", "remove", meant.ae.qualified_title])
    elif meant.device is not None:
        command = shlex.join(["dcmcfg", "device", "remove", meant.device.name])
    else:
        return "to delete one, edit the one above with --subtree"
    return f"{command} deletes it with all below it, and tells who refers to it"


def _tell_kept(command: Sequence[str], path: Path | None) -> None:
    if path is not None:
        told = shlex.join([*command, str(path)])
        tell(invocation.current().spoken(f"the text is kept: {told}"))


def _text(settings: Settings, before: Sequence[Shown], *, subtree: bool) -> str:
    dn = visible(str(before[0].entry.dn))
    head = _HEAD.format(of=f"{dn} and all below it" if subtree else dn, site=site_headline(settings))
    return head + "".join(editor_text(each.entry, comments=_kept(each)) for each in before)


def _kept(each: Shown) -> list[str]:
    names = ", ".join(attribute.name for attribute in each.kept)
    return [f"not shown, and kept as it is: {names}"] if names else []


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DcmcfgError("the text cannot be read", on=str(path)) from error


def _edited(directory: LdapDirectory, tree: Tree, before: Sequence[Shown], path: Path, *, deleting: str) -> Plan:
    """Return the plan of what the user makes of the text in *path*; what is wrong with it is told, and asked again.

    *deleting* says how an entry is deleted, for a text that holds none any more.
    """
    while True:
        edit_file(path)
        try:
            after = _entries(path, deleting)
            edit = edited(_schema(directory, after), tree, before, after)
            return make_plan(tree, [Wanted(change) for change in edit.changes])
        except (LdifError, Refused) as problem:
            if not sys.stdin.isatty():
                raise
            tell(*problem_lines(problem), *([f"  next: {problem.next_step}"] if problem.next_step else []))
            if not ask("Edit it again?"):
                raise


def _schema(directory: LdapDirectory, entries: Sequence[Entry]) -> Schema:
    """Return a schema that knows what is in the text, if the server does; the connection may have been idle long."""
    names = {attribute.name for entry in entries for attribute in entry.attributes}
    if all(bundled().attribute(name) is not None for name in names):
        return bundled()
    with directory.reopened() as reopened:
        return schema_knowing(reopened, names)


def _entries(path: Path, deleting: str) -> list[Entry]:
    with path.open("rb") as file:
        records = read_all(file, str(path))
    for record in records:
        if not isinstance(record, ContentRecord):
            raise LdifError(
                "a record with changetype is no entry",
                on=f"{path}:{record.line}",
                next_step="write entries as they shall be, without changetype; changes are for dcmcfg apply",
            )
    if not records:
        raise Refused("the text holds no entry any more", on=str(path), next_step=deleting)
    return [record.entry for record in records if isinstance(record, ContentRecord)]
