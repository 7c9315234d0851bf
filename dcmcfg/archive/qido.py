"""Search the archive's database by HTTP (QIDO-RS, PS3.18 §10.6), with the archive's private elements."""

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

#: Seconds; short, because a proof can do without this evidence source.
TIMEOUTS = HttpTimeouts(connect=3.0, response=8.0)
#: Results per page; an instance takes about 2 KB.
_STUDIES_PER_PAGE, _INSTANCES_PER_PAGE = 200, 2000

QidoResult = TypeVar("QidoResult")


def _get_study_uid(study: StoredStudy) -> str:
    return study.study_uid


def _get_instance_uid(result: InstanceResult) -> str:
    return result.instance.sop_instance_uid


@dataclass(frozen=True)
class Page(Generic[QidoResult]):
    """The results of one request, with their octets; ``is_last`` is False if the archive may have more."""

    results: tuple[QidoResult, ...]
    is_last: bool
    octets: int = 0


@dataclass(frozen=True)
class Qido:
    """The search service of the AE *ae_title* of the archive at *url*.

    Each method raises :class:`ArchiveError` if the archive cannot be reached, rejects the token, has no such AE, or
    does not answer in DICOM JSON with the requested elements; :class:`~dcmcfg.archive.failures.TokenError` if there is
    no token.
    """

    url: str
    ae_title: str
    client: AuthorizedClient

    def get_study(self, study_uid: str) -> StoredStudy:
        """Return the study with all its instances, by one request (a page) for each 2,000 of them."""
        pages = self._fetch_pages(
            f"studies/{study_uid}/instances",
            {},
            fields=INSTANCE_FIELDS,
            parse=parse_instances,
            get_uid=_get_instance_uid,
            size=_INSTANCES_PER_PAGE,
        )
        results: list[InstanceResult] = []
        for page in pages:
            results += page.results
            if len(results) > QIDO_INSTANCES.maximum:
                raise ArchiveError(
                    f"the study has more than {QIDO_INSTANCES.format_maximum()} instances, the limit of dcmcfg",
                    subject=self._build_url(f"studies/{study_uid}/instances"),
                    next_step=QIDO_INSTANCES.next_step,
                )
        try:
            return combine_instances(study_uid, results)
        except InvalidDicomJson as error:
            url = self._build_url(f"studies/{study_uid}/instances")
            raise ArchiveError(f"the response is not from a dcm4chee archive: {error}", subject=url) from error

    def find_purged_studies(
        self, keys: Mapping[str, str], *, max_results: int, max_examined: int
    ) -> tuple[StoredStudy, ...]:
        """Return studies that match *keys*, have no local file and an external archive, the oldest first.

        Stops after *max_results* studies, or after *max_examined* are examined; there may be more.
        """
        studies: list[StoredStudy] = []
        examined_count = 0
        # A study without a recorded external archive has the value "*".
        query = {**keys, "ExternalRetrieveAET!": "*", "orderby": "StudyDate"}
        for page in self._fetch_pages(
            "studies", query, fields=STUDY_FIELDS, parse=parse_studies, get_uid=_get_study_uid, size=_STUDIES_PER_PAGE
        ):
            examined_count += len(page.results)
            studies += (each for each in page.results if each.external_ae_title and not each.storage_ids)
            if len(studies) >= max_results or examined_count >= max_examined:
                break
        return tuple(studies[:max_results])

    def find_studies(self, keys: Mapping[str, str], *, max_results: int) -> tuple[StoredStudy, ...]:
        """Return the studies that match *keys*, each once, at most *max_results*; fewer are complete."""
        studies: dict[str, StoredStudy] = {}
        # Without an order, the database could repeat or skip studies from page to page.
        query = {**keys, "orderby": "StudyDate"}
        for page in self._fetch_pages(
            "studies", query, fields=STUDY_FIELDS, parse=parse_studies, get_uid=_get_study_uid, size=_STUDIES_PER_PAGE
        ):
            studies |= {each.study_uid: each for each in page.results}
            if len(studies) >= max_results:
                break
        return tuple(studies.values())[:max_results]

    def _fetch_pages(
        self,
        resource: str,
        query: Mapping[str, str],
        *,
        fields: tuple[str, ...],
        parse: Callable[[str], tuple[QidoResult, ...]],
        get_uid: Callable[[QidoResult], str],
        size: int,
    ) -> Iterator[Page[QidoResult]]:
        """Yield the pages of a search up to the last; the archive may return fewer results than *size*, with a warning.

        A page without a new UID ends the search with an error, because it would never end.
        """
        offset = octets = 0
        known_uids: set[str] = set()
        for _ in count():
            page_query = {**query, "includefield": ",".join(fields), "limit": str(size), "offset": str(offset)}
            page = self._fetch_page(resource, page_query, parse, size)
            octets += page.octets
            if octets > QIDO_OCTETS.maximum:
                raise ArchiveError(
                    f"the responses to one search are longer than {QIDO_OCTETS.format_maximum()} octets",
                    subject=self._build_url(resource),
                    next_step=QIDO_OCTETS.next_step,
                )
            previous_count = len(known_uids)
            known_uids.update(map(get_uid, page.results))
            if page.results and len(known_uids) == previous_count:
                raise ArchiveError(
                    "the search does not end: the archive repeated the results of earlier pages",
                    subject=self._build_url(resource),
                    next_step="check whether a proxy removes the parameter offset from the URL",
                )
            yield page
            offset += len(page.results)
            if page.is_last or not page.results:
                return

    def _fetch_page(
        self, resource: str, query: Mapping[str, str], parse: Callable[[str], tuple[QidoResult, ...]], size: int
    ) -> Page[QidoResult]:
        url = self._build_url(resource)
        try:
            response = self.client.request("GET", f"{url}?{urlencode(query, safe='*!,')}")
        except httpx.TransportError as error:
            raise translate_no_response(error, url, self.client.http_client.get_timeout_s(error)) from error
        # The archive answers a search without a match with 204 instead of an empty list.
        if response.status == httpx.codes.NO_CONTENT:
            return Page((), is_last=True)
        if response.status != httpx.codes.OK:
            raise self._build_unexpected_error(response, url)
        require_complete(response, url)
        try:
            results = parse(response.body)
        except InvalidDicomJson as error:
            raise ArchiveError(f"the response is not from a dcm4chee archive: {error}", subject=url) from error
        is_last = len(results) < size and "warning" not in response.headers
        return Page(results, is_last, len(response.body))

    def _build_url(self, resource: str) -> str:
        return f"{self.url}/aets/{quote(self.ae_title)}/rs/{resource}"

    def _build_unexpected_error(self, response: HttpResponse, url: str) -> ArchiveError:
        match response.status:
            case httpx.codes.NOT_FOUND:
                return ArchiveError(
                    f"no search service (HTTP 404): no archive has this URL, or the archive has no AE {self.ae_title}",
                    subject=url,
                    next_step="check the archive's base URL (--archive-url)",
                )
            case httpx.codes.REQUEST_ENTITY_TOO_LARGE:
                return ArchiveError(
                    "the search has more results than the archive returns (HTTP 413)",
                    subject=url,
                    next_step="check dcmQueryMaxNumberOfResults",
                )
            case _:
                return translate_unexpected_response(response, url, with_token=self.client.has_token)
