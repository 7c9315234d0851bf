"""A slapd that listens on every kind of LDAP URL, with certificates made for the test."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import trustme

from dcmcfg.lab.slapd import Slapd
from tests.ports import free_port
from tests.running_slapd import PASSWORD, RunningSlapd, copy_database

PEER = "cn=peercred,cn=external,cn=auth"
_NOW = dt.datetime.now(dt.UTC)
PAST = _NOW - dt.timedelta(days=2)
YESTERDAY = _NOW - dt.timedelta(days=1)
TOMORROW = _NOW + dt.timedelta(days=1)


class ManyFacedSlapd(Slapd):
    """One slapd on ``ldap://`` (StartTLS where it has a certificate), ``ldaps://`` and ``ldapi://``."""

    ldaps_port = 0

    @property
    def socket_path(self) -> Path:
        return self.folder / "ldapi"

    @property
    def ldapi_url(self) -> str:
        return f"ldapi://{quote(str(self.socket_path), safe='')}"

    @property
    def ldaps_url(self) -> str:
        return f"ldaps://localhost:{self.ldaps_port}"

    @property
    def starttls_url(self) -> str:
        return f"ldap://localhost:{self.port}"

    @property
    def binds(self) -> list[str]:
        """Who has asked to be bound so far, by slapd's log."""
        return re.findall(r'BIND dn="([^"]+)" method', self.log_file.read_text())

    @property
    def command(self) -> tuple[str, ...]:
        urls = [self.url, self.ldapi_url]
        if self.ldaps_port:
            urls.append(f"ldaps://127.0.0.1:{self.ldaps_port}")
        return self._command("-h", " ".join(urls), "-d", "stats")


@dataclass(frozen=True)
class Files:
    """A certificate with its private key, as PEM files."""

    certificate: Path
    key: Path


def written(folder: Path, name: str, pem: bytes) -> Path:
    path = folder / name
    path.write_bytes(pem)
    path.chmod(0o600)
    return path


def leaf_files(folder: Path, name: str, leaf: trustme.LeafCert) -> Files:
    pem = b"".join(blob.bytes() for blob in leaf.cert_chain_pems)
    return Files(written(folder, f"{name}.pem", pem), written(folder, f"{name}.key", leaf.private_key_pem.bytes()))


def authority_files(folder: Path, name: str, authority: trustme.CA) -> Files:
    """The authority's own certificate: shown by a server, it is a self-signed one."""
    key = written(folder, f"{name}.key", authority.private_key_pem.bytes())
    return Files(written(folder, f"{name}.pem", authority.cert_pem.bytes()), key)


def many_faced(
    folder: Path, database: Path, shown: Files | None = None, trusted: Path | None = None, *, demand: bool = False
) -> ManyFacedSlapd:
    """Return a prepared slapd with the entries of *database*, showing the certificate *shown*.

    Clients need a certificate of the authority *trusted* with *demand*. Whoever the connection shows (SASL EXTERNAL)
    is the administrator.
    """
    settings = [f'authz-regexp ".*,{PEER}" "{RunningSlapd.bind_dn}"', 'authz-regexp "cn=dcmcfg,.*" "uid=dcmcfg"']
    if shown is not None:
        settings += [f"TLSCertificateFile {shown.certificate}", f"TLSCertificateKeyFile {shown.key}"]
        settings.append(f"TLSVerifyClient {'demand' if demand else 'allow'}")
    if trusted is not None:
        settings.append(f"TLSCACertificateFile {trusted}")
    server = ManyFacedSlapd(folder, port=free_port(), root_password=PASSWORD, extra_global="\n".join(settings))
    server.ldaps_port = free_port() if shown is not None else 0
    server.prepare()
    copy_database(database, server)
    return server
