"""The site of a lab: ports, folders, credentials."""

from __future__ import annotations

import json
from dataclasses import KW_ONLY, asdict, dataclass, replace
from pathlib import Path

from dcmcfg.errors import LabError
from dcmcfg.format_number import FileFormat

FILE_NAME = "site.json"
SITE_FORMAT = FileFormat("the description of a lab", 1)
LOOPBACK = "127.0.0.1"
#: The last octet of the address of a replica is that of its node plus this number.
_REPLICA_OFFSET = 10


@dataclass(frozen=True, kw_only=True)
class Ports:
    """The TCP ports of a lab, all on loopback."""

    ldap: int
    http: int
    archive: int
    external: int
    storage: int
    archive_tls: int
    workstation: int  # nothing listens on it: reserved for ``verify --receive``


@dataclass(frozen=True)
class TokenRequirements:
    """The requirements for tokens of the archive: issuer, role, and audience (empty: any)."""

    issuer: str
    role: str = "auth"
    audience: str = ""


@dataclass(frozen=True)
class Site:
    """A lab's folder with the facts that its processes and the profile ``lab`` share.

    Its properties are the addresses, files and folders of the parts.

    The archive has ``node_count`` nodes, which share its database; this is the view of node ``node`` (1-based). With
    ``replica_lag_s``, each node reads a replica of the directory: that of node 1 follows at once, the others after up
    to so many seconds. Node N listens on 127.0.0.N, its replica on 127.0.0.(10+N), both on the same ports as node 1 and
    the directory.

    ``release`` is the folder or zip file of the release that the site was installed with. Without it, the directory has
    the lab's own tree.
    """

    folder: Path
    ports: Ports
    token_requirements: TokenRequirements | None = None
    extra_study_count: int = 0  # in addition to the standard studies
    _: KW_ONLY
    node_count: int = 1
    replica_lag_s: int | None = None
    node: int = 1
    release: Path | None = None

    base_dn = "dc=dcm4che,dc=org"
    bind_dn = "cn=admin,dc=dcm4che,dc=org"
    device = "dcm4chee-arc"

    @staticmethod
    def load(folder: Path) -> Site:
        """Return the site stored in *folder*.

        Raises :class:`LabError` if there is none or it cannot be read, and :class:`~dcmcfg.errors.UnknownFormat`.
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
                node_count=int(facts.get("node_count", 1)),
                replica_lag_s=facts.get("replica_lag_s"),
                release=Path(facts["release"]) if facts.get("release") else None,
            )
        except FileNotFoundError:
            raise LabError("there is no lab", subject=str(folder), next_step="to start a lab: dcmcfg lab up") from None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise LabError(
                f"cannot read the lab's description ({error})",
                subject=str(path),
                next_step="to remove the lab: dcmcfg lab down",
            ) from error

    def save(self) -> None:
        """Write the facts into the lab's folder, which must exist."""
        temporary = self.folder / f"{FILE_NAME}.new"
        # Format 1 keeps the names ``secured`` and ``more_studies``, although the fields have other names now.
        facts: dict[str, object] = {"ports": asdict(self.ports)} | (
            {"secured": asdict(self.token_requirements)} if self.token_requirements else {}
        )
        facts |= {"more_studies": self.extra_study_count} if self.extra_study_count else {}
        facts |= {"node_count": self.node_count} if self.node_count > 1 else {}
        facts |= {"replica_lag_s": self.replica_lag_s} if self.replica_lag_s is not None else {}
        facts |= {"release": str(self.release)} if self.release is not None else {}
        temporary.write_text(json.dumps(SITE_FORMAT.add_number(facts), indent=2) + "\n", "utf-8")
        # Other processes read this file at any time, so it must always be complete.
        temporary.replace(self.folder / FILE_NAME)

    @property
    def ldap_url(self) -> str:
        return f"ldap://{LOOPBACK}:{self.ports.ldap}"

    @property
    def archive_url(self) -> str:
        return f"http://{self.node_address}:{self.ports.http}/dcm4chee-arc"

    @property
    def node_address(self) -> str:
        """The address of the node."""
        return f"127.0.0.{self.node}"

    @property
    def node_name(self) -> str:
        """The name of the node in the profile."""
        return f"node{self.node}"

    @property
    def nodes(self) -> tuple[Site, ...]:
        """The views of all nodes."""
        return tuple(replace(self, node=number) for number in range(1, self.node_count + 1))

    @property
    def replica_address(self) -> str:
        """The address of the replica that the node reads, if the site has replicas."""
        return f"127.0.0.{_REPLICA_OFFSET + self.node}"

    @property
    def node_ldap_url(self) -> str:
        """The URL of the directory server that the node reads: its replica, or the directory itself."""
        return self.ldap_url if self.replica_lag_s is None else f"ldap://{self.replica_address}:{self.ports.ldap}"

    @property
    def replica_folder(self) -> Path:
        """The folder of the replica that the node reads."""
        return self.folder / f"replica-{self.node}"

    @property
    def password_file(self) -> Path:
        return self.folder / "ldap-password"

    @property
    def config_password_file(self) -> Path:
        """The file with the password for ``cn=config``, if the site was installed with a release."""
        return self.folder / "config-password"

    @property
    def slapd_folder(self) -> Path:
        return self.folder / "slapd"

    @property
    def archive_folder(self) -> Path:
        """The folder of the stand-in archive's object store and database."""
        return self.folder / "archive"

    @property
    def archive_move_log(self) -> Path:
        """The archive's log of received C-MOVE requests: one JSON object per line, written before processing."""
        return self.archive_folder / ("requests.jsonl" if self.node == 1 else f"requests-{self.node}.jsonl")

    @property
    def external_folder(self) -> Path:
        """The folder of the external archive's object store."""
        return self.folder / "external"

    @property
    def external_known_aes_file(self) -> Path:
        """The external archive's own table of known AEs: JSON, ``{"DCM4CHEE": ["127.0.0.1", 11112]}``."""
        return self.external_folder / "known-aes.json"

    @property
    def external_move_log(self) -> Path:
        """The external archive's log of C-MOVE requests: one JSON object per line, the oldest first."""
        return self.external_folder / "moves.jsonl"

    @property
    def storage_folder(self) -> Path:
        """The folder for the objects that the storage SCP STORESCP receives."""
        return self.folder / "storage"

    @property
    def study_list_file(self) -> Path:
        """The file with the UIDs of the extra studies, one per line."""
        return self.folder / "more-studies.txt"

    @property
    def tls_folder(self) -> Path:
        """The folder of certificates and keys (PEM files); a lab without this folder has no TLS port."""
        return self.folder / "tls"

    @property
    def ca_certificate(self) -> Path:
        """The certificate of the lab's CA, which the archive trusts."""
        return self.tls_folder / "ca.pem"

    @property
    def archive_certificate(self) -> Path:
        return self.tls_folder / "archive.pem"

    @property
    def archive_key(self) -> Path:
        return self.tls_folder / "archive.key"

    @property
    def client_certificate(self) -> Path:
        """The client certificate for the archive, which requires a certificate of its CA."""
        return self.tls_folder / "client.pem"

    @property
    def client_key(self) -> Path:
        return self.tls_folder / "client.key"

    @property
    def log_folder(self) -> Path:
        return self.folder / "log"
