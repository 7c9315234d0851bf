"""What a new stand-in archive knows: the lab's studies, archived in the external archive and purged."""

from __future__ import annotations

from dcmcfg.lab.archive.database import Database, Instance, header_of
from dcmcfg.lab.files import ObjectStore
from dcmcfg.lab.query import AVAILABILITIES
from dcmcfg.lab.site import Site
from dcmcfg.lab.studies import Held, all_studies

EXTERNAL_TITLE = "LONGTERM"
ARCHIVE_TITLE = "DCM4CHEE"


def store_of(site: Site) -> ObjectStore:
    """Return the archive's object store."""
    return ObjectStore(site.archive_folder / "objects")


def database_of(site: Site) -> Database:
    """Return the archive's database, opened."""
    return Database(site.archive_folder / "database.sqlite")


def seed(site: Site, external_availability: str | None = None) -> None:
    """Give an empty archive its studies: purged ones with an external AE title, and a local one.

    *external_availability* is dcmExternalRetrieveInstanceAvailability of the storage, which the purge records when
    it is worse than ONLINE (``PurgeStorageScheduler``); without it purged instances stay ONLINE.
    """
    availability = external_availability if external_availability in AVAILABILITIES else "ONLINE"
    database = database_of(site)
    try:
        if database.is_empty():
            database.save(_known(store_of(site), availability, site.more_studies))
    finally:
        database.close()


def _known(store: ObjectStore, purged: str, more: int) -> list[Instance]:
    known, titles = [], (ARCHIVE_TITLE,)
    for study in all_studies(more):
        for dataset in study.instances:
            header = header_of(dataset)
            match study.held:
                case Held.LOCALLY:
                    store.save(dataset)
                    known.append(Instance(header, is_local=True, retrieve_aets=titles))
                case Held.EXTERNALLY:
                    known.append(
                        Instance(
                            header,
                            is_local=False,
                            external_aet=EXTERNAL_TITLE,
                            availability=purged,
                            retrieve_aets=titles,
                        )
                    )
                case Held.UNKNOWN:
                    pass
    return known
