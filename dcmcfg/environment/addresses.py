"""Compare the URLs and ports of containers with each other, with the settings, and with the directory."""

from __future__ import annotations

from collections.abc import Iterator

from dcmcfg.environment.container import Container, Environment, FileProblem, Role, Variable
from dcmcfg.environment.rules import LDAP_URL, NODE_ADDRESS, PORT_NOT_PUBLISHED
from dcmcfg.environment.site import ComparedSite, Url, parse_url
from dcmcfg.environment.variables import VARIABLES_BY_NAME
from dcmcfg.model.devices import DICOM, Connection
from dcmcfg.schema.findings import Severity

_LDAP_SCHEMES = ("ldap", "ldaps")
_HTTP_PORTS = ("HTTP_PORT", "HTTPS_PORT")


def find_address_problems(environment: Environment, site: ComparedSite) -> Iterator[FileProblem]:
    """Yield the addresses of *environment* that do not fit together, or do not fit *site*."""
    for container in environment.containers:
        if container.is_archive or not container.name:
            yield from _check_ldap_url(container, environment, site)
            yield from _check_node_urls(container, site)
        if container.is_archive:
            yield from _check_published_ports(container, site)
    yield from _check_web_ports(environment, site)


def _check_ldap_url(container: Container, environment: Environment, site: ComparedSite) -> Iterator[FileProblem]:
    row = VARIABLES_BY_NAME[Role.ARCHIVE, "LDAP_URL"]
    variable = container.variables.get(row.name)
    if variable is None:
        if not container.name:
            return
        variable = Variable(row.name, row.default, container.location)
    label = f"{container.label}: " if container.label else ""
    for text in (variable.value or "").split():
        found = _find_ldap_problem(text, environment, site)
        if found is not None:
            severity, problem = found
            yield FileProblem(LDAP_URL, row.name, f"{label}{problem}", variable.location, value=text, severity=severity)


def _find_ldap_problem(text: str, environment: Environment, site: ComparedSite) -> tuple[Severity, str] | None:
    """Return the severity and the description of the problem of the URL *text*, or None."""
    url = parse_url(text)
    if url is None or url.scheme not in _LDAP_SCHEMES:
        return "error", "this is not a URL of the form ldap://HOST:PORT or ldaps://HOST:PORT"
    if url.path.strip("/"):
        return "error", "the URL must not contain a DN, because the image appends LDAP_BASE_DN"
    directory = next((each for each in environment.containers if _is_host(each, url.host)), None)
    parsed = [found for each in site.addresses.ldap_urls if (found := parse_url(each)) is not None]
    known = {each.address for each in parsed if each.scheme in _LDAP_SCHEMES}
    known_ports = {port for _, port in known}
    shown = ", ".join(site.addresses.ldap_urls)
    if directory is None:
        if not known or url.address in known:
            return None
        # The server may have another name for the archive than for dcmcfg, but rarely another port.
        severity: Severity = "note" if url.port in known_ports else "warning"
        message = f"the settings have no directory server at this address; directory servers in the settings: {shown}"
        return severity, message
    port = url.port
    service = url.host.partition(".")[0]
    if (service_ports := directory.service_ports.get(service)) is not None:
        if port not in service_ports:
            ports = ", ".join(map(str, sorted(service_ports)))
            return "error", f"the Service {service} has no port {port} for {directory.label}, only {ports}"
        port = service_ports[port]
    listening = _list_listening_ports(directory)
    if listening is not None and port not in listening:
        ports = ", ".join(map(str, sorted(listening)))
        return "error", f"{directory.label} does not listen on port {port} (LDAP_URLS), only on {ports}"
    published = _list_host_ports(directory, port)
    if known and published and not published & known_ports:
        ports = ", ".join(map(str, sorted(published)))
        return "warning", f"{directory.label} publishes {ports}, but the settings have other ports: {shown}"
    return None


def _is_host(container: Container, host: str) -> bool:
    """Return whether *host* is a name of *container*: of its service, in its network, or of a Kubernetes Service."""
    if not container.name:
        return False
    return host in (container.name, *container.host_names) or host.partition(".")[0] in container.service_ports


