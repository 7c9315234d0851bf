"""``dcmcfg --version``.

Kept apart: ``dcmcfg`` loads it only for that option.
"""

from __future__ import annotations

import platform
from importlib.metadata import version

from dcmcfg import __version__
from dcmcfg.cli.printing import print_output
from dcmcfg.cli.session.output import print_json

_LIBRARIES = ("ldap3", "pynetdicom", "pydicom")


def print_version(*, as_json: bool) -> None:
    """Print the version; with *as_json*, also those of Python and of the protocol libraries."""
    if as_json:
        libraries = {name: version(name) for name in _LIBRARIES}
        print_json({"version": __version__, "python": platform.python_version(), **libraries})
    else:
        print_output(f"dcmcfg {__version__}")
