"""``dcmcfg reload``."""

from __future__ import annotations

import click

from dcmcfg.cli import invocation
from dcmcfg.cli.answer import print_json
from dcmcfg.cli.archive_control import control_service
from dcmcfg.cli.site import SiteCommand, site_options
from dcmcfg.settings import Settings


@click.command("reload", cls=SiteCommand)
@site_options
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def reload_command(settings: Settings, *, as_json: bool) -> None:
    """Have the archive read its configuration again.

    A change in the directory is not in force before. Exit code 3: the archive was not reached or could not load
    the configuration, and goes on with the one it had. 4: the reload was sent and its outcome is not known.
    """
    service = control_service(settings)
    invocation.current().writing = True
    seconds = service.reload()
    if as_json:
        result = {"archive_url": settings.archive_url, "reloaded": True, "seconds": round(seconds, 3)}
        print_json(result, indent=None)
    else:
        click.echo(f"reloaded: archive {settings.archive_url} ({seconds:.2f} s)")
