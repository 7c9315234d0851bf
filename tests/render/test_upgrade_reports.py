"""The report of an upgrade: equal in all formats, escaped, and without secrets."""

from __future__ import annotations

import html
import io
import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from rich.console import Console

from dcmcfg.changes import Add, Delete, Modify
from dcmcfg.dn import DN
from dcmcfg.files.release import read_release
from dcmcfg.files.trees import read_ldif_tree
from dcmcfg.plan.plan import PlanStep
from dcmcfg.printable import escape_unprintable
from dcmcfg.render.html.report_page import render_report_page
from dcmcfg.render.markdown import escape_markdown, render_code_span, render_prose
from dcmcfg.render.report_markdown import render_report_markdown
from dcmcfg.render.upgrade import print_upgrade
from dcmcfg.render.upgrade_installed import print_installed
from dcmcfg.render.upgrade_json import upgrade_json
from dcmcfg.render.upgrade_places import list_role_lines
from dcmcfg.render.upgrade_sections import build_upgrade_report
from dcmcfg.schema.definitions import load_bundled_schema
from dcmcfg.upgrade.checklist import Checklist
from dcmcfg.upgrade.installed_search import InstalledCandidate
from dcmcfg.upgrade.options import DEFAULT_OPTIONS, UpgradeOptions
from dcmcfg.upgrade.plan_source import PlanSource
from dcmcfg.upgrade.preparation import prepare_upgrade
from dcmcfg.upgrade.report import UpgradeReport, list_planned_changes
from dcmcfg.upgrade.signs import ReleaseMatch
from tests.upgrade.small_release import ARCHIVE, HOSTILE, NEW, OLD, write_releases, write_tree

BASE = DN.parse("cn=Devices,cn=DICOM Configuration,dc=dcm4che,dc=org")
NAMES = Checklist(sql=(HOSTILE, "b"), configuration=(HOSTILE,), cli=("cli/a.cli",))


def make_report(
    folder: Path,
    model: str = HOSTILE,
    *,
    checklist: Checklist = NAMES,
    options: UpgradeOptions = DEFAULT_OPTIONS,
) -> UpgradeReport:
    """The report for the lab's tree with another model name of the archive."""
    old, new = map(read_release, write_releases(folder))
    path = write_tree(folder / "site.ldif", {ARCHIVE: {"dicomManufacturerModelName": model}})
    upgrade = prepare_upgrade(read_ldif_tree(path, load_bundled_schema()), old, new, old, options=options)
    if checklist is NAMES:
        upgrade = replace(upgrade, warnings=(HOSTILE,), new_problems=(HOSTILE,))
    upgrade = replace(upgrade, checklist=checklist)
    created = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    return UpgradeReport(
        upgrade=upgrade,
        changes=list_planned_changes(upgrade),
        subject=HOSTILE,
        created=created,
        source=PlanSource(source=folder / "a b", target=folder / "new", installed=None, updates=(), options=options),
        plan_file="my plan.ldif",
    )


def render_text(report: UpgradeReport, width: int = 100, *, details: bool = False) -> str:
    target = io.StringIO()
    print_upgrade(Console(file=target, width=width, height=25), report, BASE, details=details)
    return target.getvalue()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> UpgradeReport:
    return make_report(tmp_path_factory.mktemp("releases"))


def test_the_page_has_no_markup_of_values(report: UpgradeReport) -> None:
    page = "".join(render_report_page(build_upgrade_report(report, BASE)))
    assert "<script" not in page
    assert "\x1b" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "\\x1b[31m" in page
    assert not re.search(r"\b(src|href)=", page)


def test_markdown_has_no_markup_of_values(report: UpgradeReport) -> None:
    text = "".join(render_report_markdown(build_upgrade_report(report, BASE)))
    assert "\x1b" not in text
    page = MarkdownIt("gfm-like", {"html": True, "linkify": False}).render(text)
    without_breaks = page.replace("<br>", "")
    expected = {"h1", "h2", "ul", "li", "p", "table", "thead", "tr", "th", "tbody", "td", "code", "pre"}
    assert set(re.findall(r"<(\w+)", without_breaks)) == expected
    assert "&lt;script&gt;alert(1)&lt;/script&gt; | `x` **b** [l](http://h/) \\x1b[31m @all\\x0a# h" in page
    for table in page.split("<table>")[1:]:
        rows = [each.count("<td>") + each.count("<th>") for each in table.split("</table>")[0].split("<tr>")[1:]]
        assert len(set(rows)) == 1, table


