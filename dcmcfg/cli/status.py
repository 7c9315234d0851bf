"""``dcmcfg status``."""

from __future__ import annotations

import click

from dcmcfg.cli import invocation
from dcmcfg.cli.answer import print_json
from dcmcfg.cli.archive_control import control_service
from dcmcfg.cli.directory import open_directory
from dcmcfg.cli.loading import loaded
from dcmcfg.cli.site import SiteCommand, site_options
from dcmcfg.cli.telling import tell
from dcmcfg.render.console import visible
from dcmcfg.settings import Settings
from dcmcfg.settings.folders import state_folder
from dcmcfg.temporary.claim import CLEAN, unfinished


@click.command("status", cls=SiteCommand)
@site_options
@click.option("--directory", "with_directory", is_flag=True, help="Ask the directory server too, and who one is there.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def status_command(settings: Settings, *, with_directory: bool, as_json: bool) -> int:
    """Say whether the archive is up.

    Exit code 0: it is started. 1: it answers, and is stopped. 3: it could not be asked. With --directory the
    directory server is asked first; a 3 may then be for it. A temporary destination that a 'verify' has left is
    warned of: by this account, with --directory by anybody.
    """
    left = {each.title: each.made for each in unfinished(state_folder(), settings.ldap_url)}
    who = None
    if with_directory:
        with open_directory(settings) as directory:
            who = directory.who_am_i()
            left |= loaded("leftovers", "left_in")(settings, directory)
    if who is not None and not as_json:
        click.echo(f"directory {settings.ldap_url}: {who or 'anonymous'}")
    for title, made in left.items():
        told = f"a verify may have left the temporary destination {title} ({made}); {CLEAN} removes it"
        tell(f"warning: {visible(invocation.current().spoken(told))}")
    status = control_service(settings).status()
    if as_json:
        result = {"archive_url": settings.archive_url, "status": status.state, "seconds": round(status.seconds, 3)}
        asked = {} if who is None else {"ldap_url": settings.ldap_url, "who_am_i": who}
        print_json(result | asked | ({"left": list(left)} if left else {}), indent=None)
    else:
        click.echo(f"{status.state}: archive {settings.archive_url} ({status.seconds:.2f} s)")
    return 0 if status.started else 1
