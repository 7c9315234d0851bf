"""What a purge does to a study in the lab's archive, so that it can be recalled again."""

from __future__ import annotations

from contextlib import closing
from dataclasses import replace

from dcmcfg.lab.archive.service import open_database
from dcmcfg.lab.site import Site


def purge(site: Site, study_uid: str, *, availability: str = "NEARLINE") -> None:
    """Have no file of the study's objects any more, as the archive's own purge does while the archive runs."""
    with closing(open_database(site)) as database:
        instances = [each for each in database.list_instances() if each.header.StudyInstanceUID == study_uid]
        database.save(replace(each, is_local=False, availability=availability) for each in instances)
