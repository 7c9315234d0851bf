"""A real slapd with cn=config (slapd-config(5)) and the archive's schema of a release, at a chosen position."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from dcmcfg.lab.slapd import Slapd, make_module_lines
from dcmcfg.ldif.reader import read_all
from dcmcfg.ldif.records import ContentRecord
from dcmcfg.upgrade.schema.configured import ServerSchemaEntries, parse_schema_entries
from tests.ports import free_port
from tests.running_slapd import PASSWORD, RunningSlapd

CONFIG_DN, CONFIG_PASSWORD = "cn=admin,cn=config", "config-secret"
#: The schemas of OpenLDAP before those of the archive: dicom has the index 1, or the index 4.
AT_1, AT_4 = ("core",), ("core", "cosine", "nis", "inetorgperson")
_OPENLDAP = Path("/etc/ldap/schema")
_FILES = ("dicom", "dcm4che", "dcm4chee-archive", "dcm4chee-archive-ui")


class ConfigSlapd(Slapd):
    """A slapd whose configuration is in a folder slapd.d, made from a slapd.conf; ``start`` serves ldapi too."""

    def __init__(
        self,
        folder: Path,
        schema_folder: Path,
        *,
        before: Iterable[str] = AT_4,
        without: tuple[str, ...] = (),
        extra_schema: str = "",
        extra_database: str = "",
        modules: tuple[str, ...] = (),
        port: int = 0,
    ) -> None:
        super().__init__(
            folder,
            port=port or free_port(),
            root_password=PASSWORD,
            modules=modules,
            extra_global=extra_schema,
            extra_database=extra_database,
        )
        self._schemas = [*(_OPENLDAP / f"{each}.schema" for each in before)]
        self._schemas += [schema_folder / f"{each}.schema" for each in _FILES if each not in without]
        # The path of a socket may have at most 107 octets.
        self._socket = Path(tempfile.mkdtemp(prefix="slapd")) / "ldapi"

    @property
    def ldapi_url(self) -> str:
        return f"ldapi://{quote(str(self._socket), safe='')}"

    @property
    def config_folder(self) -> Path:
        return self.folder / "slapd.d"

    @property
    def command(self) -> tuple[str, ...]:
        return self._command("-h", f"{self.url} {self.ldapi_url}", "-d", "none")

    def prepare(self) -> None:
        super().prepare()
        self.config_folder.mkdir(mode=0o700, exist_ok=True)
        # This fails at the end, because the database is still empty, but the configuration is written.
        subprocess.run(
            (str(self._program_file), "-T", "test", "-f", str(self._configuration_file), "-F", str(self.config_folder)),
            capture_output=True,
            check=False,
        )
        assert (self.config_folder / "cn=config.ldif").exists()

    def _make_configuration(self) -> str:
        external = f"gidNumber={os.getgid()}+uidNumber={os.getuid()},cn=peercred,cn=external,cn=auth"
        lines = [
            *make_module_lines("back_mdb", *self.modules),
            *(f"include {each}" for each in self._schemas),
            *([f"include {self._write_extra_schema()}"] if self.extra_global else []),
            "sizelimit 500",
            "database config",
            f'rootdn "{CONFIG_DN}"',
            f"rootpw {CONFIG_PASSWORD}",
            f'access to * by dn.exact="{external}" manage',
            "database mdb",
            f"suffix {self.suffix}",
            f'rootdn "{self.root_dn}"',
            f"rootpw {self.root_password}",
            f"directory {self.database_folder}",
            "maxsize 268435456",
            "envflags nosync",
            "access to attrs=userPassword by anonymous auth",
            f'access to * by dn.exact="{external}" write by * read',
            self.extra_database,
        ]
        return "\n".join(lines) + "\n"

    def _write_extra_schema(self) -> Path:
        path = self.folder / "hospital.schema"
        path.write_text(self.extra_global, "utf-8")
        return path

    def _command(self, *arguments: str) -> tuple[str, ...]:
        if "test" in arguments:
            return (str(self._program_file), *arguments, "-f", str(self._configuration_file))
        return (str(self._program_file), *arguments, "-F", str(self.config_folder))

    def start(self) -> None:
        self._socket.parent.mkdir(mode=0o700, exist_ok=True)
        super().start()

    def stop(self) -> None:
        super().stop()
        shutil.rmtree(self._socket.parent, ignore_errors=True)

    def can_start(self) -> str:
        """What slapd says about its configuration: empty if it could start with it."""
        checked = subprocess.run(
            (str(self._program_file), "-T", "test", "-F", str(self.config_folder), "-u"),
            capture_output=True,
            text=True,
            check=False,
        )
        return "" if checked.returncode == 0 else checked.stderr


@dataclass(frozen=True)
class RunningConfigSlapd(RunningSlapd):
    """As the data's administrator; :meth:`run_config_client` as that of cn=config."""

    slapd: ConfigSlapd

    def run_config_client(self, program: str, *arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
        identity = ("-x", "-H", self.url, "-D", CONFIG_DN, "-w", CONFIG_PASSWORD)
        return subprocess.run(
            [f"/usr/bin/{program}", *identity, *arguments], input=text, capture_output=True, text=True, check=False
        )

    def schema(self) -> ServerSchemaEntries:
        """The schema entries, by OpenLDAP's ldapsearch."""
        found = self.run_config_client("ldapsearch", "-LLL", "-o", "ldif-wrap=no", "-b", "cn=schema,cn=config")
        assert found.returncode == 0, found.stderr
        records = read_all([found.stdout.encode()], "ldapsearch")
        return parse_schema_entries(each.entry for each in records if isinstance(each, ContentRecord))

    def modify_config(self, ldif: str) -> None:
        done = self.run_config_client("ldapmodify", text=ldif)
        assert done.returncode == 0, done.stderr

    def octets(self) -> list[str]:
        """All entries with all attributes, also those that the server maintains, as ldapsearch prints them."""
        found = self.run_client("ldapsearch", "-LLL", "-o", "ldif-wrap=no", "-b", self.base_dn, "*", "+")
        assert found.returncode == 0, found.stderr
        return found.stdout.split("\n\n")
