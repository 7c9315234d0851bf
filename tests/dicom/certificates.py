"""Certificates of a hospital's authority, and of a stranger's, as PEM files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import trustme

from dcmcfg.dicom.tls import TlsFiles
from tests.tls_slapd import PAST, TOMORROW, YESTERDAY, Files, leaf_files, written


@dataclass(frozen=True)
class Pki:
    """What TLS peers show and trust; ``ca`` signed all but ``strange``."""

    ca: Path
    strange_ca: Path
    server: Files
    elsewhere: Files
    expired: Files
    early: Files
    strange: Files
    client: Files

    @property
    def trusting(self) -> TlsFiles:
        """Trusts the authority, shows nothing."""
        return TlsFiles(self.ca)


def make_pki(folder: Path) -> Pki:
    """Make them in *folder*; servers are for 127.0.0.1 and localhost, but one."""
    authority, stranger = trustme.CA(), trustme.CA()
    local = ("127.0.0.1", "localhost")
    expired = authority.issue_cert(*local, not_before=PAST, not_after=YESTERDAY)
    return Pki(
        written(folder, "ca.pem", authority.cert_pem.bytes()),
        written(folder, "strange-ca.pem", stranger.cert_pem.bytes()),
        leaf_files(folder, "server", authority.issue_cert(*local, common_name="archive", organization_name="hospital")),
        leaf_files(folder, "elsewhere", authority.issue_cert("archive.invalid")),
        leaf_files(folder, "expired", expired),
        leaf_files(folder, "early", authority.issue_cert(*local, not_before=TOMORROW)),
        leaf_files(folder, "strange", stranger.issue_cert(*local)),
        leaf_files(folder, "client", authority.issue_cert("client", common_name="dcmcfg")),
    )
