"""The archive's database for commands that can do without it; what asks by HTTP is loaded only where a port answers."""

from __future__ import annotations

from dcmcfg.archive.database import Database, why_not_reached
from dcmcfg.archive.record_search import Recorded, recorded
from dcmcfg.cli.lazy_import import loaded
from dcmcfg.errors import ArchiveError
from dcmcfg.model.devices import Configuration
from dcmcfg.plan.plan import Plan
from dcmcfg.plan.recorded_names import recorded_names
from dcmcfg.route.request import searched_ae
from dcmcfg.settings import Settings

#: Why the state of a study is uncertain, before the reason in parentheses.
NOT_KNOWN = "where the files were before the move is not known"


def reach_database(settings: Settings, archive_ae: str) -> Database:
    """Return the archive's database, seen through its AE *archive_ae*.

    Never prompts for a secret. Raises :class:`~dcmcfg.errors.DcmcfgError` where it cannot be asked.
    """
    if settings.oidc is not None and settings.oidc.secret is None:
        raise ArchiveError(f"no secret for the client {settings.oidc.client_id}", on=settings.oidc.server)
    if why := why_not_reached(settings.archive_url):
        raise ArchiveError(why, on=settings.archive_url)
    found: Database = loaded("session.database", "database")(settings, archive_ae)
    return found


def recorded_under(settings: Settings, plan: Plan) -> Recorded:
    """Return what the archive's database has recorded under the names that *plan* takes away; see :func:`recorded`."""
    names = recorded_names(plan, device=settings.device)

    def reach() -> Database:
        return reach_database(settings, searched_ae(Configuration(plan.before).device(settings.device)))

    return recorded(names, reach)
