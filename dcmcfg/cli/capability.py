"""``dcmcfg capability``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import click
from click.shell_completion import CompletionItem

from dcmcfg.cli.completers import complete_ae
from dcmcfg.cli.options.change_options import ChangeOptions, changing_options
from dcmcfg.cli.options.display_options import wide_option
from dcmcfg.cli.options.help_page import CommandGroup
from dcmcfg.cli.options.output_options import format_option, json_option, output_option
from dcmcfg.cli.options.site_command import SiteCommand, site_options
from dcmcfg.cli.printing import print_output
from dcmcfg.cli.session.directory import open_directory
from dcmcfg.cli.session.edit import apply_edit
from dcmcfg.cli.session.output import print_json
from dcmcfg.dicom.capability_lines import format_capability_line
from dcmcfg.dicom.uid_registry import ANY_UID, UidKind, complete_keywords, format_uid_name, resolve_uid
from dcmcfg.directory.tree_reader import read_tree
from dcmcfg.edits.capabilities import add_capabilities, copy_capabilities, remove_capabilities, set_capabilities
from dcmcfg.edits.edit import Edit
from dcmcfg.edits.transfer_capability import TransferCapability
from dcmcfg.model.capabilities import (
    ROLES,
    find_capabilities,
    find_missing_capabilities,
    get_sop_class_role,
    map_sop_class_names,
)
from dcmcfg.model.devices import Configuration, NetworkAE
from dcmcfg.model.targets import resolve_network_ae
from dcmcfg.render.capabilities import (
    capabilities_json,
    missing_capabilities_json,
    print_capabilities,
    print_capability_details,
    print_missing_capabilities,
)
from dcmcfg.render.terminal.console import make_stdout_console
from dcmcfg.schema_names import DICOM_TRANSFER_SYNTAX
from dcmcfg.settings import Settings
from dcmcfg.well_known_uids import EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN

R = TypeVar("R")
_LITTLE_ENDIAN = (IMPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_VR_LITTLE_ENDIAN)
_AE = "TITLE|DEVICE/TITLE"
_role = click.option(
    "--role", type=click.Choice(ROLES, case_sensitive=False), help="Role of the AE: 'scu' sends, 'scp' receives."
)


def _complete_sop_class(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001 — click's signature
    return [CompletionItem(keyword, help=name) for keyword, name in complete_keywords(UidKind.SOP_CLASS, incomplete)]


def _complete_transfer_syntax(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:  # noqa: ARG001
    return [
        CompletionItem(keyword, help=name) for keyword, name in complete_keywords(UidKind.TRANSFER_SYNTAX, incomplete)
    ]


@click.group("capability", cls=CommandGroup, short_help="List, show, change and compare capabilities.")
def capability_group() -> None:
    """List, show, change, copy and compare the transfer capabilities of AEs.

    Specify SOP classes and transfer syntaxes by name ("CT Image Storage"), keyword (CTImageStorage) or UID.

    If an AE has SCP capabilities, the archive sends only the SOP classes and transfer syntaxes in these capabilities.
    If an AE has no SCP capabilities, the archive sends everything to the AE.
    """


@capability_group.command("list", short_help="List the capabilities of an AE.", cls=SiteCommand)
@click.argument("ae", metavar=_AE, shell_complete=complete_ae)
@site_options
@_role
@wide_option
@format_option("table", "lines", "json", flags=("lines",))
@output_option
def list_command(settings: Settings, *, ae: str, role: str | None, form: str) -> None:
    """List the capabilities of an AE: SOP class, role, transfer syntaxes.

    'dcmcfg ae add --capabilities FILE' can read the output of --format lines.
    """
    with open_directory(settings) as directory:
        network_ae = resolve_network_ae(Configuration(read_tree(directory)), ae)
    entries = [
        each for each in network_ae.capability_source.capabilities if role in (None, get_sop_class_role(each)[1])
    ]
    if form == "json":
        print_json(capabilities_json(network_ae, entries))
    elif form == "lines":
        for each in entries:
            sop_class, entry_role = get_sop_class_role(each)
            print_output(format_capability_line(entry_role, sop_class, each.texts(DICOM_TRANSFER_SYNTAX)))
    else:
        print_capabilities(make_stdout_console(), network_ae, entries)


@capability_group.command("show", short_help="Show the capability of an AE for one SOP class.", cls=SiteCommand)
@click.argument("ae", metavar=_AE, shell_complete=complete_ae)
@click.argument("sop_class", metavar="SOP-CLASS", shell_complete=_complete_sop_class)
@site_options
@_role
@json_option
@output_option
def show_command(settings: Settings, *, ae: str, sop_class: str, role: str | None, as_json: bool) -> None:
    """Show the capability of an AE for one SOP class, with its transfer syntaxes and other attributes.

    Without --role, the output shows the capabilities in both roles. If the AE shares the capabilities of another AE,
    the capabilities of the other AE are shown.
    """
    with open_directory(settings) as directory:
        configuration = Configuration(read_tree(directory))
    network_ae = resolve_network_ae(configuration, ae)
    uid = resolve_uid(sop_class, UidKind.SOP_CLASS, map_sop_class_names(configuration), any_kind=True)
    roles = ROLES if role is None else (role,)
    entries = find_capabilities(network_ae.capability_source, uid, roles, label=sop_class)
    if as_json:
        print_json(capabilities_json(network_ae, entries))
    else:
        print_capability_details(make_stdout_console(), network_ae, entries)


def _new_capability_options(command: Callable[..., R]) -> Callable[..., R]:
    """Return *command* with the common arguments and options of ``add`` and ``set``."""
    for decorate in (
        click.option(
            "--role",
            type=click.Choice(ROLES, case_sensitive=False),
            multiple=True,
            required=True,
            help="Role of the AE: 'scu' sends, 'scp' receives; can be repeated.",
        ),
        site_options,
        click.argument(
            "sop_classes", nargs=-1, required=True, metavar="SOP-CLASS…", shell_complete=_complete_sop_class
        ),
        click.argument("ae", metavar=_AE, shell_complete=complete_ae),
    ):
        command = decorate(command)
    return command


@capability_group.command("add", short_help="Add SOP classes or transfer syntaxes to an AE.", cls=SiteCommand)
@_new_capability_options
@click.option(
    "--transfer-syntax",
    "syntaxes",
    multiple=True,
    metavar="SYNTAX",
    shell_complete=_complete_transfer_syntax,
    help="Transfer syntax. Default: implicit and explicit VR little endian. Can be repeated.",
)
@changing_options
def add_command(
    settings: Settings,
    options: ChangeOptions,
    *,
    ae: str,
    sop_classes: tuple[str, ...],
    role: tuple[str, ...],
    syntaxes: tuple[str, ...],
) -> None:
    """Add SOP classes to the capabilities of an AE, or add transfer syntaxes to an existing capability.

    Existing transfer syntaxes are kept. To replace existing transfer syntaxes, use 'dcmcfg capability set'.
    """
    _apply_capabilities(settings, options, _CapabilityRequest(ae, sop_classes, role, syntaxes), add_capabilities)


@capability_group.command("set", short_help="Set the transfer syntaxes of SOP classes.", cls=SiteCommand)
@_new_capability_options
@click.option(
    "--transfer-syntax",
    "syntaxes",
    multiple=True,
    required=True,
    metavar="SYNTAX",
    shell_complete=_complete_transfer_syntax,
    help="Transfer syntax for all specified SOP classes; can be repeated.",
)
@changing_options
def set_command(
    settings: Settings,
    options: ChangeOptions,
    *,
    ae: str,
    sop_classes: tuple[str, ...],
    role: tuple[str, ...],
    syntaxes: tuple[str, ...],
) -> None:
    """Set the transfer syntaxes of SOP classes.

    After the change, each SOP class has exactly the specified transfer syntaxes, in each specified role. A missing
    capability is added. Other SOP classes and roles are unchanged.
    """
    _apply_capabilities(settings, options, _CapabilityRequest(ae, sop_classes, role, syntaxes), set_capabilities)


@dataclass(frozen=True)
class _CapabilityRequest:
    """An AE, SOP classes, roles and transfer syntaxes as given on the command line.

    Without ``syntaxes``, the implicit and the explicit VR little endian syntaxes are used.
    """

    ae: str
    sop_classes: tuple[str, ...]
    roles: tuple[str, ...]
    syntaxes: tuple[str, ...]

    def build_capabilities(
        self, configuration: Configuration, syntax_uids: tuple[str, ...]
    ) -> list[TransferCapability]:
        """Return a capability for each SOP class in each role; raises MalformedInput for an unknown SOP class."""
        known_names = map_sop_class_names(configuration)
        uids = {resolve_uid(each, UidKind.SOP_CLASS, known_names): each for each in self.sop_classes}
        return [
            TransferCapability(f"{_get_sop_class_name(uid, known_names)} {role}", uid, role, syntax_uids)
            for uid in uids
            for role in dict.fromkeys(self.roles)
        ]


def _apply_capabilities(
    settings: Settings,
    options: ChangeOptions,
    request: _CapabilityRequest,
    edit_capabilities: Callable[[Configuration, NetworkAE, list[TransferCapability]], Edit],
) -> None:
    uids = tuple(dict.fromkeys(resolve_uid(each, UidKind.TRANSFER_SYNTAX) for each in request.syntaxes))

    def make_edit(configuration: Configuration) -> Edit:
        capabilities = request.build_capabilities(configuration, uids or _LITTLE_ENDIAN)
        return edit_capabilities(configuration, resolve_network_ae(configuration, request.ae), capabilities)

    apply_edit(settings, options, make_edit)


@capability_group.command("remove", short_help="Remove SOP classes from an AE.", cls=SiteCommand)
@click.argument("ae", metavar=_AE, shell_complete=complete_ae)
@click.argument("sop_classes", nargs=-1, required=True, metavar="SOP-CLASS…", shell_complete=_complete_sop_class)
@site_options
@_role
@changing_options
def remove_command(
    settings: Settings, options: ChangeOptions, *, ae: str, sop_classes: tuple[str, ...], role: str | None
) -> None:
    """Remove SOP classes from the capabilities of an AE, in one role or in both roles."""

    def make_edit(configuration: Configuration) -> Edit:
        known_names = map_sop_class_names(configuration)
        names = {resolve_uid(each, UidKind.SOP_CLASS, known_names, any_kind=True): each for each in sop_classes}
        roles = ROLES if role is None else (role,)
        return remove_capabilities(configuration, resolve_network_ae(configuration, ae), names, roles)

    apply_edit(settings, options, make_edit)


@capability_group.command("copy", cls=SiteCommand)
@click.argument("source", metavar="FROM", shell_complete=complete_ae)
@click.argument("ae", metavar="TO", shell_complete=complete_ae)
@site_options
@click.option(
    "--replace",
    is_flag=True,
    help="Also remove capabilities of the second AE (TO) that the first AE (FROM) does not have.",
)
@changing_options
def copy_command(settings: Settings, options: ChangeOptions, *, source: str, ae: str, replace: bool) -> None:
    """Copy the capabilities of one AE (FROM) to another AE (TO)."""
    apply_edit(
        settings,
        options,
        lambda configuration: copy_capabilities(
            configuration,
            resolve_network_ae(configuration, source),
            resolve_network_ae(configuration, ae),
            replace=replace,
        ),
    )


@capability_group.command("diff", cls=SiteCommand)
@click.argument("one", metavar="A", shell_complete=complete_ae)
@click.argument("other", metavar="B", shell_complete=complete_ae)
@site_options
@click.option(
    "--sending",
    is_flag=True,
    help="Compare the SCU capabilities of the first AE (A) with the SCP capabilities of the second AE (B).",
)
@wide_option
@json_option
@output_option
def diff_command(settings: Settings, *, one: str, other: str, sending: bool, as_json: bool) -> int:
    """Show the capabilities of the first AE (A) that the second AE (B) does not have.

    Exit codes: 0 no differences, 1 differences.
    """
    with open_directory(settings) as directory:
        configuration = Configuration(read_tree(directory))
    first, second = resolve_network_ae(configuration, one), resolve_network_ae(configuration, other)
    missing = find_missing_capabilities(first, second, sending=sending)
    if as_json:
        print_json(missing_capabilities_json(first, second, missing))
    else:
        print_missing_capabilities(make_stdout_console(), first, second, missing)
    return 1 if missing else 0


def _get_sop_class_name(uid: str, known_names: Mapping[str, str]) -> str:
    """Return the name of the SOP class *uid*: from the standard, else from *known_names* (name → UID), else the UID."""
    names_by_uid = {known_uid: name for name, known_uid in known_names.items()}
    standard_name = format_uid_name(uid)
    if uid == ANY_UID:
        return "Any SOP Class"
    return standard_name if standard_name != uid else names_by_uid.get(uid, uid)
