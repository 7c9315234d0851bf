"""``dcmcfg reload``."""

from __future__ import annotations

from typing import Any

import click

from dcmcfg.archive.archive_state import ServiceState
from dcmcfg.archive.control import ControlService, NotStarted
from dcmcfg.archive.reload_failures import Reload, ReloadFailed
from dcmcfg.cli import invocation
from dcmcfg.cli.options.output_options import json_option
from dcmcfg.cli.options.site_command import SiteCommand, site_options
from dcmcfg.cli.printing import print_output
from dcmcfg.cli.session.archive import make_control_service
from dcmcfg.cli.session.output import print_json
from dcmcfg.cli.session.reload import require_started
from dcmcfg.render.reload import format_repair_note, reload_json
from dcmcfg.settings import Settings


@click.command("reload", cls=SiteCommand)
@site_options
@json_option
def reload_command(settings: Settings, *, as_json: bool) -> None:
    """Make the archive load its configuration again.

    A change in the directory takes effect when the archive reloads. If the archive cannot open a port, dcmcfg repeats
    the reload once.

    Exit codes: 0 the archive reloaded. 3 dcmcfg could not reach the archive, the archive does not run, or the archive
    could not load the new configuration and keeps its previous configuration. 4 the new configuration is in effect but
    a port is closed, or the result is unknown.
    """
    service = make_control_service(settings)
    invocation.current().may_have_changed = True  # even without a response, the archive may have loaded it
    reload = _reload(service, settings)
    state = require_started(service, settings)
    if as_json:
        print_json(_make_result(settings, reload, reloaded=True, state=state), indent=None)
        return
    if line := format_repair_note(reload):
        print_output(line)
    print_output(f"reloaded: archive {settings.archive_url} ({reload.seconds:.2f} s)")


def _reload(service: ControlService, settings: Settings) -> Reload:
    run = invocation.current()
    try:
        reload = service.reload()
    except ReloadFailed as error:
        failed_reload = error.reload
        if failed_reload is not None:
            run.partial_result = lambda: _make_result(settings, failed_reload, reloaded=False)
        raise
    except NotStarted as error:
        state = error.state
        run.partial_result = lambda: {"archive_url": settings.archive_url, "reloaded": False, "state": state.value}
        raise
    run.partial_result = lambda: _make_result(settings, reload, reloaded=True, state=ServiceState.STOPPED)
    return reload


def _make_result(
    settings: Settings, reload: Reload, *, reloaded: bool, state: ServiceState | None = None
) -> dict[str, Any]:
    return {
        "archive_url": settings.archive_url,
        "reloaded": reloaded,
        "state": state.value if state else None,
        "duration_seconds": round(reload.seconds, 3),
        **reload_json(reload),
    }
