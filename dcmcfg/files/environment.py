"""Read the files of the environment of the archive's containers. Kept apart: dcmcfg.environment reads no files."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from dcmcfg.environment.compose import SERVICES_KEY, read_compose
from dcmcfg.environment.container import Container, Environment
from dcmcfg.environment.dotenv import read_dotenv
from dcmcfg.environment.kubernetes import Manifest, list_manifests, read_manifests
from dcmcfg.environment.yaml_documents import YamlMapping, YamlNode, read_documents
from dcmcfg.errors import DcmcfgError
from dcmcfg.files.ldif import STDIN
from dcmcfg.schema.findings import SourceLocation

_MAX_OCTETS = 1024 * 1024
_YAML_SUFFIXES = (".yml", ".yaml", ".json")
_DOTENV = ".env"


def read_environments(paths: Sequence[Path]) -> tuple[Environment, ...]:
    """Return the environments of the files *paths*; the Kubernetes manifests of all files are one environment.

    A folder stands for the Compose files and manifests among its YAML files. Variables in a Docker Compose file come
    from the file ``.env`` in the same folder. Raises :class:`DcmcfgError` for a file that cannot be read, is too large,
    or is of another kind.
    """
    found: list[Environment] = []
    manifests: list[Manifest] = []
    for path, is_in_folder in ((file, each.is_dir()) for each in paths for file in _list_files(each)):
        name = "standard input" if str(path) == STDIN else str(path)
        text = _read_text(path, name)
        if _is_dotenv(path):
            found.append(_build_dotenv(name, text))
            continue
        documents = _read_yaml(path, name, text)
        objects = tuple(list_manifests(name, documents))
        composed = [each for each in documents if isinstance(each, YamlMapping) and SERVICES_KEY in each.values]
        if objects:
            manifests += objects
        elif composed:
            found += (_read_compose(path, name, each) for each in composed)
        elif path.suffix.lower() not in _YAML_SUFFIXES and documents:
            found.append(_build_dotenv(name, text))
        elif not is_in_folder:
            raise DcmcfgError(
                "not a Docker Compose file, a .env file or a Kubernetes manifest",
                subject=name,
                next_step="a Docker Compose file has the key services, a manifest has apiVersion and kind",
            )
    if not found and not manifests:
        raise DcmcfgError(
            "the folder has no Docker Compose file and no Kubernetes manifest", subject=", ".join(map(str, paths))
        )
    return (*found, *([read_manifests(manifests)] if manifests else []))


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
        raise DcmcfgError(f"cannot read the file ({error.strerror})", subject=name) from error
    except UnicodeDecodeError as error:
        raise DcmcfgError("the file is not UTF-8", subject=name) from error


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
    return Environment(
        (Container(name="", label="", image=None, location=SourceLocation(name, 1), variables=variables),)
    )


def _read_compose(path: Path, name: str, root: YamlMapping) -> Environment:
    folder = Path() if str(path) == STDIN else path.parent

    def read_file(written: str) -> tuple[str, str] | None:
        file = folder / written
        try:
            return str(file), _read_text(file, str(file))
        except DcmcfgError:
            return None

    return read_compose(name, root, dict(_read_project(folder)), read_file)


def _read_project(folder: Path) -> Iterator[tuple[str, str | None]]:
    file = folder / _DOTENV
    if file.is_file():
        for variable in read_dotenv(str(file), _read_text(file, str(file))).values():
            yield variable.name, variable.value