@pytest.mark.parametrize("width", [80, 120])
def test_text_has_no_control_characters_and_fits_the_terminal(report: UpgradeReport, width: int) -> None:
    text = render_text(report, width, details=True)
    assert text.replace("\n", "").isprintable()
    too_long = [line for line in text.splitlines() if len(line) > width]
    # Names, and commands that can be copied, stay in one piece.
    assert [line for line in too_long if " " in line.strip()[4:] and "dcmcfg " not in line] == []


def test_json_has_the_values_as_they_are(report: UpgradeReport) -> None:
    found = json.loads(json.dumps(upgrade_json(report)))
    (decision,) = found["decisions"]
    assert decision["site"] == [HOSTILE]
    assert decision["place"] == f"{ARCHIVE} dicomManufacturerModelName"


def test_no_format_shows_a_secret(report: UpgradeReport) -> None:
    formats = (
        "".join(render_report_page(build_upgrade_report(report, BASE))),
        "".join(render_report_markdown(build_upgrade_report(report, BASE))),
        render_text(report, details=True),
        json.dumps(upgrade_json(report)),
    )
    for each in formats:
        assert "dcmKeyStorePin" in each
        assert "new-key-pin" not in each
        assert "lab-key-pin" not in each


def test_json_has_every_change_with_its_origin(report: UpgradeReport) -> None:
    found = {each["place"].replace(ARCHIVE, "archive"): each for each in upgrade_json(report)["changes"]}
    short = {
        place.replace(",archive", ""): (
            each["change_type"],
            each["class"],
            each["provenance"],
            each["check"] is not None,
        )
        for place, each in found.items()
    }
    file = "5.31.0/update-dev-5.31.0.ldif"
    assert short == {
        "archive dcmKeyStorePin": ("modify", "careful", [f"{file}:3"], True),
        "dcmQueueName=New1": ("add", "official", [f"{file}:11"], False),
        "dcmQueueName=New2": ("add", "official", [f"{file}:16"], False),
        "dcmQueueName=Rejection": ("delete", "careful", [f"{file}:21"], True),
        "dcmEntity=Study dcmTag": ("modify", "official", [f"{file}:24"], False),
        "dcmEntity=Series dcmTag": ("modify", "official", [f"{file}:29"], False),
        "dicomAETitle=AS_RECEIVED dcmQueryRetrieveViewID": (
            "modify",
            "careful",
            ["5.32.0/update-AS_RECEIVED-5.32.0.ldif:1"],
            True,
        ),
    }
    by_kind = {place: (each["before"], each["after"]) for place, each in found.items()}
    assert by_kind["archive dcmKeyStorePin"] == ([{"secret": True}], [{"secret": True}])
    assert by_kind["dicomAETitle=AS_RECEIVED,archive dcmQueryRetrieveViewID"] == (["regularUse"], ["hideRejected"])
    assert by_kind["dcmQueueName=New1,archive"] == (None, {"objectClass": ["dcmQueue"], "dcmQueueName": ["New1"]})
    assert by_kind["dcmQueueName=Rejection,archive"][1] is None


