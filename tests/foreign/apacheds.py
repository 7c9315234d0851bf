"""A real ApacheDS in a folder of its own, on loopback."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from dcmcfg.schema.definitions import AttributeType, ObjectClass, load_bundled_schema
from dcmcfg.schema.syntaxes import get_syntax_oid
from tests.foreign.running_server import BASE_DN, RunningServer
from tests.ports import free_port

LIBRARIES = Path("/usr/share/apacheds/lib")
_CONFIGURATION = Path("/etc/apacheds/config.ldif")
#: What it is given, because it takes a tenth of a second for each definition.
_CLASSES = {
    "dicomConfigurationRoot",
    "dicomDevicesRoot",
    "dicomUniqueAETitlesRegistryRoot",
    "dicomUniqueAETitle",
    "dicomDevice",
    "dicomNetworkAE",
    "dicomNetworkConnection",
    "dicomTransferCapability",
}
#: Where DICOM and dcm4che keep their definitions; ApacheDS has the others built in.
_OWN = ("1.2.840.10008.15.0.3.", "1.2.40.0.13.", "1.3.6.1.4.1.53411.")
#: Debian's package names no more than a part of what it needs.
_MISSING = ("caffeine", "commons-codec", "commons-collections4", "commons-lang3", "commons-pool2", "commons-text")
_MISSING_PATHS = [Path("/usr/share/java", f"{name}.jar") for name in _MISSING]
_CLASS_PATH = ":".join([f"{LIBRARIES}/*", *map(str, _MISSING_PATHS)])
REQUIRED = (LIBRARIES / "apache-directory-api-all.jar", _CONFIGURATION, *_MISSING_PATHS)
#: Where ApacheDS makes its certificate with what a Java of today keeps to itself.
_EXPORTED = [f"--add-exports=java.base/sun.security.{name}=ALL-UNNAMED" for name in ("x509", "util")]

_SUFFIX = f"dn: {BASE_DN}\ndc: dcm4che\no: dcm4che.org\nobjectclass: organization\nobjectclass: dcObject\n\n"

_DEVICES = f"cn=Devices,cn=DICOM Configuration,{BASE_DN}"

#: A configuration of one archive, in what the server knows of the schema.
TREE = f"""\
dn: cn=DICOM Configuration,{BASE_DN}
objectClass: dicomConfigurationRoot
cn: DICOM Configuration

dn: cn=Devices,cn=DICOM Configuration,{BASE_DN}
objectClass: dicomDevicesRoot
cn: Devices

dn: cn=Unique AE Titles Registry,cn=DICOM Configuration,{BASE_DN}
objectClass: dicomUniqueAETitlesRegistryRoot
cn: Unique AE Titles Registry

dn: dicomAETitle=DCM4CHEE,cn=Unique AE Titles Registry,cn=DICOM Configuration,{BASE_DN}
objectClass: dicomUniqueAETitle
dicomAETitle: DCM4CHEE

dn: dicomDeviceName=dcm4chee-arc,{_DEVICES}
objectClass: dicomDevice
dicomDeviceName: dcm4chee-arc
dicomInstalled: TRUE
dicomVendorData:: UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA==

dn: cn=dicom,dicomDeviceName=dcm4chee-arc,{_DEVICES}
objectClass: dicomNetworkConnection
cn: dicom
dicomHostname: localhost
dicomPort: 11112

dn: dicomAETitle=DCM4CHEE,dicomDeviceName=dcm4chee-arc,{_DEVICES}
objectClass: dicomNetworkAE
dicomAETitle: DCM4CHEE
dicomAssociationInitiator: TRUE
dicomAssociationAcceptor: TRUE
dicomNetworkConnectionReference: cn=dicom,dicomDeviceName=dcm4chee-arc,{_DEVICES}
"""


class ApacheDS(RunningServer):
    """One ApacheDS, with a part of the schema and the suffix entry."""

    bind_dn = "uid=admin,ou=system"

    def command(self) -> Sequence[str]:
        java = ("java", "-Xmx256m", *_EXPORTED, f"-Dapacheds.log.dir={self.folder / 'log'}", "-cp", _CLASS_PATH)
        return (*java, "org.apache.directory.server.UberjarMain", str(self.folder))

    def first_changes(self) -> str:
        return _schema()

    def prepare(self) -> None:
        for name in ("conf", "cache", "partitions", "run", "log"):
            (self.folder / name).mkdir(parents=True, mode=0o700)
        context = base64.b64encode(_SUFFIX.encode()).decode()
        settings = re.sub(r"\n ", "", _CONFIGURATION.read_text("utf-8"))
        settings = re.sub(r"(?m)^ads-contextentry:: .*", f"ads-contextentry:: {context}", settings)
        settings = settings.replace("dc=example,dc=com", BASE_DN).replace("0.0.0.0", "127.0.0.1")
        settings = settings.replace("ads-systemport: 10389", f"ads-systemport: {self.port}")
        settings = settings.replace("ads-systemport: 10636", f"ads-systemport: {free_port()}")
        (self.folder / "conf" / "config.ldif").write_text(settings, "utf-8")


def _schema() -> str:
    """Return change records that add a part of the archive's schema, definition by definition, as ApacheDS keeps it."""
    return "".join(f"{record}\n" for record in _records())


def _records() -> Iterator[str]:
    schema = load_bundled_schema()
    classes = [known for known in schema.object_classes if known.name in _CLASSES]
    own = {attribute.name: attribute for attribute in schema.attributes if attribute.oid.startswith(_OWN)}
    used = {name for known in classes for name in (*known.must, *known.may)}
    yield "dn: cn=dcm4chee,ou=schema\nchangetype: add\nobjectClass: top\nobjectClass: metaSchema\ncn: dcm4chee\n"
    for name in ("attributeTypes", "objectClasses"):
        yield f"dn: ou={name},cn=dcm4chee,ou=schema\nchangetype: add\nobjectClass: organizationalUnit\nou: {name}\n"
    yield from ("\n".join(_attribute_type(own[name])) + "\n" for name in sorted(used) if name in own)
    yield from ("\n".join(_object_class(known)) + "\n" for known in classes)


def _attribute_type(attribute: AttributeType) -> Iterator[str]:
    yield f"dn: m-oid={attribute.oid},ou=attributeTypes,cn=dcm4chee,ou=schema\nchangetype: add"
    yield "objectClass: top\nobjectClass: metaTop\nobjectClass: metaAttributeType"
    yield f"m-oid: {attribute.oid}\nm-name: {attribute.name}\nm-syntax: {get_syntax_oid(attribute.syntax)}"
    if attribute.equality_rule:
        yield f"m-equality: {attribute.equality_rule}"
    if attribute.single_valued:
        yield "m-singleValue: TRUE"


def _object_class(known: ObjectClass) -> Iterator[str]:
    yield f"dn: m-oid={known.oid},ou=objectClasses,cn=dcm4chee,ou=schema\nchangetype: add"
    yield "objectClass: top\nobjectClass: metaTop\nobjectClass: metaObjectClass"
    yield f"m-oid: {known.oid}\nm-name: {known.name}\nm-typeObjectClass: {known.kind.upper()}"
    yield from (f"m-supObjectClass: {name}" for name in known.superiors)
    yield from (f"m-must: {name}" for name in known.must)
    yield from (f"m-may: {name}" for name in known.may)
