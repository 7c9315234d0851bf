"""The schemas of the JSON objects: valid, complete, and used; ``tests/cli`` holds real outputs to them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, get_args

import click
import pytest
from jsonschema import Draft202012Validator

from dcmcfg.archive.archive_state import ServiceState
from dcmcfg.archive.token_check import TokenOutcome
from dcmcfg.bulk.study_result import VerificationOutcome
from dcmcfg.cli.main import program
from dcmcfg.connectivity.call import CallStage
from dcmcfg.errors import DcmcfgError
from dcmcfg.lab.demo import DemoResult
from dcmcfg.lint.catalogue import CHECK_RULES
from dcmcfg.model.device_cluster import ClusterMember
from dcmcfg.nodes.confirmation import ConfirmationState
from dcmcfg.nodes.replicas import ReplicaState
from dcmcfg.nodes.run import NodeResult
from dcmcfg.render.check import rules_json
from dcmcfg.render.config import proposed_nodes_json
from dcmcfg.render.json_schemas.catalogue import (
    EVIDENCE_FILE,
    OBJECTS_BY_COMMAND,
    list_objects,
    list_parts,
    list_references,
    make_command_schema,
    read_definition,
)
from dcmcfg.render.lab import demo_json
from dcmcfg.render.node_status import NodeStatus, node_statuses_json
from dcmcfg.render.nodes import nodes_json
from dcmcfg.rollout.history import RolloutStatus
from dcmcfg.rollout.reload_result import RecordedReloadOutcome
from dcmcfg.route.path import PathOutcome
from dcmcfg.route.request import StudyState
from dcmcfg.schema.findings import PARTS, SEVERITIES, Impact
from dcmcfg.verify.local_files import FileLocality
from dcmcfg.verify.verdict import ReceiptFinding, RouteFinding
from tests.json_schemas import find_problems
from tests.render.test_json_keys import _found_keys

_PACKAGE = Path(__file__).parents[2] / "dcmcfg"
_DEFINITIONS = (*list_objects(), *list_parts())
#: A command for each list of objects: most commands that change the configuration print the same object.
_COMMANDS = tuple({objects: command for command, objects in OBJECTS_BY_COMMAND.items()}.values())
#: Keys of objects that map names to counts: no key of a schema.
_NAMES = frozenset({"pending"})


def _properties(schema: object) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each key of *schema* and of the objects in it, with its schema."""
    match schema:
        case dict():
            if isinstance(schema.get("properties"), dict):
                yield from schema["properties"].items()
            for value in schema.values():
                yield from _properties(value)
        case list():
            for value in schema:
                yield from _properties(value)


def _all_keys() -> set[str]:
    return {key for name in _DEFINITIONS for key, _ in _properties(read_definition(name))}


