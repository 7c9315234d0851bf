"""Configurations with devices, AEs, parts of archives, and references of every shape between them.

Few names serve for all kinds and on all devices, so that things are called alike that are not the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import NamedTuple

from hypothesis import strategies as st

from dcmcfg.entry import Entry
from dcmcfg.model.references.attributes import SHAPES
from dcmcfg.model.references.kinds import EntityKind
from dcmcfg.model.references.rewriting import find_names
from dcmcfg.model.registries import REGISTRIES
from dcmcfg.model.tree import Tree
from dcmcfg.schema.definitions import load_bundled_schema
from tests.trees import BASE, DEVICES, Values, connection, network_ae, storage_scp

NAMES = ("ALPHA", "BETA", "GAMMA", "DELTA-WADO")
#: No thing is called that.
GONE = "GONE"
ARCHIVES = ("arc-one", "arc-two")
OTHERS = ("ALPHA", "scanner")
ROOT = f"cn=DICOM Configuration,{BASE}"
#: The kinds of parts that an archive's device has, with what their classes ask for beside the name.
PARTS: Mapping[EntityKind, Values] = {
    EntityKind.QUEUE: {},
    EntityKind.EXPORTER: {"dcmURI": "storage:none", "dcmQueueName": "none"},
    EntityKind.STORAGE: {"dcmURI": "file:///none"},
    EntityKind.VIEW: {},
    EntityKind.KEYCLOAK_CLIENT: {"dcmKeycloakRealm": "dcm4che", "dcmURI": "https://none"},
    EntityKind.ID_GENERATOR: {"dcmIDGeneratorFormat": "%08d"},
    EntityKind.BULK_DATA_DESCRIPTOR: {},
    EntityKind.PDQ_SERVICE: {"dcmURI": "pdq-dicom:none"},
}
#: Values in which names stand otherwise than alone; ``{}`` is a name.
TEMPLATES: Mapping[str, tuple[str, ...]] = {
    "dcmcstorescuofcmovescp": ("{}={}",),
    "dcmlimitassociationsinitiatedby": ("{}=12",),
    "dcmupseventwebsocketqueuesize": ("{}=10",),
    "dcmmultiplestoreassociations": ("{}:3", "2"),
    "dcmmasqueradecalledaetitle": ("{}:USED",),
    "dcmmasqueradecallingaetitle": ("[{}]USED", "USED"),
    "dcmuri": (
        "dicom:{}",
        "storescu:{}",
        "movescu:{}",
        "stgcmtscu:{}",
        "ianscu:{}",
        "leading-arc:{}",
        "stow:{}",
        "ups:{}",
        "storage:{}",
        "storage:{}:",
        "file:///{}/x",
    ),
    "dcmwebservicepath": ("/dcm4chee-arc/aets/{}/rs", "/dcm4chee-arc/aets/{}", "/{}"),
    "dcmcoercionparam": ("mwl-scp={}", "match-by={}"),
    "dcmproperty": (
        "SendingApplicationEntityTitle={}",
        "SendingApplicationEntityTitle!={}|{}",
        "ReceivingApplicationEntityTitle=({}|CT.*)",
        "StorageID={}",
        "other={}",
    ),
}
_DNS = (
    "dicomNetworkConnectionReference",
    "dcmAuditRecordRepositoryDeviceReference",
    "hl7OrderScheduledStationDeviceReference",
)


class Holding(NamedTuple):
    """An entry that refers to something: its parent, the attribute, its values."""

    parent: str
    attribute: str
    values: tuple[str, ...]


@st.composite
def random_sites(draw: st.DrawFn) -> Tree:
    """A configuration with some of everything; titles and names of web applications are carried once."""
    homes = st.sampled_from((*ARCHIVES, *OTHERS))
    titles = draw(st.dictionaries(st.sampled_from(NAMES), homes, min_size=1))
    apps = draw(st.dictionaries(st.sampled_from(NAMES), st.sampled_from(ARCHIVES)))
    kinds = draw(st.lists(st.sampled_from(list(PARTS)), max_size=3, unique=True))
    parts = {
        (home, kind, name) for kind in kinds for home in ARCHIVES for name in draw(st.sets(st.sampled_from(NAMES)))
    }
    favoured = tuple(each for group in referring() for each in group if set(kinds) & _kinds(each))
    holdings = draw(st.lists(_holdings(titles, favoured), min_size=1, max_size=25))
    served = {name: draw(st.sampled_from(NAMES)) for name in apps}
    entries = [
        *_frame(),
        *_devices(),
        *_aes(titles),
        *_apps(apps, served),
        *(_part(*part) for part in sorted(parts, key=str)),
        *(_holder(number, holding) for number, holding in enumerate(holdings)),
    ]
    return Tree.from_entries(load_bundled_schema(), entries)


def device_dn(name: str) -> str:
    return f"dicomDeviceName={name},{DEVICES}"


@cache
def _kinds(attribute: str) -> frozenset[EntityKind]:
    """The kinds of what values of *attribute* name."""
    values = (template.replace("{}", "X").encode() for template in TEMPLATES.get(attribute.lower(), ("{}",)))
    return frozenset(name.kind for value in values for name in find_names(attribute, value))


@cache
def referring() -> tuple[tuple[str, ...], ...]:
    """The attributes of the map, as the schema spells them, by the kind of what they name; those of DNs come last.

    Those in which names do not stand alone are together, once for all and once more each, since there is most to them.
    """
    groups: dict[object, list[str]] = {}
    for name in sorted(SHAPES):
        definition = load_bundled_schema().attribute(name)
        if definition is not None:
            kind = "shaped" if name in TEMPLATES else next(iter(find_names(name, b"X"))).kind
            groups.setdefault(kind, []).append(definition.name)
    return (*map(tuple, groups.values()), *((each,) for each in groups["shaped"]), _DNS)


def templates(attribute: str) -> tuple[str, ...]:
    """What the values of *attribute* look like; one that is not listed is a name alone, which is checked."""
    listed = TEMPLATES.get(attribute.lower())
    if listed is None:
        (name,) = find_names(attribute, b"X")
        assert (name.start, name.end) == (0, 1), f"{attribute} needs a template"
        return ("{}",)
    return listed


@st.composite
def _holdings(draw: st.DrawFn, titles: Mapping[str, str], favoured: tuple[str, ...]) -> Holding:
    devices = st.sampled_from((*ARCHIVES, *OTHERS))
    home = draw(devices)
    own = [title for title, device in titles.items() if device == home]
    above = draw(st.sampled_from([device_dn(home), *(f"dicomAETitle={title},{device_dn(home)}" for title in own)]))
    attribute = draw(st.sampled_from(draw(st.sampled_from((*referring(), *([favoured] * 4 if favoured else ()))))))
    count = 1 if _is_single(attribute) else draw(st.integers(1, 3))
    values: dict[str, None] = {}
    for _ in range(count):
        if attribute in _DNS:
            values[draw(st.sampled_from(["", "cn=dicom,"])) + device_dn(draw(devices))] = None
        else:
            template = draw(st.sampled_from(templates(attribute)))
            named = [draw(st.sampled_from((*NAMES, *OTHERS, GONE))) for _ in range(template.count("{}"))]
            values[template.format(*named)] = None
    return Holding(above, attribute, tuple(values))


def _is_single(attribute: str) -> bool:
    definition = load_bundled_schema().attribute(attribute)
    return definition is not None and definition.single_valued


def _holder(number: int, holding: Holding) -> Entry:
    name = f"holder {number}"
    classes = (_class_with(holding.attribute),)
    values: Values = {"objectClass": classes, "cn": name, holding.attribute: holding.values}
    return Entry.from_values(f"cn={name},{holding.parent}", values)


@cache
def _class_with(attribute: str) -> str:
    """A class that allows *attribute*, and of which an entry is none of the things that have names."""
    kinds = {kind.value.object_class for kind in EntityKind} | {registry.entry_class for registry in REGISTRIES}
    schema = load_bundled_schema()
    for each in schema.object_classes:
        if attribute in (*each.must, *each.may) and each.name not in kinds:
            return each.name
    return "dcmArchiveDevice"


def _frame() -> Iterator[Entry]:
    yield Entry.from_values(BASE, {"objectClass": ("organization", "dcObject"), "o": "dcm4che.org", "dc": "dcm4che"})
    yield Entry.from_values(ROOT, {"objectClass": "dicomConfigurationRoot", "cn": "DICOM Configuration"})
    yield Entry.from_values(DEVICES, {"objectClass": "dicomDevicesRoot", "cn": "Devices"})
    for name, object_class in (
        ("Unique AE Titles Registry", "dicomUniqueAETitlesRegistryRoot"),
        ("Unique Web Application Names Registry", "dcmUniqueWebAppNamesRegistryRoot"),
    ):
        yield Entry.from_values(f"cn={name},{ROOT}", {"objectClass": object_class, "cn": name})


def _devices() -> Iterator[Entry]:
    for name in (*ARCHIVES, *OTHERS):
        classes = ("dicomDevice", "dcmDevice", "dcmArchiveDevice")[: 3 if name in ARCHIVES else 2]
        yield Entry.from_values(
            device_dn(name),
            {"objectClass": classes, "dicomDeviceName": name, "dicomInstalled": "TRUE"}
            | ({"dcmFuzzyAlgorithmClass": "org.dcm4che3.soundex.ESoundex"} if name in ARCHIVES else {}),
        )
        yield connection(device_dn(name))


def _aes(titles: Mapping[str, str]) -> Iterator[Entry]:
    for title, device in titles.items():
        yield network_ae(device_dn(device), title)
        yield storage_scp(device_dn(device), title)
        dn = f"dicomAETitle={title},cn=Unique AE Titles Registry,{ROOT}"
        yield Entry.from_values(dn, {"objectClass": "dicomUniqueAETitle", "dicomAETitle": title})


def _apps(apps: Mapping[str, str], served: Mapping[str, str]) -> Iterator[Entry]:
    for name, device in apps.items():
        values: Values = {
            "objectClass": "dcmWebApp",
            "dcmWebAppName": name,
            "dcmWebServiceClass": "QIDO_RS",
            "dcmWebServicePath": f"/dcm4chee-arc/aets/{served[name]}/rs",
            "dicomAETitle": served[name],
        }
        yield Entry.from_values(f"dcmWebAppName={name},{device_dn(device)}", values)
        dn = f"dcmWebAppName={name},cn=Unique Web Application Names Registry,{ROOT}"
        yield Entry.from_values(dn, {"objectClass": "dcmUniqueWebAppName", "dcmWebAppName": name})


def _part(device: str, kind: EntityKind, name: str) -> Entry:
    naming = kind.value
    values: Values = {"objectClass": naming.object_class, naming.attribute: name} | dict(PARTS[kind])
    return Entry.from_values(f"{naming.attribute}={name},{device_dn(device)}", values)
