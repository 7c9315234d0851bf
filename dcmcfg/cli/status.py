"""``dcmcfg status``."""

from __future__ import annotations

from typing import Any

import click

from dcmcfg.archive.archive_state import ServiceState
from dcmcfg.archive.control import ArchiveStatus, NotStarted
from dcmcfg.cli import invocation
from dcmcfg.cli.default_site import describe_profile_without_archive_url, describe_selection, uses_default_url
from dcmcfg.cli.options.output_options import json_option
from dcmcfg.cli.options.quantities import Quantity
from dcmcfg.cli.options.site_command import SiteCommand, site_options
from dcmcfg.cli.printing import print_message, print_output, print_wait
from dcmcfg.cli.session.archive import make_control_service
from dcmcfg.cli.session.archive_stopped import STOPPED_MESSAGE, describe_how_to_start
from dcmcfg.cli.session.directory import open_directory
from dcmcfg.cli.session.output import print_json
from dcmcfg.cli.session.unfinished_change import warn_of_unfinished_change
from dcmcfg.errors import ArchiveError
from dcmcfg.printable import escape_unprintable
from dcmcfg.settings import Settings
from dcmcfg.settings.folders import get_state_folder
from dcmcfg.temporary.title_claims import CLEAN_COMMAND, find_abandoned_claims

#: Seconds; the default is repeated here, because most runs do not load the comparison of replicas.
_LAG_ALLOWANCE_S, _MAX_ALLOWANCE_S = 5.0, 86_400


@click.command("status", cls=SiteCommand)
@site_options
@click.option(
    "--directory",
    "with_directory",
    is_flag=True,
    help="Also connect to the directory server, and show your identity on the server.",
)
@click.option("--node", "node_names", multiple=True, metavar="NAME", help="Show only this node; can be repeated.")
@click.option(
    "--replicas",
    "with_replicas",
    is_flag=True,
    help="Compare the directory with the replicas that the nodes read. With this option, "
    "the state of the archive is not shown.",
)
@click.option("--deep", is_flag=True, help="Also compare the values of all entries; requires --replicas.")
@click.option(
    "--lag-allowance-s",
    type=Quantity(min=0, max=_MAX_ALLOWANCE_S),
    metavar="S",
    help="Report only differences that remain for S seconds; 5 by default; requires --replicas.",
)
@json_option
def status_command(
    settings: Settings,
    *,
    with_directory: bool,
    node_names: tuple[str, ...],
    with_replicas: bool,
    deep: bool,
    lag_allowance_s: float | None,
    as_json: bool,
) -> int:
    """Show whether the archive runs.

    If the profile lists nodes, the command shows each of them. With --replicas, the command compares the directory with
    the replicas that the nodes read: the contextCSN and the number of entries. With --deep, the command also compares
    all values.

    The JSON field "state" is one of: started, stopped, not deployed, failed to deploy, stopping, no response, not
    running, wrong path, not an archive, unknown.

    An interrupted 'dcmcfg verify' can leave a temporary destination in the directory. If a run of this account has left
    a temporary destination, the command prints a warning. With --directory, the command prints this warning for the
    runs of all accounts.

    Exit codes: 0 the archive is started, or the replicas are equal. 1 the archive is stopped, or a replica differs. 3
    the archive does not run or does not respond. With --directory or --replicas, 3 also if a directory server does not
    respond.
    """
    if not with_replicas and (deep or lag_allowance_s is not None):
        raise click.UsageError("--deep and --lag-allowance-s require --replicas")
    if with_replicas:
        return _show_replicas(
            settings,
            deep=deep,
            lag_allowance_s=_LAG_ALLOWANCE_S if lag_allowance_s is None else lag_allowance_s,
            as_json=as_json,
        )
    leftovers = {each.ae_title: each.origin for each in find_abandoned_claims(get_state_folder(), settings.ldap_url)}
    identity = None
    if with_directory:
        from dcmcfg.cli.verify.leftovers import describe_leftovers

        with open_directory(settings) as directory:
            identity = directory.who_am_i()
            leftovers |= describe_leftovers(settings, directory)
    if identity is not None and not as_json:
        print_output(f"directory {settings.ldap_url}: {identity or 'anonymous'}")
    for title, origin in leftovers.items():
        message = (
            f"an earlier verify might not have removed the temporary destination {title} ({origin}). To remove it: "
            f"{CLEAN_COMMAND}"
        )
        print_message(f"warning: {escape_unprintable(invocation.current().insert_site_options(message))}")
    warn_of_unfinished_change(settings.ldap_url)
    directory_fields: dict[str, Any] = {} if identity is None else {"ldap_url": settings.ldap_url, "who_am_i": identity}
    extra_fields = directory_fields | ({"temporary_leftovers": list(leftovers)} if leftovers else {})
    if settings.nodes or node_names:
        from dcmcfg.cli.session.node_status import show_node_statuses

        code, result = show_node_statuses(settings, node_names, extra_fields, as_json=as_json)
        if as_json:
            print_json(result, indent=None)
        return code
    status = _query_status(settings, extra_fields)
    next_step = "" if status.started else invocation.current().insert_site_options(describe_how_to_start(settings))
    if as_json:
        result = {
            "archive_url": settings.archive_url,
            "reported_status": status.reported_status,
            "state": status.service_state.value,
        }
        next_step_field = {"next_step": next_step} if next_step else {}
        print_json(
            result | {"duration_seconds": round(status.seconds, 3)} | next_step_field | extra_fields, indent=None
        )
    else:
        print_output(f"{status.reported_status}: archive {settings.archive_url} ({status.seconds:.2f} s)")
        if next_step:
            print_output(f"{STOPPED_MESSAGE}.", f"  next: {next_step}")
    return 0 if status.started else 1


def _show_replicas(settings: Settings, *, deep: bool, lag_allowance_s: float, as_json: bool) -> int:
    from dcmcfg.cli.session.node_status import show_replicas

    code, result = show_replicas(settings, deep=deep, lag_allowance_s=lag_allowance_s, as_json=as_json)
    if as_json:
        print_json(result, indent=None)
    return code


def _query_status(settings: Settings, extra_json: dict[str, Any]) -> ArchiveStatus:
    """Return the archive's status; after a failure, the JSON has the state that the failure implies."""
    run = invocation.current()
    fields = {"archive_url": settings.archive_url, "reported_status": None}
    try:
        return make_control_service(settings).status(print_wait)
    except NotStarted as error:
        state = error.state
        run.partial_result = lambda: fields | {"state": state.value} | extra_json
        _advise_selection(error, settings)
        raise
    except ArchiveError as error:
        run.partial_result = lambda: fields | {"state": ServiceState.UNKNOWN.value} | extra_json
        _advise_selection(error, settings)
        raise


def _advise_selection(error: ArchiveError, settings: Settings) -> None:
    """Add how to select a site, or to set the URL in its profile, to the next step of *error* at the default URL."""
    is_unselected = uses_default_url(settings, "archive_url")
    selection = (
        describe_selection(settings, "archive_url") if is_unselected else describe_profile_without_archive_url(settings)
    )
    if selection:
        error.next_step = f"{error.next_step}. {selection}" if error.next_step else selection
