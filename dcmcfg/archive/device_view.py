"""Read a device as the archive shows it: ``GET /devices/NAME``, which the archive answers from its directory."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import httpx

from dcmcfg.archive.authorized_client import AuthorizedClient
from dcmcfg.archive.error_body import format_one_line, read_error
from dcmcfg.archive.failures import require_complete, translate_no_response, translate_unexpected_response
from dcmcfg.archive.http_client import HttpResponse, HttpTimeouts
from dcmcfg.errors import ArchiveError
from dcmcfg.schema_names import DICOM_DEVICE_NAME

#: Seconds. The archive reads each entry of the device in a search of its own.
TIMEOUTS = HttpTimeouts(connect=10.0, response=60.0)
_OK, _NOT_FOUND, _NOT_ALLOWED = 200, 404, 405
#: Levels of lists and objects; a device has fewer than ten.
_MAX_DEPTH = 100
_BASE_URL_HINT = "check the archive's base URL (--archive-url): the default is http://HOST:8080/dcm4chee-arc"


def read_device_view(client: AuthorizedClient, archive_url: str, device_name: str) -> Mapping[str, Any]:
    """Return the JSON object of the device *device_name* of the archive at *archive_url*; nothing is written.

    Raises :class:`ArchiveError` if there is no response, if the archive refuses the request or does not know the
    device, and if the response is not a device, another device, or longer than the limit ``device-body``.
    """
    url = f"{archive_url}/devices/{quote(device_name, safe='')}"
    try:
        response = client.request("GET", url)
    except httpx.TransportError as error:
        raise translate_no_response(error, url, client.http_client.get_timeout_s(error)) from error
    if response.status in (_NOT_FOUND, _NOT_ALLOWED):
        raise _translate_not_found(response, url, device_name)
    if response.status != _OK:
        raise translate_unexpected_response(response, url, with_token=client.has_token)
    require_complete(response, url)
    content = _parse_object(response.body, url)
    name = content.get(DICOM_DEVICE_NAME)
    if not isinstance(name, str):
        raise ArchiveError(
            f"the response is not a device: it has no {DICOM_DEVICE_NAME}", subject=url, next_step=_BASE_URL_HINT
        )
    if name.casefold() != device_name.casefold():
        raise ArchiveError(
            f"the response is another device: {format_one_line(name)}",
            subject=url,
            next_step=(
                "run dcmcfg device list to find the name of the archive's device, then specify this name with --device"
            ),
        )
    return content


def _translate_not_found(response: HttpResponse, url: str, device_name: str) -> ArchiveError:
    reason = read_error(response.body)
    # The archive answers in JSON, its web server with a page or without a body.
    if response.status == _NOT_FOUND and reason.message and not reason.is_page:
        return ArchiveError(
            f"the archive does not find the device {device_name} (HTTP {response.status}): {reason.message}",
            subject=url,
            next_step="compare LDAP_URL and LDAP_BASE_DN of the archive's server with the output of dcmcfg config "
            "show: the archive might read another directory server or base DN than dcmcfg",
        )
    return ArchiveError(
        f"the archive does not offer GET /devices/NAME (HTTP {response.status})",
        subject=url,
        next_step=(
            f"{_BASE_URL_HINT}. GET /devices/NAME requires release 5.1 or later. The environment variable "
            "WILDFLY_DEPLOY_UI of the archive's container must not be 'only'"
        ),
    )


def _parse_object(body: str, url: str) -> Mapping[str, Any]:
    try:
        content = json.loads(body)
    # Python refuses to parse JSON that is nested too deeply.
    except (ValueError, RecursionError) as error:
        raise ArchiveError(
            "the response is not JSON, or it is incomplete", subject=url, next_step=_BASE_URL_HINT
        ) from error
    if not isinstance(content, dict):
        raise ArchiveError("the response is not a JSON object", subject=url, next_step=_BASE_URL_HINT)
    if _is_deeper_than(content, _MAX_DEPTH):
        raise ArchiveError(
            f"the response has more than {_MAX_DEPTH} levels of objects", subject=url, next_step=_BASE_URL_HINT
        )
    return content


def _is_deeper_than(content: Any, depth: int) -> bool:
    level = [content]
    for _ in range(depth):
        level = [
            below
            for each in level
            for below in (each.values() if isinstance(each, dict) else each)
            if isinstance(below, dict | list)
        ]
        if not level:
            return False
    return True
