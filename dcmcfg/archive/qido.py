"""Searches in the archive's database by HTTP (QIDO-RS, PS3.18 §10.6), with the archive's private elements."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Generic, TypeVar
from urllib.parse import quote, urlencode

import httpx

from dcmcfg.archive.authorized_client import Bearer
from dcmcfg.archive.failures import not_answered, require_whole, unexpected_answer
from dcmcfg.archive.http_client import Answer, Timeouts
from dcmcfg.archive.stored_studies import (
    INSTANCE_FIELDS,
    STUDY_FIELDS,
    InstanceAnswer,
    NotDicomJson,
    StoredStudy,
    instances,
    studies,
    study_of,
)
from dcmcfg.errors import ArchiveError
from dcmcfg.limits import QIDO_INSTANCES, QIDO_OCTETS

#: Seconds: a proof waits no longer for a witness that it can do without.
TIMEOUTS = Timeouts(connect=3.0, answer=8.0)
#: Answers in a page, of which an instance takes some 2 KB.
_STUDIES_IN_PAGE, _INSTANCES_IN_PAGE = 200, 2000

Found = TypeVar("Found")


def _uid_of_study(study: StoredStudy) -> str:
    return study.study_uid


def _uid_of_instance(answer: InstanceAnswer) -> str:
    return answer.instance.sop_instance_uid


@dataclass(frozen=True)
class Page(Generic[Found]):
    """Answers of one request, with their octets; ``is_last`` is False where the archive may have more."""

    found: tuple[Found, ...]
    is_last: bool
    octets: int = 0


@dataclass(frozen=True)
class Qido:
    """The search service of the AE *ae_title* of the archive at *url*.

    Each method raises :class:`ArchiveError` where the archive is not reached, wants another token, has no such AE or
    does not answer in DICOM JSON with the elements that were asked for; :class:`TokenError` where there is no token.
    """

    url: str
    ae_title: str
    bearer: Bearer

    def study(self, study_uid: str) -> StoredStudy:
        """Return the study with all its instances, by one request (a page) for each 2,000 of them."""
        pages = self._pages(
            f"studies/{study_uid}/instances", {}, INSTANCE_FIELDS, instances, _uid_of_instance, _INSTANCES_IN_PAGE
        )
        found: list[InstanceAnswer] = []
        for page in pages:
            found += page.found
            if len(found) > QIDO_INSTANCES.most:
                raise ArchiveError(
                    f"the study has more than {QIDO_INSTANCES.spelt()} instances, which is more than dcmcfg asks for",
                    on=self._where(f"studies/{study_uid}/instances"),
                    next_step=QIDO_INSTANCES.next_step,
                )
        try:
            return study_of(study_uid, found)
        except NotDicomJson as error:
            where = self._where(f"studies/{study_uid}/instances")
            raise ArchiveError(f"an answer that is not a dcm4chee archive's: {error}", on=where) from error

    def purged(self, keys: Mapping[str, str], *, enough: int, most: int) -> tuple[StoredStudy, ...]:
        """Return studies that match *keys*, have no file here and an external archive, the oldest first.

        Stops when *enough* were found or *most* were looked at; whether there are more is not known.
        """
        found: list[StoredStudy] = []
        looked_at = 0
        query = {**keys, "ExternalRetrieveAET!": "*", "orderby": "StudyDate"}
        for page in self._pages("studies", query, STUDY_FIELDS, studies, _uid_of_study, _STUDIES_IN_PAGE):
            looked_at += len(page.found)
            found += (each for each in page.found if each.external and not each.storage_ids)
            if len(found) >= enough or looked_at >= most:
                break
        return tuple(found[:enough])

    def studies(self, keys: Mapping[str, str], *, most: int) -> tuple[StoredStudy, ...]:
        """Return the studies that match *keys*, each once, at most *most*: fewer are all."""
        found: dict[str, StoredStudy] = {}
        query = {**keys, "orderby": "StudyDate"}
        for page in self._pages("studies", query, STUDY_FIELDS, studies, _uid_of_study, _STUDIES_IN_PAGE):
            found |= {each.study_uid: each for each in page.found}
            if len(found) >= most:
                break
        return tuple(found.values())[:most]

    def _pages(
        self,
        resource: str,
        query: Mapping[str, str],
        fields: tuple[str, ...],
        read: Callable[[str], tuple[Found, ...]],
        uid_of: Callable[[Found], str],
        size: int,
    ) -> Iterator[Page[Found]]:
        """Yield the pages of a search until the last; the archive may return fewer than *size*, and says so.

        Each page has a UID that the earlier ones do not have, or the search ends in an error.
        """
        offset = octets = 0
        known: set[str] = set()
        for _ in count():
            paged = {**query, "includefield": ",".join(fields), "limit": str(size), "offset": str(offset)}
            page = self._page(resource, paged, read, size)
            octets += page.octets
            if octets > QIDO_OCTETS.most:
                raise ArchiveError(
                    f"the answers to one search are longer than {QIDO_OCTETS.spelt()} octets",
                    on=self._where(resource),
                    next_step=QIDO_OCTETS.next_step,
                )
            before = len(known)
            known.update(map(uid_of, page.found))
            if page.found and len(known) == before:
                raise ArchiveError(
                    "the search does not come to an end: a page has only results of earlier pages",
                    on=self._where(resource),
                    next_step="does a proxy drop the query of the URL? The archive heeds its parameter offset",
                )
            yield page
            offset += len(page.found)
            if page.is_last or not page.found:
                return

    def _page(
        self, resource: str, query: Mapping[str, str], read: Callable[[str], tuple[Found, ...]], size: int
    ) -> Page[Found]:
        where = self._where(resource)
        try:
            answer = self.bearer.request("GET", f"{where}?{urlencode(query, safe='*!,')}")
        except httpx.TransportError as error:
            raise not_answered(error, where, self.bearer.web.seconds(error)) from error
        if answer.status == httpx.codes.NO_CONTENT:
            return Page((), is_last=True)
        if answer.status != httpx.codes.OK:
            raise self._unexpected(answer, where)
        require_whole(answer, where)
        try:
            found = read(answer.body)
        except NotDicomJson as error:
            raise ArchiveError(f"an answer that is not a dcm4chee archive's: {error}", on=where) from error
        is_last = len(found) < size and "warning" not in answer.headers
        return Page(found, is_last, len(answer.body))

    def _where(self, resource: str) -> str:
        return f"{self.url}/aets/{quote(self.ae_title)}/rs/{resource}"

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
                    "the archive refuses to return so many results (HTTP 413)",
                    on=where,
                    next_step="see dcmQueryMaxNumberOfResults",
                )
            case _:
                return unexpected_answer(answer, where, with_token=self.bearer.has_token)