def test_text_lists_what_to_check_first_and_what_is_left_to_decide(tmp_path: Path) -> None:
    text = render_text(make_report(tmp_path, "PACS of the hospital", checklist=Checklist()), 300)
    assert text[text.index("changes:") :] == (
        "changes: 7 entries (2 added, 4 changed, 1 deleted), from 2 files of the release\nCheck these changes first:\n "
        " - dcmQueue (the entry is deleted)\n      dcmQueueName=Rejection,dicomDeviceName=dcm4chee-arc\n      from "
        "5.31.0/update-dev-5.31.0.ldif:21\n  ~ dcmKeyStorePin: (secret) → (secret) (TLS connections use this key "
        "store)\n      dicomDeviceName=dcm4chee-arc\n      from 5.31.0/update-dev-5.31.0.ldif:3\n  ~ "
        "dcmQueryRetrieveViewID: regularUse → hideRejected (decides which rejected instances users see)\n      "
        "dicomAETitle=AS_RECEIVED,dicomDeviceName=dcm4chee-arc\n      from "
        "5.32.0/update-AS_RECEIVED-5.32.0.ldif:1\nOpen decisions. Until you decide, the site's values stay. To use the "
        "value of the release: --take NUMBER. To keep the value of the site: --keep NUMBER.\n  1. "
        "dicomDeviceName=dcm4chee-arc dicomManufacturerModelName: the site and the release have changed the value\n    "
        " site: PACS of the hospital\n     release: dcm4chee-arc 5.31\nvendor data: unchanged, because the folder of "
        "the release has no vendor-data.zip (in the distribution, the file is in the folder ldap)\nAll changes, equal "
        "changes together (to list each change: --details):\n  + dcmQueue (2 entries)\n      from "
        "5.31.0/update-dev-5.31.0.ldif:11, 16\n  - dcmQueue (dcmQueueName=Rejection,dicomDeviceName=dcm4chee-arc)\n    "
        "  from 5.31.0/update-dev-5.31.0.ldif:21\n  ~ dcmTag: + 00401012 (2 entries)\n      from "
        "5.31.0/update-dev-5.31.0.ldif:24, 29\n  ~ dcmKeyStorePin: (secret) → (secret) "
        "(dicomDeviceName=dcm4chee-arc)\n      from 5.31.0/update-dev-5.31.0.ldif:3\n  ~ dcmQueryRetrieveViewID: "
        "regularUse → hideRejected (dicomAETitle=AS_RECEIVED,dicomDeviceName=dcm4chee-arc)\n      from "
        "5.32.0/update-AS_RECEIVED-5.32.0.ldif:1\nAlso to do:\n  Upgrade the database, WildFly and the software of "
        "the archive as its release notes say. dcmcfg changes only the configuration, and the folder of the release "
        "has no files for these parts.\n"
        "To install the schema, apply the plan, and list the remaining differences:\n"
        f"  dcmcfg upgrade schema --to {tmp_path}/new\n"
        "  dcmcfg upgrade apply 'my plan.ldif'\n"
        f"  dcmcfg upgrade gap --from '{tmp_path}/a b' --to {tmp_path}/new\n"
        "To revert the upgrade later, use the NUMBER that 'dcmcfg upgrade apply' has printed. If "
        "dcmcfg has installed the schema, revert the schema too, with the same --config-user.\n"
        "  dcmcfg undo NUMBER\n  dcmcfg upgrade schema --undo\n"
    )


def test_a_site_without_changes_of_its_own_has_a_page_that_says_so(tmp_path: Path) -> None:
    report = make_report(tmp_path, "dcm4chee-arc 5.31", checklist=Checklist())
    assert report.headline == "Upgrade from 5.30.0 to 5.32.0: 7 entries change, nothing is left to decide"
    page = "".join(render_report_page(build_upgrade_report(report, BASE)))
    assert '<div class="banner is-good">' in page
    assert "Nothing is left to decide." in page
    assert "the folder of the release has no files for these parts" in page


@pytest.mark.parametrize(
    "text", ["a|b", "\\|", "``", "- x", "# h", "[x](http://e)", "<b>", "&amp;", "www.example.org", "*a*_b_~c~", "+ x"]
)
def test_markdown_shows_each_text_as_it_is(text: str) -> None:
    parser = MarkdownIt("gfm-like", {"html": True, "linkify": False})
    for cell in (escape_markdown(text), render_code_span(text)):
        table = parser.render(f"| c | d |\n|---|---|\n| {cell} | end |\n")
        shown = re.search(r"<td>(.*?)</td>\n<td>end</td>", table)
        assert shown is not None, table
        plain = re.sub(r"</?code>", "", shown[1]).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
        assert plain == text


