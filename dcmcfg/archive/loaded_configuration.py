"""Read what an archive has loaded: the endpoints that answer from its memory."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import httpx

from dcmcfg.archive.authorized_client import AuthorizedClient
from dcmcfg.archive.failures import translate_no_response, translate_unexpected_response
from dcmcfg.archive.http_client import HttpTimeouts
from dcmcfg.errors import ArchiveError

#: Seconds; short, because a reload counts without a confirmation too.
TIMEOUTS = HttpTimeouts(connect=3.0, response=8.0)
_OK, _NOT_FOUND = 200, 404
#: Endpoints of which the archive knows only some kinds.
_KINDS = ("/attribute-set/", "/attribute-filter/")


@dataclass
class LoadedConfiguration:
    """The endpoints of the archive at *url*; each is requested once, until :meth:`forget`."""

    url: str
    client: AuthorizedClient
    #: The reason why the last endpoint without content could not be read; empty if there was none.
    problem: str = ""
    _contents: dict[str, Any] = field(default_factory=dict)

    def read(self, path: str) -> Any | None:
        """Return the JSON content of the endpoint *path*; None if there is no answer that can be used.

        A list of a kind that the archive does not know (404) counts as empty.
        """
        if path not in self._contents:
            try:
                self._contents[path] = self._request(path)
            except ArchiveError as error:
                self.problem = f"GET {path}: {error.message}"
                self._contents[path] = None
        return self._contents[path]

    def forget(self) -> None:
        """Request each endpoint again when it is read next."""
        self._contents.clear()
        self.problem = ""

    def _request(self, path: str) -> Any:
        url = f"{self.url}{path}"
        try:
            response = self.client.request("GET", url)
        except httpx.TransportError as error:
            raise translate_no_response(error, url, self.client.http_client.get_timeout_s(error)) from error
        # The archive's own answer to an unknown kind is text; that of a web server without the archive is a page.
        is_unknown_kind = response.status == _NOT_FOUND and response.body.startswith('{"errorMessage"')
        if is_unknown_kind and path.startswith(_KINDS):
            return {} if path.startswith("/attribute-filter/") else []
        if response.status != _OK or response.exceeded_limit is not None:
            raise translate_unexpected_response(response, url, with_token=self.client.has_token)
        try:
            content = json.loads(response.body)
        except ValueError as error:
            raise ArchiveError("the response is not JSON", subject=url) from error
        if not isinstance(content, list | dict):
            raise ArchiveError("the response is neither a list nor an object", subject=url)
        return content
