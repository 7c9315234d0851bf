"""Decisions: their numbers and places, and what the merge makes of the user's answers."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from dcmcfg.dn import DN, NormalDN
from dcmcfg.entry import Entry
from dcmcfg.errors import Refused
from dcmcfg.upgrade.decisions import answer_decisions, number_decisions, replace_numbers
from dcmcfg.upgrade.merge import Merge
from dcmcfg.upgrade.merge_result import Decision, MergeResult, Stage
from dcmcfg.upgrade.trees import UpgradeTree
from tests.trees import ARCHIVE, connection, network_ae
from tests.upgrade.test_merge import ARCHIVE_KEY, get_entry, make_tree, queue

QUEUE = f"dcmQueueName=Export1,{ARCHIVE}"


def merge(
    base: UpgradeTree, theirs: UpgradeTree, site: UpgradeTree, take: Sequence[str] = ()
) -> tuple[MergeResult, tuple[Decision, ...]]:
    """Return the result with the answers *take*, and the decisions without answers."""
    decisions = number_decisions(Merge(base, theirs, site, Stage.OFFICIAL, archive_key=ARCHIVE_KEY).run().decisions)
    taken = answer_decisions(decisions, take, ()).list_taken_places(site)
    return Merge(base, theirs, site, Stage.OFFICIAL, archive_key=ARCHIVE_KEY, taken=taken).run(), decisions


def coercion(name: str, **values: str) -> Entry:
    known = {
        "objectClass": name,
        "cn": "Rule",
        "dcmDIMSE": "C_STORE_RQ",
        "dicomTransferRole": "SCU",
        "dcmURI": "xslt:a",
    }
    return Entry.from_values(f"cn=Rule,{ARCHIVE}", known | values)


@pytest.mark.parametrize(
    ("name", "base", "theirs", "site", "taken"),
    [
        ("dcmMaxRetries", ["1"], ["2"], ["7"], {"2"}),
        ("dcmMaxRetries", ["1"], [], ["7"], set()),
        ("dcmSchedule", ["a"], ["a", "b"], [], {"a", "b"}),
        ("dcmSchedule", ["a"], ["a", "b"], ["own"], {"a", "b"}),
        ("dcmProperty", ["x=1", "y=1"], ["x=2", "y=1"], ["x=7", "y=7"], {"x=2", "y=7"}),
    ],
)
def test_the_release_wins_in_a_taken_decision(
    name: str, base: list[str], theirs: list[str], site: list[str], taken: set[str]
) -> None:
    trees = [
        make_tree(queue().with_values(name, [each.encode() for each in values])) for values in (base, theirs, site)
    ]
    for place in ("1", f"{QUEUE} {name}", f"dcmqueuename=export1 {name.lower()}"):
        result, _ = merge(trees[0], trees[1], trees[2], [place])
        assert result.decisions == []
        assert set(get_entry(result, QUEUE).texts(name)) == taken


def test_a_taken_entry_of_the_same_name_becomes_that_of_the_release() -> None:
    site = make_tree(queue(dcmMaxRetries="7", dcmSchedule="own"))
    theirs = make_tree(queue(dcmMaxRetries="2"))
    kept, decisions = merge(make_tree(), theirs, site)
    assert [(str(each.dn), each.attribute) for each in decisions] == [(QUEUE, "")]
    assert get_entry(kept, QUEUE) == get_entry(MergeResult(tree=site), QUEUE)

    taken, _ = merge(make_tree(), theirs, site, [QUEUE])
    assert taken.decisions == []
    assert get_entry(taken, QUEUE) == queue(dcmMaxRetries="2")


def test_a_changed_entry_that_the_release_removes_is_deleted_if_taken() -> None:
    base, site = make_tree(queue(dcmMaxRetries="1")), make_tree(queue(dcmMaxRetries="7"))
    kept, decisions = merge(base, make_tree(), site)
    assert [each.reason for each in decisions] == ["the release removes the entry, but the site has changed the entry"]
    assert get_entry(kept, QUEUE).texts("dcmMaxRetries") == ("7",)

    taken, _ = merge(base, make_tree(), site, ["1"])
    assert taken.tree.get(DN.parse(QUEUE)) is None


def test_what_a_new_class_does_not_allow_is_a_decision() -> None:
    base, theirs = (make_tree(coercion(f"dcmArchiveAttributeCoercion{end}")) for end in ("", "2"))
    site = make_tree(coercion("dcmArchiveAttributeCoercion", dcmNullifyTag="00100010"))
    place = f"cn=Rule,{ARCHIVE}"
    kept, decisions = merge(base, theirs, site)
    assert [(each.attribute, each.reason) for each in decisions] == [
        ("", "the release changes the object class of the entry, and the new class does not allow dcmNullifyTag")
    ]
    assert get_entry(kept, place) == coercion("dcmArchiveAttributeCoercion", dcmNullifyTag="00100010")

    taken, _ = merge(base, theirs, site, [place])
    assert get_entry(taken, place) == coercion("dcmArchiveAttributeCoercion2")


def test_attributes_of_an_auxiliary_class_that_the_site_removed_are_not_added() -> None:
    dn = f"dicomAETitle=AE,{ARCHIVE}"
    plain = Entry.from_values(dn, {"objectClass": "dicomNetworkAE", "dicomAETitle": "AE"})
    full = plain.with_values("objectClass", [b"dicomNetworkAE", b"dcmArchiveNetworkAE"])
    theirs = full.with_values("dcmQueryRetrieveViewID", [b"hideRejected"])
    result, decisions = merge(make_tree(full), make_tree(theirs), make_tree(plain))
    assert decisions == ()
    assert get_entry(result, dn) == plain
    assert [each.reason for each in result.dropped] == [
        "the object classes of the site's entry do not allow dcmQueryRetrieveViewID"
    ]


def test_host_names_ports_and_descriptions_of_the_site_stay_without_a_question() -> None:
    before, after, own = (connection(ARCHIVE, dicomHostname=each) for each in ("old", "new", "own"))
    result, decisions = merge(make_tree(before), make_tree(after), make_tree(own))
    assert decisions == ()
    assert [each.attribute for each in result.kept] == ["dicomHostname"]
    assert get_entry(result, str(own.dn)) == own


def test_a_title_in_use_cannot_be_taken() -> None:
    device = "dicomDeviceName=other,cn=Devices,cn=DICOM Configuration,dc=dcm4che,dc=org"
    other = Entry.from_values(device, {"objectClass": "dicomDevice", "dicomDeviceName": "other"})
    site = make_tree(other, network_ae(device, "WORKLIST"))
    theirs = make_tree(other, network_ae(device, "WORKLIST"), network_ae(ARCHIVE, "WORKLIST"))
    base = make_tree(other, network_ae(device, "WORKLIST"))
    _, decisions = merge(base, theirs, site)
    assert [each.reason for each in decisions] == [
        "the site uses the AE title WORKLIST for another AE. To give the new AE another title: --role WORKLIST=TITLE"
    ]
    with pytest.raises(Refused, match="cannot be answered with --take"):
        merge(base, theirs, site, ["1"])


def test_an_answer_must_name_one_decision() -> None:
    dns = [DN.parse(f"cn=rule,dicomAETitle={title},{ARCHIVE}") for title in ("A", "B")]
    decisions = number_decisions([Decision(each, "dcmTag", "both") for each in dns])
    assert [each.number for each in decisions] == [1, 2]
    with pytest.raises(Refused, match="fits several decisions") as refusal:
        answer_decisions(decisions, ["cn=rule dcmTag"], ())
    assert refusal.value.next_step == "specify one of the numbers 1, 2"
    answers = answer_decisions(decisions, ["cn=rule,dicomAETitle=A dcmTag"], ["2"])
    assert ([each.number for each in answers.taken], [each.number for each in answers.kept]) == ([1], [2])
    assert answers.open == ()
    for unknown in ("3", "0", "cn=rule,dicomAETitle=A", "cn=rule,dicomAETitle=C dcmTag", "e,dicomAETitle=A dcmTag"):
        with pytest.raises(Refused, match="there is no decision"):
            answer_decisions(decisions, [unknown], ())
    with pytest.raises(Refused, match="are both specified for the decision"):
        answer_decisions(decisions, ["1"], ["1"])


def test_an_answer_by_number_becomes_one_by_place_unless_the_place_is_ambiguous() -> None:
    one, other, same_place = number_decisions(
        [
            Decision(DN.parse(ARCHIVE), "dcmTag", "both"),
            Decision(DN.parse(QUEUE), "dcmMaxRetries", "both"),
            Decision(DN.parse(QUEUE), "dcmMaxRetries", "gap"),
        ]
    )
    by_place = f"{ARCHIVE} dcmTag"
    assert replace_numbers(["01", by_place], [one], [other, same_place]) == (by_place,)
    assert replace_numbers(["1", "2"], [one, other], [same_place]) == (by_place, "2")
    both = replace_numbers(["2", "3"], [other, same_place], [one])
    assert both == (f"{QUEUE} dcmMaxRetries",)
    assert answer_decisions([one, other, same_place], both, ()).taken == (other, same_place)


def test_a_reference_that_the_site_kept_to_what_it_removed_stays_but_no_new_one_is_made() -> None:
    name = "dicomNetworkConnectionReference"
    dn = f"dicomAETitle=AE,{ARCHIVE}"
    tls, http = (connection(ARCHIVE, name=each) for each in ("tls", "http"))
    plain = Entry.from_values(dn, {"objectClass": "dicomNetworkAE", "dicomAETitle": "AE"})
    kept = plain.with_values(name, [str(tls.dn).encode()])
    both = plain.with_values(name, [str(tls.dn).encode(), str(http.dn).encode()])
    result, decisions = merge(make_tree(tls, http, kept), make_tree(tls, http, both), make_tree(kept))
    assert decisions == ()
    assert get_entry(result, dn) == kept
    assert [each.reason for each in result.dropped] == [f"the site has removed the entry to which {name} refers"]


def test_an_answer_counts_only_in_the_stage_of_its_decision() -> None:
    place = DN.parse(QUEUE)
    decisions = number_decisions([Decision(place, "dcmMaxRetries", "both"), Decision(place, "dcmMaxRetries", "gap")])
    official, gap = answer_decisions(decisions, ["2"], ()).split_after(1)
    assert ([each.number for each in official.open], official.taken) == ([1], ())
    assert ([each.number for each in gap.taken], gap.open) == ([2], ())
    # Once the first one is taken, the second one may no longer be a question.
    official, gap = answer_decisions(decisions, ["1"], ()).split_after(1)
    assert gap.follow(()).open == ()
    assert gap.follow(decisions[1:]).open == gap.open


def test_nothing_is_added_below_an_entry_that_another_merge_has_blocked() -> None:
    site = make_tree(queue())
    below = Entry.from_values(f"cn=below,{QUEUE}", {"objectClass": "dcmQueue", "cn": "below"})
    theirs = make_tree(queue(), below)
    key = site.key(DN.parse(QUEUE))

    def run(blocked: frozenset[NormalDN]) -> MergeResult:
        return Merge(site, theirs, site, Stage.GAP, archive_key=ARCHIVE_KEY, blocked=blocked).run()

    assert site.key(below.dn) in run(frozenset()).tree.entries
    assert site.key(below.dn) not in run(frozenset({key})).tree.entries
