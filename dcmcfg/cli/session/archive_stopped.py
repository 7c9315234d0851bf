"""Messages for an archive that is STOPPED: its web server responds, but its DICOM and HL7 ports are closed.

Kept apart: ``status`` uses it and does not load cli.session.reload.
"""

from __future__ import annotations

import shlex

from dcmcfg.settings import Settings

STOPPED_MESSAGE = "The archive is STOPPED: its DICOM and HL7 ports are closed. A reload does not open the ports"


def describe_how_to_start(settings: Settings) -> str:
    """Return how to start the archive of *settings*; the text ends with a command to copy."""
    words = ["curl", "-X", "POST"]
    if settings.ca_file is not None and settings.archive_url.startswith("https:"):
        words += ["--cacert", str(settings.ca_file)]
    command = shlex.join(words)
    if settings.oidc is not None or settings.token_secret is not None:
        # Not quoted with shlex: the shell must expand $(…).
        command += ' -H "Authorization: Bearer $(dcmcfg token --print)"'
    command += f" {shlex.quote(f'{settings.archive_url}/ctrl/start')}"
    return f"Start the archive on the Control page of its web interface, or run: {command}"
