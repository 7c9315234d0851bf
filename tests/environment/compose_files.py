"""Docker Compose files from texts."""

from __future__ import annotations

from collections.abc import Mapping

from dcmcfg.environment.compose import ComposeFile
from dcmcfg.environment.yaml_documents import YamlMapping, read_documents


def make_compose_file(
    name: str,
    text: str,
    project: Mapping[str, str | None] | None = None,
    files: Mapping[str, str] | None = None,
) -> ComposeFile:
    """Return the file *name* with *text* and *project* variables; *files* are the files that it may name."""
    (root,) = read_documents(name, text)
    assert isinstance(root, YamlMapping)
    contents = files or {}

    def open_file(path: str) -> ComposeFile | None:
        return make_compose_file(path, contents[path], project, files) if path in contents else None

    return ComposeFile(
        name=name,
        root=root,
        project=project or {},
        read_file=lambda path: (path, contents[path]) if path in contents else None,
        open_extended=open_file,
        open_included=open_file,
    )
