"""Where a lab keeps its things: ports, folders, credentials."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from dcmcfg.errors import LabError
from dcmcfg.format_number import FileFormat

FILE_NAME = "site.json"
SITE_FORMAT = FileFormat("the description of a lab", 1)
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, kw_only=True)
class Ports:
    """The TCP ports of a lab, all on loopback."""

    ldap: int
    http: int
    archive: int
    external: int
    storage: int
    archive_tls: int
    workstation: int  # nothing listens here: it is left free for ``verify --receive``


@dataclass(frozen=True)
class TokenRequirements:
    """Whose tokens the archive takes: of which issuer, with which role, and for which audience if that matters."""

    issuer: str
    role: str = "auth"
    audience: str = ""


@dataclass(frozen=True)
class Site:
    """A lab's folder with the facts that its processes and the profile ``lab`` share."""

    folder: Path
    ports: Ports
    token_requirements: TokenRequirements | None = None
    extra_study_count: int = 0  # besides the studies that every lab has

    base_dn = "dc=dcm4che,dc=org"
    bind_dn = "cn=admin,dc=dcm4che,dc=org"
    device = "dcm4chee-arc"

    @staticmethod
    def load(folder: Path) -> Site:
        """Return the site stored in *folder*.

        Raises :class:`LabError` when there is none or it does not read, and :class:`~dcmcfg.errors.UnknownFormat`.
        """
        path = folder / FILE_NAME
        try:
            facts = SITE_FORMAT.read_object(json.loads(path.read_text("utf-8")), str(path))
            secured = facts.get("secured")
            return Site(
                folder,
                Ports(**facts["ports"]),
                TokenRequirements(**secured) if secured else None,
                int(facts.get("more_studies", 0)),
            )
        except FileNotFoundError:
            raise LabError("there is no lab", subject=str(folder), next_step="dcmcfg lab up") from None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise LabError(
                f"the lab's facts cannot be read ({error})", subject=str(path), next_step="dcmcfg lab down"
            ) from error

    def save(self) -> None:
        """Write the facts into the lab's folder, which must exist."""
        temporary = self.folder / f"{FILE_NAME}.new"
        facts: dict[str, object] = {"ports": asdict(self.ports)} | (
            {"secured": asdict(self.token_requirements)} if self.token_requirements else {}
        )
        facts |= {"more_studies": self.extra_study_count} if self.extra_study_count else {}
        temporary.write_text(json.dumps(SITE_FORMAT.add_number(facts), indent=2) + "\n", "utf-8")
        temporary.replace(self.folder / FILE_NAME)

    @property
    def ldap_url(self) -> str:
        return f"ldap://{LOOPBACK}:{self.ports.ldap}"

    @property
    def archive_url(self) -> str:
        return f"http://{LOOPBACK}:{self.ports.http}/dcm4chee-arc"

    @property
    def password_file(self) -> Path:
        return self.folder / "ldap-password"

    @property
    def slapd_folder(self) -> Path:
        return self.folder / "slapd"

    @property
    def archive_folder(self) -> Path:
        """Where the stand-in archive keeps its object store and its database."""
        return self.folder / "archive"

    @property
    def archive_move_log(self) -> Path:
        """The archive's record of the C-MOVEs it got: one JSON object a line, written before it is carried out."""
        return self.archive_folder / "requests.jsonl"

    @property
    def external_folder(self) -> Path:
        """Where the external archive keeps its object store."""
        return self.folder / "external"

    @property
    def external_known_aes_file(self) -> Path:
        """The external archive's own table of known AEs: JSON, ``{"DCM4CHEE": ["127.0.0.1", 11112]}``."""
        return self.external_folder / "known-aes.json"

    @property
    def external_move_log(self) -> Path:
        """The external archive's record of the C-MOVEs it served: one JSON object a line, oldest first."""
        return self.external_folder / "moves.jsonl"

    @property
    def storage_folder(self) -> Path:
        """Where the storage SCP STORESCP puts what it receives."""
        return self.folder / "storage"

    @property
    def study_list_file(self) -> Path:
        """The UIDs of the studies besides those that every lab has, one a line."""
        return self.folder / "more-studies.txt"

    @property
    def tls_folder(self) -> Path:
        """Where certificates and keys are, as PEM files; a lab without it has no TLS port."""
        return self.folder / "tls"

    @property
    def ca_certificate(self) -> Path:
        """The certificate of the lab's authority, which the archive trusts."""
        return self.tls_folder / "ca.pem"

    @property
    def archive_certificate(self) -> Path:
        return self.tls_folder / "archive.pem"

    @property
    def archive_key(self) -> Path:
        return self.tls_folder / "archive.key"

    @property
    def client_certificate(self) -> Path:
        """What is shown to the archive, which wants a certificate of its authority."""
        return self.tls_folder / "client.pem"

    @property
    def client_key(self) -> Path:
        return self.tls_folder / "client.key"

    @property
    def log_folder(self) -> Path:
        return self.folder / "log"
