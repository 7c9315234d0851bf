"""Read a service of a Docker Compose file (Compose Specification): image, environment, env_file, ports."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from dcmcfg.environment.container import (
    Container,
    FileProblem,
    PublishedPort,
    Variable,
    parse_image,
)
from dcmcfg.environment.dotenv import read_dotenv
from dcmcfg.environment.interpolation import Interpolation
from dcmcfg.environment.rules import VALUE_UNKNOWN
from dcmcfg.environment.yaml_documents import YamlMapping, YamlNode, YamlScalar, YamlSequence
from dcmcfg.schema.findings import SourceLocation

#: Tags that say how a value is merged.
_MERGE_TAGS = ("!reset", "!override")
#: Path of an ``env_file`` as written → its name for messages and its text; None if it cannot be read.
ReadFile = Callable[[str], tuple[str, str] | None]
_PORT = re.compile(
    r"(?:(?:(?:\[[^\]]*\]|[^:]*):)?(?P<host>\d{1,5})(?:-\d{1,5})?:)?(?P<port>\d{1,5})(?:-(?P<end>\d{1,5}))?(?:/\w+)?"
)
_PORT_WITHOUT_HOST_PORT = re.compile(r"(?:\[[^\]]*\]|[^:]*)::(?P<port>\d{1,5})(?:-(?P<end>\d{1,5}))?(?:/\w+)?")
_MAX_RANGE = 1000


@dataclass(frozen=True, kw_only=True)
class ComposeFile:
    """A Docker Compose file: its ``name`` for messages, and its document ``root``.

    ``project`` are the variables that replace variables in the file. ``read_file`` reads an ``env_file``.
    ``open_extended`` and ``open_included`` return the file of a path as written, for ``extends`` and ``include``; None
    if it does not exist. They raise :class:`~dcmcfg.errors.DcmcfgError` for a file that cannot be read.
    """

    name: str
    root: YamlMapping
    project: Mapping[str, str | None]
    read_file: ReadFile
    open_extended: Callable[[str], ComposeFile | None]
    open_included: Callable[[str], ComposeFile | None]


class ServiceReader:
    """Reads services of *file*; notes of values that the file does not show are added to *problems*."""

    def __init__(self, file: ComposeFile, problems: list[FileProblem]) -> None:
        self.file = file
        self._problems = problems

    def read_service(self, name: str, service: YamlMapping, line: int) -> Container:
        """Return the service *name*, whose key is on *line*, without what it extends.

        Raises :class:`~dcmcfg.errors.DcmcfgError` for an ``env_file`` that is not valid.
        """
        for key, node in service.values.items():
            if node.tag in _MERGE_TAGS:
                self.report("", f"service {name}: dcmcfg does not support the YAML tag {node.tag} of {key}", node.line)
        variables = dict(self._read_env_files(service.values.get("env_file")))
        # The environment of the service overrides its files.
        variables |= {each.name: each for each in self._read_environment(service.values.get("environment"))}
        image_line = service.key_lines.get("image", service.line)
        image = self.replace_variables(service.get_text("image") or "", "", image_line)
        uses_host_network = service.get_text("network_mode") == "host"
        host_names = {service.get_text("container_name"), service.get_text("hostname")}
        return Container(
            name=name,
            label=f"service {name}",
            image=parse_image(image, self.locate(image_line)) if image else None,
            location=self.locate(line),
            variables=variables,
            published_ports=None if uses_host_network else tuple(self._read_ports(service.get_items("ports"))),
            host_names=frozenset(each for each in (*host_names, *_list_aliases(service)) if each),
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
                value = self.file.project.get(name)
                if value is None:
                    self.report(
                        name, "the value is not in the file: Docker Compose takes the value from the shell", line
                    )
            case YamlScalar(text=text):
                value = self.replace_variables(text, name, line)
            case _:
                value = None
        return Variable(name, value, self.locate(line))

    def _read_env_files(self, node: YamlNode | None) -> Iterator[tuple[str, Variable]]:
        items = node.items if isinstance(node, YamlSequence) else () if node is None else (node,)
        for item in items:
            is_required = True
            written: str | None = None
            if isinstance(item, YamlMapping):
                written = item.get_text("path")
                is_required = item.get_text("required") != "false"
                if (form := item.get_text("format")) is not None:
                    self.report("", f"dcmcfg does not support the format {form} of an env_file", item.line)
            elif isinstance(item, YamlScalar):
                written = item.text
            path = None if written is None else self.replace_variables(written, "", item.line)
            if path is None:
                continue
            found = self.file.read_file(path)
            if found is not None:
                yield from read_dotenv(found[0], found[1], self.file.project).items()
            elif is_required:
                self.report("", f"the env_file {path} does not exist, or cannot be read", item.line)

    def _read_ports(self, items: tuple[YamlNode, ...]) -> Iterator[PublishedPort]:
        for item in items:
            if isinstance(item, YamlScalar):
                yield from _parse_ports(self.replace_variables(item.text, "", item.line) or "")
            elif isinstance(item, YamlMapping):
                target = self.replace_variables(item.get_text("target") or "", "", item.line) or ""
                published = self.replace_variables(item.get_text("published") or "", "", item.line) or ""
                yield from _parse_ports(f"{published}:{target}" if published else target)

    def replace_variables(self, text: str, variable: str, line: int) -> str | None:
        """Return *text*, the value of *variable* on *line*, with its variables replaced; None if one is unknown."""
        interpolation = Interpolation(self.file.project)
        value = interpolation.replace(text)
        for name in dict.fromkeys(interpolation.unset):
            self.report(variable, f"{name} is not set in the .env file in the same folder", line)
        return value

    def report(self, variable: str, message: str, line: int) -> None:
        """Add the note that the file does not show the value of *variable*."""
        problem = FileProblem(VALUE_UNKNOWN, variable, message, self.locate(line))
        if problem not in self._problems:
            self._problems.append(problem)

    def locate(self, line: int) -> SourceLocation:
        """Return the place of *line* in the file."""
        return SourceLocation(self.file.name, line)


def _list_aliases(service: YamlMapping) -> Iterator[str]:
    """Yield the names of the service in its networks."""
    networks = service.get_mapping("networks")
    for node in networks.values.values() if networks else ():
        if isinstance(node, YamlMapping):
            yield from (each.text for each in node.get_items("aliases") if isinstance(each, YamlScalar))


def _parse_ports(text: str) -> Iterator[PublishedPort]:
    """Yield the ports in *text*: ``8080``, ``8080:80``, ``127.0.0.1:8080:80``, ``9000-9010:9000-9010``, ``80/tcp``."""
    match = _PORT_WITHOUT_HOST_PORT.fullmatch(text) or _PORT.fullmatch(text)
    if match is None:
        return
    first = int(match["port"])
    host = int(match["host"]) if match.groupdict().get("host") else None
    for offset in range(min(int(match["end"] or first) - first, _MAX_RANGE) + 1):
        yield PublishedPort(first + offset, None if host is None else host + offset)
