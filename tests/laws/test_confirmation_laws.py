"""A node that has loaded a change is confirmed, and one that has not is never confirmed, whatever the change.

The node is the lab's stand-in, whose lists are held to recordings of a real archive.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from dcmcfg.changes import Add, Change, Delete, Modification, Modify, Operation
from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.lab.archive.loaded_lists import build_loaded_lists
from dcmcfg.model.tree import Tree
from dcmcfg.nodes.confirmation import ConfirmationState, judge_reload
from dcmcfg.nodes.endpoints import ENDPOINTS, Endpoint
from dcmcfg.nodes.expectations import EndpointExpectation, Expectations, Match, derive_expectations
from dcmcfg.plan.plan import DesiredChange, make_plan
from tests.trees import ARCHIVE, site_entries, tree

DEVICE = "dcm4chee-arc"
INVISIBLE = "dcmExternalRetrieveAEDestination"
#: Attributes whose values are not any text.
VALUES = {
    "dcmInstanceAvailability": ("ONLINE", "NEARLINE"),
    "dcmStorageDuration": ("PERMANENT", "CACHE", "TEMPORARY"),
    "dcmReadOnly": ("TRUE", "FALSE"),
    "dcmNoDeletionConstraint": ("TRUE", "FALSE"),
    "dcmDeleterThreshold": ("1MB", "1000kB", "2GiB", "[hour=1-5]2GB"),
    "dcmMetricsRetentionPeriod": ("60", "5"),
    "dcmRejectionNoteType": ("QUALITY_ISSUE", "REVOKE_REJECTION", "DATA_RETENTION_POLICY_EXPIRED"),
    "dcmTag": ("0020000D", "0020000e", "0020000E"),
    "dcmAttributeUpdatePolicy": ("NONE", "SUPPLEMENT"),
    "dcmOtherAETitle": ("ALIAS", "OTHER"),
}
MULTIPLE = {"dcmTag", "dcmOtherAETitle", "dcmExternalRetrieveAET", "dcmExportStorageID", "dcmDeleterThreshold"}
REQUIRED = {"dcmRejectionNoteType", "dcmTag", "dcmURI"}
#: Naming attributes of the entry beside the one that identifies the item.
MORE_NAMES = {"dcmAttributeSet": {"dcmAttributeSetType": "DIFF_RS"}}
FIXED_NAMES = {"dcmAttributeFilter": "Study"}


@st.composite
def values(draw: st.DrawFn, endpoint: Endpoint) -> dict[str, tuple[str, ...]]:
    """Values of the attributes that *endpoint* shows, and of whether the entry is installed."""
    found = {}
    for each in endpoint.fields:
        known = VALUES.get(each.attribute, ("a", "b", "A"))
        most = len(known) if each.attribute in MULTIPLE else 1
        least = int(each.attribute in REQUIRED)
        found[each.attribute] = tuple(
            draw(st.lists(st.sampled_from(known), unique=True, min_size=least, max_size=most))
        )
    if endpoint.object_class in ("dicomNetworkAE", "dcmAttributeSet"):
        found["dicomInstalled"] = draw(st.sampled_from([(), ("TRUE",), ("FALSE",)]))
    return {name: texts for name, texts in found.items() if texts}


def make_entry(endpoint: Endpoint, attributes: dict[str, tuple[str, ...]]) -> Entry:
    name = FIXED_NAMES.get(endpoint.object_class, "NEW")
    more = MORE_NAMES.get(endpoint.object_class, {})
    classes = [endpoint.object_class]
    classes += ["dcmNetworkAE", "dcmArchiveNetworkAE"] if endpoint.object_class == "dicomNetworkAE" else []
    names = {**more, endpoint.name_attribute: name}
    rdn = "+".join(f"{each}={value}" for each, value in names.items())
    return Entry.from_values(f"{rdn},{ARCHIVE}", {"objectClass": classes, **names, **attributes})


@st.composite
def changes(draw: st.DrawFn) -> tuple[Tree, list[Change]]:
    """A tree, and changes of it: an entry that has an endpoint is added, changed or removed, and perhaps more."""
    endpoint = draw(st.sampled_from(ENDPOINTS))
    before, after = (make_entry(endpoint, draw(values(endpoint))) for _ in range(2))
    kind = draw(st.sampled_from(["add", "change", "remove"]))
    start = tree(*site_entries(), *([] if kind == "add" else [before]))
    made: list[Change] = []
    match kind:
        case "add":
            made.append(Add(after))
        case "remove":
            made.append(Delete(before.dn))
        case _:
            names = dict.fromkeys(each.name for entry in (before, after) for each in entry.attributes)
            modifications = [
                Modification(Operation.REPLACE, name, after.values(name))
                for name in names
                if set(before.values(name)) != set(after.values(name))
            ]
            made += [Modify(before.dn, tuple(modifications))] if modifications else []
    if draw(st.booleans()):
        made.append(Modify(DN.parse(ARCHIVE), (Modification(Operation.REPLACE, INVISIBLE, (b"X",)),)))
    return start, made


def observe(expectations: Expectations, loaded: Tree) -> list[Match]:
    """What a node shows that has loaded *loaded*: the network is unknown."""
    device = DN.parse(ARCHIVE)
    entries = [each for each in loaded.sorted_entries() if each.dn == device or each.dn.is_below(device)]
    lists = build_loaded_lists(entries)

    def read(path: str) -> object:
        answer = lists.find(path)
        # Kinds that the archive does not know are empty.
        return json.loads(answer[1]) if answer is not None and answer[0] == 200 else {}

    return [
        each.match(read(each.path)) if isinstance(each, EndpointExpectation) else Match.UNKNOWN
        for each in expectations.all
    ]


def plan_of(start: Tree, made: Sequence[Change]) -> tuple[Tree, Expectations]:
    plan = make_plan(start, [DesiredChange(each) for each in made])
    return plan.after, derive_expectations(plan, DEVICE)


@given(changes())
def test_a_node_that_has_loaded_the_change_shows_what_is_expected(found: tuple[Tree, list[Change]]) -> None:
    start, made = found
    after, expectations = plan_of(start, made)
    assert Match.NOT_SHOWN not in observe(expectations, after)
    confirmation = judge_reload(expectations, observe(expectations, start), observe(expectations, after))
    is_visible = any(isinstance(each, EndpointExpectation) for each in expectations.all)
    assert confirmation.is_confirmed == is_visible


@given(changes())
def test_a_node_that_has_not_loaded_the_change_is_never_confirmed(found: tuple[Tree, list[Change]]) -> None:
    start, made = found
    _, expectations = plan_of(start, made)
    old = observe(expectations, start)
    confirmation = judge_reload(expectations, old, old)
    is_visible = any(isinstance(each, EndpointExpectation) for each in expectations.all)
    assert confirmation.state is (ConfirmationState.CONTRADICTED if is_visible else ConfirmationState.NOT_CONFIRMED)


@given(changes())
def test_a_node_that_shows_the_change_already_is_confirmed_only_if_all_of_it_is_shown(
    found: tuple[Tree, list[Change]],
) -> None:
    start, made = found
    after, expectations = plan_of(start, made)
    new = observe(expectations, after)
    confirmation = judge_reload(expectations, new, new)
    assert confirmation.is_confirmed <= expectations.covers_all_changes
    assert not (confirmation.is_confirmed and INVISIBLE.lower() in {name for _, name in expectations.changed})
