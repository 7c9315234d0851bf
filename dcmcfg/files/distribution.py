"""List the files of a distribution beside its LDAP folder: scripts of the database, and files of WildFly."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from dcmcfg.upgrade.checklist import DistributionFiles

_DEFAULT_FILE = "default-config.ldif"
_FOLDERS = ("sql", "cli", "configuration")
_MAX_OCTETS = 4 * 1024 * 1024


def read_distribution(path: Path) -> DistributionFiles:
    """Return the files of the distribution that the release *path* belongs to: its folder, its LDAP folder, or a ZIP.

    A release without such files has none. Files that cannot be read are left out: they are only listed.
    """
    try:
        if path.is_file():
            with zipfile.ZipFile(path) as archive:
                return _sort_files(*_list_zip(archive))
        return _sort_files(*_list_folder(path))
    except (OSError, zipfile.BadZipFile, RuntimeError, ValueError):
        return DistributionFiles()


_Readers = Iterator[tuple[str, Callable[[], bytes]]]


def _list_zip(archive: zipfile.ZipFile) -> tuple[_Readers, Iterator[str]]:
    names = [each for each in archive.infolist() if not each.is_dir() and each.file_size <= _MAX_OCTETS]
    default = min(
        (each.filename for each in names if each.filename.rpartition("/")[2].startswith(_DEFAULT_FILE)),
        key=lambda each: each.count("/"),
        default="",
    )
    ldap = default.rpartition("/")[0]
    root = f"{ldap.rpartition('/')[0]}/" if "/" in ldap else ""
    inside = [each for each in names if each.filename.startswith(root)]
    return (
        ((each.filename.removeprefix(root), lambda each=each: archive.read(each)) for each in inside),
        (each.filename.removeprefix(f"{ldap}/" if ldap else "") for each in names if each.filename.startswith(ldap)),
    )


def _list_folder(path: Path) -> tuple[_Readers, Iterator[str]]:
    ldap = path if (path / _DEFAULT_FILE).exists() or (path / f"{_DEFAULT_FILE}.gz").exists() else path / "ldap"
    root = ldap.parent
    files = (
        each
        for folder in _FOLDERS
        for each in sorted((root / folder).rglob("*"))
        if each.is_file() and each.stat().st_size <= _MAX_OCTETS
    )
    updates = (each.relative_to(ldap).as_posix() for each in sorted(ldap.rglob("update-*.ldif")))
    return ((each.relative_to(root).as_posix(), each.read_bytes) for each in files), updates


def _sort_files(files: _Readers, updates: Iterator[str]) -> DistributionFiles:
    sql, cli, configuration = [], [], {}
    for path, read in files:
        folder = path.partition("/")[0]
        if folder == "sql" and path.rpartition("/")[2].startswith("update-"):
            sql.append(path)
        elif folder == "cli" and path.endswith(".cli"):
            cli.append(path)
        elif folder == "configuration":
            configuration[path] = hashlib.sha256(read()).hexdigest()
    return DistributionFiles(sql=tuple(sql), cli=tuple(cli), configuration=configuration, updates=tuple(updates))
