"""A real slapd as the tests see it: where it is, who to be there, what it holds."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from dcmcfg.entry import Entry
from dcmcfg.lab.slapd import Slapd
from dcmcfg.lab.tree import list_site_files
from dcmcfg.ldif.reader import read_all
from dcmcfg.ldif.records import ContentRecord
from tests.ports import free_port

PASSWORD = "secret"


@dataclass(frozen=True)
class RunningSlapd:
    slapd: Slapd
    base_dn: str = "dc=dcm4che,dc=org"
    bind_dn: str = "cn=admin,dc=dcm4che,dc=org"

    password = PASSWORD

    @property
    def url(self) -> str:
        return self.slapd.url

    def entries(self, base_dn: str = "") -> tuple[Entry, ...]:
        """What *base_dn*, else the server's own, and all below it hold, by OpenLDAP's ldapsearch (user attributes)."""
        found = self.run_client("ldapsearch", "-LLL", "-o", "ldif-wrap=no", "-b", base_dn or self.base_dn)
        assert found.returncode == 0, found.stderr
        records = read_all([found.stdout.encode()], "ldapsearch")
        return tuple(record.entry for record in records if isinstance(record, ContentRecord))

    def run_client(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run one of OpenLDAP's own tools (``ldapmodify``) as the administrator."""
        identity = ("-x", "-H", self.url, "-D", self.bind_dn, "-w", self.password)
        return subprocess.run(
            [f"/usr/bin/{program}", *identity, *arguments], capture_output=True, text=True, check=False
        )


def loaded_database(folder: Path, files: Iterable[Path]) -> Path:
    """A database with the entries of *files*, to copy from: made once, because loading takes a while."""
    slapd = Slapd(folder, port=0, root_password=PASSWORD)
    slapd.prepare()
    slapd.load_files(files)
    return slapd.database_folder


def copy_database(database: Path, slapd: Slapd) -> None:
    shutil.copytree(database, slapd.database_folder, dirs_exist_ok=True)


def with_schema(folder: Path, schema: str) -> RunningSlapd:
    """A server whose schema is *schema*, as slapd.conf has it, without any entry, not started yet."""
    slapd = Slapd(folder, port=free_port(), root_password=PASSWORD)
    slapd.prepare()
    (folder / "dcm4chee.schema").write_text(schema, "utf-8")
    return RunningSlapd(slapd)


def of_suffix(folder: Path, suffix: str) -> RunningSlapd:
    """A server for another base DN, without any entry, not started yet."""
    root_dn = f"cn=admin,{suffix}"
    slapd = Slapd(folder, port=free_port(), root_password=PASSWORD, suffix=suffix, root_dn=root_dn)
    slapd.prepare()
    return RunningSlapd(slapd, suffix, root_dn)


def provider(folder: Path) -> Slapd:
    """A server with the lab's tree that replicas may follow (slapo-syncprov), not started yet."""
    slapd = Slapd(
        folder,
        port=free_port(),
        root_password=PASSWORD,
        extra_global="moduleload syncprov",
        extra_database="overlay syncprov",
    )
    slapd.prepare()
    slapd.load_files(list_site_files())
    return slapd
