"""What fits is planned, what does not is set aside to be mended."""

from __future__ import annotations

import pytest

from dcmcfg.errors import DoesNotApply
from dcmcfg.ldif.reader import read_all
from dcmcfg.plan.desired_state import collect_desired_changes
from dcmcfg.plan.ldif_output import format_rejects, parse_directory_url
from dcmcfg.plan.plan import InapplicableChange, Plan, make_plan, plan_applicable
from tests.trees import ARCHIVE, STORESCP, site

FITS = f"dn: {ARCHIVE}\nchangetype: modify\nreplace: dicomDescription\ndicomDescription: x\n\n"
MISSES = f"dn: cn=none,{ARCHIVE}\nchangetype: modify\nreplace: dicomDescription\ndicomDescription: x\n\n"


def fitting(text: str) -> tuple[Plan, tuple[InapplicableChange, ...]]:
    return plan_applicable(site(), collect_desired_changes([("f", read_all([text.encode()], "f"))]))


def locations(misfits: tuple[InapplicableChange, ...]) -> list[str]:
    return [str(misfit.desired.location) for misfit in misfits]


def test_what_fits_is_planned_and_what_does_not_is_named() -> None:
    plan, misfits = fitting(FITS + MISSES + FITS.replace(ARCHIVE, STORESCP))
    assert [str(change.dn) for change in plan.changes] == [ARCHIVE, STORESCP]
    assert locations(misfits) == ["f:6"]
    assert "there is no such entry" in misfits[0].problem.message


def test_what_stands_below_an_entry_that_could_not_be_added_is_set_aside() -> None:
    """Below one that exists and differs too: it is somebody else's."""
    taken = STORESCP
    text = (
        f"dn: {taken}\nchangetype: add\nobjectClass: dicomDevice\ndicomDeviceName: storescp\n\n"
        f"dn: cn=tls,{taken}\nchangetype: add\nobjectClass: dicomNetworkConnection\ncn: tls\ndicomHostname: h\n\n"
    )
    plan, misfits = fitting(text + FITS)
    assert len(plan.steps) == 1
    assert locations(misfits) == ["f:1", "f:6"]
    assert misfits[1].problem.message == "this change depends on f:1, which cannot be applied"


def test_what_builds_on_a_rename_that_does_not_fit_is_set_aside() -> None:
    text = f"dn: {ARCHIVE}\nchangetype: modrdn\nnewrdn: dicomDeviceName=storescp\ndeleteoldrdn: 1\n\n" + FITS.replace(
        ARCHIVE, STORESCP
    )
    plan, misfits = fitting(text)
    assert plan.steps == ()
    assert locations(misfits) == ["f:1", "f:6"]


def test_a_change_of_values_holds_up_nothing_else() -> None:
    wrong = f"dn: {ARCHIVE}\nchangetype: modify\nadd: dicomInstalled\ndicomInstalled: FALSE\n\n"
    plan, misfits = fitting(wrong + FITS)
    assert (len(plan.steps), locations(misfits)) == (1, ["f:1"])


def test_the_rejects_can_be_read_again_with_the_reason_above_each() -> None:
    entry = f"dn: {ARCHIVE}\nobjectClass: dicomNetworkAE\ndicomAETitle:: /v8=\n\n"
    strict = MISSES.replace("changetype", "control: 1.3.6.1.1.12 true:: hwtvYmplY3RDbGFzcw==\nchangetype")
    for text in (MISSES, entry, strict):
        _, misfits = fitting(text)
        written = format_rejects(misfits, comments=("dcmcfg rejects for cn=admin @ ldap://h:389 · archive x",))
        again = read_all([written.encode()], "r")
        (first,), (second,) = read_all([text.encode()], "f"), again
        assert type(second) is type(first)
        assert getattr(second, "change", None) == getattr(first, "change", None)
        assert getattr(second, "entry", None) == getattr(first, "entry", None)
        assert "# f:1: " in written
        assert parse_directory_url(written.encode()) == "ldap://h:389"


def test_only_the_first_of_many_problems_are_reported() -> None:
    try:
        make_plan(site(), collect_desired_changes([("f", read_all([(MISSES * 25).encode()], "f"))]))
    except DoesNotApply as refusal:
        lines = refusal.full_message.splitlines()
    assert lines[0] == "25 of 25 changes cannot be applied:"
    assert lines[-1] == "  … and 5 more"
    assert len(lines) == 22


def test_of_many_problems_the_causes_are_listed_and_the_changes_that_depend_on_them_are_counted() -> None:
    added = "".join(
        f"dn: {rdn}ou=elsewhere,dc=example,dc=org\nchangetype: add\nobjectClass: organizationalUnit\nou: x\n\n"
        for rdn in ("", *(f"ou=part{number}," for number in range(30)))
    )
    with pytest.raises(DoesNotApply) as refusal:
        make_plan(site(), collect_desired_changes([("f", read_all([(added + MISSES).encode()], "f"))]))
    assert refusal.value.full_message.splitlines() == [
        "32 of 32 changes cannot be applied:",
        "  f:1: ou=elsewhere,dc=example,dc=org: the entry is not below the base DN — set another base DN with "
        "--base-dn (DCMCFG_BASE_DN), or apply the file with the base DN of this site: "
        "dcmcfg apply --map-base auto FILE",
        f"  f:156: cn=none,{ARCHIVE}: there is no such entry — nearest existing entry: {ARCHIVE}",
        "  … and 30 changes that depend on these changes",
    ]
