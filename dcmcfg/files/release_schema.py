"""Read the four schema files of an archive release, from its folder or zip file."""

from __future__ import annotations

from pathlib import Path

from dcmcfg.errors import AmbiguousName, NotFound
from dcmcfg.files.release import find_files, read_file, read_zip, unpack_file
from dcmcfg.schema.directives import parse_directives
from dcmcfg.upgrade.release import format_version, parse_version
from dcmcfg.upgrade.schema.release_schema import SCHEMA_NAMES, ReleaseSchema, make_schema_file

_ENDINGS = (".schema", ".schema.gz")
_FILE_NAMES = tuple(f"{name}.schema" for name in SCHEMA_NAMES)


def read_release_schema(folder: Path) -> ReleaseSchema:
    """Return the schema of the release in *folder*: its folder, one above or the folder ``schema``, or its zip file.

    Raises :class:`NotFound` if a schema file is missing, :class:`AmbiguousName` if there are several schemas, and
    :class:`~dcmcfg.errors.MalformedInput` if one cannot be parsed.
    """
    files, prefix = _find_schema_files(folder)
    missing = [name for name in _FILE_NAMES if name not in files]
    if missing:
        raise NotFound(
            f"the schema of the release is not complete. Missing files: {', '.join(missing)}",
            subject=str(folder),
            next_step=f"specify the folder or ZIP file of a release with the files {', '.join(_FILE_NAMES)}",
        )
    parsed = tuple(
        make_schema_file(name, parse_directives(files[file], file))
        for name, file in zip(SCHEMA_NAMES, _FILE_NAMES, strict=True)
    )
    above = folder.absolute()
    names = (*prefix.split("/")[::-1], above.name, above.parent.name, above.parent.parent.name)
    version = next(filter(None, map(parse_version, names)), None)
    paths = tuple(f"{folder}/{prefix}{file}" for file in _FILE_NAMES)
    return ReleaseSchema(format_version(version) if version is not None else str(folder), parsed, paths)


def _find_schema_files(folder: Path) -> tuple[dict[str, bytes], str]:
    """Return the schema files by name, and the path of their folder below *folder*: empty, or with a slash."""
    if not folder.is_file():
        paths = find_files(folder, lambda name: name.endswith(_ENDINGS))
        prefix = _find_prefix(list(paths), str(folder))
        found = {path: read_file(file) for path, file in paths.items() if path.rpartition("/")[0] == prefix.rstrip("/")}
    else:
        content = read_zip(folder, lambda name: name.endswith(_ENDINGS))
        prefix = _find_prefix(list(content), str(folder))
        found = {path: octets for path, octets in content.items() if path.rpartition("/")[0] == prefix.rstrip("/")}
    files: dict[str, bytes] = {}
    for path, octets in sorted(found.items(), key=lambda item: not item[0].endswith(".gz")):
        name = path.rpartition("/")[2]
        files[name.removesuffix(".gz")] = unpack_file(octets, name, folder) if name.endswith(".gz") else octets
    return files, prefix


def _find_prefix(paths: list[str], folder: str) -> str:
    """Return the uppermost folder in *paths* that holds most of the four schema files: empty, or with a slash."""
    counts: dict[str, int] = {}
    for path in paths:
        parent, _, name = path.rpartition("/")
        if name.removesuffix(".gz") in _FILE_NAMES:
            counts[parent] = counts.get(parent, 0) + 1
    ranked = sorted(counts, key=lambda each: (-counts[each], each.count("/")))
    first = [each for each in ranked if (counts[each], each.count("/")) == (counts[ranked[0]], ranked[0].count("/"))]
    if len(first) > 1:
        raise AmbiguousName(
            "the folder contains the schemas of several releases",
            subject=folder,
            next_step=f"specify one release, for example {folder}/{first[0]}",
        )
    return f"{first[0]}/" if first and first[0] else ""
