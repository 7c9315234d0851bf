"""Apply the plans of a schema update to the servers, one after the other, and verify each request."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from dcmcfg.directory.server import FilteringDirectory
from dcmcfg.errors import ConnectionLost, DcmcfgError, IncompleteChange, Refused
from dcmcfg.rollout.deferred_signals import DeferredSignals
from dcmcfg.schema_update.inspection import ServerPlan, make_use_error
from dcmcfg.schema_update.server import read_published, read_schema_entries, search_data
from dcmcfg.upgrade.schema.configured import ServerSchemaEntries
from dcmcfg.upgrade.schema.modifies import SchemaStep

OpenDirectory = Callable[[], FilteringDirectory]

#: The time in seconds that a request may still need to reach the server after its connection was lost.
_GRACE_S = 1.0
_FIRST_INTERVAL_S, _LONGEST_INTERVAL_S = 0.05, 1.0


@dataclass(frozen=True)
class ServerAccess:
    """How to connect to a server: with the identity of cn=config, and with that of the site."""

    open_config: OpenDirectory
    open_data: OpenDirectory


@dataclass(frozen=True)
class PlannedServer:
    """A server, its plan and the access to it."""

    plan: ServerPlan
    access: ServerAccess


class _Stopped(Exception):
    """The update of a server has stopped; ``applied`` is the number of its requests that were applied."""

    def __init__(self, cause: DcmcfgError, applied: int, *, is_certain: bool = True) -> None:
        super().__init__(str(cause))
        self.cause = cause
        self.applied = applied
        self.is_certain = is_certain


def apply_plans(servers: Sequence[PlannedServer], *, next_step: str, data_timeout_s: float, has_changed: bool) -> None:
    """Apply the plans of *servers* in their order.

    Before the requests to a server, its data are searched again. If an entry still uses an obsolete definition, the
    search is repeated for *data_timeout_s* seconds, because a replica may be behind. *has_changed* is true if this run
    has already changed something. Raises the error of the first request if nothing was changed, and otherwise
    :class:`IncompleteChange` with *next_step* and the servers that are complete and those that are not.
    """
    with DeferredSignals() as interrupts:
        for index, server in enumerate(servers):
            try:
                _apply_plan(server, interrupts, data_timeout_s=data_timeout_s)
            except _Stopped as stopped:
                done = [each.plan.ldap_url for each in servers[:index] if each.plan.plan.steps]
                left = [each.plan.ldap_url for each in servers[index:] if each.plan.plan.steps]
                if stopped.is_certain and not stopped.applied and not done and not has_changed:
                    raise stopped.cause from stopped.cause.__cause__
                total = len(server.plan.plan.steps)
                raise IncompleteChange(
                    f"the update of the schema is incomplete: {stopped.cause.message}",
                    subject=server.plan.ldap_url,
                    next_step=next_step,
                    details=(
                        *stopped.cause.details,
                        f"applied on this server: {stopped.applied} of {total} modifications"
                        + ("" if stopped.is_certain else ", perhaps one more"),
                        f"complete: {', '.join(done) or 'none'}",
                        f"not complete: {', '.join(left)}",
                    ),
                ) from stopped.cause


def _apply_plan(server: PlannedServer, interrupts: DeferredSignals, *, data_timeout_s: float) -> None:
    plan = server.plan
    if not plan.plan.steps:
        return
    applied = 0
    try:
        config = server.access.open_config()
    except DcmcfgError as error:
        raise _Stopped(error, applied) from error
    try:
        _wait_until_unused(server, config, interrupts, data_timeout_s)
        expected = plan.plan.before
        for step in plan.plan.steps:
            _require_not_interrupted(interrupts)
            _require_state(config, expected)
            config = _apply_step(config, step, expected, applied)
            applied += 1
            expected = step.after
        _require_state(config, expected)
        _require_published(config, expected)
    except _Stopped:
        raise
    except DcmcfgError as error:
        raise _Stopped(error, applied) from error
    finally:
        config.close()


def _apply_step(
    config: FilteringDirectory, step: SchemaStep, before: ServerSchemaEntries, applied: int
) -> FilteringDirectory:
    """Apply *step*; return the connection, a new one if the response was lost but the step is applied."""
    try:
        config.apply(step.change)
    except ConnectionLost as error:
        time.sleep(_GRACE_S)
        try:
            reopened = config.reopen()
            state = read_schema_entries(reopened)
        except DcmcfgError:
            raise _Stopped(error, applied, is_certain=False) from error
        if state.is_same(step.after):
            return reopened
        reopened.close()
        raise _Stopped(error, applied, is_certain=state.is_same(before)) from error
    return config


def _require_not_interrupted(interrupts: DeferredSignals) -> None:
    if interrupts.is_stop_requested:
        raise Refused("it was interrupted")


def _require_state(config: FilteringDirectory, expected: ServerSchemaEntries) -> None:
    if not read_schema_entries(config).is_same(expected):
        raise Refused("somebody else has changed the schema in the meantime", subject=config.server.url)


def _require_published(config: FilteringDirectory, expected: ServerSchemaEntries) -> None:
    published = {(each.kind, each.oid, each.shape) for each in read_published(config)}
    missing = [each.label for each in expected.definitions if (each.kind, each.oid, each.shape) not in published]
    if published and missing:
        raise Refused(
            f"cn=config has definitions that the server's subschema does not have: {', '.join(missing[:5])}",
            subject=config.server.url,
        )


def _wait_until_unused(
    server: PlannedServer, config: FilteringDirectory, interrupts: DeferredSignals, timeout_s: float
) -> None:
    if not server.plan.obsolete:
        return
    data = server.access.open_data()
    try:
        deadline, interval_s = time.monotonic() + timeout_s, _FIRST_INTERVAL_S
        while uses := search_data(data, config, server.plan.obsolete).uses:
            if time.monotonic() > deadline:
                raise make_use_error(
                    server.plan.ldap_url, uses, "wait until the replica has all changes, and run the command again"
                )
            time.sleep(interval_s)
            _require_not_interrupted(interrupts)
            interval_s = min(interval_s * 2, _LONGEST_INTERVAL_S)
    finally:
        data.close()
