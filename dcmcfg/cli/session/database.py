"""The client for the database of the site's archive, by HTTP.

Kept apart: it loads the HTTP client, which takes time, and is imported only if the archive's port is open.
"""

from __future__ import annotations

from dcmcfg.archive.qido import TIMEOUTS, Qido
from dcmcfg.cli.session.archive import make_web_client
from dcmcfg.limits import QIDO_BODY
from dcmcfg.settings import Settings


def make_database_client(settings: Settings, archive_ae: str) -> Qido:
    """Return a client for the QIDO service of the AE; warns and raises as :func:`make_web_client` does."""
    return Qido(settings.archive_url, archive_ae, make_web_client(settings, TIMEOUTS, QIDO_BODY))
