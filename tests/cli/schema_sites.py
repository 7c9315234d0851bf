"""Directory servers with cn=config at an old release's schema, with data, for ``dcmcfg upgrade schema``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from dcmcfg.directory.server import LdapServerSettings
from dcmcfg.dn import DN
from dcmcfg.files.release_schema import read_release_schema
from dcmcfg.schema.comparable import DefinitionKind
from dcmcfg.upgrade.schema.configured import ServerSchemaEntries
from tests.config_slapd import CONFIG_DN, CONFIG_PASSWORD, ConfigSlapd, RunningConfigSlapd
from tests.upgrade.customised import Releases

TARGET = "5.33.1"
Serve = Callable[..., RunningConfigSlapd]
DEVICE = "dicomDeviceName=dcm4chee-arc,cn=Devices,cn=DICOM Configuration,dc=dcm4che,dc=org"
_UI = f"dcmuiConfigName=default,{DEVICE}"
#: Entries that the schema of 5.14.1 allows, with attributes that have another OID and another file in 5.33.1.
_OLD_ENTRIES = f"""\
dn: cn=DICOM Configuration,dc=dcm4che,dc=org
objectClass: dicomConfigurationRoot
cn: DICOM Configuration

dn: cn=Devices,cn=DICOM Configuration,dc=dcm4che,dc=org
objectClass: dicomDevicesRoot
cn: Devices

dn: {DEVICE}
objectClass: dicomDevice
objectClass: dcmArchiveDevice
dicomDeviceName: dcm4chee-arc
dicomInstalled: TRUE
dcmFuzzyAlgorithmClass: org.dcm4che3.soundex.ESoundex

dn: dcmKeycloakServerID=keycloak,{DEVICE}
objectClass: dcmKeycloakServer
dcmKeycloakServerID: keycloak
dcmURI: http://localhost:8880
dcmKeycloakRealm: dcm4che
dcmKeycloakClientID: dcm4chee-arc
dcmTLSAllowAnyHostname: TRUE

dn: {_UI}
objectClass: dcmuiConfig
dcmuiConfigName: default

"""
#: An entry with an attribute that every release up to 5.23.0 has, and 5.33.1 no longer.
COUNT_DN = f"dcmuiDashboardConfigName=hospital,{_UI}"
COUNT = f"""\
dn: {COUNT_DN}
objectClass: dcmuiDashboardConfig
dcmuiDashboardConfigName: hospital
dcmuiCountAET: DCM4CHEE

"""
#: Definitions of a site: an attribute and two classes that use those of the archive.
HOSPITAL_SCHEMA = """\
attributetype ( 1.3.6.1.4.1.32473.1 NAME 'hospitalWard' DESC 'Ward of the device'
  EQUALITY caseIgnoreMatch
  SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )

objectclass ( 1.3.6.1.4.1.32473.2 NAME 'hospitalRoom' DESC 'Not affected' SUP top AUXILIARY MAY hospitalWard )
objectclass ( 1.3.6.1.4.1.32473.3 NAME 'hospitalMerge' DESC 'Uses an attribute of the archive' SUP top AUXILIARY
  MAY ( hospitalWard $ dcmMergeAttribute ) )
objectclass ( 1.3.6.1.4.1.32473.4 NAME 'hospitalFloor' DESC 'Not affected' SUP top AUXILIARY MAY hospitalWard )
"""


def find_schema_folder(releases: Releases, version: str) -> Path:
    """The folder of the release with *version*."""
    folders = [each / version for each in (releases.upstream, releases.more)]
    return next(each for each in folders if (each / "schema" / "dicom.schema").exists())


def load_data(slapd: ConfigSlapd, releases: Releases, version: str, extra: str = "") -> None:
    """Load the default configuration of *version*, or a few entries if the release has only a schema."""
    folder = find_schema_folder(releases, version)
    if (folder / "default-config.ldif").exists():
        names = ("init-baseDN.ldif", "init-config.ldif", "default-config.ldif", "default-ui-config.ldif")
        slapd.load_files(folder / name for name in names)
    else:
        other = find_schema_folder(releases, "5.23.0")
        slapd.load_files([other / "init-baseDN.ldif"])
        slapd.load_ldif(_OLD_ENTRIES)
    if extra:
        slapd.load_ldif(extra)


@contextmanager
def serving(folder: Path, releases: Releases) -> Iterator[Serve]:
    """Return a function that starts a server with the schema and data of a release, named by the environment."""
    with ExitStack() as stack, pytest.MonkeyPatch.context() as environment:

        def serve(
            version: str, *, data: str = "", name: str = "slapd", loads: bool = True, **settings: Any
        ) -> RunningConfigSlapd:
            schema = find_schema_folder(releases, version) / "schema"
            slapd = ConfigSlapd(folder / name, schema, **settings)
            slapd.prepare()
            if loads:
                load_data(slapd, releases, version, data)
            server = RunningConfigSlapd(stack.enter_context(slapd))
            environment.setenv("DCMCFG_LDAP_URL", server.url)
            environment.setenv("DCMCFG_BIND_PASSWORD", server.password)
            environment.setenv("DCMCFG_CONFIG_USER", CONFIG_DN)
            environment.setenv("DCMCFG_CONFIG_PASSWORD", CONFIG_PASSWORD)
            return server

        yield serve


def definitions(schema: ServerSchemaEntries) -> list[tuple[str, str, tuple[bytes, ...]]]:
    return [
        (each.name, kind.value, tuple(one.text for one in each.get(kind))) for each in schema for kind in DefinitionKind
    ]


def lacks(server: RunningConfigSlapd, target: str) -> list[str]:
    """Definitions of the target that the server does not have in the same way, by OID."""
    found = {(each.kind, each.oid): each for each in server.schema().definitions}
    return [
        each.label
        for each in read_release_schema(Path(target)).definitions
        if (each.kind, each.oid) not in found or not found[each.kind, each.oid].is_same(each)
    ]


def config_settings(server: RunningConfigSlapd) -> LdapServerSettings:
    return LdapServerSettings(server.url, DN.parse(server.base_dn), CONFIG_DN, CONFIG_PASSWORD)


def restart(server: RunningConfigSlapd) -> None:
    server.slapd.stop()
    server.slapd.start()
