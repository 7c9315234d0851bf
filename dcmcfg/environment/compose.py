"""Read the services of a Docker Compose file (Compose Specification): image, environment, env_file, ports."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from dcmcfg.environment.container import (
    Container,
    Environment,
    FileProblem,
    PublishedPort,
    Variable,
    parse_image,
    refuse_too_many,
)
from dcmcfg.environment.dotenv import read_dotenv
from dcmcfg.environment.interpolation import Interpolation
from dcmcfg.environment.rules import VALUE_UNKNOWN
from dcmcfg.environment.yaml_documents import YamlMapping, YamlNode, YamlScalar, YamlSequence
from dcmcfg.schema.findings import SourceLocation

SERVICES_KEY = "services"
_INCLUDE_KEY, _EXTENDS_KEY = "include", "extends"
#: Path of an ``env_file`` as written → its name for messages and its text; None if it cannot be read.
ReadFile = Callable[[str], tuple[str, str] | None]
_PORT = re.compile(
    r"(?:(?:(?:\[[^\]]*\]|[^:]*):)?(?P<host>\d{1,5})(?:-\d{1,5})?:)?(?P<port>\d{1,5})(?:-(?P<end>\d{1,5}))?(?:/\w+)?"
)
_PORT_WITHOUT_HOST_PORT = re.compile(r"(?:\[[^\]]*\]|[^:]*)::(?P<port>\d{1,5})(?:-(?P<end>\d{1,5}))?(?:/\w+)?")
_MAX_RANGE = 1000


def read_compose(name: str, root: YamlMapping, project: Mapping[str, str | None], read_file: ReadFile) -> Environment:
    """Return the services of *root*, the document of the file *name*.

    *project* are the variables of the project's ``.env`` file, which replace variables in the file; *read_file* reads
    an ``env_file``. Raises :class:`~dcmcfg.errors.DcmcfgError` for an ``env_file`` that is not valid.
    """
    services = root.get_mapping(SERVICES_KEY) or YamlMapping({}, {}, root.line)
    reader = _ComposeReader(name, project, read_file)
    containers = refuse_too_many(
        reader.read_service(key, node, services.key_lines[key])
        for key, node in services.values.items()
        if isinstance(node, YamlMapping)
    )
    if _INCLUDE_KEY in root.values:
        reader.report("", f"dcmcfg does not follow {_INCLUDE_KEY}", root.key_lines[_INCLUDE_KEY])
    return Environment(containers, tuple(reader.problems))


class _ComposeReader:
    def __init__(self, name: str, project: Mapping[str, str | None], read_file: ReadFile) -> None:
        self._name = name
        self._project = project
        self._read_file = read_file
        self.problems: list[FileProblem] = []

    def read_service(self, name: str, service: YamlMapping, line: int) -> Container:
        """Return the service *name*, whose key is on *line*."""
        variables = dict(self._read_env_files(service.values.get("env_file")))
        # The environment of the service overrides its files.
        variables |= {each.name: each for each in self._read_environment(service.values.get("environment"))}
        image_line = service.key_lines.get("image", service.line)
        image = self._replace(service.get_text("image") or "", "", image_line)
        uses_host_network = service.get_text("network_mode") == "host"
        if _EXTENDS_KEY in service.values:
            line = service.key_lines[_EXTENDS_KEY]
            self.report("", f"service {name}: dcmcfg does not follow {_EXTENDS_KEY}", line)
        return Container(
            name=name,
            label=f"service {name}",
            image=parse_image(image, self._locate(image_line)) if image else None,
            location=self._locate(line),
            variables=variables,
            published_ports=None if uses_host_network else tuple(self._read_ports(service.get_items("ports"))),
        )

    def _read_environment(self, node: YamlNode | None) -> Iterator[Variable]:
        match node:
            case YamlMapping():
                for name, value in node.values.items():
                    yield self._build_variable(name, value, node.key_lines[name])
            case YamlSequence():
                for item in node.items:
                    if isinstance(item, YamlScalar):
                        name, separator, text = item.text.partition("=")
                        value = YamlScalar(text, item.line, is_null=not separator)
                        yield self._build_variable(name, value, item.line)
            case _:
                pass

    def _build_variable(self, name: str, node: YamlNode, line: int) -> Variable:
        match node:
            case YamlScalar(is_null=True):
                # Docker Compose takes the variable from its own environment.
                value = self._project.get(name)
                if value is None:
                    self.report(name, "the file does not show the value: Docker Compose takes it from the shell", line)
            case YamlScalar(text=text):
                value = self._replace(text, name, line)
            case _:
                value = None
        return Variable(name, value, self._locate(line))

    def _read_env_files(self, node: YamlNode | None) -> Iterator[tuple[str, Variable]]:
        items = node.items if isinstance(node, YamlSequence) else () if node is None else (node,)
        for item in items:
            is_required = True
            written: str | None = None
            if isinstance(item, YamlMapping):
                written = item.get_text("path")
                is_required = item.get_text("required") != "false"
            elif isinstance(item, YamlScalar):
                written = item.text
            path = None if written is None else self._replace(written, "", item.line)
            if path is None:
                continue
            found = self._read_file(path)
            if found is not None:
                yield from read_dotenv(found[0], found[1], self._project).items()
            elif is_required:
                self.report("", f"the env_file {path} does not exist, or cannot be read", item.line)

    def _read_ports(self, items: tuple[YamlNode, ...]) -> Iterator[PublishedPort]:
        for item in items:
            if isinstance(item, YamlScalar):
                yield from _parse_ports(self._replace(item.text, "", item.line) or "")
            elif isinstance(item, YamlMapping):
                target = self._replace(item.get_text("target") or "", "", item.line) or ""
                published = self._replace(item.get_text("published") or "", "", item.line) or ""
                yield from _parse_ports(f"{published}:{target}" if published else target)

    def _replace(self, text: str, variable: str, line: int) -> str | None:
        interpolation = Interpolation(self._project)
        value = interpolation.replace(text)
        for name in dict.fromkeys(interpolation.unset):
            self.report(variable, f"{name} is not set in the .env file next to the file", line)
        return value

    def report(self, variable: str, message: str, line: int) -> None:
        """Add the note that the file does not show the value of *variable*."""
        problem = FileProblem(VALUE_UNKNOWN, variable, message, self._locate(line))
        if problem not in self.problems:
            self.problems.append(problem)

    def _locate(self, line: int) -> SourceLocation:
        return SourceLocation(self._name, line)


def _parse_ports(text: str) -> Iterator[PublishedPort]:
    """Yield the ports in *text*: ``8080``, ``8080:80``, ``127.0.0.1:8080:80``, ``9000-9010:9000-9010``, ``80/tcp``."""
    match = _PORT_WITHOUT_HOST_PORT.fullmatch(text) or _PORT.fullmatch(text)
    if match is None:
        return
    first = int(match["port"])
    host = int(match["host"]) if match.groupdict().get("host") else None
    for offset in range(min(int(match["end"] or first) - first, _MAX_RANGE) + 1):
        yield PublishedPort(first + offset, None if host is None else host + offset)
