"""OpenLDAP's command line tools, as a second client."""

from __future__ import annotations

import subprocess


def run_client(
    program: str, url: str, bind_dn: str, password: str, *arguments: str, text: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run ``ldapmodify`` or another of the tools, *text* on its standard input."""
    return subprocess.run(
        [f"/usr/bin/{program}", "-x", "-H", url, "-D", bind_dn, "-w", password, *arguments],
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
