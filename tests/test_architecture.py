"""The drawing of the house that cannot go stale: layers, cycles, where each third-party library is named.

The rules are read off the sources with ``ast``, nothing is imported. The first half of the tests is the
checker tried on made-up breaches, so that a checker that finds nothing cannot pass for a house in order.
"""

from __future__ import annotations

import ast
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import dcmcfg

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

#: Rooms from the ground up. A module may import from its own layer and from those below.
LAYERS: tuple[frozenset[str], ...] = (
    frozenset(
        {
            "",
            "errors",
            "dn",
            "entry",
            "changes",
            "aetitle",
            "limits",
            "suggestions",
            "timestamps",
            "ber",
            "garbage_collection",
            "lazy_exports",
            "network_address",
            "unsafe_names",
            "well_known_uids",
            "schema_names",
            "file_kinds",
            "zip_members",
            "unsigned_integer",
            "printable",
            "wrapping",
            "format_number",
            "protocol_log",
            "slow_response",
        }
    ),  # words; "" is dcmcfg/__init__.py
    frozenset({"ldif", "schema"}),  # text
    frozenset(
        {
            "model",
            "entry_draft",
            "pem",
            "secret_values",
            "edits",
            "plan",
            "lint",
            "search",
            "onboarding",
            "environment",
            "route",
            "upgrade",
            "topology",
        }
    ),  # core
    frozenset(
        {"directory", "archive", "dicom", "settings", "files", "private_folders", "shared_folders"}
        | {"peer_certificate", "tls_trust", "syslog"}
    ),  # edges
    frozenset({"lab"}),
    frozenset(
        {
            "rollout",
            "audit",
            "nodes",
            "snapshot",
            "verify",
            "bulk",
            "temporary",
            "connectivity",
            "monitoring",
            "onboard",
            "schema_update",
        }
    ),  # use cases
    frozenset({"render"}),
    frozenset({"cli", "__main__"}),
)
#: What the layers are called in ``docs/project/design.md``, which draws them, from the ground up.
LAYER_LABELS = (
    "words",
    "text, schema",
    "core: pure",
    "edges",
    "lab",
    "use cases: print nothing",
    "tables, JSON: rich",
    "commands: click",
)
#: The lab is a site to try things on. What works on real sites must not need it.
LAB_GUESTS = frozenset({"lab", "render", "cli"})
#: Third-party library → the rooms that may name it; what is not listed may be named nowhere.
LIBRARIES: Mapping[str, frozenset[str]] = {
    "ldap3": frozenset({"directory"}),
    "httpx": frozenset({"archive"}),
    "pynetdicom": frozenset({"lab"}),
    "pydicom": frozenset({"dicom", "lab"}),
    "rich": frozenset({"render"}),
    "click": frozenset({"cli"}),
    "platformdirs": frozenset({"settings"}),
    "tomlkit": frozenset({"settings"}),
    "psutil": frozenset({"dicom", "lab", "temporary"}),
    "xxhash": frozenset({"dicom"}),
    "jwt": frozenset({"archive", "lab"}),
    "keyring": frozenset({"settings"}),
    "cryptography": frozenset({"lint"}),
    "trustme": frozenset({"lab"}),
    "yaml": frozenset({"environment", "onboarding"}),
}
#: The core computes; what talks to the world outside is an edge.
OUTSIDE_WORLD = frozenset({"os", "shutil", "signal", "socket", "ssl", "subprocess", "tempfile", "urllib", "http"})
PURE = LAYERS[2]
#: What stands for a module whose name is computed.
UNKNOWN = "(computed)"
#: Module → the modules that it imports inside a function, because most runs do without them and would start slower:
#: each command's module only when that command runs, what completes options only when a shell asks, HTTP only when an
#: archive is asked, the keychain's library only when a secret is kept there, pydicom only when a file or text beyond
#: ASCII is read, cryptography only when the tree has certificates, and what a package exports only when somebody uses
#: the name. Such an import makes no cycle.
LAZY: Mapping[str, frozenset[str]] = {
    "dcmcfg.cli.command_loader": frozenset({UNKNOWN}),  # tests/cli/test_main.py loads each command
    "dcmcfg.cli.options.help_page": frozenset({"dcmcfg.cli.help_pages.page"}),
    "dcmcfg.cli.main": frozenset({"dcmcfg.cli.version"}),
    "dcmcfg.cli.options.site_settings": frozenset({"dcmcfg.cli.completers"}),
    "dcmcfg.cli.check": frozenset(
        {"dcmcfg.cli.session.archive_view", "dcmcfg.cli.session.change", "dcmcfg.cli.session.environment"}
    ),
    "dcmcfg.cli.completers": frozenset({"dcmcfg.cli.value_completion"}),
    "dcmcfg.cli.export_ldif": frozenset({"dcmcfg.render.values"}),
    "dcmcfg.cli.session.archive_database": frozenset({"dcmcfg.cli.session.database"}),
    "dcmcfg.cli.session.change_report": frozenset({"dcmcfg.settings.profile_edits"}),
    "dcmcfg.cli.config": frozenset({"dcmcfg.cli.session.node_proposals"}),
    "dcmcfg.cli.options.node_options": frozenset({"dcmcfg.cli.completers"}),
    "dcmcfg.cli.apply": frozenset({"dcmcfg.render.upgrade_commands"}),
    "dcmcfg.cli.monitor": frozenset({"dcmcfg.cli.completers"}),
    "dcmcfg.cli.session.change": frozenset({"dcmcfg.cli.session.node_run"}),
    "dcmcfg.cli.session.shared_history": frozenset({"dcmcfg.audit.change_auditor"}),
    "dcmcfg.cli.session.failures": frozenset({"dcmcfg.render.monitoring.nagios"}),
    "dcmcfg.cli.session.monitored_site": frozenset({"dcmcfg.cli.verify.evidence_options"}),
    "dcmcfg.monitoring.run": frozenset({"dcmcfg.monitoring.recall"}),
    "dcmcfg.cli.session.plan_assessment": frozenset({"dcmcfg.lint.catalogue"}),
    "dcmcfg.cli.status": frozenset({"dcmcfg.cli.session.node_status", "dcmcfg.cli.verify.leftovers"}),
    "dcmcfg.cli.verify.command": frozenset(
        {"dcmcfg.cli.verify.many_studies", "dcmcfg.cli.verify.temporary_destination"}
    ),
    "dcmcfg.cli.verify.many_studies": frozenset({"dcmcfg.cli.verify.evidence_files", "dcmcfg.cli.verify.report_files"}),
    "dcmcfg.cli.verify.one_study": frozenset({"dcmcfg.cli.verify.evidence_files", "dcmcfg.cli.verify.report_files"}),
    "dcmcfg.cli.verify.temporary_destination": frozenset(
        {"dcmcfg.cli.session.node_reload", "dcmcfg.cli.session.node_run"}
    ),
    "dcmcfg.lint.certificates": frozenset({"cryptography"}),
    "dcmcfg.settings.keychain": frozenset({"keyring", "keyring.errors"}),
    "dcmcfg.dicom.pydicom_lazy": frozenset({UNKNOWN}),
    "dcmcfg.lazy_exports": frozenset({UNKNOWN}),
}


