"""``dcmcfg route``."""

from __future__ import annotations

from dataclasses import replace

import click

from dcmcfg.aetitle import parse_ae_title
from dcmcfg.cli import invocation
from dcmcfg.cli.completers import complete_title
from dcmcfg.cli.options.examples import examples
from dcmcfg.cli.options.site_command import SiteCommand, site_options
from dcmcfg.cli.printing import say
from dcmcfg.cli.session.archive_database import reach_database
from dcmcfg.cli.session.directory import open_directory
from dcmcfg.cli.session.output import STDOUT, print_json, write_whole
from dcmcfg.cli.session.status_hint import status_advised
from dcmcfg.dicom.open_association import associated
from dcmcfg.dicom.query import find_instances
from dcmcfg.dicom.retrieval import Model
from dcmcfg.dicom.uid import parse_uid
from dcmcfg.directory.tree_reader import read_tree
from dcmcfg.errors import DcmcfgError
from dcmcfg.model.devices import Configuration
from dcmcfg.render.html.sequence_diagram import mermaid, sequences
from dcmcfg.render.html.sequence_diagram import svg as draw
from dcmcfg.render.route import print_route, route_json
from dcmcfg.route.request import NOBODY, Question, StudyState, asked_ae
from dcmcfg.route.route import find_route
from dcmcfg.settings import Settings
from dcmcfg.verify.addresses import Address, find_addresses
from dcmcfg.verify.recall import Whereabouts, whereabouts
from dcmcfg.verify.run import query_timeouts


@click.command(
    "route",
    cls=SiteCommand,
    epilog=examples(
        ("Who has to know whom for a retrieve to WORKSTATION?", "dcmcfg route --dest WORKSTATION"),
        (
            "Only for purged studies, as VIEWER would ask",
            "dcmcfg route --dest WORKSTATION --state purged --calling VIEWER",
        ),
        ("For one study, as a picture", "dcmcfg route --dest WORKSTATION --study 1.2.840.1 --svg route.svg"),
    ),
)
@click.option(
    "--dest",
    required=True,
    metavar="AET",
    shell_complete=complete_title,
    help="Move Destination: the AE that the study is sent to.",
)
@click.option(
    "--ae",
    metavar="AET",
    shell_complete=complete_title,
    help="Archive AE that is asked; the device's only storage SCP by default.",
)
@click.option(
    "--calling",
    default="DCMCFG",
    show_default=True,
    metavar="AET",
    shell_complete=complete_title,
    help="AE title of whoever asks.",
)
@click.option(
    "--state",
    type=click.Choice([state.value for state in StudyState]),
    help="Where the study is; without it every state is told.",
)
@click.option(
    "--external",
    metavar="AET",
    shell_complete=complete_title,
    help="The AE that the archive's database names for purged objects; * is nobody.",
)
@click.option("--study", metavar="UID", help="Ask the archive where this study is, and what is in it.")
@click.option(
    "--qido/--no-qido",
    default=True,
    show_default=True,
    help="With --study: ask the archive's database (--archive-url) where the files are. C-FIND alone does not tell.",
)
@click.option("--connect", metavar="HOST[:PORT]", help="Where --study calls the archive, instead of its address.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@click.option("--mermaid", "as_mermaid", is_flag=True, help="Print it as a Mermaid diagram.")
@click.option("--svg", metavar="FILE", help="Write a picture of it too, - for standard output and nothing else there.")
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
    as_json: bool,
    as_mermaid: bool,
    svg: str | None,
) -> int:
    """Say what the archive will do with a C-MOVE.

    Told from its configuration alone: which messages are sent, under which titles and to which addresses, what stops
    them, who must know whom on the other side, and what transfer capabilities keep back. Nothing is moved; 'verify'
    proves it.

    Exit code 0 when the study arrives, if the needs on the other machines are met: in the state asked for, or in each
    for which something is set up. 1 when the archive will refuse, or nobody will receive all of it.
    """
    if as_mermaid + as_json + (svg == STDOUT) > 1:
        raise click.UsageError("one of --json, --mermaid and --svg - goes to standard output")
    if study is not None and state is not None:
        raise click.UsageError("--study finds out what --state says")
    if connect is not None and study is None:
        raise click.UsageError("--connect goes with --study")
    destination, caller = parse_ae_title(dest), parse_ae_title(calling)
    study_uid = parse_uid(study) if study is not None else None
    address = Address.parse(connect) if connect is not None else None
    title = parse_ae_title(ae) if ae is not None else None
    holder = external if external in (None, NOBODY) else parse_ae_title(external)
    with open_directory(settings) as directory:
        configuration = Configuration(read_tree(directory))
    device = configuration.device(settings.device)
    question = Question(asked_ae(device, title), destination, caller, holder)
    found = _found(settings if qido else None, configuration, question, study_uid, address) if study_uid else None
    states = found.states if found is not None else (StudyState(state),) if state else ()
    if found is not None:
        question = replace(question, external=holder or found.external, sop_classes=found.sop_classes or None)
    route = find_route(configuration, question, states or tuple(StudyState))
    route = route.told(invocation.current().spoken)
    leads = route.leads(*states)
    if svg is not None:
        write_whole(svg, draw(sequences(route)))
    if as_json:
        print_json(route_json(route, leads=leads, study=found))
    elif as_mermaid:
        say(*mermaid(sequences(route)))
    elif svg != STDOUT:
        print_route(route, found, states=states)
    return 0 if leads else 1


def _found(
    settings: Settings | None, configuration: Configuration, question: Question, study_uid: str, connect: Address | None
) -> Whereabouts:
    """Return where the study is; raises :class:`DicomError` when the archive cannot be asked.

    With *settings* the archive's database is asked as well; where it gives no answer, a note says so.
    """
    asked = question.asked
    addresses = find_addresses(configuration, asked.device.name, question.destination, ae=asked.title, connect=connect)
    with (
        status_advised(addresses.archive),
        associated(addresses.archive, question.calling, [Model.STUDY.find], query_timeouts(addresses)) as opened,
    ):
        instances = find_instances(opened, study_uid)
    if settings is None:
        return whereabouts(study_uid, instances, asked.device, why_not="--no-qido")
    try:
        stored = reach_database(settings, asked.title).study(study_uid)
    except DcmcfgError as error:
        return whereabouts(study_uid, instances, asked.device, why_not=f"{error.on}: {error.what}")
    return whereabouts(study_uid, instances, asked.device, stored)
