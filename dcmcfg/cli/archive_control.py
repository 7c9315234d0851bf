"""The control service of the site's archive."""

from __future__ import annotations

from dcmcfg.archive.control import ControlService
from dcmcfg.settings import Settings


def control_service(settings: Settings) -> ControlService:
    """Return the control service of the site's archive; nothing is sent yet.

    Raises :class:`MalformedInput` or :class:`NotFound` when the token or the CA file cannot be read.
    """
    return ControlService(settings.archive_url, settings.archive_token(), settings.ca_file)
