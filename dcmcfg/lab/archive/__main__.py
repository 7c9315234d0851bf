"""The process of the stand-in archive: ``python -m dcmcfg.lab.archive LABFOLDER``."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from dcmcfg.dn import DN
from dcmcfg.errors import LabError
from dcmcfg.lab.archive.http_server import serve_http
from dcmcfg.lab.archive.java_exceptions import JavaException, UnableToStart
from dcmcfg.lab.archive.lookup import DirectoryConfiguration, make_directory_opener
from dcmcfg.lab.archive.service import ArchiveService
from dcmcfg.lab.process import run_process
from dcmcfg.lab.site import Site

#: Seconds that a replica may need for its first copy of the directory.
_REPLICA_TIMEOUT_S, _POLL_S = 20.0, 0.1


@contextmanager
def serve(site: Site) -> Iterator[None]:
    """Serve DICOM and HTTP while the context is open; raises :class:`LabError` if the archive cannot start."""
    configuration = DirectoryConfiguration(make_directory_opener(site), DN.parse(site.base_dn))
    try:
        service = _load_service(site, configuration)
    except JavaException as failure:
        raise LabError(f"the archive did not start: {failure}", subject=f"device {site.device}") from failure
    try:
        _start(service, site)
        with serve_http(service, site):
            yield
    finally:
        service.close()


def _load_service(site: Site, configuration: DirectoryConfiguration) -> ArchiveService:
    """Return the service; a new replica is given some seconds to get the configuration from its provider."""
    deadline = time.monotonic() + (_REPLICA_TIMEOUT_S if site.node_ldap_url != site.ldap_url else 0)
    while True:
        try:
            return ArchiveService(site, configuration)
        except JavaException:
            if time.monotonic() >= deadline:
                raise
            time.sleep(_POLL_S)


def _start(service: ArchiveService, site: Site) -> None:
    try:
        service.start()
    except UnableToStart as failure:
        reason = failure.__cause__.args[0] if failure.__cause__ else failure
        raise LabError(
            f"cannot listen ({reason})", subject=failure.address, next_step="to list the ports in use: ss -tlnp"
        ) from failure
    except JavaException as failure:
        raise LabError(f"the archive did not start: {failure}", subject=f"device {site.device}") from failure


if __name__ == "__main__":
    sys.exit(run_process(serve, sys.argv[1:]))
