"""The page of the environment variables names those that the code reads."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from dcmcfg.cli.help_pages.topics import get_topic
from dcmcfg.settings.sources import VARIABLES

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reference" / "environment-variables.md"
#: Variables that dcmcfg reads, and that nobody sets for dcmcfg → who sets them.
FOREIGN_VARIABLES = {
    "PATH": "the shell: programs of the lab are searched there",
    "COMP_LINE": "bash, while it completes a command",
    "DCMCFG_COMPLETE": "the completion scripts",
}


def _variables_in_the_source() -> Iterator[str]:
    """Yield each name that is a string constant ``DCMCFG_…``, or that is read from the environment."""
    for path in (ROOT / "dcmcfg").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            match node:
                case ast.Constant(value=str(name)) if re.fullmatch(r"_?DCMCFG_[A-Z_]+[A-Z]", name):
                    yield name.removeprefix("_")
                case ast.Call(
                    func=ast.Attribute(value=environment, attr="get"), args=[ast.Constant(value=str(name)), *_]
                ):
                    if ast.unparse(environment).endswith("environ"):
                        yield name
                case ast.Subscript(value=ast.Attribute(attr="environ"), slice=ast.Constant(value=str(name))):
                    yield name


def test_each_variable_that_the_code_reads_is_on_the_page() -> None:
    found = {*_variables_in_the_source(), *VARIABLES.values()}
    assert {"DCMCFG_LDAP_URL", "DCMCFG_DEBUG", "NO_COLOR", "COLUMNS"} <= found
    page = PAGE.read_text("utf-8")
    assert sorted(name for name in found - FOREIGN_VARIABLES.keys() if f"`{name}`" not in page) == []
    assert FOREIGN_VARIABLES.keys() <= found, "remove the others"


def test_each_variable_of_the_page_is_in_the_source() -> None:
    source = "".join(path.read_text("utf-8") for path in (ROOT / "dcmcfg").rglob("*.py"))
    of_the_platform = {"XDG_CONFIG_HOME", "XDG_STATE_HOME"}  # platformdirs reads them
    terms = {
        term for section in get_topic("environment").sections for row in section.rows for term in row[0].split(", ")
    }
    names = terms - set(VARIABLES.values()) - of_the_platform
    assert [name for name in names if source.count(f'"{name}"') < 1] == []
    assert len(names) > 8
