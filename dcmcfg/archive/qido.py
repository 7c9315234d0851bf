"""Searches in the archive's database by HTTP (QIDO-RS, PS3.18 §10.6), with the archive's private elements."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Generic, TypeVar
from urllib.parse import quote, urlencode

import httpx

from dcmcfg.archive.authorized_client import AuthorizedClient
from dcmcfg.archive.failures import require_complete, translate_no_response, translate_unexpected_response
from dcmcfg.archive.http_client import HttpResponse, HttpTimeouts
from dcmcfg.archive.stored_studies import (
    INSTANCE_FIELDS,
    STUDY_FIELDS,
    InstanceResult,
    InvalidDicomJson,
    StoredStudy,
    combine_instances,
    parse_instances,
    parse_studies,
)
from dcmcfg.errors import ArchiveError
from dcmcfg.limits import QIDO_INSTANCES, QIDO_OCTETS

#: Seconds: a proof waits no longer for a witness that it can do without.
TIMEOUTS = HttpTimeouts(connect=3.0, response=8.0)
#: Answers in a page, of which an instance takes some 2 KB.
_STUDIES_IN_PAGE, _INSTANCES_IN_PAGE = 200, 2000

QidoResult = TypeVar("QidoResult")


def _uid_of_study(study: StoredStudy) -> str:
    return study.study_uid


def _uid_of_instance(answer: InstanceResult) -> str:
    return answer.instance.sop_instance_uid


@dataclass(frozen=True)
class Page(Generic[QidoResult]):
    """Answers of one request, with their octets; ``is_last`` is False where the archive may have more."""

    results: tuple[QidoResult, ...]
    is_last: bool
    octets: int = 0


@dataclass(frozen=True)
class Qido:
    """The search service of the AE *ae_title* of the archive at *url*.

    Each method raises :class:`ArchiveError` where the archive is not reached, wants another token, has no such AE or
    does not answer in DICOM JSON with the elements that were asked for; :class:`~dcmcfg.archive.failures.TokenError`
    where there is no token.
    """

    url: str
    ae_title: str
    client: AuthorizedClient

    def get_study(self, study_uid: str) -> StoredStudy:
        """Return the study with all its instances, by one request (a page) for each 2,000 of them."""
        pages = self._pages(
            f"studies/{study_uid}/instances",
            {},
            fields=INSTANCE_FIELDS,
            read=parse_instances,
            uid_of=_uid_of_instance,
            size=_INSTANCES_IN_PAGE,
        )
        found: list[InstanceResult] = []
        for page in pages:
            found += page.results
            if len(found) > QIDO_INSTANCES.maximum:
                raise ArchiveError(
                    f"the study has more than {QIDO_INSTANCES.format_maximum()} instances, which is more than "
                    "dcmcfg asks for",
                    subject=self._build_url(f"studies/{study_uid}/instances"),
                    next_step=QIDO_INSTANCES.next_step,
                )
        try:
            return combine_instances(study_uid, found)
        except InvalidDicomJson as error:
            where = self._build_url(f"studies/{study_uid}/instances")
            raise ArchiveError(f"an answer that is not a dcm4chee archive's: {error}", subject=where) from error

    def find_purged_studies(
        self, keys: Mapping[str, str], *, max_results: int, max_examined: int
    ) -> tuple[StoredStudy, ...]:
        """Return studies that match *keys*, have no file here and an external archive, the oldest first.

        Stops when *max_results* were found or *max_examined* were looked at; whether there are more is not known.
        """
        found: list[StoredStudy] = []
        looked_at = 0
        query = {**keys, "ExternalRetrieveAET!": "*", "orderby": "StudyDate"}
        for page in self._pages(
            "studies", query, fields=STUDY_FIELDS, read=parse_studies, uid_of=_uid_of_study, size=_STUDIES_IN_PAGE
        ):
            looked_at += len(page.results)
            found += (each for each in page.results if each.external_ae_title and not each.storage_ids)
            if len(found) >= max_results or looked_at >= max_examined:
                break
        return tuple(found[:max_results])

    def find_studies(self, keys: Mapping[str, str], *, max_results: int) -> tuple[StoredStudy, ...]:
        """Return the studies that match *keys*, each once, at most *max_results*: fewer are all."""
        found: dict[str, StoredStudy] = {}
        query = {**keys, "orderby": "StudyDate"}
        for page in self._pages(
            "studies", query, fields=STUDY_FIELDS, read=parse_studies, uid_of=_uid_of_study, size=_STUDIES_IN_PAGE
        ):
            found |= {each.study_uid: each for each in page.results}
            if len(found) >= max_results:
                break
        return tuple(found.values())[:max_results]

    def _pages(
        self,
        resource: str,
        query: Mapping[str, str],
        *,
        fields: tuple[str, ...],
        read: Callable[[str], tuple[QidoResult, ...]],
        uid_of: Callable[[QidoResult], str],
        size: int,
    ) -> Iterator[Page[QidoResult]]:
        """Yield the pages of a search until the last; the archive may return fewer than *size*, and says so.

        Each page has a UID that the earlier ones do not have, or the search ends in an error.
        """
        offset = octets = 0
        known: set[str] = set()
        for _ in count():
            paged = {**query, "includefield": ",".join(fields), "limit": str(size), "offset": str(offset)}
            page = self._page(resource, paged, read, size)
            octets += page.octets
            if octets > QIDO_OCTETS.maximum:
                raise ArchiveError(
                    f"the answers to one search are longer than {QIDO_OCTETS.format_maximum()} octets",
                    subject=self._build_url(resource),
                    next_step=QIDO_OCTETS.next_step,
                )
            before = len(known)
            known.update(map(uid_of, page.results))
            if page.results and len(known) == before:
                raise ArchiveError(
                    "the search does not come to an end: a page has only results of earlier pages",
                    subject=self._build_url(resource),
                    next_step="does a proxy drop the query of the URL? The archive heeds its parameter offset",
                )
            yield page
            offset += len(page.results)
            if page.is_last or not page.results:
                return

    def _page(
        self, resource: str, query: Mapping[str, str], read: Callable[[str], tuple[QidoResult, ...]], size: int
    ) -> Page[QidoResult]:
        where = self._build_url(resource)
        try:
            answer = self.client.request("GET", f"{where}?{urlencode(query, safe='*!,')}")
        except httpx.TransportError as error:
            raise translate_no_response(error, where, self.client.http_client.seconds(error)) from error
        if answer.status == httpx.codes.NO_CONTENT:
            return Page((), is_last=True)
        if answer.status != httpx.codes.OK:
            raise self._unexpected(answer, where)
        require_complete(answer, where)
        try:
            found = read(answer.body)
        except InvalidDicomJson as error:
            raise ArchiveError(f"an answer that is not a dcm4chee archive's: {error}", subject=where) from error
        is_last = len(found) < size and "warning" not in answer.headers
        return Page(found, is_last, len(answer.body))

    def _build_url(self, resource: str) -> str:
        return f"{self.url}/aets/{quote(self.ae_title)}/rs/{resource}"

    def _unexpected(self, answer: HttpResponse, where: str) -> ArchiveError:
        match answer.status:
            case httpx.codes.NOT_FOUND:
                return ArchiveError(
                    f"nothing to search here (HTTP 404): no archive, or none with the AE {self.ae_title}",
                    subject=where,
                    next_step="the archive's base URL is set with --archive-url",
                )
            case httpx.codes.REQUEST_ENTITY_TOO_LARGE:
                return ArchiveError(
                    "the archive refuses to return so many results (HTTP 413)",
                    subject=where,
                    next_step="see dcmQueryMaxNumberOfResults",
                )
            case _:
                return translate_unexpected_response(answer, where, with_token=self.client.has_token)
