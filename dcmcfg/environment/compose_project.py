"""Read a Docker Compose project: a file with its override file, and the files and services that it includes or extends.

A service is merged as Docker Compose merges it, as far as it is read here: variables and the image of the later
definition win, and its ports are added.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from dcmcfg.environment.compose import ComposeFile, ServiceReader
from dcmcfg.environment.container import Container, Environment, FileProblem, PublishedPort, VariableLimit
from dcmcfg.environment.yaml_documents import YamlMapping, YamlNode, YamlScalar, YamlSequence
from dcmcfg.errors import DcmcfgError

SERVICES_KEY = "services"
INCLUDE_KEY, _EXTENDS_KEY = "include", "extends"
#: A variable of Docker Compose in the ``.env`` file: the files to use in place of the default ones.
_FILES_VARIABLE = "COMPOSE_FILE"
#: Files and services that are read one through the other, and services that are read in all.
_MAX_DEPTH, _MAX_SERVICES = 20, 10_000
#: File and service.
_Origin = tuple[str, str]


def read_compose(file: ComposeFile, override: ComposeFile | None = None) -> Environment:
    """Return the services of the project whose file is *file*, with those of the *override* file.

    Raises :class:`~dcmcfg.errors.DcmcfgError` for a file that cannot be read, and for too many files or services.
    """
    reader = _ProjectReader()
    containers = reader.read_files((file,) if override is None else (file, override), ())
    if file.project.get(_FILES_VARIABLE):
        message = f"dcmcfg does not read the files of {_FILES_VARIABLE} in the .env file"
        ServiceReader(file, reader.problems).report("", message, file.root.line)
    return Environment(tuple(containers.values()), tuple(reader.problems), file.name)


class _ProjectReader:
    def __init__(self) -> None:
        self.problems: list[FileProblem] = []
        self._service_count = 0
        self._limit = VariableLimit()

    def read_files(self, files: tuple[ComposeFile, ...], parents: tuple[str, ...]) -> dict[str, Container]:
        """Return the services of *files* by name, with those of included files; *parents* include the files."""
        found: dict[str, Container] = {}
        for file in files:
            for included in self._open_included(file, parents):
                found |= self.read_files(included, (*parents, file.name))
        for file in files:
            services = file.root.get_mapping(SERVICES_KEY) or YamlMapping({}, {}, file.root.line)
            for name, node in services.values.items():
                if isinstance(node, YamlMapping):
                    container = self._read_service(file, name, node, ())
                    found[name] = _merge(found[name], container) if name in found else container
        return found

    def _open_included(self, file: ComposeFile, parents: tuple[str, ...]) -> Iterator[tuple[ComposeFile, ...]]:
        """Yield the files of each item of ``include``: the paths of one item are merged."""
        reader = ServiceReader(file, self.problems)
        for item in file.root.get_items(INCLUDE_KEY):
            if isinstance(item, YamlMapping):
                path = item.values.get("path")
                for key in ("project_directory", "env_file"):
                    if key in item.values:
                        reader.report("", f"dcmcfg does not support the key {key} of {INCLUDE_KEY}", item.line)
            else:
                path = item
            nodes = path.items if isinstance(path, YamlSequence) else (path,)
            opened = [
                included
                for node in nodes
                if isinstance(node, YamlScalar) and (included := self._open(reader, node, parents)) is not None
            ]
            if opened:
                yield tuple(opened)

    def _open(self, reader: ServiceReader, node: YamlScalar, parents: tuple[str, ...]) -> ComposeFile | None:
        path = reader.replace_variables(node.text, "", node.line)
        if path is None:
            return None
        found = reader.file.open_included(path)
        if found is None:
            reader.report("", f"the included file {path} does not exist, or cannot be read", node.line)
        elif found.name in (*parents, reader.file.name):
            raise DcmcfgError(f"the file includes itself through {found.name}", subject=str(reader.locate(node.line)))
        elif len(parents) >= _MAX_DEPTH:
            raise DcmcfgError(
                f"a chain of include has more than {_MAX_DEPTH} files", subject=str(reader.locate(node.line))
            )
        return found

    def _read_service(
        self, file: ComposeFile, name: str, service: YamlMapping, parents: tuple[_Origin, ...]
    ) -> Container:
        """Return the service *name* of *file*, merged with the one that it extends; *parents* extend it."""
        reader = ServiceReader(file, self.problems)
        services = file.root.get_mapping(SERVICES_KEY)
        line = services.key_lines[name] if services else service.line
        self._service_count += 1
        if self._service_count > _MAX_SERVICES:
            raise DcmcfgError(f"the project has more than {_MAX_SERVICES} services", subject=str(reader.locate(line)))
        container = self._limit.add(reader.read_service(name, service, line))
        extended = service.values.get(_EXTENDS_KEY)
        if extended is None:
            return container
        line = service.key_lines[_EXTENDS_KEY]
        found = self._find_extended(reader, extended, line)
        if found is None:
            return container
        base_file, base_name, base = found
        origin = (file.name, name)
        if (base_file.name, base_name) in (*parents, origin) or len(parents) >= _MAX_DEPTH:
            raise DcmcfgError(
                f"service {name} extends itself, or a chain of extends has more than {_MAX_DEPTH} services",
                subject=str(reader.locate(line)),
            )
        inherited = self._read_service(base_file, base_name, base, (*parents, origin))
        return replace(_merge(inherited, container), location=container.location)

    def _find_extended(
        self, reader: ServiceReader, node: YamlNode, line: int
    ) -> tuple[ComposeFile, str, YamlMapping] | None:
        """Return file, name and content of the service that *node* names; reports a missing one."""
        path: str | None = None
        name: str | None = None
        if isinstance(node, YamlScalar):
            name = node.text
        elif isinstance(node, YamlMapping):
            name, path = node.get_text("service"), node.get_text("file")
        file: ComposeFile | None = reader.file
        if path is not None:
            written = reader.replace_variables(path, "", line)
            file = None if written is None else reader.file.open_extended(written)
            if file is None:
                reader.report("", f"{_EXTENDS_KEY}: the file {path} does not exist, or cannot be read", line)
                return None
        services = file.root.get_mapping(SERVICES_KEY) if file else None
        service = services.get_mapping(name) if services and name else None
        if file is None or name is None or service is None:
            reader.report("", f"{_EXTENDS_KEY}: there is no service {name or ''}".rstrip(), line)
            return None
        return file, name, service


def _merge(base: Container, later: Container) -> Container:
    """Return *base* with the values of *later*, a later definition of the same service, or one that extends it."""
    ports: tuple[PublishedPort, ...] | None = None
    if base.published_ports is not None and later.published_ports is not None:
        ports = tuple(dict.fromkeys((*base.published_ports, *later.published_ports)))
    return replace(
        base,
        name=later.name,
        label=later.label,
        image=later.image or base.image,
        variables={**base.variables, **later.variables},
        published_ports=ports,
        host_names=base.host_names | later.host_names,
    )
