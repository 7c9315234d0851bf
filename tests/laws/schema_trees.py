"""Trees built from nothing but the schema: any class anywhere, its attributes with any values.

Names, and the DNs of what is there, are drawn from few, so that values often refer to something.
"""

from __future__ import annotations

import re
from pathlib import Path

from hypothesis import strategies as st

from dcmcfg.dn import DN, RDN
from dcmcfg.entry import Entry
from dcmcfg.lint import rules
from dcmcfg.model.references.attributes import SHAPES
from dcmcfg.model.references.kinds import EntityKind
from dcmcfg.model.tree import Tree, add_naming_values
from dcmcfg.schema.definitions import AttributeType, ObjectClass, load_bundled_schema
from dcmcfg.schema.structure import add_superiors
from tests.trees import BASE, DEVICES

NAMES = ("ALPHA", "BETA", "*", "a,b")
ROOT = f"cn=DICOM Configuration,{BASE}"
#: All but those of which there is one, where it belongs.
_STRUCTURAL = tuple(
    each
    for each in load_bundled_schema().object_classes
    if each.kind == "structural" and not each.name.endswith("Root")
)
#: The classes that rules look at, more often than all others.
_LIKELY = tuple(
    each
    for each in _STRUCTURAL
    if each.name in {kind.value.object_class for kind in EntityKind}
    or each.name
    in (
        "dicomNetworkConnection",
        "dicomTransferCapability",
        "dicomUniqueAETitle",
        "dcmUniqueWebAppName",
        "hl7UniqueApplicationName",
        "dcmExportRule",
    )
)
#: The attributes that rules read, as their sources and the map of references name them.
_READ = frozenset(
    name.lower()
    for file in Path(rules.__path__[0]).glob("*.py")
    for name in re.findall(r'"((?:dcm|dicom|hl7|userC)[A-Za-z0-9]+)"', file.read_text("utf-8"))
) | frozenset(SHAPES)
_DEVICE = next(each for each in _STRUCTURAL if each.name == "dicomDevice")
_AUXILIARY = {
    "dicomDevice": ("dcmDevice", "dcmArchiveDevice"),
    "dicomNetworkAE": ("dcmNetworkAE", "dcmArchiveNetworkAE"),
    "dicomNetworkConnection": ("dcmNetworkConnection",),
    "dicomTransferCapability": ("dcmTransferCapability",),
    "hl7Application": ("dcmArchiveHL7Application",),
}
_CONTAINERS = {
    "dicomUniqueAETitle": ("dicomUniqueAETitlesRegistryRoot", "cn=Unique AE Titles Registry"),
    "hl7UniqueApplicationName": ("hl7UniqueApplicationNamesRegistryRoot", "cn=Unique HL7 Application Names Registry"),
    "dcmUniqueWebAppName": ("dcmUniqueWebAppNamesRegistryRoot", "cn=Unique Web Application Names Registry"),
}
_TEXTS = st.one_of(
    st.sampled_from(NAMES),
    st.sampled_from(NAMES),
    st.sampled_from(NAMES).flatmap(
        lambda name: st.sampled_from(
            (f"dicom:{name}", f"{name}={name}", f"{name}:2", f"SendingApplicationEntityTitle!={name}", f"[{name}]x")
        )
    ),
    st.sampled_from(("", "PT5M", "1.2.840.10008.5.1.4.1.1.2", "SCP", "SCU", "DICOM", "HTTP", "CACHE", "x(*", "{0}1.2")),
    st.text(max_size=8),
)


def _values(attribute: AttributeType, dns: list[str]) -> st.SearchStrategy[bytes]:
    """Values as the attribute's syntax asks for them, most of the time."""
    match attribute.syntax:
        case "Boolean":
            usual: st.SearchStrategy[str] = st.sampled_from(("TRUE", "FALSE"))
        case "Integer":
            usual = st.sampled_from(("0", "1", "104", "11112", "-1", "9" * 5000))
        case "DN":
            usual = st.sampled_from(dns) | st.sampled_from(dns).map(str.upper)
        case _:
            usual = _TEXTS
    return st.one_of(*([usual.map(str.encode)] * 5), st.binary(max_size=6))


