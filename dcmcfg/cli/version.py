"""``dcmcfg --version --json``.

Kept apart: ``importlib.metadata`` takes a third of the program's start, and only this option uses it.
"""

from __future__ import annotations

import platform
from importlib.metadata import version

from dcmcfg import __version__
from dcmcfg.cli.session.output import print_json

_LIBRARIES = ("ldap3", "pynetdicom", "pydicom")


def print_versions() -> None:
    """Print the versions of dcmcfg, Python and the protocol libraries as JSON, by name."""
    libraries = {name: version(name) for name in _LIBRARIES}
    print_json({"version": __version__, "python": platform.python_version(), **libraries})
