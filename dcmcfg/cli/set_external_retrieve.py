"""``dcmcfg set-external-retrieve``."""

from __future__ import annotations

from dataclasses import replace

import click

from dcmcfg.aetitle import parse_ae_title
from dcmcfg.cli.completers import complete_external_retrieve
from dcmcfg.cli.options.change_options import ChangeOptions, changing_options
from dcmcfg.cli.options.site_command import SiteCommand, site_options
from dcmcfg.cli.session.change import apply_plan
from dcmcfg.cli.session.directory import open_directory
from dcmcfg.cli.session.output import STDOUT, write_atomically
from dcmcfg.directory.tree_reader import read_tree
from dcmcfg.edits.external_retrieve import set_external_retrieve
from dcmcfg.model.devices import Configuration
from dcmcfg.plan.ldif_output import format_changes
from dcmcfg.plan.plan import DesiredChange, make_plan
from dcmcfg.plan.risk_checks import UNUSABLE_REFERENCE
from dcmcfg.settings import Settings


@click.command("set-external-retrieve", cls=SiteCommand)
@click.argument("aet", required=False, shell_complete=complete_external_retrieve)
@site_options
@click.option(
    "--ae",
    metavar="AET",
    help="Write the setting to this AE of the device. The value of the AE takes precedence over the value of the "
    "device.",
)
@click.option("--clear", is_flag=True, help="Remove the setting.")
@click.option("--force-unknown-ae", is_flag=True, help="Accept the title of an AE that does not exist.")
@click.option(
    "--ldif",
    metavar="FILE",
    help="Also write the change to FILE ('-': standard output) as LDIF for ldapmodify. The LDIF works "
    "whatever value the attribute has, and also if the attribute is not set.",
)
@changing_options
def set_external_retrieve_command(
    settings: Settings,
    options: ChangeOptions,
    *,
    aet: str | None,
    ae: str | None,
    clear: bool,
    force_unknown_ae: bool,
    ldif: str | None,
) -> None:
    """Set the destination AE of external retrieves.

    If a requested study was purged, the archive retrieves the study from the external archive. The argument AET is the
    AE that receives the study: a storage SCP of the archive itself, such as DCM4CHEE. The archive stores the study and
    forwards it to the destination of the request.

    Without this setting, the external archive sends the study directly to the destination of the request. So the
    external archive must know the AE title of this destination.
    """
    if (aet is None) != clear:
        raise click.UsageError(
            "Specify an AE title or --clear" if aet is None else "AET and --clear cannot be used together"
        )
    if ldif == STDOUT and options.stdout_reserved:
        raise click.UsageError(
            f"--ldif - and {options.stdout_option} both write to standard output; specify a file with --ldif"
        )
    title = parse_ae_title(aet) if aet is not None else None
    with open_directory(settings) as directory:
        tree = read_tree(directory)
        configuration = Configuration(tree)
        edit = set_external_retrieve(configuration, settings.device, title, ae=ae, force_unknown=force_unknown_ae)
        plan = make_plan(tree, [DesiredChange(change) for change in edit.changes])
        if ldif is not None:
            write_atomically(ldif, [format_changes(edit.changes)])
        # The plan must not be mixed with the LDIF on standard output.
        options = replace(options, stdout_reserved=options.stdout_reserved or ldif == STDOUT)
        # --force-unknown-ae accepts this risk too, so that one option is enough.
        if force_unknown_ae and configuration.find_network_ae(title or "") is None:
            options = replace(options, forced_risks=options.forced_risks | {UNUSABLE_REFERENCE})
        apply_plan(settings, directory, plan, options=options, warnings=edit.warnings)
