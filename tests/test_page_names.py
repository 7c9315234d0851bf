"""Each path and each name of the code in CONTRIBUTING.md and docs/project/design.md exists."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

import dcmcfg
from tests.test_docstrings import resolves

CODE = Path(dcmcfg.__file__).parent
ROOT = CODE.parent
PAGES = ("CONTRIBUTING.md", "docs/project/design.md")
#: What stands for a name that the reader chooses.
PLACEHOLDERS = ("NAME", "_NAME", "FILE")
#: Words in capitals that are values, not names of the code.
VALUES = frozenset({"NO"})
PATH = re.compile(r"[\w.*/-]+/|[\w.*/-]+\.(?:py|json|md|txt|csv|ldif)")
DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+")
NAME = re.compile(r"_?[A-Z]\w*|_[a-z]\w*|[a-z]+_[a-z_]+")


def quoted(page: str) -> list[str]:
    text = re.sub(r"```.*?```", "", (ROOT / page).read_text("utf-8"), flags=re.DOTALL)
    return re.findall(r"(?<!`)`([^`\n]+)`(?!`)", text)


@cache
def defined() -> frozenset[str]:
    """Return the names of all functions, classes and assignments of dcmcfg and its tests."""
    found = set()
    for path in (*CODE.rglob("*.py"), *(ROOT / "tests").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            match node:
                case ast.FunctionDef() | ast.ClassDef():
                    found.add(node.name)
                case ast.Name(ctx=ast.Store()):
                    found.add(node.id)
    return frozenset(found)


def exists(text: str) -> bool:
    """Return whether *text* is a path or a name that exists, or neither of them."""
    if any(each in text for each in PLACEHOLDERS) or text in VALUES or text.startswith("DCMCFG_"):
        return True
    if PATH.fullmatch(text):
        return any(any(base.glob(text)) for base in (ROOT, CODE))
    if DOTTED.fullmatch(text):
        first = text.partition(".")[0]
        return resolves("dcmcfg", None, f"dcmcfg.{text}") or resolves("dcmcfg", None, text) or _is_member(first, text)
    return not NAME.fullmatch(text) or text in defined()


def _is_member(owner: str, text: str) -> bool:
    """Return whether *text* is ``CLASS.member`` of a class of dcmcfg."""
    homes = [path for path in CODE.rglob("*.py") if re.search(rf"^class {owner}\b", path.read_text("utf-8"), re.M)]
    modules = [".".join(path.relative_to(ROOT).with_suffix("").parts) for path in homes]
    return any(resolves(module, None, text) for module in modules)


@pytest.mark.parametrize("page", PAGES)
def test_paths_and_names_on_the_page_exist(page: str) -> None:
    found = quoted(page)
    assert len(found) > 50
    assert [each for each in found if not exists(each)] == []


@pytest.mark.parametrize(
    "text", ["verify/judge.py", "lint/old_rules/", "errors.TryLater", "Survey.judged", "JUDGES", "_Planning"]
)
def test_a_name_that_does_not_exist_is_found(text: str) -> None:
    assert not exists(text)
