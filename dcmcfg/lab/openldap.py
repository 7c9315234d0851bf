"""OpenLDAP as this machine has it installed: where its programs and modules are."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from dcmcfg.errors import LabError

#: Where distributions keep slapd, which is not always on a user's PATH.
_SBIN = ("/usr/sbin", "/usr/local/sbin", "/usr/libexec", "/usr/lib/openldap", "/opt/openldap/libexec")
#: Where distributions keep the back-ends that are not linked in (Debian, Fedora and SUSE, Alpine).
_MODULE_FOLDERS = ("/usr/lib/ldap", "/usr/lib64/openldap", "/usr/lib/openldap", "/usr/libexec/openldap")


def find_program(program: str, install: str) -> Path:
    """Return where *program* is; raises :class:`LabError`, which says to run *install*, when it is nowhere."""
    search = os.pathsep.join([os.environ.get("PATH", os.defpath), *_SBIN])
    found = shutil.which(program, path=search)
    if found is None:
        raise LabError("is not installed", on=program, next_step=f"install it: {install}")
    return Path(found)


def copy_program(source: Path, target: Path) -> None:
    """Copy *source*, unless the copy is there: one that runs cannot be written to."""
    if target.exists() and target.stat().st_size == source.stat().st_size:
        return
    fresh = target.with_suffix(".new")
    shutil.copy(source, fresh)
    fresh.replace(target)


def module_lines(*names: str) -> Iterator[str]:
    """Yield the lines that load back-end *names*, each where it is a module and not linked in."""
    for folder in map(Path, _MODULE_FOLDERS):
        present = [name for name in names if (folder / f"{name}.so").exists() or (folder / f"{name}.la").exists()]
        if present:
            yield f"modulepath {folder}"
            yield from (f"moduleload {name}" for name in present)
            return
