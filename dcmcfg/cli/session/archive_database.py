"""The archive's database, for commands that also work without it.

The HTTP client is loaded only if the archive's port accepts a connection.
"""

from __future__ import annotations

from dcmcfg.archive.database import Database, explain_unreachable
from dcmcfg.archive.record_search import RecordSearchResult, search_records
from dcmcfg.errors import ArchiveError
from dcmcfg.model.devices import Configuration
from dcmcfg.plan.plan import Plan
from dcmcfg.plan.recorded_names import find_recorded_names
from dcmcfg.route.request import find_qido_ae
from dcmcfg.settings import Settings

#: The warning about a study whose location is uncertain; the reason follows in parentheses.
LOCATION_UNKNOWN_MESSAGE = "the location of the files before the C-MOVE is unknown"


def connect_database(settings: Settings, archive_ae: str) -> Database:
    """Return a client for the archive's database, queried through the AE *archive_ae*.

    Never prompts for a secret. Raises :class:`~dcmcfg.errors.DcmcfgError` if the database cannot be queried.
    """
    if settings.oidc is not None and settings.oidc.secret is None:
        raise ArchiveError(f"no secret for the client {settings.oidc.client_id}", subject=settings.oidc.server_url)
    if reason := explain_unreachable(settings.archive_url):
        raise ArchiveError(reason, subject=settings.archive_url)
    # The HTTP client takes time to load, so it is imported only now that the port has answered.
    from dcmcfg.cli.session.database import make_database_client

    return make_database_client(settings, archive_ae)


def search_recorded_names(settings: Settings, plan: Plan) -> RecordSearchResult:
    """Return what the archive's database has recorded under the names that *plan* removes.

    See :func:`search_records` for the form of the result.
    """
    names = find_recorded_names(plan, device=settings.device)

    def connect() -> Database:
        return connect_database(settings, find_qido_ae(Configuration(plan.before).get_device(settings.device)))

    return search_records(names, connect)