def test_releases_that_explain_a_configuration_equally_well_are_all_named(tmp_path: Path) -> None:
    old, new = (read_release(each) for each in write_releases(tmp_path))

    def show(*counts: int) -> str:
        candidates = [
            InstalledCandidate(release=release, decision_count=count, dropped_count=0, behind=())
            for release, count in zip((new, old), counts, strict=True)
        ]
        target = io.StringIO()
        print_installed(Console(file=target, width=200), candidates)
        return target.getvalue()

    listed = f"(upgrade from {NEW}: 1 decision, 0 changes not made; from {OLD}: 1 decision, 0 changes not made)\n"
    assert show(1, 1) == (
        f"first installed with: release {NEW} or {OLD}, which fit the configuration equally well {listed}"
    )
    assert show(1, 2).startswith(f"first installed with: probably release {NEW} (upgrade from ")


def test_an_entry_that_is_deleted_and_added_again_is_counted_as_changed(report: UpgradeReport) -> None:
    plan = report.upgrade.plan
    entry = next(each.before for each in plan.steps if isinstance(each.change, Modify) and each.before is not None)
    steps = (*plan.steps, PlanStep(Delete(entry.dn), entry, None), PlanStep(Add(entry), None, entry))
    replaced = replace(report, upgrade=replace(report.upgrade, plan=replace(plan, steps=steps)))
    counts = "4 changed (1 of them deleted and added again), 1 deleted"
    assert f"changes: 7 entries (2 added, {counts}), from 2 files of the release" in render_text(replaced, 300)
    assert counts in "".join(render_report_markdown(build_upgrade_report(replaced, BASE)))


def test_a_configuration_is_at_the_release_only_if_no_official_change_is_left(report: UpgradeReport) -> None:
    upgrade, version = report.upgrade, report.upgrade.target.version
    assert version is not None
    status = replace(upgrade.status, match=ReleaseMatch(version, version, 1, 1))
    left = dict(list_role_lines(replace(upgrade, status=status)))["upgrade"]
    assert left == f"the configuration matches release {NEW} best, but 7 entries must still change"
    done = dict(list_role_lines(replace(upgrade, status=status, official_entries=frozenset())))["upgrade"]
    assert done == f"the configuration is already at release {NEW}"


def test_an_answer_is_in_every_form_and_a_taken_value_is_checked_first(tmp_path: Path) -> None:
    options = UpgradeOptions(take=("1",))
    report = make_report(tmp_path, "PACS of the hospital", checklist=Checklist(), options=options)
    place = "dicomDeviceName=dcm4chee-arc dicomManufacturerModelName"
    text = render_text(report, 300)
    assert (
        "Answered decisions:\n"
        f"  1. {place}: the plan uses the value of the release\n"
        "     site: PACS of the hospital\n"
        "     release: dcm4chee-arc 5.31\n"
    ) in text
    first = text[text.index("Check these changes first:") : text.index("decisions: none")]
    assert "PACS of the hospital → dcm4chee-arc 5.31 (your decision replaces the site's value)" in first
    for page in (
        "".join(render_report_page(build_upgrade_report(report, BASE))),
        "".join(render_report_markdown(build_upgrade_report(report, BASE))),
    ):
        assert "Answered decisions" in page
        assert page.count("PACS of the hospital") > 1
        assert "the plan uses the value of the release" in page
    (answered,) = upgrade_json(report)["decided"]
    assert (answered["answer"], answered["site"], answered["release"]) == (
        "take",
        ["PACS of the hospital"],
        ["dcm4chee-arc 5.31"],
    )
    kept = upgrade_json(make_report(tmp_path / "kept", options=UpgradeOptions(keep=("1",))))
    assert [each["answer"] for each in kept["decided"]] == ["keep"]


@pytest.mark.parametrize(
    "text",
    [
        HOSTILE,
        "AE HOSPITAL_PACS is PACS|2",
        "`a_b` c_d",
        "$x_1$ \\",
        "- + = #",
        "a & b; &amp; \\`",
        "www.h.org http://h @a",
    ],
)
def test_prose_with_names_is_read_as_it_is_and_without_entities_for_them(text: str) -> None:
    page = MarkdownIt("gfm-like", {"html": True, "linkify": False}).render(f"x {render_prose(text)}")
    assert set(re.findall(r"<(\w+)", page)) <= {"p", "code"}
    shown = html.unescape(re.sub(r"</?(p|code)>", "", page)).strip()
    assert shown == f"x {escape_unprintable(text)}"
    assert render_prose("cn=a @ ldap://h HOSPITAL_PACS") == "cn=a @ `ldap://h` `HOSPITAL_PACS`"