def _parent(structural: ObjectClass, above: list[Entry]) -> st.SearchStrategy[str]:
    """Where an entry of class *structural* may stand: as a rule where the archive looks for it."""
    if structural.name in _CONTAINERS:
        return st.just(f"{_CONTAINERS[structural.name][1]},{ROOT}")
    if structural.name == "dicomDevice":
        return st.just(DEVICES)
    usual = "dicomNetworkAE" if structural.name == "dicomTransferCapability" else "dicomDevice"
    fitting = [str(each.dn) for each in above if each.is_a(usual)]
    return st.sampled_from(fitting * 3 + [str(each.dn) for each in above])


@st.composite
def _entry(draw: st.DrawFn, structural: ObjectClass, above: list[Entry]) -> Entry:
    auxiliary = [name for name in _AUXILIARY.get(structural.name, ()) if draw(st.integers(0, 3))]
    names = [structural.name, *auxiliary]
    classes = add_superiors(
        load_bundled_schema(), [each for each in map(load_bundled_schema().object_class, names) if each is not None]
    )
    parent = draw(_parent(structural, above))
    naming = _naming_attribute(structural)
    name = draw(st.sampled_from(NAMES))
    dn = DN((RDN.of(naming, name), *DN.parse(parent).rdns))
    connections = [str(each.dn) for each in above if each.is_a("dicomNetworkConnection") for _ in range(3)]
    dns = ["cn=gone,dc=org", "nonsense", DEVICES, *(str(each.dn) for each in above)]
    entry = add_naming_values(load_bundled_schema(), Entry.from_values(dn, {"objectClass": names}))
    must = sorted({each for known in classes for each in known.must} - {"objectClass", naming})
    may = sorted({each for known in classes for each in known.may} - {naming})
    read = [each for each in may if each.lower() in _READ]
    some = (st.lists(st.sampled_from(names), max_size=6, unique=True) for names in (read, may) if names)
    for each in dict.fromkeys((*must, *(name for names in some for name in draw(names)))):
        attribute = load_bundled_schema().attribute(each)
        if attribute is not None:
            most = 1 if attribute.single_valued else 3
            fitting = connections + dns if attribute.name == "dicomNetworkConnectionReference" else dns
            values = draw(st.lists(_values(attribute, fitting), min_size=1, max_size=most))
            once = {load_bundled_schema().normalise_value(each, value): value for value in values}
            entry = entry.with_values(attribute.name, once.values())
    return entry


def _naming_attribute(structural: ObjectClass) -> str:
    kinds = {kind.value.object_class: kind.value.attribute for kind in EntityKind}
    registry = {"dicomUniqueAETitle": "dicomAETitle", "hl7UniqueApplicationName": "hl7ApplicationName"}
    of_text = (each for each in structural.must if "ID" in each or "Name" in each or each == "cn")
    return kinds.get(structural.name) or registry.get(structural.name) or next(of_text, "cn")


@st.composite
def schema_trees(draw: st.DrawFn) -> Tree:
    """Return a tree with the usual containers, or without them."""
    entries = [
        Entry.from_values(BASE, {"objectClass": ("organization", "dcObject"), "o": "x", "dc": "dcm4che"}),
        Entry.from_values(ROOT, {"objectClass": "dicomConfigurationRoot", "cn": "DICOM Configuration"}),
        Entry.from_values(DEVICES, {"objectClass": "dicomDevicesRoot", "cn": "Devices"}),
        *(
            Entry.from_values(f"{rdn},{ROOT}", {"objectClass": name, "cn": rdn.removeprefix("cn=")})
            for name, rdn in _CONTAINERS.values()
        ),
    ]
    fixed = len(entries)
    for _ in range(draw(st.integers(1, 3))):
        entries.append(draw(_entry(_DEVICE, entries[fixed:])))
    for _ in range(draw(st.integers(0, 12))):
        structural = draw(st.sampled_from(_LIKELY * 4 + _STRUCTURAL))
        entries.append(draw(_entry(structural, entries[fixed:])))
    return Tree.from_entries(load_bundled_schema(), entries[draw(st.sampled_from((0, 0, 0, 2))) :])
