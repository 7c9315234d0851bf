"""``dcmcfg work-order``."""

from __future__ import annotations

import click

from dcmcfg.aetitle import parse_ae_title
from dcmcfg.cli.completers import complete_ae_title
from dcmcfg.cli.options.examples import format_examples
from dcmcfg.cli.options.output_options import format_option, output_option
from dcmcfg.cli.options.site_command import SiteCommand, site_options
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


@click.command(
    "work-order",
    cls=SiteCommand,
    epilog=format_examples(
        ("What has the administrator of LONGTERM to enter?", "dcmcfg work-order --external LONGTERM"),
        ("For one viewer alone", "dcmcfg work-order --external LONGTERM --calling VIEWER --dest VIEWER"),
        (
            "LONGTERM is an Orthanc: a file for its folder of configurations",
            "dcmcfg work-order --external LONGTERM --format orthanc -o dcm4chee.json",
        ),
    ),
)
@click.option(
    "--external",
    required=True,
    metavar="AET",
    shell_complete=complete_ae_title,
    help="The other archive, as the archive calls it.",
)
@click.option(
    "--ae",
    metavar="AET",
    shell_complete=complete_ae_title,
    help="Archive AE that is asked; the device's only storage SCP by default.",
)
@click.option(
    "--calling",
    multiple=True,
    metavar="AET",
    shell_complete=complete_ae_title,
    help="Who retrieves from the archive; may be given again. By default whom it accepts, else the tree's other AEs.",
)
@click.option(
    "--dest",
    multiple=True,
    metavar="AET",
    shell_complete=complete_ae_title,
    help="Where retrieves go; may be given again. By default what the archive accepts, else the tree's other AEs.",
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
    """Say what must be entered at another archive.

    So that what is exported to it is taken, and what is retrieved from it arrives: AE titles with addresses, and who
    may ask for what. 'orthanc' is a file for Orthanc's folder of configurations, 'csv' is what 'onboard' reads,
    'ldif' has the classes of PS3.15.
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
    elif form == "text":
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
