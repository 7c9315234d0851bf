"""Read the files of the environment of the archive's containers. Kept apart: dcmcfg.environment reads no files."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from dcmcfg.environment.compose import ComposeFile
from dcmcfg.environment.compose_project import INCLUDE_KEY, SERVICES_KEY, read_compose
from dcmcfg.environment.container import Container, Environment
from dcmcfg.environment.dotenv import read_dotenv
from dcmcfg.environment.kubernetes import Manifest, list_manifests, read_manifests
from dcmcfg.environment.yaml_documents import YamlMapping, YamlNode, read_documents
from dcmcfg.errors import DcmcfgError
from dcmcfg.files.ldif import STDIN
from dcmcfg.files.read_failures import build_read_failure
from dcmcfg.schema.findings import SourceLocation

_MAX_OCTETS = 1024 * 1024
_YAML_SUFFIXES = (".yml", ".yaml", ".json")
_DOTENV = ".env"
#: The files that Docker Compose reads without ``-f``, and the ones that it merges with them: the first one of each.
_COMPOSE_NAMES = ("compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml")
_OVERRIDE_NAMES = tuple(f"{stem}.override{end}" for stem in ("compose", "docker-compose") for end in (".yml", ".yaml"))
_MAX_COMPOSE_FILES = 100


def read_environments(paths: Sequence[Path]) -> tuple[Environment, ...]:
    """Return the environments of the files *paths*; the Kubernetes manifests of all files are one environment.

    A folder stands for the Compose files and manifests among its YAML files. Variables in a Docker Compose file come
    from the file ``.env`` in the same folder. Raises :class:`DcmcfgError` for a file that cannot be read, is too large,
    or is of another kind.
    """
    found: list[Environment] = []
    manifests: list[Manifest] = []
    files = _ComposeFiles()
    listed = {file: each.is_dir() for each in paths for file in _list_files(each)}
    for path, is_in_folder in ((each, listed[each]) for each in _leave_out_overrides(tuple(listed))):
        name = "standard input" if str(path) == STDIN else str(path)
        text = _read_text(path, name)
        if _is_dotenv(path):
            found.append(_build_dotenv(name, text))
            continue
        documents = _read_yaml(path, name, text)
        objects = tuple(list_manifests(name, documents))
        composed = [each for each in documents if isinstance(each, YamlMapping) and _is_compose(each)]
        if objects:
            manifests += objects
        elif composed:
            found += (_read_compose(path, name, each, files) for each in composed)
        elif path.suffix.lower() not in _YAML_SUFFIXES and documents:
            found.append(_build_dotenv(name, text))
        elif not is_in_folder:
            raise DcmcfgError(
                "not a Docker Compose file, a .env file or a Kubernetes manifest",
                subject=name,
                next_step="a Docker Compose file has the key 'services'; a Kubernetes manifest has the keys "
                "'apiVersion' and 'kind'",
            )
    if not found and not manifests:
        raise DcmcfgError(
            "the folder has no Docker Compose file and no Kubernetes manifest", subject=", ".join(map(str, paths))
        )
    return (*found, *([read_manifests(manifests)] if manifests else []))


def _is_compose(root: YamlMapping) -> bool:
    return SERVICES_KEY in root.values or INCLUDE_KEY in root.values


def _list_files(path: Path) -> tuple[Path, ...]:
    if not path.is_dir():
        return (path,)
    files = tuple(sorted(each for each in path.iterdir() if each.suffix.lower() in _YAML_SUFFIXES[:2]))
    if not files:
        raise DcmcfgError("the folder has no YAML files", subject=str(path))
    return files


def _read_text(path: Path, name: str) -> str:
    try:
        if str(path) == STDIN:
            octets = sys.stdin.buffer.read(_MAX_OCTETS + 1)
        else:
            with path.open("rb") as file:
                octets = file.read(_MAX_OCTETS + 1)
        if len(octets) > _MAX_OCTETS:
            raise DcmcfgError(f"the file is larger than {_MAX_OCTETS >> 20} MiB", subject=name)
        return octets.decode("utf-8-sig")
    except OSError as error:
        raise build_read_failure(error, path, DcmcfgError, name=name) from error
    except UnicodeDecodeError as error:
        raise DcmcfgError(
            "the file is not UTF-8", subject=name, next_step="save the file with the encoding UTF-8"
        ) from error


def _is_dotenv(path: Path) -> bool:
    return path.name.startswith(_DOTENV) or path.suffix.lower() == _DOTENV


def _read_yaml(path: Path, name: str, text: str) -> tuple[YamlNode, ...]:
    try:
        return read_documents(name, text)
    except DcmcfgError:
        # Without a suffix of YAML, the file may be a .env file that is not YAML.
        if path.suffix.lower() in _YAML_SUFFIXES or str(path) == STDIN:
            raise
        return tuple(read_documents(name, '""'))


def _build_dotenv(name: str, text: str) -> Environment:
    variables = read_dotenv(name, text)
    container = Container(name="", label="", image=None, location=SourceLocation(name, 1), variables=variables)
    return Environment((container,), file=name)


def _read_compose(path: Path, name: str, root: YamlMapping, files: _ComposeFiles) -> Environment:
    """Return the services of the project; its override file is read as Docker Compose does without ``-f``."""
    folder = Path() if str(path) == STDIN else path.parent
    project = dict(_read_project(folder))
    override = _find_override(path)
    opened = None if override is None else files.open(override, project)
    return read_compose(files.build(name, root, folder, project), opened)


def _find_override(path: Path) -> Path | None:
    if path.name not in _COMPOSE_NAMES:
        return None
    return next((each for name in _OVERRIDE_NAMES if (each := path.with_name(name)).is_file()), None)


def _leave_out_overrides(paths: Sequence[Path]) -> tuple[Path, ...]:
    """Return *paths* without override files that are read together with another one of the paths."""
    read = {_find_override(each) for each in paths}
    return tuple(each for each in paths if each not in read)


class _ComposeFiles:
    """Opens the files of Docker Compose projects, each once."""

    def __init__(self) -> None:
        self._roots: dict[Path, YamlMapping | None] = {}

    def build(self, name: str, root: YamlMapping, folder: Path, project: Mapping[str, str | None]) -> ComposeFile:
        """Return the file *name* in *folder* with its document *root*, whose variables *project* replaces."""

        def read_file(written: str) -> tuple[str, str] | None:
            file = folder / written
            try:
                return str(file), _read_text(file, str(file))
            except DcmcfgError:
                return None

        def open_included(written: str) -> ComposeFile | None:
            file = folder / written
            # The variables of the included project's own folder count where the including project sets none.
            return self.open(file, {**dict(_read_project(file.parent)), **project})

        return ComposeFile(
            name=name,
            root=root,
            project=project,
            read_file=read_file,
            open_extended=lambda written: self.open(folder / written, project),
            open_included=open_included,
        )

    def open(self, file: Path, project: Mapping[str, str | None]) -> ComposeFile | None:
        """Return *file*; None if it does not exist. Raises :class:`DcmcfgError` if it is no Compose file."""
        file = Path(os.path.normpath(file))
        if file not in self._roots:
            if len(self._roots) >= _MAX_COMPOSE_FILES:
                raise DcmcfgError(
                    f"the Docker Compose projects have more than {_MAX_COMPOSE_FILES} files", subject=str(file)
                )
            self._roots[file] = _read_compose_root(file) if file.is_file() else None
        root = self._roots[file]
        return None if root is None else self.build(str(file), root, file.parent, project)


def _read_compose_root(file: Path) -> YamlMapping:
    documents = read_documents(str(file), _read_text(file, str(file)))
    found = next((each for each in documents if isinstance(each, YamlMapping)), None)
    if found is None:
        raise DcmcfgError("not a Docker Compose file", subject=str(file))
    return found


def _read_project(folder: Path) -> Iterator[tuple[str, str | None]]:
    file = folder / _DOTENV
    if file.is_file():
        for variable in read_dotenv(str(file), _read_text(file, str(file))).values():
            yield variable.name, variable.value
