"""``dcmcfg work-order``."""

from __future__ import annotations

import click

from dcmcfg.aetitle import parse_ae_title
from dcmcfg.cli.completers import complete_ae_title
from dcmcfg.cli.options.output_options import format_option, output_option
from dcmcfg.cli.options.site_command import SiteCommand, site_options
from dcmcfg.cli.printing import print_message
from dcmcfg.cli.session.directory import open_directory
from dcmcfg.cli.session.output import print_json, print_text
from dcmcfg.directory.tree_reader import read_tree
from dcmcfg.model.devices import Configuration
from dcmcfg.render.terminal.console import make_stdout_console
from dcmcfg.render.work_order import (
    print_work_order,
    work_order_csv,
    work_order_json,
    work_order_ldif,
    work_order_orthanc,
)
from dcmcfg.route.request import get_archive_ae
from dcmcfg.route.work_order import WorkOrder, create_work_order
from dcmcfg.settings import Settings


@click.command("work-order", cls=SiteCommand)
@click.option(
    "--external",
    required=True,
    metavar="AET",
    shell_complete=complete_ae_title,
    help="AE title of the external archive in the configuration.",
)
@click.option(
    "--ae",
    metavar="AET",
    shell_complete=complete_ae_title,
    help="The archive's AE that receives requests. Default: the only storage SCP of the archive's device.",
)
@click.option(
    "--calling",
    multiple=True,
    metavar="AET",
    shell_complete=complete_ae_title,
    help="AE title of a caller that retrieves studies. Can be repeated. Default: the callers that the archive "
    "accepts, or all other AEs if the archive has no list of accepted callers.",
)
@click.option(
    "--dest",
    multiple=True,
    metavar="AET",
    shell_complete=complete_ae_title,
    help="Move Destination. Can be repeated. Default: the destinations that the archive accepts, or all other AEs if "
    "the archive has no list of accepted destinations.",
)
@format_option("text", "csv", "orthanc", "ldif", "json")
@output_option
@site_options
def work_order_command(
    settings: Settings,
    *,
    external: str,
    ae: str | None,
    calling: tuple[str, ...],
    dest: tuple[str, ...],
    form: str,
) -> None:
    """List what to configure on an external archive.

    The list has AE titles, addresses and permissions. With these settings, the external archive can accept exports and
    deliver retrieved studies. The format 'orthanc' is a configuration file for Orthanc. The format 'ldif' uses the
    object classes of DICOM PS3.15. 'dcmcfg import' can read the format 'csv'.
    """
    external_ae_title = parse_ae_title(external)
    title = parse_ae_title(ae) if ae is not None else None
    requesters, destinations = [parse_ae_title(each) for each in calling], [parse_ae_title(each) for each in dest]
    with open_directory(settings) as directory:
        configuration = Configuration(read_tree(directory))
    device = configuration.get_device(settings.device)
    order = create_work_order(
        configuration,
        get_archive_ae(device, title),
        external_ae_title,
        requesters=requesters,
        destinations=destinations,
    )
    if form == "json":
        print_json(work_order_json(order))
        return
    for each in order.warnings:
        print_message(f"warning: {each}")
    if form == "text":
        print_work_order(make_stdout_console(), order)
    else:
        print_text([_render_order(order, form, configuration)])


def _render_order(order: WorkOrder, form: str, configuration: Configuration) -> str:
    match form:
        case "csv":
            return work_order_csv(order)
        case "orthanc":
            return work_order_orthanc(order)
        case _:
            return "".join(work_order_ldif(order, configuration))