def _list_listening_ports(directory: Container) -> set[int] | None:
    """Return the ports on which the directory server of the container listens; None if they are unknown."""
    if directory.role is not Role.DIRECTORY:
        return None
    row = VARIABLES_BY_NAME[Role.DIRECTORY, "LDAP_URLS"]
    value = directory.get_value(row.name) if row.name in directory.variables else row.default
    urls = [parse_url(text) for text in (value or "").split()]
    found = {each.port for each in urls if each is not None and each.scheme in _LDAP_SCHEMES}
    return found or None


def _list_host_ports(container: Container, port: int) -> set[int]:
    return {
        each.host_port
        for each in container.published_ports or ()
        if each.container_port == port and each.host_port is not None
    }


def _check_node_urls(container: Container, site: ComparedSite) -> Iterator[FileProblem]:
    variable = container.variables.get("DCM4CHEE_ARC_URLS")
    known = {found.address for each in site.addresses.archive_urls.values() if (found := parse_url(each)) is not None}
    for text in ((variable.value if variable else "") or "").split():
        url = parse_url(text)
        # Without nodes in the profile, its only URL may be that of a load balancer.
        if variable is None or url is None or len(site.addresses.archive_urls) < 2 or url.address in known:
            continue
        names = ", ".join(f"{name} {address}" for name, address in site.addresses.archive_urls.items())
        message = f"the settings have no node with this URL; nodes in the settings: {names}"
        yield FileProblem(NODE_ADDRESS, variable.name, message, variable.location, value=text)


def _check_published_ports(container: Container, site: ComparedSite) -> Iterator[FileProblem]:
    if not container.published_ports:
        return
    published = {each.container_port for each in container.published_ports}
    hidden: list[Connection] = []
    moved: list[str] = []
    for connection in site.device.connections:
        if connection.installed and connection.port:
            host_ports = _list_host_ports(container, connection.port)
            if connection.port not in published:
                hidden.append(connection)
            elif host_ports and connection.port not in host_ports:
                moved.append(f"{_describe(connection)} as {', '.join(map(str, sorted(host_ports)))}")
    if hidden:
        ports = ", ".join(map(_describe, hidden))
        message = f"{container.label} does not publish these ports of {site.device.name}: {ports}"
        # Many sites do not use TLS and HL7, although the default configuration has ports for them.
        is_used = any(each.protocol == DICOM and not each.tls for each in hidden)
        severity: Severity = "warning" if is_used else "note"
        yield FileProblem(PORT_NOT_PUBLISHED, "", message, container.location, severity=severity)
    if moved:
        # Systems that read the address from the directory use the port of the connection.
        message = (
            f"{container.label} publishes ports of {site.device.name} under other numbers than in the directory: "
            f"{', '.join(moved)}"
        )
        yield FileProblem(PORT_NOT_PUBLISHED, "", message, container.location, severity="note")


def _describe(connection: Connection) -> str:
    name = next(value for _, value in connection.dn.rdn.parts)
    return f"{connection.port} ({name}, {connection.protocol}{' with TLS' if connection.tls else ''})"


def _check_web_ports(environment: Environment, site: ComparedSite) -> Iterator[FileProblem]:
    """Yield the nodes of the settings whose port no container of the archive publishes."""
    if environment.has_web_proxy:
        return
    archives = [each for each in environment.containers if each.is_archive and each.published_ports]
    published = {port for each in archives for name in _HTTP_PORTS for port in _list_web_ports(each, name)}
    if not published:
        return
    for name, address in site.addresses.archive_urls.items():
        url: Url | None = parse_url(address)
        if url is not None and url.port not in published:
            ports = ", ".join(map(str, sorted(published)))
            node = f"the URL of node {name}" if name else "the URL of the archive in the settings"
            message = f"{node} is {address}, but {archives[0].label} publishes the web interface on {ports}"
            yield FileProblem(NODE_ADDRESS, "", message, archives[0].location)


def _list_web_ports(container: Container, name: str) -> set[int]:
    text = container.get_value(name) or VARIABLES_BY_NAME[Role.ARCHIVE, name].default
    return _list_host_ports(container, int(text)) if text.isascii() and text.isdecimal() and len(text) < 6 else set()
