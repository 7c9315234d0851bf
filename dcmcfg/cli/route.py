"""``dcmcfg route``."""

from __future__ import annotations

from dataclasses import replace

import click

from dcmcfg.aetitle import parse_ae_title
from dcmcfg.cli import invocation
from dcmcfg.cli.completers import complete_ae_title
from dcmcfg.cli.options.output_options import (
    details_option,
    format_option,
    private_output_option,
    require_details_form,
)
from dcmcfg.cli.options.site_command import SiteCommand, site_options
from dcmcfg.cli.printing import print_output
from dcmcfg.cli.session.archive_database import connect_database
from dcmcfg.cli.session.directory import open_directory
from dcmcfg.cli.session.output import STDOUT, print_json, print_text, write_atomically
from dcmcfg.cli.session.status_hint import advise_status
from dcmcfg.dicom.open_association import open_association
from dcmcfg.dicom.query import find_instances
from dcmcfg.dicom.retrieval import InformationModel
from dcmcfg.dicom.uid import parse_uid
from dcmcfg.directory.tree_reader import read_tree
from dcmcfg.errors import DcmcfgError
from dcmcfg.model.devices import Configuration
from dcmcfg.render.html.sequence_diagram import build_sequence_diagrams, render_mermaid
from dcmcfg.render.html.sequence_diagram import render_svg as draw
from dcmcfg.render.route import print_route, route_json
from dcmcfg.route.request import NO_EXTERNAL_ARCHIVE, RouteRequest, StudyState, get_archive_ae
from dcmcfg.route.route import find_route
from dcmcfg.settings import Settings
from dcmcfg.verify.addresses import AddressOverride, find_addresses
from dcmcfg.verify.recall import LocatedStudy, locate_study
from dcmcfg.verify.run import get_query_timeouts


@click.command("route", cls=SiteCommand)
@click.option(
    "--dest",
    required=True,
    metavar="AET",
    shell_complete=complete_ae_title,
    help="Move Destination: the AE that the study is sent to.",
)
@click.option(
    "--ae",
    metavar="AET",
    shell_complete=complete_ae_title,
    help="The archive's AE that receives the request. Default: the only storage SCP of the archive's device.",
)
@click.option(
    "--calling",
    default="DCMCFG",
    show_default=True,
    metavar="AET",
    shell_complete=complete_ae_title,
    help="AE title of the caller.",
)
@click.option(
    "--state",
    type=click.Choice([state.value for state in StudyState]),
    help="State of the study; all states by default.",
)
@click.option(
    "--external",
    metavar="AET",
    shell_complete=complete_ae_title,
    help="Assume that the archive's database records AET as the external archive of the purged objects. "
    "With '*', assume that the database records no external archive.",
)
@click.option("--study", metavar="UID", help="Query the archive for the state and the content of this study.")
@click.option(
    "--qido/--no-qido",
    default=True,
    show_default=True,
    help="With --study, also query the archive's database (--archive-url) for the location of the files.",
)
@click.option(
    "--connect",
    metavar="HOST[:PORT]",
    help="Address of the archive for --study. Default: the address in the configuration.",
)
@format_option("text", "mermaid", "svg", "json", flags=("mermaid",))
@details_option
@private_output_option(lambda parameters: parameters["study"] is not None)
@click.option("--svg", metavar="FILE", hidden=True, help="Also write a picture to FILE.")
@site_options
def route_command(
    settings: Settings,
    *,
    dest: str,
    ae: str | None,
    calling: str,
    state: str | None,
    external: str | None,
    study: str | None,
    qido: bool,
    connect: str | None,
    form: str,
    details: bool,
    svg: str | None,
) -> int:
    """Predict how the archive handles a C-MOVE.

    The prediction is based on the configuration. The output lists the messages with their AE titles and addresses, the
    obstacles, the AEs that each system must know, and the SOP classes that are not sent. No study is moved. To prove
    the result, run 'dcmcfg verify'.

    Exit codes: 0 the study is delivered, if other systems meet the listed prerequisites. 1 the archive refuses the
    request, or some objects are not delivered.
    """
    require_details_form(form, details=details)
    if svg == STDOUT and form != "text":
        raise click.UsageError(f"'--svg -' and '--format {form}' cannot be used together")
    if study is not None and state is not None:
        raise click.UsageError("--study and --state cannot be used together: --study finds the state")
    if connect is not None and study is None:
        raise click.UsageError("--connect requires --study")
    destination, caller = parse_ae_title(dest), parse_ae_title(calling)
    study_uid = parse_uid(study) if study is not None else None
    address = AddressOverride.parse(connect) if connect is not None else None
    title = parse_ae_title(ae) if ae is not None else None
    external_ae_title = external if external in (None, NO_EXTERNAL_ARCHIVE) else parse_ae_title(external)
    with open_directory(settings) as directory:
        configuration = Configuration(read_tree(directory))
    device = configuration.get_device(settings.device)
    request = RouteRequest(get_archive_ae(device, title), destination, caller, external_ae_title)
    located_study = (
        _locate_study(settings if qido else None, configuration, request, study_uid=study_uid, connect=address)
        if study_uid
        else None
    )
    states = located_study.states if located_study is not None else (StudyState(state),) if state else ()
    if located_study is not None:
        request = replace(
            request,
            external_ae_title=external_ae_title or located_study.external_ae_title,
            sop_classes=located_study.sop_classes or None,
        )
    route = find_route(configuration, request, states or tuple(StudyState))
    route = route.with_next_steps(invocation.current().insert_site_options)
    is_delivered = route.is_delivered(*states)
    if svg is not None:
        write_atomically(svg, draw(build_sequence_diagrams(route)))
    match form:
        case "json":
            print_json(route_json(route, delivered=is_delivered, study=located_study))
        case "mermaid":
            print_output(*render_mermaid(build_sequence_diagrams(route)))
        case "svg":
            print_text(draw(build_sequence_diagrams(route)))
        case _ if svg != STDOUT:
            print_route(route, located_study, states=states, details=details)
    return 0 if is_delivered else 1


def _locate_study(
    settings: Settings | None,
    configuration: Configuration,
    request: RouteRequest,
    *,
    study_uid: str,
    connect: AddressOverride | None,
) -> LocatedStudy:
    """Return the location of the study; raises :class:`~dcmcfg.errors.DicomError` if the archive cannot be queried.

    With *settings*, the archive's database is queried too; if that fails, the result has a note.
    """
    archive_ae = request.archive_ae
    addresses = find_addresses(
        configuration, archive_ae.device.name, request.destination_ae_title, ae_title=archive_ae.title, connect=connect
    )
    with (
        advise_status(addresses.archive),
        open_association(
            addresses.archive,
            request.calling_ae_title,
            [InformationModel.STUDY.find_sop_class],
            get_query_timeouts(addresses),
        ) as association,
    ):
        instances = find_instances(association, study_uid)
    if settings is None:
        return locate_study(study_uid, instances, device=archive_ae.device, database_error="--no-qido")
    try:
        stored = connect_database(settings, archive_ae.title).get_study(study_uid)
    except DcmcfgError as error:
        return locate_study(
            study_uid, instances, device=archive_ae.device, database_error=f"{error.subject}: {error.message}"
        )
    return locate_study(study_uid, instances, device=archive_ae.device, stored=stored)
