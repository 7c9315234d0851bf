"""The schemas by command. The files of the schemas are also the source of ``docs/reference/json.md``."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from importlib import resources
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

Schema = dict[str, Any]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_REFERENCE_PREFIX = "#/$defs/"
_CHANGE = ("change",)

#: The command line with the file that no command prints.
EVIDENCE_FILE = "verify --evidence FILE.json"
#: Command, as in ``dcmcfg COMMAND``, → the objects that it prints with ``--json``.
OBJECTS_BY_COMMAND: Mapping[str, tuple[str, ...]] = {
    "--version": ("version",),
    "status": ("status", "node_statuses", "replicas"),
    "show": ("device",),
    "find": ("search",),
    "get": ("values",),
    "explain": ("attribute",),
    "set-external-retrieve": _CHANGE,
    "set": _CHANGE,
    "unset": _CHANGE,
    "edit": _CHANGE,
    "ae list": ("ae_list",),
    "ae show": ("ae",),
    "ae add": _CHANGE,
    "ae set": _CHANGE,
    "ae rename": _CHANGE,
    "ae remove": _CHANGE,
    "device list": ("device_list",),
    "device show": ("device",),
    "device create": _CHANGE,
    "device clone": _CHANGE,
    "device set": _CHANGE,
    "device rename": _CHANGE,
    "device remove": _CHANGE,
    "connection list": ("connection_list",),
    "connection show": ("connection",),
    "connection add": _CHANGE,
    "connection set": _CHANGE,
    "connection remove": _CHANGE,
    "capability list": ("capabilities",),
    "capability show": ("capabilities",),
    "capability add": _CHANGE,
    "capability set": _CHANGE,
    "capability remove": _CHANGE,
    "capability copy": _CHANGE,
    "capability diff": ("capability_diff",),
    "rename exporter": _CHANGE,
    "rename queue": _CHANGE,
    "rename storage": _CHANGE,
    "rename view": _CHANGE,
    "rename web-app": _CHANGE,
    "import": _CHANGE,
    "check": ("check", "rules", "change"),
    "monitor": ("monitor",),
    "export-ldif": ("entries", "exported_file"),
    "diff": ("diff",),
    "apply": _CHANGE,
    "snapshot": ("snapshot",),
    "restore": _CHANGE,
    "upgrade status": ("upgrade_status",),
    "upgrade schema": ("schema_update", "schema_revert"),
    "upgrade plan": ("upgrade_plan",),
    "upgrade apply": _CHANGE,
    "upgrade gap": ("upgrade_gap",),
    "history": ("history", "rollout"),
    "undo": _CHANGE,
    "blame": ("blame",),
    "route": ("route",),
    "echo": ("echo", "echo_matrix"),
    "map": ("map",),
    "work-order": ("work_order",),
    "verify": ("verify", "verify_studies", "removed_destinations"),
    EVIDENCE_FILE: ("evidence",),
    "results list": ("result_stores",),
    "results clear": ("deleted_result_stores",),
    "reload": ("reload", "node_reloads"),
    "token": ("token",),
    "config list": ("profile_list",),
    "config show": ("site_settings",),
    "config set": ("profile_edit",),
    "config unset": ("profile_edit",),
    "config nodes": ("nodes", "proposed_nodes"),
    "config use": ("profile_selection",),
    "config path": ("profile_path",),
    "lab up": ("lab",),
    "lab status": ("lab",),
    "lab down": ("lab_down",),
    "lab demo": ("lab_demo",),
    "completion": ("completion",),
    "help": ("help_command", "help_topic"),
}
#: The part that every object of a failed command has.
ERROR = "error"


def list_objects() -> tuple[str, ...]:
    """Return the names of all objects, in the order of their commands."""
    return tuple(dict.fromkeys(name for objects in OBJECTS_BY_COMMAND.values() for name in objects))


def list_parts() -> tuple[str, ...]:
    """Return the names of all parts, sorted."""
    return tuple(sorted(path.name.removesuffix(".json") for path in _folder("parts").iterdir()))


def read_definition(name: str) -> Schema:
    """Return the schema of the object or the part *name*, as in its file: references point to other definitions.

    Raises :class:`FileNotFoundError` if there is neither.
    """
    path = _folder("objects").joinpath(f"{name}.json")
    if not path.is_file():
        path = _folder("parts").joinpath(f"{name}.json")
    definition: Schema = json.loads(path.read_bytes())
    return definition


def _folder(name: str) -> Traversable:
    return resources.files(__package__).joinpath(name)


def make_command_schema(command: str) -> Schema:
    """Return the schema (JSON Schema 2020-12) of the output of *command* with ``--json``, complete in itself.

    Raises :class:`KeyError` for a command without ``--json``.
    """
    names = OBJECTS_BY_COMMAND[command]
    objects = [_allow_failure(read_definition(name)) for name in names]
    head = {"$schema": _DIALECT, "title": f"dcmcfg {command}" + ("" if command == EVIDENCE_FILE else " --json")}
    schema = head | (objects[0] if len(objects) == 1 else {"anyOf": objects})
    return schema | {"$defs": _collect_definitions(objects)}


def _allow_failure(definition: Schema) -> Schema:
    """Return the schema of the same object that may also be that of a failed command.

    It then has ``error``, and the other keys as far as they were known.
    """
    content = dict(definition)
    required = content.pop("required")
    content["properties"] = {**content["properties"], ERROR: {"$ref": f"{_REFERENCE_PREFIX}{ERROR}"}}
    return content | {"if": {"required": [ERROR]}, "else": {"required": required}}


def _collect_definitions(schemas: list[Schema]) -> Schema:
    found: Schema = {}
    waiting = [name for schema in schemas for name in list_references(schema)]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = read_definition(name)
            waiting += list_references(found[name])
    return dict(sorted(found.items()))


def list_references(schema: object) -> Iterator[str]:
    """Yield the names of the definitions to which *schema* refers."""
    match schema:
        case {"$ref": str(reference)}:
            yield reference.removeprefix(_REFERENCE_PREFIX)
        case dict():
            for value in schema.values():
                yield from list_references(value)
        case list():
            for value in schema:
                yield from list_references(value)
