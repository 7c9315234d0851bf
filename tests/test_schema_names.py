"""The names of attributes and object classes have one home, and are those of the schema."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

import dcmcfg
from dcmcfg import schema_names
from dcmcfg.schema.definitions import load_bundled_schema

_PACKAGE = Path(dcmcfg.__file__).parent
_CONSTANTS = {name: value for name, value in vars(schema_names).items() if name.isupper()}
_SUFFIX = "_OBJECT_CLASS"
#: Modules that may spell any name, and why.
_EXCEPTIONS: Mapping[str, str] = {
    "schema_names.py": "the home",
    "model/references/attributes.py": "a table of more than a hundred attributes, most of which stand nowhere else",
    "model/references/kinds.py": "a table of object class, naming attribute and label",
    "nodes/endpoints.py": "a table of endpoint, object class and attribute",
    "schema/effect_timing.py": "a table of attribute, object class and effect",
    "topology/edge_kinds.py": "a table of attribute and kind of edge",
    "upgrade/report.py": "a table of attribute and reason to check its change",
    "schema/formats.py": "a table of attributes",
    "schema/slapd.py": "definitions of the standard's own schema, copied as they stand there",
    "secret_values.py": "a table of attribute and OID",
}
#: The lab plays the archive, which has these names from elsewhere. With our constants it would share our mistakes.
_LAB = "lab/"
#: Names that are words, too: keys of JSON, headings, parts of patterns.
_WORDS = frozenset({"c", "dc", "description", "l", "o", "ou", "sn", "st", "title", "uid"})


def _schema_names() -> dict[str, str]:
    schema = load_bundled_schema()
    names = [*(each.name for each in schema.attributes), *(each.name for each in schema.object_classes)]
    return {name.lower(): name for name in names}


def _literals(source: str) -> Iterator[tuple[int, str]]:
    """Yield line and text of each string that stands by itself: not a docstring, not a part of an f-string."""
    tree = ast.parse(source)
    within = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    within |= {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in within:
            yield node.lineno, node.value


def _duplicates(sources: Mapping[str, str]) -> list[str]:
    """Return one line for each name that *sources* (path → text) spell although it has a constant, or that several do.

    Spelled means in the schema's spelling or in lower case.
    """
    known, constants = _schema_names(), frozenset(_CONSTANTS.values())
    places: dict[str, dict[str, int]] = defaultdict(dict)
    for path, source in sources.items():
        for line, text in _literals(source):
            name = known.get(text.lower())
            if name is not None and text in (name, name.lower()) and text not in _WORDS:
                places[name].setdefault(path, line)
    return [
        f"{name}: {', '.join(f'{path}:{line}' for path, line in found.items())}"
        for name, found in sorted(places.items())
        if name in constants or len(found) > 1
    ]


@pytest.mark.parametrize("constant", sorted(_CONSTANTS))
def test_a_constant_is_a_name_of_the_schema(constant: str) -> None:
    schema, name = load_bundled_schema(), _CONSTANTS[constant]
    known = schema.object_class(name) if constant.endswith(_SUFFIX) else schema.attribute(name)
    assert known is not None
    assert known.name == name


@pytest.mark.parametrize("constant", sorted(_CONSTANTS))
def test_a_constant_is_called_as_its_name(constant: str) -> None:
    if constant in ("COMMON_NAME", "OBJECT_CLASS"):
        return
    called = constant.removesuffix(_SUFFIX).replace("_", "").lower()
    assert _CONSTANTS[constant].lower() in (called, f"dcm{called}")


def test_names_are_not_told_apart_by_nothing() -> None:
    assert len(set(_CONSTANTS.values())) == len(_CONSTANTS)


def test_a_name_stands_in_one_module() -> None:
    sources = {
        name: path.read_text("utf-8")
        for path in sorted(_PACKAGE.rglob("*.py"))
        if not (name := path.relative_to(_PACKAGE).as_posix()).startswith(_LAB) and name not in _EXCEPTIONS
    }
    assert len(sources) > 300
    found = _duplicates(sources)
    assert not found, "give it a constant in schema_names.py, or import that\n" + "\n".join(found)


@pytest.mark.parametrize("path", sorted(_EXCEPTIONS))
def test_an_exception_is_one(path: str) -> None:
    constants = frozenset(_CONSTANTS.values())
    assert any(text in constants for _, text in _literals((_PACKAGE / path).read_text("utf-8")))


@pytest.mark.parametrize(
    ("sources", "found"),
    [
        ({"a.py": 'x = "dcmExternalRetrieveAEDestination"'}, True),
        ({"a.py": 'x = "dicomaetitle"'}, True),
        ({"a.py": 'x = {"objectClass": 1}'}, True),
        ({"a.py": 'x = "dcmTrashSpaceMaxAge"'}, False),
        ({"a.py": 'x = "dcmUPSEventSCU"'}, False),
        ({"a.py": 'x = "dcmUPSEventSCU"', "b.py": 'y = ("dcmUPSEventSCU",)'}, True),
        ({"a.py": '"""dicomAETitle"""'}, False),
        ({"a.py": 'x = f"{y}dicomAETitle"'}, False),
        ({"a.py": 'x = "dicomAETitle of the AE"'}, False),
        ({"a.py": 'x = "title"', "b.py": 'x = "title"'}, False),
    ],
)
def test_the_rule_finds_what_it_is_about(sources: dict[str, str], found: bool) -> None:
    assert bool(_duplicates(sources)) is found
