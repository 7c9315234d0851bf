"""Docstrings: each Sphinx role names something that exists, and each small module says why it is kept apart."""

from __future__ import annotations

import ast
import builtins
import importlib
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import dcmcfg

ROOT = Path(dcmcfg.__file__).parent
ROLE = re.compile(r":(func|class|data|meth|attr|mod|exc|obj):`~?([^`]+)`")
#: A module with fewer lines has a reason to stand alone.
SMALL = 40


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path.read_text("utf-8") for path in sorted(ROOT.rglob("*.py"))}


def roles(source: str) -> Iterator[tuple[str | None, int, str]]:
    """Yield (enclosing class, line, target) of each role in *source*, comments included."""
    classes = [
        (node.lineno, node.end_lineno or node.lineno, node.name)
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ClassDef)
    ]
    for match in ROLE.finditer(source):
        line = source.count("\n", 0, match.start()) + 1
        inside = [(start, name) for start, end, name in classes if start <= line <= end]
        yield (max(inside)[1] if inside else None), line, match[2].removesuffix("()")


def resolves(module: str, owner: str | None, target: str) -> bool:
    """Return whether *target* is a name of the class *owner*, of *module*, of Python, or an absolute one."""
    home = importlib.import_module(module)
    if owner is not None and _has(getattr(home, owner, None), target):
        return True
    return _has(home, target) or _has(builtins, target) or _is_absolute(target)


def _has(value: object, path: str) -> bool:
    """Return whether *value* has the attributes of *path*, those of instances included."""
    for name in path.split(".") if path else ():
        if not hasattr(value, name) and not (isinstance(value, type) and _is_instance_attribute(value, name)):
            return False
        value = getattr(value, name, None)
    return True


def _is_instance_attribute(value: type, name: str) -> bool:
    """Return whether objects of the class *value* have *name*: annotated in the class, or assigned in ``__init__``."""
    own = [each for each in value.__mro__ if each.__module__.startswith("dcmcfg")]
    return any(
        name in vars(each).get("__annotations__", {}) or re.search(rf"self\.{name}\b.* = ", inspect.getsource(each))
        for each in own
    )


def _is_absolute(target: str) -> bool:
    parts = target.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:length]))
        except ImportError:
            continue
        return _has(found, ".".join(parts[length:]))
    return False


@pytest.mark.parametrize("module", [name for name, text in MODULES.items() if ROLE.search(text)])
def test_every_role_names_something_that_exists(module: str) -> None:
    missing = [
        f"line {line}: {target}"
        for owner, line, target in roles(MODULES[module])
        if not resolves(module, owner, target)
    ]
    assert not missing, "\n".join(missing)


def test_a_role_without_a_target_is_found() -> None:
    text = 'class A:\n    """See :meth:`gone` and\n    :func:`roles`."""\n'
    assert list(roles(text)) == [("A", 2, "gone"), ("A", 3, "roles")]
    assert not resolves("dcmcfg.dn", "DN", "gone")
    assert not resolves("dcmcfg.dn", None, "dcmcfg.dn.DN.gone")
    assert not resolves("dcmcfg.dn", None, "dcmcfg.gone")
    assert resolves("dcmcfg.dn", "DN", "rdns")
    assert resolves("dcmcfg.dn", None, "DN.parse")
    assert resolves("dcmcfg.dn", None, "dcmcfg.dn.RDN")


@pytest.mark.parametrize(
    "module",
    [
        name
        for name, text in MODULES.items()
        if len(text.splitlines()) < SMALL
        and not name.endswith("__main__")
        and not (ROOT.parent / name.replace(".", "/")).is_dir()
    ],
)
def test_a_small_module_says_why_it_is_kept_apart(module: str) -> None:
    text = ast.get_docstring(ast.parse(MODULES[module])) or ""
    reason = text.partition("Kept apart: ")[2].partition("\n\n")[0]
    assert len(reason.split()) > 3, "say 'Kept apart: …' with the reason (start-up, cycle), or fold the module"
