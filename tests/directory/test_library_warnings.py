"""ldap3 uses deprecated names of pyasn1; a user who sees all warnings (``python -W``) sees none of these."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8"))["project"]


def test_the_directory_loads_without_a_warning() -> None:
    code = "import dcmcfg.directory.ldap, dcmcfg.directory.search, sys; print('ldap3' in sys.modules)"
    done = subprocess.run([sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "True\n", "")


def test_the_requirement_excludes_releases_of_pyasn1_with_known_security_flaws() -> None:
    # Its changelog lists advisories up to 0.6.4, among them CVE-2026-23490, CVE-2026-30922 and CVE-2026-59885.
    assert "pyasn1>=0.6.5,<0.7" in PROJECT["dependencies"]