def _json_commands(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[str]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from _json_commands(command, (*path, name))
        elif command is not None and any("--json" in each.opts for each in command.params):
            yield " ".join((*path, name))


@pytest.mark.parametrize("command", _COMMANDS)
def test_the_schema_of_a_command_is_valid_and_complete(command: str) -> None:
    schema = make_command_schema(command)
    Draft202012Validator.check_schema(schema)
    assert set(list_references(schema)) == set(schema["$defs"])
    assert find_problems(schema, {"error": {"message": "m", "exit_code": 3, "subject": "", "next_step": ""}}) == []
    assert find_problems(schema, {"error": {"message": "m"}}) != []
    assert find_problems(schema, {}) != [], "a command that succeeds prints more than nothing"


def test_every_command_with_json_has_a_schema() -> None:
    assert set(_json_commands(program)) == set(OBJECTS_BY_COMMAND) - {"--version", EVIDENCE_FILE}


def test_every_file_is_used() -> None:
    folder = _PACKAGE / "render" / "json_schemas"
    assert {path.stem for path in (folder / "objects").iterdir()} == set(list_objects())
    used = {name for each in _DEFINITIONS for name in list_references(read_definition(each))}
    assert set(list_parts()) - used == {"error"}, "the error is added to each object"


@pytest.mark.parametrize("name", _DEFINITIONS)
def test_every_key_has_a_description(name: str) -> None:
    definition = read_definition(name)
    found = [(name, definition), *_properties(definition)]
    shape_only = {"base64", "octet_count", "octets", "secret"}
    missing = [key for key, each in found if not each.get("description", "").endswith(".") and key not in shape_only]
    assert missing == []


@pytest.mark.parametrize("name", _DEFINITIONS)
def test_no_object_has_other_keys(name: str) -> None:
    def open_objects(schema: object) -> Iterator[object]:
        match schema:
            case {"type": "object", **rest} if "additionalProperties" not in rest:
                yield schema
            case dict():
                for value in schema.values():
                    yield from open_objects(value)
            case list():
                for value in schema:
                    yield from open_objects(value)

    assert list(open_objects(read_definition(name))) == []


def _find_enumeration(path: str) -> set[str | None]:
    name, *keys = path.split(".")
    schema = read_definition(name)
    for key in keys:
        schema = schema["items"] if schema.get("type") == "array" else schema
        schema = schema["properties"][key]
    return set(schema["enum"])


@pytest.mark.parametrize(
    ("path", "values"),
    [
        ("status.state", [each.value for each in ServiceState]),
        ("node_statuses.nodes.state", [each.value for each in ServiceState]),
        ("reload.state", [*(each.value for each in ServiceState), None]),
        ("token.outcome", [each.value for each in TokenOutcome]),
        ("route.paths.state", [each.value for each in StudyState]),
        ("route.paths.outcome", [each.value for each in PathOutcome]),
        ("echo.aes.failed_stage", [*(each.value for each in CallStage), None]),
        ("rollout.result", [*(each.value for each in RolloutStatus), "in progress"]),
        ("rollout.reload.outcome", [each.value for each in RecordedReloadOutcome]),
        ("node.replica.state", [each.value for each in ReplicaState]),
        ("node.confirmation.state", [each.value for each in ConfirmationState]),
        ("verify.received.finding", [each.value for each in ReceiptFinding]),
        ("verify.route.finding", [each.value for each in RouteFinding]),
        ("verify.database.files_before", [each.value for each in FileLocality]),
        ("verify_studies.studies.outcome", [*(each.value for each in VerificationOutcome), "pending"]),
        ("finding.severity", SEVERITIES),
        ("finding.part", PARTS),
        ("rules.rules.part", PARTS),
        ("finding.impact", get_args(Impact)),
    ],
)
def test_the_values_of_a_key_are_those_of_the_code(path: str, values: Sequence[str | None]) -> None:
    assert _find_enumeration(path) == set(values)


def test_every_key_in_the_source_is_in_a_schema() -> None:
    keys = _all_keys()
    assert len(keys) > 400
    assert sorted((module, key) for module, key in _found_keys() if key not in keys | _NAMES) == []


def test_every_key_of_a_schema_is_in_the_source() -> None:
    source = "".join(path.read_text("utf-8") for path in _PACKAGE.rglob("*.py"))
    of_the_error = set(read_definition("error")["properties"])
    # The keys of the error and of --version are names of fields and of libraries.
    assert [key for key in sorted(_all_keys() - of_the_error) if f'"{key}"' not in source] == []


def test_the_objects_of_a_lab_with_nodes_are_those_of_the_schemas() -> None:
    # The other objects are printed in the tests of tests/cli.
    stopped = NodeStatus("east", "http://east", ServiceState.STOPPED, 0.1, message="m", next_step="n")
    failed = NodeStatus("west", "http://west", ServiceState.NOT_RUNNING)
    result = NodeResult(name="east", archive_url="http://east", ldap_url="ldap://pacs", error=DcmcfgError("m"))
    for command, content in (
        ("status", {"nodes": node_statuses_json([stopped, failed])}),
        ("reload", {"reloaded": False, "nodes": nodes_json([result])}),
        ("config nodes", proposed_nodes_json([ClusterMember("c", "east", "http://east")], {})),
        ("lab demo", demo_json(DemoResult(check_count=1, seconds=0.1, failure="f"))),
    ):
        assert find_problems(command, content) == []
        assert find_problems(command, {**content, "other": None}) != []


def test_a_missing_an_unknown_and_a_wrong_key_are_found() -> None:
    content = rules_json(CHECK_RULES[:2])
    assert find_problems("check", content) == []
    rule = content["rules"][1]
    problems = {
        "$.rules[1]: 'reason' is a required property": {key: rule[key] for key in rule if key != "reason"},
        "$.rules[1]: Additional properties are not allowed ('hint' was unexpected)": rule | {"hint": ""},
        "$.rules[1].fixable: 'yes' is not of type 'boolean'": rule | {"fixable": "yes"},
        "$.rules[1].severity: 'fatal' is not one of ['error', 'warning', 'note']": rule | {"severity": "fatal"},
    }
    for problem, changed in problems.items():
        assert find_problems("check", {"rules": [content["rules"][0], changed]}) == [problem]
    assert find_problems("reload", {"reloaded": True, "other": 1}) != []
    with pytest.raises(KeyError):
        make_command_schema("ae")
