"""``dcmcfg rename``, ``dcmcfg ae rename`` and ``dcmcfg device rename``."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping

import click

from dcmcfg.cli.completers import complete_ae_title, complete_device, make_part_name_completer
from dcmcfg.cli.noun_groups import ae_group, device_group
from dcmcfg.cli.options.change_options import ChangeOptions, changing_options
from dcmcfg.cli.options.help_page import CommandGroup
from dcmcfg.cli.options.site_command import ForceOption, SiteCommand, site_options
from dcmcfg.cli.session.change import apply_plan
from dcmcfg.cli.session.directory import open_directory
from dcmcfg.directory.tree_reader import read_tree
from dcmcfg.edits.rename.network_ae import KeepOptions, rename_ae, rename_references
from dcmcfg.edits.rename.part import FORCE_OPTIONS, rename_device, rename_part
from dcmcfg.edits.rename.renaming import Renaming
from dcmcfg.model.references.index import References
from dcmcfg.model.references.kinds import EntityKind
from dcmcfg.plan.plan import DesiredChange, make_plan
from dcmcfg.plan.risk_checks import STORED_OBJECTS
from dcmcfg.render.rename import print_rename_summary, renaming_json
from dcmcfg.render.terminal.console import ExtraOutput
from dcmcfg.settings import Settings

_references_only_option = click.option(
    "--references-only",
    is_flag=True,
    help="Only update the references to the old name. Use this option if the entry was already renamed by hand.",
)


@click.group("rename", cls=CommandGroup, short_help="Rename an exporter, queue, storage, view or web app.")
def rename_group() -> None:
    """Rename a part of the archive, and update all references to the part.

    dcmcfg renames the entry and keeps all entries below it. If the name is registered (as the names of web applications
    are), dcmcfg also renames its entry in the registry. dcmcfg updates every value that contains the name as a
    reference, for example in URIs, paths, conditions, DNs, and the configuration of the UI. Values that only look like
    the name are not changed. The plan lists these values with the reason.

    To rename an AE or a device, run 'dcmcfg ae rename' or 'dcmcfg device rename'.
    """


def _apply_rename(settings: Settings, options: ChangeOptions, make_renaming: Callable[[References], Renaming]) -> None:
    with open_directory(settings) as directory:
        tree = read_tree(directory)
        renaming = make_renaming(References(tree))
        plan = make_plan(tree, [DesiredChange(change) for change in renaming.edit.changes])
        extra_output = ExtraOutput(
            print_below_plan=lambda console: print_rename_summary(console, renaming, tree),
            json_fields={"rename": renaming_json(renaming)},
            show_short_ldif=False,
        )
        apply_plan(
            settings, directory, plan, options=options, warnings=renaming.edit.warnings, extra_output=extra_output
        )


@ae_group.command("rename", cls=SiteCommand)
@click.argument("old", shell_complete=complete_ae_title)
@click.argument("new")
@site_options
@click.option(
    "--keep-alias",
    is_flag=True,
    help="Also keep an AE with the old title. Use this option if studies were exported to the AE.",
)
@click.option(
    "--keep-as-other-title",
    is_flag=True,
    help="Let the archive's AE also accept the old title when other systems call the AE.",
)
@click.option(
    "--keep-web-apps",
    is_flag=True,
    help="Do not rename web applications of the AE. Without this option, a web application is renamed if its name is "
    "the old title (OLD) or starts with the old title (OLD-WADO).",
)
@_references_only_option
@changing_options
def ae_command(
    settings: Settings,
    options: ChangeOptions,
    *,
    old: str,
    new: str,
    keep_alias: bool,
    keep_as_other_title: bool,
    keep_web_apps: bool,
    references_only: bool,
) -> None:
    """Give an AE another title.

    All references to the AE are updated. If several devices have an AE with this title, specify DEVICE/TITLE. Then only
    the references to this AE are updated. The command also renames the AE's web applications whose names consist of the
    old title, or start with it (OLD, OLD-WADO).

    The configuration of other systems and the archive's database are not changed. If the archive exported studies to an
    external archive, the archive's database contains the title that the external archive had at the export. Later, the
    archive uses this title to request the studies from the external archive. To keep the old title in the
    configuration, specify --keep-alias.
    """
    keep_options = KeepOptions(alias=keep_alias, other_title=keep_as_other_title, web_apps=keep_web_apps)
    if references_only and (keep_alias or keep_as_other_title):
        raise click.UsageError("--references-only excludes --keep-alias and --keep-as-other-title")
    if references_only:
        _apply_rename(settings, options, lambda references: rename_references(references, old, new))
    else:
        _apply_rename(settings, options, lambda references: rename_ae(references, old, new, keep_options))


@device_group.command("rename", short_help="Give a device another name.", cls=SiteCommand)
@click.argument("old", shell_complete=complete_device)
@click.argument("new")
@site_options
@changing_options
def device_command(settings: Settings, options: ChangeOptions, *, old: str, new: str) -> None:
    """Rename a device, with all its AEs and connections.

    An archive finds its own device by the system property dcm4chee-arc.DeviceName. To rename the archive's own device,
    specify --force-archive-device. dcmcfg then does not reload the archive, because the archive would not find its
    device. Restart the archive with the new name. A profile that contains the name of the device is changed too.
    'dcmcfg undo' also reverts the change of the profile.
    """
    _apply_rename(settings, options, lambda references: rename_device(references, old, new))


#: Sub-command → kind of the part, its noun with article, and the help of its ``--force-…`` option (empty: none).
_PARTS: Mapping[str, tuple[EntityKind, str, str]] = {
    "exporter": (EntityKind.EXPORTER, "an exporter", ""),
    "queue": (
        EntityKind.QUEUE,
        "a queue",
        "Rename the queue even if the archive's program contains the name of the queue.",
    ),
    "storage": (EntityKind.STORAGE, "a storage", ""),
    "view": (EntityKind.VIEW, "a query/retrieve view", ""),
    "web-app": (EntityKind.WEB_APP, "a web application", ""),
}


def _register_part_command(name: str, kind: EntityKind, noun: str, force_help: str) -> click.Command:
    def part_command(
        settings: Settings, options: ChangeOptions, *, old: str, new: str, references_only: bool, force: bool = False
    ) -> None:
        # The override for objects that the database records also overrides the refusal of the rename itself.
        is_forced = force or (kind is EntityKind.STORAGE and STORED_OBJECTS in options.forced_risks)
        rename = functools.partial(
            rename_part,
            device=settings.device,
            kind=kind,
            old=old,
            new=new,
            force=is_forced,
            only_references=references_only,
        )
        _apply_rename(settings, options, rename)

    # click uses the docstring as help text.
    part_command.__doc__ = f"Give {noun} of the archive's device another name."
    command = changing_options(part_command)
    if force_help:
        command = click.option(FORCE_OPTIONS[kind], "force", cls=ForceOption, is_flag=True, help=force_help)(command)
    old_name = click.argument("old", shell_complete=make_part_name_completer(kind))
    for decorate in (_references_only_option, site_options, click.argument("new"), old_name):
        command = decorate(command)
    return rename_group.command(name, cls=SiteCommand)(command)


for _name, _part in _PARTS.items():
    _register_part_command(_name, *_part)
