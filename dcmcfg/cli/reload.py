"""``dcmcfg reload``."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import click

from dcmcfg.archive.archive_state import ServiceState
from dcmcfg.archive.control import ControlService, NotStarted
from dcmcfg.archive.reload_failures import Reload, ReloadFailed
from dcmcfg.cli import invocation
from dcmcfg.cli.options.node_options import NodeOptions, node_options
from dcmcfg.cli.options.output_options import json_option
from dcmcfg.cli.options.site_command import SiteCommand, site_options
from dcmcfg.cli.printing import print_output, print_wait
from dcmcfg.cli.session.archive import make_control_service
from dcmcfg.cli.session.node_reload import note_reloads, reload_nodes
from dcmcfg.cli.session.output import print_json
from dcmcfg.cli.session.reload import require_started
from dcmcfg.errors import IncompleteChange
from dcmcfg.nodes.run import NodeResult
from dcmcfg.printable import escape_unprintable
from dcmcfg.render.nodes import format_node_notes, nodes_json, print_reloads
from dcmcfg.render.reload import format_repair_note, reload_json
from dcmcfg.render.terminal.console import make_stdout_console
from dcmcfg.settings import Settings
from dcmcfg.settings.nodes import SINGLE_NODE


@click.command("reload", cls=SiteCommand)
@site_options
@node_options(with_confirm=False)
@json_option
def reload_command(settings: Settings, *, node_options: NodeOptions, as_json: bool) -> None:
    """Make the archive load its configuration again.

    A change in the directory takes effect when the archive reloads. If the archive cannot open a port, dcmcfg repeats
    the reload once. If the profile lists nodes, they are reloaded one after the other: see 'dcmcfg help nodes'.

    Exit codes: 0 the archive reloaded. 3 dcmcfg could not reach the archive, the archive does not run, or the archive
    could not load the new configuration and keeps its previous configuration. 4 the new configuration is in effect but
    a port is closed, or the result is unknown. With nodes: 4 at least one node has not reloaded.
    """
    if settings.nodes or node_options.names:
        _reload_nodes(settings, node_options, as_json=as_json)
        return
    service = make_control_service(settings)
    invocation.current().may_have_changed = True  # even without a response, the archive may have loaded it
    reload = _reload(service, settings)
    state = require_started(service, settings)
    note_reloads(settings, [SINGLE_NODE])
    if as_json:
        print_json(_make_result(settings, reload, reloaded=True, state=state), indent=None)
        return
    if line := format_repair_note(reload):
        print_output(line)
    print_output(f"reloaded: archive {settings.archive_url} ({reload.seconds:.2f} s)")


def _reload_nodes(settings: Settings, options: NodeOptions, *, as_json: bool) -> None:
    invocation.current().may_have_changed = True
    results_so_far: dict[str, NodeResult] = {}

    def note_result(result: NodeResult) -> None:
        results_so_far[result.name] = result

    invocation.current().partial_result = lambda: _make_nodes_json(tuple(results_so_far.values()))
    results = reload_nodes(settings, options, note_result)
    note_reloads(settings, [each.name for each in results if each.is_loaded])
    failed = [each.name for each in results if not each.is_loaded]
    make_json = functools.partial(_make_nodes_json, results)
    invocation.current().partial_result = make_json
    if not as_json:
        print_reloads(make_stdout_console(), results)
        for note in format_node_notes(results):
            print_output(escape_unprintable(note))
    if failed:
        raise IncompleteChange(
            f"these nodes have not reloaded: {', '.join(failed)}",
            next_step="; ".join(f"dcmcfg reload --node {name}" for name in failed),
        )
    if as_json:
        print_json(make_json())


def _make_nodes_json(results: Sequence[NodeResult]) -> dict[str, Any]:
    return {"reloaded": bool(results) and all(each.is_loaded for each in results), "nodes": nodes_json(results)}


def _reload(service: ControlService, settings: Settings) -> Reload:
    run = invocation.current()
    try:
        reload = service.reload(print_wait)
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
