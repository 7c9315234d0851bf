"""A real 389 Directory Server in a folder of its own, on loopback.

It is made from the template that the package installs, without ``dscreate``, which needs the system's own folders.
"""

from __future__ import annotations

import getpass
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from dcmcfg.schema.definitions import load_bundled_schema
from dcmcfg.schema.slapd import format_slapd_schema
from tests.foreign.running_server import BASE_DN, PASSWORD, RunningServer

PROGRAM = Path("/usr/sbin/ns-slapd")
_TEMPLATE = Path("/usr/share/dirsrv/data/template-dse.ldif")
_DEFAULTS = Path("/etc/dirsrv")
_SCHEMA = Path("/usr/share/dirsrv/schema")
_CERTIFICATE, _OCTET_STRING = "1.3.6.1.4.1.1466.115.121.1.8 ", "1.3.6.1.4.1.1466.115.121.1.40 "

BIND_DN = "cn=admin,dc=dcm4che,dc=org"

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


class Server389(RunningServer):
    """One ns-slapd, without entries."""

    bind_dn = BIND_DN

    def command(self) -> Sequence[str]:
        return (str(PROGRAM), "-D", str(self.folder / "config"), "-i", str(self.folder / "pid"), "-d", "0")

    def first_changes(self) -> str:
        return _DATABASE

    def prepare(self) -> None:
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


def _schema() -> str:
    """Return the archive's schema as 389 Directory Server reads it, without what it has built in.

    It has no certificate syntax (RFC 4523 §2.1) and keeps certificates as octets, and so do the archive's own here.
    """
    built_in = set(re.findall(r"NAME \(?\s*'([^']+)'", "".join(file.read_text() for file in _SCHEMA.glob("*.ldif"))))
    lines = ["dn: cn=schema"]
    for directive in re.split(r"\n(?=\S)", format_slapd_schema(load_bundled_schema()).strip()):
        keyword, definition = re.sub(r"\s+", " ", directive).split(" ", 1)
        name = re.search(r"'([^']+)'", definition)
        if name is not None and name[1] in built_in:
            continue
        kind = "attributeTypes" if keyword == "attributetype" else "objectClasses"
        lines.append(f"{kind}: {definition.replace(_CERTIFICATE, _OCTET_STRING)}")
    return "\n".join(lines) + "\n"
