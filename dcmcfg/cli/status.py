"""``dcmcfg status``."""

from __future__ import annotations

from typing import Any

import click

from dcmcfg.archive.archive_state import ServiceState
from dcmcfg.archive.control import ArchiveStatus, NotStarted
from dcmcfg.cli import invocation
from dcmcfg.cli.options.output_options import json_option
from dcmcfg.cli.options.site_command import SiteCommand, site_options
from dcmcfg.cli.printing import print_message, print_output
from dcmcfg.cli.session.archive import make_control_service
from dcmcfg.cli.session.archive_stopped import STOPPED_MESSAGE, describe_how_to_start
from dcmcfg.cli.session.directory import open_directory
from dcmcfg.cli.session.output import print_json
from dcmcfg.errors import ArchiveError
from dcmcfg.printable import escape_unprintable
from dcmcfg.settings import Settings
from dcmcfg.settings.folders import get_state_folder
from dcmcfg.temporary.title_claims import CLEAN_COMMAND, find_abandoned_claims


@click.command("status", cls=SiteCommand)
@site_options
@click.option(
    "--directory",
    "with_directory",
    is_flag=True,
    help="Also connect to the directory server, and show your identity there.",
)
@json_option
def status_command(settings: Settings, *, with_directory: bool, as_json: bool) -> int:
    """Show whether the archive runs.

    The JSON field "state" is one of: started, stopped, not deployed, failed to deploy, stopping, no response, not
    running, wrong path, not an archive, unknown.

    An interrupted 'dcmcfg verify' can leave a temporary destination in the directory. The command warns of such
    destinations of this account. With --directory, it warns of such destinations of all accounts.

    Exit codes: 0 the archive is started, 1 the archive is stopped, 3 the archive does not run or does not respond. With
    --directory, 3 also if the directory server does not respond.
    """
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
            f"an earlier run of verify may have left the temporary destination {title} ({origin}). To remove it: "
            f"{CLEAN_COMMAND}"
        )
        print_message(f"warning: {escape_unprintable(invocation.current().insert_site_options(message))}")
    directory_fields: dict[str, Any] = {} if identity is None else {"ldap_url": settings.ldap_url, "who_am_i": identity}
    extra_fields = directory_fields | ({"temporary_leftovers": list(leftovers)} if leftovers else {})
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


def _query_status(settings: Settings, extra_json: dict[str, Any]) -> ArchiveStatus:
    """Return the archive's status; after a failure, the JSON has the state that the failure implies."""
    run = invocation.current()
    fields = {"archive_url": settings.archive_url, "reported_status": None}
    try:
        return make_control_service(settings).status(lambda line: print_message(f"{line} …"))
    except NotStarted as error:
        state = error.state
        run.partial_result = lambda: fields | {"state": state.value} | extra_json
        raise
    except ArchiveError:
        run.partial_result = lambda: fields | {"state": ServiceState.UNKNOWN.value} | extra_json
        raise
