"""Customised trees of real releases, built by the generator next to the releases, and their comparison."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import dcmcfg
from dcmcfg.entry import Attribute, Entry
from dcmcfg.files.release import read_release
from dcmcfg.ldif.reader import read_all
from dcmcfg.ldif.records import ContentRecord
from dcmcfg.ldif.writer import format_entry
from dcmcfg.model.tree import Tree
from dcmcfg.schema.definitions import load_bundled_schema
from dcmcfg.upgrade.merge_result import IGNORED
from dcmcfg.upgrade.options import UpgradeOptions
from dcmcfg.upgrade.preparation import Upgrade, prepare_upgrade
from dcmcfg.upgrade.release import Release
from dcmcfg.upgrade.trees import UpgradeTree

SCHEMA = load_bundled_schema()
TREES = ("pristine", "renamed", "trimmed", "hospital")
SOURCES = ("5.23.0", "5.29.0", "5.31.0")
TARGET = "5.33.1"
ALL = UpgradeOptions(gap=frozenset({"all"}))


# Reading all update files takes longer than a small upgrade.
_read = cache(read_release)


def read_tree_file(path: Path) -> Tree:
    """Return the tree of the content records in *path*."""
    with path.open("rb") as source:
        return Tree.from_entries(
            SCHEMA, (each.entry for each in read_all(source, path.name) if isinstance(each, ContentRecord))
        )


@dataclass(frozen=True)
class Releases:
    """The releases in two folders, with the update files of both, and a folder for generated trees."""

    upstream: Path
    more: Path
    generated: Path

    def find_folder(self, version: str) -> Path:
        """Return the folder of the default configuration of *version*."""
        folders = [each / version for each in (self.upstream, self.more)]
        return next(each for each in folders if (each / "default-config.ldif").exists())

    def read(self, version: str) -> Release:
        """Return the release *version*."""
        return _read(self.find_folder(version), (self.upstream / "updates", self.more / "updates"))

    def build(self, tree: str, version: str, *, clones_like: str = "") -> Tree:
        """Return the customised *tree* of *version*."""
        return read_tree_file(self.build_file(tree, version, clones_like=clones_like))

    def build_file(self, tree: str, version: str, *, clones_like: str = "") -> Path:
        """Return the LDIF file of :meth:`build`."""
        path = self.generated / f"{tree}-{version}-{clones_like}.ldif"
        if not path.exists():
            self._generate(
                tree, self.find_folder(version), self.find_folder(clones_like) if clones_like else None, path
            )
        return path

    def build_official(self, tree: str, version: str) -> Tree:
        """Return the customised *tree* of the default of *version* after the official files up to the target.

        This is what the official stage of an upgrade must lead to; the files are applied here without dcmcfg's merge.
        """
        folder = self.generated / f"official-{version}"
        if not folder.exists():
            self._write_official_default(version, folder)
        path = self.generated / f"{tree}-official-{version}.ldif"
        if not path.exists():
            self._generate(tree, folder, self.find_folder(version), path)
        return read_tree_file(path)

    def _write_official_default(self, version: str, folder: Path) -> None:
        source, target = self.read(version), self.read(TARGET)
        default = UpgradeTree.from_entries(SCHEMA, source.entries)
        for file in target.list_updates(source.version, target.version):
            for record in file.records:
                default.apply(record.change)
        base, *others = (each for _, each in default.iterate_parents_first())
        folder.mkdir()
        (folder / "init-baseDN.ldif").write_text(format_entry(base), "utf-8")
        (folder / "init-config.ldif").write_text("version: 1\n", "utf-8")
        (folder / "default-config.ldif").write_text("".join(map(format_entry, others)), "utf-8")

    @cached_property
    def generator(self) -> Any:
        """The generator as a module, for trees that it has no name for."""
        spec = importlib.util.spec_from_file_location("customise", self.more.parent / "customise.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    def customise(self, version: str, *edits: Callable[[Any], None]) -> Tree:
        """Return the default of *version* after *edits*, functions that change a site of the generator."""
        site = self.generator.Site.of(self.find_folder(version))
        for edit in edits:
            edit(site)
        entries = (
            Entry(each.dn, tuple(Attribute(name, tuple(values)) for name, values in each.attributes.items() if values))
            for each in site.values()
        )
        return Tree.from_entries(SCHEMA, entries)

    def _generate(self, tree: str, folder: Path, clones_like: Path | None, path: Path) -> None:
        arguments = [tree, str(folder), "--out", str(path)]
        if clones_like is not None:
            arguments += ["--clones-like", str(clones_like)]
        subprocess.run(
            [sys.executable, str(self.more.parent / "customise.py"), *arguments],
            env={**os.environ, "PYTHONPATH": str(Path(dcmcfg.__file__).parents[1])},
            check=True,
        )

    def upgrade(self, tree: Tree, version: str, options: UpgradeOptions = ALL) -> Upgrade:
        """Return the upgrade of *tree* from *version* to the target."""
        source = self.read(version)
        return prepare_upgrade(tree, source, self.read(TARGET), source, options=options)


@dataclass(frozen=True)
class Difference:
    """The differences of a result and an oracle: DNs, and for entries of both the names of the attributes."""

    only_result: tuple[str, ...]
    only_oracle: tuple[str, ...]
    differing: tuple[tuple[str, tuple[str, ...]], ...]


NONE = Difference((), (), ())


def compare(result: Tree, oracle: Tree) -> Difference:
    """Return the differences of *result* and *oracle*, but for attributes that an upgrade never merges."""
    differing = []
    for key, one in result.entries.items():
        other = oracle.entries.get(key)
        if other is not None:
            names = {each.name.lower() for entry in (one, other) for each in entry.attributes} - IGNORED
            found = tuple(
                name
                for name in sorted(names)
                if {SCHEMA.normalise_value(name, each) for each in one.values(name)}
                != {SCHEMA.normalise_value(name, each) for each in other.values(name)}
            )
            if found:
                differing.append((str(one.dn), found))
    return Difference(
        tuple(str(each.dn) for key, each in result.entries.items() if key not in oracle.entries),
        tuple(str(each.dn) for key, each in oracle.entries.items() if key not in result.entries),
        tuple(differing),
    )
