"""The interfaces of packages: exports exist, are documented and load lazily; the examples of the page run."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
import runpy
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

import dcmcfg
from dcmcfg.lab.move_scp import MoveResponse
from dcmcfg.lab.tree import load_site_entries
from dcmcfg.ldif.writer import VERSION_LINE, format_entry
from tests.dicom.dcmtk import make_instances
from tests.test_docstrings import resolves
from tests.verify.conftest import PORTS
from tests.verify.scripted_archive import scripted_archive

PACKAGES = ("ldif", "lint", "plan", "route", "verify")
CODE = Path(dcmcfg.__file__).parent
PAGE = (CODE.parent / "docs" / "reference" / "python-api.md").read_text("utf-8")
#: What the device of the archive is changed to by ``change.ldif`` of the examples.
CHANGE = """\
dn: dicomDeviceName=dcm4chee-arc,cn=Devices,cn=DICOM Configuration,dc=dcm4che,dc=org
changetype: modify
replace: dcmExternalRetrieveAEDestination
dcmExternalRetrieveAEDestination: DCM4CHEE
-

"""
find_comment = runpy.run_path(str(CODE.parent / "docs" / "generate.py"))["find_comment"]


def exports(name: str) -> dict[str, object]:
    package = importlib.import_module(f"dcmcfg.{name}")
    return {each: getattr(package, each) for each in package.__all__}


def typed_imports(name: str) -> list[str]:
    """Return what a type checker sees: the names that the package imports from its own modules."""
    tree = ast.parse((CODE / name / "__init__.py").read_text("utf-8"))
    return sorted(
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(f"dcmcfg.{name}.")
        for alias in node.names
    )


@pytest.mark.parametrize("name", PACKAGES)
def test_every_export_exists_and_is_documented(name: str) -> None:
    found = exports(name)
    assert len(found) > 5
    for each, value in found.items():
        documented = inspect.isfunction(value) or inspect.isclass(value)
        assert inspect.getdoc(value) if documented else find_comment(f"dcmcfg.{name}", each), each
        assert f"| `{each}" in PAGE.partition(f"<!-- generated: dcmcfg.{name} -->")[2].partition("<!-- end -->")[0]


@pytest.mark.parametrize("name", PACKAGES)
def test_a_type_checker_sees_the_same_names(name: str) -> None:
    package = importlib.import_module(f"dcmcfg.{name}")
    assert typed_imports(name) == sorted(package.__all__)
    assert set(package.__all__) <= set(dir(package))
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        package.nothing  # noqa: B018 — the access is what is tested


@pytest.mark.parametrize("name", PACKAGES)
def test_no_export_has_the_name_of_a_module(name: str) -> None:
    """The import of such a module would put the module in the place of the export."""
    modules = {each.name for each in pkgutil.iter_modules([str(CODE / name)])}
    assert not modules & set(exports(name))


@pytest.mark.parametrize("name", PACKAGES)
def test_what_an_export_takes_and_returns_is_exported_too(name: str) -> None:
    found = exports(name)
    for each, value in found.items():
        if not (inspect.isfunction(value) or inspect.isclass(value)):
            continue
        module = importlib.import_module(value.__module__)
        words = {word for text in inspect.get_annotations(value).values() for word in re.findall(r"\w+", str(text))}
        named = [vars(module)[word] for word in words if isinstance(vars(module).get(word), type)]
        own = {one.__name__ for one in named if one.__module__.startswith(f"dcmcfg.{name}.")}
        assert own <= set(found), each


@pytest.mark.parametrize("name", PACKAGES)
def test_the_import_of_a_package_loads_nothing(name: str) -> None:
    code = f"import sys; before = set(sys.modules); import dcmcfg.{name}; print(*sorted(set(sys.modules) - before))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    ours = [each for each in result.stdout.split() if each.startswith("dcmcfg")]
    assert set(ours) == {"dcmcfg", f"dcmcfg.{name}", "dcmcfg.lazy_exports"}


def test_a_small_module_does_not_load_its_package() -> None:
    code = (
        "import sys; from dcmcfg.plan import PlanStep; from dcmcfg.route import NO_EXTERNAL_ARCHIVE; "
        "print(*sys.modules)"
    )
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "dcmcfg.plan.plan" in loaded
    assert not {"dcmcfg.plan.tree_diff", "dcmcfg.plan.risk_checks", "dcmcfg.route.route"} & set(loaded)


def test_the_other_names_of_the_page_exist() -> None:
    names = re.findall(r"`(dcmcfg\.[\w.]+)`", PAGE)
    assert len(names) > 5
    assert [each for each in names if not resolves("dcmcfg", None, each)] == []


def test_the_examples_of_the_page_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    examples = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    assert len(examples) == len(PACKAGES)
    made = make_instances(tmp_path / "made")
    refusal = MoveResponse(0xA801, failed=3)
    with scripted_archive(made, lambda _: refusal) as archive:
        site = load_site_entries(replace(PORTS, archive=archive.port))
        Path("site.ldif").write_text(VERSION_LINE + "\n" + "".join(map(format_entry, site)), "utf-8")
        Path("change.ldif").write_text(CHANGE, "utf-8")
        names: dict[str, object] = {}
        for example in examples:
            exec(compile(example, "docs/reference/python-api.md", "exec"), names)
    printed = capsys.readouterr().out
    assert "changetype: modify" in printed
    assert "broken.ldif:2" in printed
    assert printed.count("\ncontrol: ") == 2  # the plan and its undo assert what was read
    assert "objects that the external archive sends straight to the destination" in printed
    assert re.search(r"^False .*A801", printed, re.MULTILINE)
