"""``dcmcfg status``."""

from __future__ import annotations

import json

import click

from dcmcfg.cli.archive_control import control_service
from dcmcfg.cli.site import SiteCommand, site_options
from dcmcfg.settings import Settings


@click.command("status", cls=SiteCommand)
@site_options
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def status_command(settings: Settings, *, as_json: bool) -> int:
    """Say whether the archive is up.

    Exit code 0: it is started. 1: it answers, and is stopped. 3: it could not be asked.
    """
    status = control_service(settings).status()
    if as_json:
        result = {"archive_url": settings.archive_url, "status": status.state, "seconds": round(status.seconds, 3)}
        click.echo(json.dumps(result))
    else:
        click.echo(f"{status.state}: archive {settings.archive_url} ({status.seconds:.2f} s)")
    return 0 if status.started else 1
