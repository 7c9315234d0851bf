"""A real 389 Directory Server in a folder of its own, on loopback.

It is made from the template that the package installs, without ``dscreate``, which needs the system's own folders.
"""

from __future__ import annotations

import getpass
import re
import shutil
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

from dcmcfg.entry import Entry
from dcmcfg.ldif.reader import read_all
from dcmcfg.ldif.records import ContentRecord
from dcmcfg.schema.definitions import bundled
from dcmcfg.schema.slapd import render
from tests.foreign.openldap_tools import run_client
from tests.ports import free_port

PROGRAM = Path("/usr/sbin/ns-slapd")
_TEMPLATE = Path("/usr/share/dirsrv/data/template-dse.ldif")
_DEFAULTS = Path("/etc/dirsrv")
_SCHEMA = Path("/usr/share/dirsrv/schema")
_CERTIFICATE, _OCTET_STRING = "1.3.6.1.4.1.1466.115.121.1.8 ", "1.3.6.1.4.1.1466.115.121.1.40 "
_START_SECONDS = 60.0

BASE_DN = "dc=dcm4che,dc=org"
BIND_DN = "cn=admin,dc=dcm4che,dc=org"
PASSWORD = "secret"

#: What a new server lacks: a database for the suffix.
_DATABASE = f"""\
dn: cn=site,cn=ldbm database,cn=plugins,cn=config
changetype: add
objectClass: top
objectClass: extensibleObject
objectClass: nsBackendInstance
cn: site
nsslapd-suffix: {BASE_DN}

dn: cn="{BASE_DN}",cn=mapping tree,cn=config
changetype: add
objectClass: top
objectClass: extensibleObject
objectClass: nsMappingTree
cn: {BASE_DN}
nsslapd-state: backend
nsslapd-backend: site
"""


class Server389:
    """One ns-slapd, with the schema of the archive and without entries; as a context manager it runs."""

    base_dn = BASE_DN
    bind_dn = BIND_DN
    password = PASSWORD

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"ldap://127.0.0.1:{self.port}"

    def run_client(self, program: str, *arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
        """Run one of OpenLDAP's tools as the administrator, *text* on its standard input."""
        return run_client(program, self.url, self.bind_dn, self.password, *arguments, text=text)

    def add(self, ldif: str) -> None:
        """Add the entries of *ldif*."""
        added = self.run_client("ldapadd", text=ldif.replace("version: 1\n", "", 1))
        assert added.returncode == 0, added.stderr

    def entries(self) -> dict[str, Entry]:
        """Return what the server holds by DN (user attributes), read by OpenLDAP's own tool."""
        found = self.run_client("ldapsearch", "-LLL", "-o", "ldif-wrap=no", "-b", self.base_dn)
        assert found.returncode == 0, found.stderr
        records = read_all([found.stdout.encode()], "ldapsearch")
        return {str(record.entry.dn): record.entry for record in records if isinstance(record, ContentRecord)}

    def __enter__(self) -> Self:
        self._prepare()
        program = [str(PROGRAM), "-D", str(self.folder / "config"), "-i", str(self.folder / "pid"), "-d", "0"]
        self._process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "KILL", "--", *program],
            stdin=subprocess.DEVNULL,
            stdout=(self.folder / "output").open("wb"),
            stderr=subprocess.STDOUT,
        )
        self._wait()
        added = self.run_client("ldapmodify", text=_DATABASE)
        assert added.returncode == 0, added.stderr
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def kill(self) -> None:
        """End the server without warning."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def _prepare(self) -> None:
        for name in ("config/schema", "db", "home", "backup", "ldif", "lock", "run", "log", "tmp"):
            (self.folder / name).mkdir(parents=True, mode=0o700)
        values = {
            "bak_dir": "backup",
            "cert_dir": "config",
            "config_dir": "config",
            "db_dir": "db",
            "db_home_dir": "home",
            "inst_dir": "run",
            "ldif_dir": "ldif",
            "lock_dir": "lock",
            "log_dir": "log",
            "run_dir": "run",
            "schema_dir": "config/schema",
            "tmp_dir": "tmp",
        }
        texts = {name: str(self.folder / place) for name, place in values.items()} | {
            "db_lib": "bdb",
            "ds_passwd": "{CLEAR}" + PASSWORD,
            "ds_port": str(self.port),
            "ds_suffix": BASE_DN,
            "ds_user": getpass.getuser(),
            "fqdn": "localhost",
            "ldapi": str(self.folder / "run" / "ldapi"),
            "ldapi_autobind": "off",
            "ldapi_enabled": "off",
            "rootdn": BIND_DN,
        }
        template = _TEMPLATE.read_text("utf-8").replace(
            "nsslapd-port:", "nsslapd-listenhost: 127.0.0.1\nnsslapd-port:", 1
        )
        settings = re.sub(r"%(\w+)%", lambda found: texts[found[1]], template)
        (self.folder / "config" / "dse.ldif").write_text(settings, "utf-8")
        for name in ("config/slapd-collations.conf", "config/certmap.conf"):
            shutil.copy(_DEFAULTS / name, self.folder / "config")
        shutil.copy(_DEFAULTS / "schema" / "99user.ldif", self.folder / "config" / "schema")
        (self.folder / "config" / "schema" / "98dcm4chee.ldif").write_text(_schema(), "utf-8")

    def _wait(self) -> None:
        deadline = time.monotonic() + _START_SECONDS
        while self.run_client("ldapsearch", "-b", "", "-s", "base").returncode:
            assert self._process is not None
            assert self._process.poll() is None, (self.folder / "output").read_text()
            assert time.monotonic() < deadline, (self.folder / "log" / "errors").read_text()
            time.sleep(0.1)


def _schema() -> str:
    """Return the archive's schema as 389 Directory Server reads it, without what it has built in.

    It has no certificate syntax (RFC 4523 §2.1) and keeps certificates as octets, and so do the archive's own here.
    """
    built_in = set(re.findall(r"NAME \(?\s*'([^']+)'", "".join(file.read_text() for file in _SCHEMA.glob("*.ldif"))))
    lines = ["dn: cn=schema"]
    for directive in re.split(r"\n(?=\S)", render(bundled()).strip()):
        keyword, definition = re.sub(r"\s+", " ", directive).split(" ", 1)
        name = re.search(r"'([^']+)'", definition)
        if name is not None and name[1] in built_in:
            continue
        kind = "attributeTypes" if keyword == "attributetype" else "objectClasses"
        lines.append(f"{kind}: {definition.replace(_CERTIFICATE, _OCTET_STRING)}")
    return "\n".join(lines) + "\n"
