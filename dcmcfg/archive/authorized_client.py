"""Send requests with a bearer token to the archive (RFC 6750)."""

from __future__ import annotations

from dcmcfg.archive.http_client import HttpClient, HttpResponse
from dcmcfg.archive.issuer import TokenIssuer


class AuthorizedClient:
    """Sends requests to the archive's web services by *http_client*, with *token*, tokens of an issuer, or none.

    The issuer is asked for a token before the first request, before the token expires, and once if the archive rejects
    a cached one (401).
    """

    def __init__(self, http_client: HttpClient, token: str | TokenIssuer | None = None) -> None:
        self.http_client = http_client
        self._token = token

    @property
    def has_token(self) -> bool:
        """Whether requests contain a token."""
        return self._token is not None

    def request(self, method: str, url: str) -> HttpResponse:
        """Send a request and return the response.

        Raises :class:`httpx.TransportError`, and, before anything is sent,
        :class:`~dcmcfg.archive.failures.TokenError`.
        """
        if not isinstance(self._token, TokenIssuer):
            return self._send(method, url, self._token)
        # Only a cached token is renewed after a 401: the archive would reject another new one as well.
        was_cached = self._token.has_valid_token
        response = self._send(method, url, self._token.get_token())
        if response.status == 401 and was_cached:
            response = self._send(method, url, self._token.renew_token())
        return response

    def _send(self, method: str, url: str, token: str | None) -> HttpResponse:
        if not token:
            return self.http_client.request(method, url)
        return self.http_client.request(method, url, headers={"Authorization": f"Bearer {token}"}, secrets=(token,))
