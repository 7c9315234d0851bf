"""Revert an update of the schema of the site's directory servers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path

from dcmcfg.cli import invocation
from dcmcfg.cli.printing import print_message
from dcmcfg.cli.session.directory import open_directory
from dcmcfg.cli.session.node_access import ReplicaProgress
from dcmcfg.cli.session.output import print_json
from dcmcfg.cli.session.schema_servers import SchemaOptions, SchemaServer, add_server_name, list_servers, lock_servers
from dcmcfg.cli.terminal import confirm, require_terminal
from dcmcfg.directory.server import Directory
from dcmcfg.directory.tree_reader import read_tree
from dcmcfg.entry import Entry
from dcmcfg.errors import DcmcfgError, DirectoryError, IncompleteChange, NegativeResult, NotFound, Refused
from dcmcfg.model.tree import Tree
from dcmcfg.nodes.replicas import read_written_state, wait_for_replica
from dcmcfg.printable import escape_unprintable
from dcmcfg.render.schema_update import print_server_plan, server_plan_json
from dcmcfg.render.terminal.console import make_stderr_console, make_stdout_console, print_line
from dcmcfg.schema.definitions import load_bundled_schema
from dcmcfg.schema_update.inspection import ServerPlan, WantSchema, inspect_server, require_unused
from dcmcfg.schema_update.record import RecordedServer, SchemaUpdateRecord, UpdateState, find_revertible, list_records
from dcmcfg.schema_update.run import PlannedServer, apply_plans
from dcmcfg.settings import Settings
from dcmcfg.settings.folders import get_state_folder
from dcmcfg.upgrade.schema.violations import find_new_violations
from dcmcfg.upgrade.schema.wanted import want_former

_DATA_FIRST = "revert the changes of these entries first: dcmcfg undo (to find the changes: dcmcfg history)"
#: Seconds to wait until a replica has the changes that the directory has.
_REPLICA_TIMEOUT_S = 60.0
_MAX_LISTED = 20
_SIZE_LIMIT_EXCEEDED = 4


def revert_schema(settings: Settings, options: SchemaOptions) -> None:
    """Revert the newest schema update of the site's directory server: show the plan, confirm it, apply it.

    Raises :class:`Refused` if there is none, or if entries need the present schema;
    :class:`~dcmcfg.errors.DirectoryError` and :class:`NegativeResult` if nothing was changed; and
    :class:`~dcmcfg.errors.IncompleteChange`.
    """
    state = get_state_folder()
    record = find_revertible(state, settings.ldap_url)
    if record is None:
        former = next(iter(list_records(state, settings.ldap_url)), None)
        if former is not None:
            raise Refused(
                f"the last update of the schema (release {former.header.release}) is already reverted: nothing is left "
                "to revert",
                subject=settings.ldap_url,
                next_step="to see which schema the server has: dcmcfg upgrade status --to FOLDER",
            )
        raise Refused(
            "this account has no recorded update of the schema that can be reverted",
            subject=settings.ldap_url,
            next_step="run the command with the operating-system account that updated the schema",
        )
    console = make_stderr_console() if options.as_json else make_stdout_console()
    planned = []
    with ExitStack() as stack:
        provider: Directory | None = None
        # The provider is the first.
        for recorded, server in _match_servers(record, list_servers(settings, options)):
            each, data = _plan_server(stack, recorded, server, provider)
            provider = provider or data
            print_line(console, escape_unprintable(f"server {each.plan.ldap_url}"))
            print_server_plan(console, each.plan)
            planned.append(each)
    if not options.yes:
        require_terminal()
        if not confirm("Apply these changes?"):
            raise NegativeResult("declined; nothing was changed")
    _apply(state, record, planned, options)
    header = record.header
    if options.as_json:
        servers = [server_plan_json(each.plan, ()) for each in planned]
        print_json({"reverted": header.release, "servers": servers, "applied": True, "data_change": header.data_change})
        return
    print_line(console, escape_unprintable(f"Reverted the schema of release {header.release}."))
    if header.data_change is not None:
        undo_command = invocation.current().insert_site_options(f"dcmcfg undo {header.data_change}")
        print_line(console, escape_unprintable(f"To restore the deleted values: {undo_command}"))


def _match_servers(
    record: SchemaUpdateRecord, servers: Sequence[SchemaServer]
) -> list[tuple[RecordedServer, SchemaServer]]:
    by_url = {each.url: each for each in servers}
    # The provider is first: a replica must not lose definitions that the provider still has.
    recorded = record.read_servers()[::-1]
    for each in recorded:
        if each.ldap_url not in by_url:
            raise Refused(
                "the update has changed a server that the settings no longer contain",
                subject=each.ldap_url,
                next_step="add the server to the nodes of the profile (dcmcfg help nodes)",
            )
    return [(each, by_url[each.ldap_url]) for each in recorded]


def _plan_server(
    stack: ExitStack, recorded: RecordedServer, server: SchemaServer, provider: Directory | None
) -> tuple[PlannedServer, Directory]:
    """Return the plan of *server*, and the connection to its data; *provider* is None if it is the provider itself."""
    try:
        data = stack.enter_context(open_directory(server.data))
        config = stack.enter_context(open_directory(server.config))
        plan = inspect_server(config, data, _make_former(recorded))
        if provider is not None and not _allows_entries(data, plan):
            # The provider has passed the check, and the replica gets the entries of the provider.
            _wait_for_replica(provider, server)
            plan = inspect_server(config, data, _make_former(recorded))
    except DirectoryError as error:
        raise add_server_name(error, server.url) from error
    try:
        _require_allowed_entries(data, plan)
    except Refused as error:
        if provider is None:
            raise
        raise Refused(
            f"{error.message}. The directory itself has no such entries, so this replica probably does not have the "
            "newest changes yet",
            subject=error.subject,
            next_step="wait, and run the command again. To compare the replica with the directory: dcmcfg status "
            "--replicas",
            details=error.details,
        ) from error
    return PlannedServer(plan, server.access), data


def _wait_for_replica(provider: Directory, server: SchemaServer) -> None:
    """Wait until the replica *server* has the changes of *provider*, or until the time-out."""
    tree, progress = Tree(load_bundled_schema(), {}), ReplicaProgress()
    wait_for_replica(
        server.url,
        lambda: open_directory(server.data),
        read_written_state(provider, tree, ()),
        tree,
        timeout_s=_REPLICA_TIMEOUT_S,
        on_wait=lambda seconds, reason: progress.report(server.url, seconds, reason),
    )


def _allows_entries(data: Directory, plan: ServerPlan) -> bool:
    try:
        _require_allowed_entries(data, plan)
    except Refused:
        return False
    return True


def _require_allowed_entries(data: Directory, plan: ServerPlan) -> None:
    """Raise :class:`Refused` if entries of the server use removed definitions, or the former schema forbids them."""
    require_unused(plan, _DATA_FIRST)
    _require_valid(_read_entries(data), plan)


def _read_entries(directory: Directory) -> Iterable[Entry]:
    """Return the entries of the site; none, with a warning, if the size limit of this identity does not allow it."""
    try:
        return read_tree(directory).entries.values()
    except NotFound:  # the server has no configuration yet
        return ()
    except DirectoryError as error:
        if error.result_code != _SIZE_LIMIT_EXCEEDED:
            raise
        print_message(f"warning: the entries were not compared with the former schema: {error.message}")
        return ()


def _require_valid(entries: Iterable[Entry], plan: ServerPlan) -> None:
    """Raise :class:`Refused` if the former schema does not allow *entries*, which the present schema allows."""
    found = list(find_new_violations(entries, plan.configuration.published, plan.plan))
    if found:
        more = len(found) - _MAX_LISTED
        raise Refused(
            "the former schema does not allow these entries",
            subject=plan.ldap_url,
            next_step=_DATA_FIRST,
            details=(
                *(f"{each.dn}: {each.message}" for each in found[:_MAX_LISTED]),
                *((f"and {more} more",) if more > 0 else ()),
            ),
        )


def _make_former(recorded: RecordedServer) -> WantSchema:
    return lambda live: want_former(live, recorded.before, recorded.after)


def _apply(state: Path, record: SchemaUpdateRecord, planned: Sequence[PlannedServer], options: SchemaOptions) -> None:
    with lock_servers(state, [each.plan.ldap_url for each in planned]):
        state_before = record.state
        record.set_state(UpdateState.REVERTING)
        invocation.current().may_have_changed = True
        next_step = f"run the command again to continue: {options.undo_command}"
        try:
            apply_plans(planned, next_step=next_step, data_timeout_s=0, has_changed=state_before.is_unfinished)
        except IncompleteChange:
            raise
        except DcmcfgError:  # nothing was changed
            record.set_state(state_before)
            raise
        record.set_state(UpdateState.REVERTED)
