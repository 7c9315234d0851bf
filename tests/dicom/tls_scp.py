"""An SCP on loopback that answers C-ECHO over TLS, or plainly."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dcmcfg.dicom.peer import Peer
from dcmcfg.dicom.tls import TlsFiles
from tests.dicom.dcmtk import LOOPBACK
from tests.echo_scps import echo_scp
from tests.tls_slapd import Files


@contextmanager
def tls_scp(context: ssl.SSLContext | None) -> Iterator[Peer]:
    """Answer C-ECHO over *context*, or plainly."""
    with echo_scp("ARCHIVE", tls=context) as port:
        yield Peer("ARCHIVE", LOOPBACK, port)


def server_context(
    shown: Files, trusted: Path | None = None, *, version: ssl.TLSVersion | None = None
) -> ssl.SSLContext:
    """A server's context that shows *shown*, and wants a certificate of the authority *trusted* if there is one."""
    context = TlsFiles(trusted, shown.certificate, shown.key).server_context()
    if version is not None:
        context.minimum_version = context.maximum_version = version
    return context
