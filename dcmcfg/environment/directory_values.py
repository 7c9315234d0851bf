"""Compare variables with the settings in the directory that they touch."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from dcmcfg.dn import DN
from dcmcfg.environment.container import Container, FileProblem, Role, Variable
from dcmcfg.environment.rules import FIRST_START_VALUE, START_VALUE
from dcmcfg.environment.site import ComparedSite
from dcmcfg.environment.variables import VARIABLES_BY_NAME, Effect, ImageVariable, Target
from dcmcfg.errors import MalformedInput
from dcmcfg.model.devices import Connection, Device
from dcmcfg.schema_names import DCM_URI, STORAGE_OBJECT_CLASS, WEB_APP_NAME, WEB_APP_OBJECT_CLASS
from dcmcfg.suggestions import format_known_names

#: A ``.env`` file can set a variable of several images. The archive reads it at each start, so its rule comes first.
_ROLES = (Role.ARCHIVE, Role.DIRECTORY, Role.DATABASE)
_RULES = {Effect.EACH_START: START_VALUE, Effect.FIRST_START: FIRST_START_VALUE}
#: The storage of the default configuration, which the default of the variable stands for.
_DEFAULT_STORAGE_URI = "${jboss.server.data.url}/fs1"


def find_value_problems(container: Container, site: ComparedSite) -> Iterator[FileProblem]:
    """Yield the variables of *container* with another value than the directory of *site*."""
    for variable in container.variables.values():
        row = find_row(container, variable.name)
        if row is not None:
            yield from _compare(row, variable, container, site)
    if container.is_archive:
        # The archive reads these at each start, so the defaults of the image count too.
        for row in VARIABLES_BY_NAME.values():
            is_compared = row.role is Role.ARCHIVE and row.target in (Target.BASE_DN, Target.ARCHIVE_DEVICE)
            if is_compared and row.name not in container.variables:
                yield from _compare(row, Variable(row.name, row.default, container.location), container, site)


def find_row(container: Container, name: str) -> ImageVariable | None:
    """Return the row of the variable *name* for the image of *container*, or None."""
    rows = (VARIABLES_BY_NAME.get((role, name)) for role in _ROLES if container.has_role(role))
    return next((row for row in rows if row is not None), None)


def _compare(row: ImageVariable, variable: Variable, container: Container, site: ComparedSite) -> Iterator[FileProblem]:
    problem = _find_difference(row, variable.value, container, site) if variable.value else ""
    if problem:
        label = f"{container.label}: " if container.label else ""
        is_default = variable.name not in container.variables
        origin = "not set, so the image uses its default; " if is_default else ""
        message = f"{label}{origin}{problem}"
        yield FileProblem(_RULES[row.effect], row.name, message, variable.location, value=variable.value)


def _find_difference(row: ImageVariable, value: str, container: Container, site: ComparedSite) -> str:
    """Return the difference between *value* and the directory as text; empty if there is none."""
    configuration = site.configuration
    match row.target:
        case Target.BASE_DN:
            return _compare_base_dn(value, site)
        case Target.ARCHIVE_DEVICE:
            archives = [each.name for each in configuration.devices if each.is_archive]
            return _require_name(value, archives, "the directory has no archive device of this name", "archive devices")
        case Target.DEVICE:
            names = [each.name for each in configuration.devices]
            return _require_name(value, names, "the directory has no device of this name", "devices")
        case Target.AE:
            titles = {each.title for each in configuration.network_aes()}
            return _require_name(value, titles, "the directory has no AE with this title", "AEs")
        case Target.DEVICE_HOST | Target.DEVICE_PORT:
            return _compare_address(row, value, container, site)
        case _:
            return _compare_archive(row, value, site.device)


def _compare_archive(row: ImageVariable, value: str, device: Device) -> str:
    """Return the difference between *value* and a setting of the archive's *device* as text."""
    match row.target:
        case Target.ARCHIVE_AE:
            return _require_name(value, device.titles, f"the device {device.name} has no AE with this title", "AEs")
        case Target.ARCHIVE_HOST:
            return _require_host(value, device.connections, device)
        case Target.ARCHIVE_PORT if row.listener is not None:
            wanted = row.listener
            fitting = [c for c in device.connections if (c.protocol, c.tls) == (wanted.protocol, wanted.tls)]
            kind = f"{wanted.protocol} connection {'with' if wanted.tls else 'without'} TLS"
            return _require_port(value, fitting, f"no {kind} of {device.name} has this port")
        case Target.ARCHIVE_WEB_APPLICATION:
            names = [name for each in device.children(WEB_APP_OBJECT_CLASS) for name in each.texts(WEB_APP_NAME)]
            return _require_name(value, names, f"{device.name} has no web application of this name", "web applications")
        case Target.STORAGE_FOLDER:
            return _compare_storage(value, row, device)
        case _:
            return ""


def _compare_base_dn(value: str, site: ComparedSite) -> str:
    try:
        dn = DN.parse(value)
    except MalformedInput:
        return "this is not a DN"
    if site.base_dn is None or site.tree.key(dn) == site.tree.key(site.base_dn):
        return ""
    return f"the base DN of the directory is {site.base_dn}"


def _compare_storage(value: str, row: ImageVariable, device: Device) -> str:
    uris = [uri.rstrip("/") for each in device.children(STORAGE_OBJECT_CLASS) for uri in each.texts(DCM_URI)]
    folder = value.rstrip("/")
    is_default = value == row.default and any(uri == _DEFAULT_STORAGE_URI for uri in uris)
    if is_default or any(uri.endswith(folder) for uri in uris):
        return ""
    return f"no storage of {device.name} has this folder; URIs: {', '.join(uris) or 'none'}"


def _compare_address(row: ImageVariable, value: str, container: Container, site: ComparedSite) -> str:
    naming = VARIABLES_BY_NAME[row.role, row.device]
    name = container.get_value(naming.name) or naming.default
    device = next((each for each in site.configuration.devices if each.name == name), None)
    if device is None:
        return ""
    if row.target is Target.DEVICE_HOST:
        return _require_host(value, device.connections, device)
    return _require_port(value, device.connections, f"no connection of {device.name} has this port")


def _require_name(value: str, known: Collection[str], problem: str, kind: str) -> str:
    return "" if value in known else f"{problem}; {kind}: {format_known_names(value, sorted(known))}"


def _require_host(value: str, connections: Iterable[Connection], device: Device) -> str:
    hosts = sorted({each.host for each in connections if each.host})
    if value.lower() in (host.lower() for host in hosts):
        return ""
    return f"no connection of {device.name} has this host; hosts: {format_known_names(value, hosts)}"


def _require_port(value: str, connections: Iterable[Connection], problem: str) -> str:
    ports = sorted({each.port for each in connections if each.port})
    if value in map(str, ports):
        return ""
    return f"{problem}; ports: {', '.join(map(str, ports)) or 'none'}"
