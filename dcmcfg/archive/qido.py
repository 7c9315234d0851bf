"""Searches in the archive's database by HTTP (QIDO-RS, PS3.18 §10.6), with what only this way is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import TypeVar
from urllib.parse import quote, urlencode

import httpx

from dcmcfg.archive.bearer import Bearer
from dcmcfg.archive.database import MOST_OBJECTS
from dcmcfg.archive.failures import not_answered, unexpected_answer
from dcmcfg.archive.stored import PRIVATE_FIELDS, NotDicomJson, StoredObject, StoredStudy, objects, studies
from dcmcfg.archive.web import Answer, Timeouts
from dcmcfg.errors import ArchiveError

#: Seconds: a proof waits no longer for what it can do without.
TIMEOUTS = Timeouts(connect=3.0, answer=8.0)
#: Octets that are read of an answer: some 2 KB for each object.
LONGEST_BODY = 8 * 1024 * 1024
_PAGE = 200

Found = TypeVar("Found")


@dataclass(frozen=True)
class Qido:
    """The search service of the AE *ae_title* of the archive at *url*.

    Each method raises :class:`ArchiveError` where the archive is not reached, wants another token, has no such AE or
    answers otherwise than in DICOM JSON with its private attributes; :class:`TokenError` where no token is to be had.
    """

    url: str
    ae_title: str
    bearer: Bearer

    def study(self, study_uid: str) -> StoredStudy:
        """Return what the database has of the study."""
        found = self._found("studies", {"StudyInstanceUID": study_uid}, studies)
        return next((each for each in found if each.study_uid == study_uid), StoredStudy(study_uid, known=False))

    def objects(self, study_uid: str) -> tuple[StoredObject, ...]:
        """Return what the database has of the study's objects, at most :data:`MOST_OBJECTS`."""
        return self._found(f"studies/{study_uid}/instances", {"limit": str(MOST_OBJECTS)}, objects)

    def purged(self, keys: Mapping[str, str], *, enough: int, most: int) -> tuple[StoredStudy, ...]:
        """Return studies that match *keys*, have no file here and an external archive, the oldest first.

        Looks until *enough* were found or *most* were looked at; whether there are more is not told.
        """
        found: list[StoredStudy] = []
        asked = {**keys, "ExternalRetrieveAET!": "*", "orderby": "StudyDate", "limit": str(_PAGE)}
        for page in count():
            told = self._found("studies", asked | {"offset": str(page * _PAGE)}, studies)
            found += (each for each in told if each.external and not each.storage_ids)
            if len(told) < _PAGE or len(found) >= enough or (page + 1) * _PAGE >= most:
                break
        return tuple(found[:enough])

    def _found(
        self, resource: str, asked: Mapping[str, str], read: Callable[[str], tuple[Found, ...]]
    ) -> tuple[Found, ...]:
        where = f"{self.url}/aets/{quote(self.ae_title)}/rs/{resource}"
        query = urlencode({**asked, "includefield": PRIVATE_FIELDS}, safe="*!")
        try:
            answer = self.bearer.request("GET", f"{where}?{query}")
        except httpx.TransportError as error:
            raise not_answered(error, where, self.bearer.web.seconds(error)) from error
        if answer.status == httpx.codes.NO_CONTENT:
            return ()
        if answer.status != httpx.codes.OK:
            raise self._unexpected(answer, where)
        try:
            return read(answer.body)
        except NotDicomJson as error:
            raise ArchiveError(f"an answer that is not a dcm4chee archive's: {error}", on=where) from error

    def _unexpected(self, answer: Answer, where: str) -> ArchiveError:
        match answer.status:
            case httpx.codes.NOT_FOUND:
                return ArchiveError(
                    f"nothing to search here (HTTP 404): no archive, or none with the AE {self.ae_title}",
                    on=where,
                    next_step="the archive's base URL is set with --archive-url",
                )
            case httpx.codes.REQUEST_ENTITY_TOO_LARGE:
                return ArchiveError(
                    "the archive does not tell so many (HTTP 413)", on=where, next_step="see dcmQidoMaxNumberOfResults"
                )
            case _:
                return unexpected_answer(answer, where, with_token=self.bearer.has_token)
