"""No function takes more than four positional arguments, and no value class is made from more."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

import dcmcfg

LIMIT = 4
#: These are made in great numbers, and a call of a class with keywords takes twice as long as one without (CPython
#: 3.11): in pairs of runs, with keywords all references of a tree took 8 % longer, all its AEs 7 %, and the bundled
#: schema 14 %.
EXCEPTIONS: Mapping[str, str] = {
    "model/devices.py: Connection": "made for each connection of a tree",
    "model/devices.py: NetworkAE": "made for each AE of a tree",
    "model/references/index.py: Reference": "made for each value that refers to something",
    "model/references/shapes.py: NameInValue": "made for each value that refers to something",
    "schema/definitions.py: AttributeType": "made for each attribute type at each start that reads a tree",
    "schema/definitions.py: ObjectClass": "made for each object class at each start that reads a tree",
}


def _is_value_class(node: ast.ClassDef) -> bool:
    names = {ast.unparse(each.func if isinstance(each, ast.Call) else each) for each in node.decorator_list}
    return "dataclass" in names or any(ast.unparse(base) == "NamedTuple" for base in node.bases)


def _positional_fields(node: ast.ClassDef) -> int:
    """Return how many fields the constructor takes by position."""
    if any("kw_only=True" in ast.unparse(each) for each in node.decorator_list):
        return 0
    number = 0
    for statement in node.body:
        if not isinstance(statement, ast.AnnAssign):
            continue
        annotation, text = ast.unparse(statement.annotation), ast.unparse(statement)
        if annotation == "KW_ONLY":
            break
        number += not annotation.startswith("ClassVar") and "init=False" not in text and "kw_only=True" not in text
    return number


def _called_name(call: ast.Call) -> str:
    """Return the last part of the name that is called: ``b`` for ``a.b(…)``."""
    match call.func:
        case ast.Name(name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


def _named_tuples(trees: Mapping[str, ast.Module]) -> frozenset[str]:
    """Return the names of the NamedTuples, which know no keyword-only field: their calls are looked at."""
    return frozenset(
        node.name
        for tree in trees.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and any(ast.unparse(base) == "NamedTuple" for base in node.bases)
    )


def find_long_signatures(trees: Mapping[str, ast.Module]) -> Iterator[str]:
    """Yield ``file: name`` for each function, class and call in *trees* (file → module) with too many positions."""
    tuples = _named_tuples(trees)
    for file, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                arguments = [each.arg for each in (*node.args.posonlyargs, *node.args.args)]
                number = len(arguments) - (arguments[:1] in (["self"], ["cls"]))
                name = getattr(node, "name", "lambda")
            elif isinstance(node, ast.ClassDef) and _is_value_class(node) and node.name not in tuples:
                number, name = _positional_fields(node), node.name
            elif isinstance(node, ast.Call) and _called_name(node) in tuples:
                number, name = len(node.args), _called_name(node)
            else:
                continue
            if number > LIMIT:
                yield f"{file}: {name}"


@pytest.mark.parametrize(
    "source",
    [
        "def f(a, b, c, d, e): ...",
        "def f(a, b, /, c, d, e=1, *, g): ...",
        "class A:\n    async def f(self, a, b, c, d, e): ...",
        "f = lambda a, b, c, d, e: a",
        "@dataclass\nclass A:\n    a: int\n    b: int\n    c: int\n    d: int\n    e: int = 1",
        "@dataclass()\nclass A:\n    a: int\n    b: int\n    c: int\n    d: int\n    e: int\n    _: KW_ONLY\n",
        "class A(NamedTuple):\n    a: int\n\nA(1, 2, 3, 4, 5)",
    ],
)
def test_a_made_up_breach_is_found(source: str) -> None:
    assert len(list(find_long_signatures({"a.py": ast.parse(source)}))) == 1


@pytest.mark.parametrize(
    "source",
    [
        "def f(a, b, c, d, *, e, g): ...",
        "class A:\n    def f(self, a, b, c, d, *e): ...",
        "@dataclass(frozen=True, kw_only=True)\nclass A:\n    a: int\n    b: int\n    c: int\n    d: int\n    e: int",
        "@dataclass\nclass A:\n    a: int\n    b: int\n    c: int\n    d: int\n    _: KW_ONLY\n    e: int",
        "class A(NamedTuple):\n    a: int\n\nA(1, 2, 3, 4, e=5)",
    ],
)
def test_a_made_up_module_in_order_has_no_breach(source: str) -> None:
    assert not list(find_long_signatures({"a.py": ast.parse(source)}))


def test_no_signature_is_longer_than_four_positions_but_for_the_exceptions() -> None:
    root = Path(dcmcfg.__file__).parent
    trees = {
        path.relative_to(root).as_posix(): ast.parse(path.read_text("utf-8")) for path in sorted(root.rglob("*.py"))
    }
    assert len(trees) > 10
    assert sorted(find_long_signatures(trees)) == sorted(EXCEPTIONS)
