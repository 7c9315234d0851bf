"""The platforms that bundles are for, in the form that pex reads (``--complete-platform``).

A bundle is built on one machine for several versions of Python, most of which this machine does not have. pip evaluates
the conditions of requirements, such as ``python_version < "3.12"``, only for its own version. pex evaluates them for
each platform.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from packaging import tags

#: Minor versions of Python 3.
PYTHON_MINOR_VERSIONS = (11, 12, 13, 14)
#: glibc 2.28 and newer: Debian 10, Ubuntu 20.04, RHEL 8. cryptography has no wheels for older ones.
_GLIBC_MINOR_VERSIONS = range(28, 4, -1)
#: The older names of such platforms (PEP 513, 571 and 599), by the minor version of glibc.
_OLD_NAMES = {17: "manylinux2014", 12: "manylinux2010", 5: "manylinux1"}


def write_platforms(folder: Path, machine: str) -> list[Path]:
    """Write a file for each version of Python, on Linux on a *machine* such as x86_64; return the files."""
    files = []
    for minor in PYTHON_MINOR_VERSIONS:
        files.append(folder / f"python3.{minor}.json")
        files[-1].write_text(json.dumps(describe_platform(minor, machine)), "utf-8")
    return files


def describe_platform(minor: int, machine: str) -> dict[str, Any]:
    """Return the environment of Python 3.*minor* on Linux (PEP 508), and the tags of its wheels, best first."""
    names = _list_platform_names(machine)
    version = (3, minor)
    accepted = [
        *tags.cpython_tags(version, abis=[f"cp3{minor}"], platforms=names),
        *tags.compatible_tags(version, f"cp3{minor}", names),
    ]
    return {
        "marker_environment": {
            "implementation_name": "cpython",
            "implementation_version": f"3.{minor}.0",
            "os_name": "posix",
            "platform_machine": machine,
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": "Linux",
            "platform_version": "",
            "python_full_version": f"3.{minor}.0",
            "python_version": f"3.{minor}",
            "sys_platform": "linux",
        },
        "compatible_tags": [str(each) for each in accepted],
    }


def _list_platform_names(machine: str) -> list[str]:
    names = [f"linux_{machine}"]
    for minor in _GLIBC_MINOR_VERSIONS:
        names.append(f"manylinux_2_{minor}_{machine}")
        if minor in _OLD_NAMES:
            names.append(f"{_OLD_NAMES[minor]}_{machine}")
    return names