@dataclass(frozen=True)
class Import:
    """A module (dotted name) named by an import statement, and whether that stands inside a function."""

    target: str
    line: int
    in_function: bool


class _Imports(ast.NodeVisitor):
    def __init__(self, package: str, known: frozenset[str]) -> None:
        self.package = package
        self.known = known
        self.depth = 0
        self.found: list[Import] = []

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._add(alias.name, node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        base = node.module or ""
        if node.level:
            above = self.package.split(".")[: len(self.package.split(".")) - node.level + 1]
            base = ".".join([*above, *([node.module] if node.module else [])])
        for alias in node.names:
            submodule = f"{base}.{alias.name}"
            self._add(submodule if submodule in self.known else base, node)

    def visit_Call(self, node: ast.Call) -> None:
        if ast.unparse(node.func) in {"__import__", "import_module", "importlib.import_module"}:
            argument = node.args[0] if node.args else None
            name = argument.value if isinstance(argument, ast.Constant) else UNKNOWN
            self.found.append(Import(str(name), node.lineno, in_function=True))
        self.generic_visit(node)

    def _function(self, node: ast.AST) -> None:
        self.depth += 1
        self.generic_visit(node)
        self.depth -= 1

    visit_FunctionDef = visit_AsyncFunctionDef = visit_Lambda = _function  # noqa: N815 — ast.NodeVisitor's names

    def _add(self, target: str, node: ast.stmt) -> None:
        self.found.append(Import(target, node.lineno, self.depth > 0))


def imports(module: str, source: str, known: frozenset[str], *, is_package: bool = False) -> list[Import]:
    """Return what *source*, the text of *module*, imports; ``if TYPE_CHECKING`` counts too."""
    package = module if is_package else module.rpartition(".")[0]
    visitor = _Imports(package, known)
    visitor.visit(ast.parse(source))
    return visitor.found


def room(module: str) -> str:
    """Return the room of a module of ours: ``dcmcfg.dicom.move`` → ``dicom``, ``dcmcfg`` → ``""``."""
    return ".".join(module.split(".")[1:2])


def layer(module: str) -> int | None:
    """Return the layer of a module of ours, from the ground up; None: not in the drawing."""
    return next((height for height, rooms in enumerate(LAYERS) if room(module) in rooms), None)


def violations(sources: Mapping[str, str], packages: frozenset[str] = frozenset()) -> list[str]:
    """Return one line for each breach of the house rules in *sources* (dotted module name → text)."""
    known = frozenset(sources)
    graph: dict[str, set[str]] = {}
    found: list[str] = []
    for module, source in sorted(sources.items()):
        if layer(module) is None:
            found.append(f"{module}: not a room of the house")
            continue
        named = imports(module, source, known, is_package=module in packages)
        graph[module] = {each.target for each in named if each.target in known and not each.in_function}
        for each in named:
            found += (f"{module}:{each.line}: {breach}" for breach in _breaches(module, each))
    found += (f"import cycle: {' → '.join(cycle)}" for cycle in cycles(graph))
    rooms = {room(module): set[str]() for module in graph}
    for module, targets in graph.items():
        rooms[room(module)] |= {room(target) for target in targets} - {room(module)}
    found += (f"rooms need one another: {' → '.join(cycle)}" for cycle in cycles(rooms))
    return found


def _breaches(module: str, named: Import) -> Iterator[str]:
    library = named.target.split(".")[0]
    if named.in_function and named.target not in LAZY.get(module, frozenset()):
        yield f"imports {named.target} inside a function"
    if named.target == UNKNOWN:
        return
    if library == "dcmcfg":
        here, there = layer(module), layer(named.target)
        if there is None or here is None or there > here:
            yield f"{room(module)} must not import {named.target}, which lies above it"
        if room(named.target) == "lab" and room(module) not in LAB_GUESTS:
            yield f"{room(module)} must not import {named.target}: real sites must not need the lab"
    elif library in sys.stdlib_module_names:
        if library in OUTSIDE_WORLD and room(module) in PURE:
            yield f"names {library}, but {room(module)} is pure"
    elif room(module) not in LIBRARIES.get(library, frozenset()):
        yield f"{room(module) or module} must not name {library}"


def cycles(graph: Mapping[str, set[str]]) -> Iterator[tuple[str, ...]]:
    """Yield one path for each way back that a depth-first walk of *graph* meets, first node repeated last."""
    done: set[str] = set()

    def walk(node: str, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        if node in path:
            yield (*path[path.index(node) :], node)
        elif node not in done:
            for target in sorted(graph.get(node, ())):
                yield from walk(target, (*path, node))
            done.add(node)

    for start in sorted(graph):
        yield from walk(start, ())


# ---- the checker itself, on made-up houses


@pytest.mark.parametrize(
    ("sources", "breach"),
    [
        ({"dcmcfg.dn": "from dcmcfg.plan import steps", "dcmcfg.plan.steps": ""}, "which lies above it"),
        ({"dcmcfg.dn": "import dcmcfg.plan.steps", "dcmcfg.plan.steps": ""}, "which lies above it"),
        ({"dcmcfg.ldif.reader": "from ..cli import show", "dcmcfg.cli.show": ""}, "which lies above it"),
        (
            {
                "dcmcfg.dn": "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import dcmcfg.model.tree",
                "dcmcfg.model.tree": "",
            },
            "which lies above it",
        ),
        ({"dcmcfg.verify.judgement": "import dcmcfg.lab.site", "dcmcfg.lab.site": ""}, "must not need the lab"),
        ({"dcmcfg.helpers.things": ""}, "not a room"),
        ({"dcmcfg.model.tree": "import ldap3.core.exceptions"}, "must not name ldap3"),
        ({"dcmcfg.lab.slapd": "from ldap3 import Server"}, "must not name ldap3"),
        ({"dcmcfg.cli.show": "from rich.table import Table"}, "must not name rich"),
        ({"dcmcfg.cli.main": "import rich"}, "must not name rich"),
        ({"dcmcfg": "import click"}, "must not name click"),
        ({"dcmcfg.dicom.peer": "import requests"}, "must not name requests"),
        ({"dcmcfg.plan.steps": "from pathlib import Path\nimport subprocess"}, "is pure"),
        ({"dcmcfg.dn": "def parse():\n    import re"}, "inside a function"),
        ({"dcmcfg.dn": "class A:\n    async def b(self):\n        from re import sub"}, "inside a function"),
        (
            {"dcmcfg.cli.status": "def load():\n    import dcmcfg.cli.show", "dcmcfg.cli.show": ""},
            "inside a function",
        ),
        ({"dcmcfg.dn": "import importlib\nx = importlib.import_module('re')"}, "inside a function"),
        (
            {"dcmcfg.dn": "from dcmcfg import entry", "dcmcfg.entry": "from dcmcfg.dn import DN"},
            "import cycle: dcmcfg.dn → dcmcfg.entry → dcmcfg.dn",
        ),
        (
            {
                "dcmcfg.ldif.a": "import dcmcfg.schema.b",
                "dcmcfg.schema.b": "",
                "dcmcfg.schema.c": "import dcmcfg.ldif.d",
                "dcmcfg.ldif.d": "",
            },
            "rooms need one another: ldif → schema → ldif",
        ),
    ],
)
def test_a_made_up_breach_is_found(sources: dict[str, str], breach: str) -> None:
    found = violations(sources)
    assert any(breach in line for line in found), found


def test_a_made_up_house_in_order_has_no_breach() -> None:
    sources = {
        "dcmcfg": "",
        "dcmcfg.dn": "import re",
        "dcmcfg.entry": "from dcmcfg.dn import DN",
        "dcmcfg.directory.ldap": "import ldap3\nfrom dcmcfg import entry\nfrom . import failures",
        "dcmcfg.directory.failures": "import os",
        "dcmcfg.lab.archive": "from pynetdicom import AE\nfrom dcmcfg.directory.ldap import connect",
        "dcmcfg.cli.status": "def load():\n    from dcmcfg.cli.verify.leftovers import describe",
        "dcmcfg.cli.verify.leftovers": "import dcmcfg.cli.status",
        "dcmcfg.cli.show": "import click\nfrom dcmcfg.lab.archive import run",
    }
    assert violations(sources) == []


# ---- the house


def read_sources() -> tuple[dict[str, str], frozenset[str]]:
    """Return dotted module name → text of all modules, and which of them are packages."""
    root = Path(dcmcfg.__file__).parent
    sources: dict[str, str] = {}
    packages = set()
    for path in root.rglob("*.py"):
        parts = path.relative_to(root.parent).with_suffix("").parts
        if parts[-1] == "__init__":
            parts = parts[:-1]
            packages.add(".".join(parts))
        sources[".".join(parts)] = path.read_text("utf-8")
    assert len(sources) > 10
    return sources, frozenset(packages)


def test_the_house_is_in_order() -> None:
    sources, packages = read_sources()
    found = violations(sources, packages)
    assert not found, "\n".join(found)


@pytest.mark.parametrize("module", LAZY)
def test_each_lazy_import_that_is_allowed_is_there(module: str) -> None:
    sources, packages = read_sources()
    named = imports(module, sources[module], frozenset(sources), is_package=module in packages)
    assert {each.target for each in named if each.in_function} == LAZY[module]
