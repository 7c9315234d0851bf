"""The database of the site's archive, asked by HTTP; loaded only where something listens there."""

from __future__ import annotations

from dcmcfg.archive.qido import TIMEOUTS, Qido
from dcmcfg.cli.session.archive import web_services
from dcmcfg.limits import QIDO_BODY
from dcmcfg.settings import Settings


def database(settings: Settings, archive_ae: str) -> Qido:
    """Return the search service of the AE; warns and raises as :func:`web_services` does."""
    return Qido(settings.archive_url, archive_ae, web_services(settings, TIMEOUTS, QIDO_BODY))
