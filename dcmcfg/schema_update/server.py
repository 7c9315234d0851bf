"""Read what a server has in cn=config and publishes as its schema, and the uses of definitions in its data."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from dcmcfg.changes import Modification, Modify, Operation
from dcmcfg.directory.server import Directory, FilteringDirectory
from dcmcfg.directory.subschema import read_subschema_entry
from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.errors import DirectoryError, NotFound, Refused
from dcmcfg.schema.comparable import Definition
from dcmcfg.schema_names import OBJECT_CLASS
from dcmcfg.upgrade.schema.configured import (
    OBJECT_IDENTIFIERS,
    SCHEMA_BASE,
    ServerSchemaEntries,
    parse_schema_entries,
)
from dcmcfg.upgrade.schema.release_schema import parse_published
from dcmcfg.upgrade.schema.usage import DataUse, RemovedNames, find_data_uses

_CONFIG_BASE = DN.parse("cn=config")
_NO_SUCH_ATTRIBUTE, _INSUFFICIENT_ACCESS = 16, 50
#: A value that no schema entry has; the server checks the permission before it looks for the value.
#: A name in a filter; a definition with another name cannot be used.
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_MISSING_VALUE = b"dcmcfgPermissionTest 1.1"


class ConfigurationUnavailable(Refused):
    """The schema of a server that cannot be changed through cn=config, with the reason."""

    #: Whether the server reads its configuration from slapd.conf, as far as it shows that.
    uses_slapd_conf = False


class SlapdConfUsed(ConfigurationUnavailable):
    """A server that reads its configuration from slapd.conf."""

    uses_slapd_conf = True


@dataclass(frozen=True)
class ServerConfiguration:
    """The schema entries of a server, all ``entries`` of cn=config, and the definitions that the server publishes."""

    schema: ServerSchemaEntries
    entries: tuple[Entry, ...]
    published: tuple[Definition, ...]


def read_published(directory: Directory) -> tuple[Definition, ...]:
    """Return the definitions that the server publishes (cn=Subschema), none if it shows none."""
    return parse_published(read_subschema_entry(directory))


def read_configuration(directory: Directory) -> ServerConfiguration:
    """Return the configuration of the server of *directory*, a connection with an identity that may read cn=config.

    Raises :class:`ConfigurationUnavailable` if the server has no cn=config, does not show it, does not keep changes of
    it, or has no schema entries; and :class:`DirectoryError`.
    """
    url = directory.server.url
    identity = directory.server.bind_dn or "SASL EXTERNAL"
    try:
        entries = directory.read(_CONFIG_BASE)
    except (NotFound, DirectoryError) as error:
        if not isinstance(error, NotFound) and error.result_code != _INSUFFICIENT_ACCESS:
            raise
        if not _has_configuration(directory):
            raise ConfigurationUnavailable(
                "the server has no cn=config; dcmcfg can change the schema of OpenLDAP servers only",
                subject=url,
                next_step="load the schema files of the release as the documentation of the server describes",
            ) from error
        raise ConfigurationUnavailable(
            f"the server does not show cn=config to {identity}",
            subject=url,
            next_step="specify the administrator of cn=config with --config-user, or run dcmcfg on the server as root "
            "with --ldap-url ldapi:///",
        ) from error
    root = next((each for each in entries if each.dn == _CONFIG_BASE), None)
    if root is not None and root.values("olcConfigFile") and not root.values("olcConfigDir"):
        raise SlapdConfUsed(
            "the server reads its configuration from slapd.conf, so the server would lose changes of cn=config at a "
            "restart",
            subject=url,
            next_step="replace the schema files that slapd.conf includes with the files of the release, and restart "
            "the server",
        )
    schema = parse_schema_entries(entries)
    if not schema.entries:
        raise ConfigurationUnavailable(
            f"the server does not show schema entries below {SCHEMA_BASE} to {identity}",
            subject=url,
            next_step="if the server reads its configuration from slapd.conf, replace the schema files that slapd.conf "
            "includes, and restart the server. Otherwise, specify another --config-user",
        )
    return ServerConfiguration(schema, entries, read_published(directory))


def _has_configuration(directory: Directory) -> bool:
    root = directory.read_entry(DN(), ("configContext",))
    return root is not None and bool(root.values("configContext"))


def read_schema_entries(directory: Directory) -> ServerSchemaEntries:
    """Return the schema entries that the server has now; raises :class:`DirectoryError`."""
    return parse_schema_entries(directory.read(SCHEMA_BASE))


def require_permission(directory: Directory, names: Iterable[DN]) -> None:
    """Raise :class:`ConfigurationUnavailable` if the identity of *directory* may not change the schema entries *names*.

    The request deletes a value that does not exist, so that it changes nothing.
    """
    for dn in names:
        modification = Modification(Operation.DELETE, OBJECT_IDENTIFIERS, (_MISSING_VALUE,))
        try:
            directory.apply(Modify(dn, (modification,)))
        except DirectoryError as error:
            if error.result_code == _NO_SUCH_ATTRIBUTE:
                continue
            raise ConfigurationUnavailable(
                f"{directory.server.bind_dn or 'SASL EXTERNAL'} is not allowed to change the schema: {error.message}",
                subject=directory.server.url,
                next_step="specify the administrator of cn=config with --config-user",
            ) from error


@dataclass(frozen=True)
class DataSearch:
    """The entries that use removed names, and the naming contexts that could not be searched."""

    uses: tuple[DataUse, ...] = ()
    unread: tuple[str, ...] = ()


def search_data(data: FilteringDirectory, config: FilteringDirectory, removed: RemovedNames) -> DataSearch:
    """Return the entries of all databases of a server that use *removed*.

    *data* is a connection with the identity of the site, and *config* one with that of cn=config; a database is
    searched with the first of them that may read it. Raises :class:`DirectoryError`, also for a truncated result.
    """
    if not removed:
        return DataSearch()
    attributes = [OBJECT_CLASS, *(each for each in removed.attributes if _NAME.fullmatch(each))]
    # The filter keeps the result small, because the identity may have a size limit.
    terms = [f"({each}=*)" for each in attributes[1:]]
    terms += [f"({OBJECT_CLASS}={each})" for each in removed.classes if _NAME.fullmatch(each)]
    filter_text = f"(|{''.join(terms)})"
    uses: dict[str, DataUse] = {}
    unread = []
    for context in _read_naming_contexts(data):
        for directory in (data, config):
            try:
                found = directory.find(context, filter_text, attributes)
            except NotFound:
                continue
            uses.update((str(each.dn), each) for each in find_data_uses(found, removed))
            break
        else:
            unread.append(str(context))
    return DataSearch(tuple(uses.values()), tuple(unread))


def _read_naming_contexts(directory: Directory) -> tuple[DN, ...]:
    root = directory.read_entry(DN(), ("namingContexts",))
    found = map(DN.parse, root.texts("namingContexts") if root is not None else ())
    contexts = tuple(each for each in found if each.rdns and not each.is_below(_CONFIG_BASE))
    base = directory.server.base_dn
    return contexts if any(base.is_below(each) for each in contexts) else (base, *contexts)
