"""Names that a package exports, but loads only when they are used (PEP 562).

Kept apart: each package with an interface imports this module, and it imports nothing of dcmcfg.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from importlib import import_module


def make_lazy_exports(
    package: str, exports: Mapping[str, tuple[str, ...]]
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """Return the ``__getattr__`` and the ``__dir__`` of *package*.

    *exports* maps each module of the package to the names that it defines. A name is looked up in its module at first
    use and kept in the package. ``__getattr__`` raises :class:`AttributeError` for any other name.
    """
    homes = {name: module for module, names in exports.items() for name in names}

    def get_export(name: str) -> object:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value: object = getattr(import_module(f"{package}.{homes[name]}"), name)
        # A name in the package is found without another call of __getattr__ (PEP 562).
        setattr(sys.modules[package], name, value)
        return value

    def list_names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *homes})

    return get_export, list_names
