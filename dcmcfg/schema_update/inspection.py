"""Inspect a server before its schema is changed: compute the requests, and find all reasons against them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass

from dcmcfg.changes import Modify
from dcmcfg.directory.server import FilteringDirectory
from dcmcfg.errors import Refused
from dcmcfg.schema_update.server import (
    DataSearch,
    ServerConfiguration,
    read_configuration,
    require_permission,
    search_data,
)
from dcmcfg.suggestions import join_limited
from dcmcfg.upgrade.schema.configured import ServerSchemaEntries
from dcmcfg.upgrade.schema.modifies import SchemaPlan, plan_schema
from dcmcfg.upgrade.schema.startup import find_built_in_names, require_startable
from dcmcfg.upgrade.schema.usage import (
    DataUse,
    RemovedNames,
    find_configuration_uses,
    find_obsolete_names,
    find_touched_names,
)

#: Computes the wanted schema entries from those that the server has.
WantSchema = Callable[[ServerSchemaEntries], ServerSchemaEntries]
_MAX_LISTED = 20
_MAX_NAMES = 8


@dataclass(frozen=True)
class ServerPlan:
    """The plan for one server: what it removes for good (``obsolete``), and the entries of its data that use that."""

    ldap_url: str
    configuration: ServerConfiguration
    plan: SchemaPlan
    _: KW_ONLY
    obsolete: RemovedNames
    data: DataSearch


def inspect_server(
    config: FilteringDirectory, data: FilteringDirectory, want: WantSchema, *, tests_permission: bool = True
) -> ServerPlan:
    """Return the plan for the server of *config*, whose data are read with *data*.

    Raises :class:`~dcmcfg.schema_update.server.ConfigurationUnavailable`, :class:`~dcmcfg.errors.DirectoryError`, and
    :class:`Refused` if the server could not start again after each request, or if its own configuration uses a
    definition that is removed, even for a moment. Uses in the data are only collected.
    """
    configuration = read_configuration(config)
    plan = plan_schema(configuration.schema, want(configuration.schema))
    require_startable(plan, find_built_in_names(configuration.published, configuration.schema))
    _refuse_configuration_uses(config.server.url, configuration, plan)
    if tests_permission:
        modified = {step.change.dn for step in plan.steps if isinstance(step.change, Modify)}
        present = {each.dn for each in configuration.schema}
        require_permission(config, sorted(modified & present, key=str))
    obsolete = find_obsolete_names(plan)
    return ServerPlan(
        config.server.url, configuration, plan, obsolete=obsolete, data=search_data(data, config, obsolete)
    )


def _refuse_configuration_uses(url: str, configuration: ServerConfiguration, plan: SchemaPlan) -> None:
    touched, obsolete = find_touched_names(plan), find_obsolete_names(plan)
    uses = tuple(find_configuration_uses(configuration.entries, touched))
    if not uses:
        return
    gone = {*obsolete.attributes.values(), *obsolete.classes.values()}
    lines = [
        f"{each.dn}: {each.attribute} uses {join_limited(each.names, _MAX_NAMES)}"
        + ("" if gone & set(each.names) else " (defined again at the end)")
        for each in uses[:_MAX_LISTED]
    ]
    if len(uses) > _MAX_LISTED:
        lines.append(f"and {len(uses) - _MAX_LISTED} more")
    raise Refused(
        "the server's own configuration uses definitions that this change removes, so the server would not start again",
        subject=url,
        next_step="remove these values from cn=config, and run the command again. Then add the values again, with "
        "names that the new schema defines",
        details=lines,
    )


def require_unused(plan: ServerPlan, next_step: str) -> None:
    """Raise :class:`Refused` with *next_step* if entries of the server use definitions that *plan* removes."""
    if plan.data.uses:
        raise make_use_error(plan.ldap_url, plan.data.uses, next_step)


def make_use_error(url: str, uses: tuple[DataUse, ...], next_step: str) -> Refused:
    """Return the error for entries of the server at *url* that use removed definitions."""
    lines = [f"{each.dn}: {join_limited(each.names, _MAX_NAMES)}" for each in uses[:_MAX_LISTED]]
    if len(uses) > _MAX_LISTED:
        lines.append(f"and {len(uses) - _MAX_LISTED} more")
    return Refused(
        "entries use attributes or object classes that this change removes",
        subject=url,
        next_step=next_step,
        details=lines,
    )
