"""``dcmcfg diff``: files, folders and the live tree, told so that it can be applied and watched."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from dcmcfg.ldif.reader import read_all
from tests.cli.conftest import Run
from tests.cli.sites import ARCHIVE_DN, CliSite
from tests.running_slapd import RunningSlapd

DEVICE = "dn: dicomDeviceName=a,dc=x\nobjectClass: dicomDevice\ndicomDeviceName: a\ndicomInstalled: TRUE\n"
CHANGED = DEVICE.replace("TRUE", "FALSE") + "dicomDescription: second\n"
BELOW = "\ndn: cn=dicom,dicomDeviceName=a,dc=x\nobjectClass: dicomNetworkConnection\ndicomHostname: h\n"


def written(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)


@pytest.fixture
def pair(tmp_path: Path) -> tuple[str, str]:
    return written(tmp_path / "a.ldif", DEVICE), written(tmp_path / "b.ldif", CHANGED + BELOW)


# -- files


def test_it_shows_what_turns_the_first_into_the_second(run: Run, pair: tuple[str, str]) -> None:
    result = run("diff", *pair)
    assert (result.exit_code, result.stderr) == (1, "")
    lines = [line.strip() for line in result.stdout.splitlines() if line.strip()]
    assert lines[0] == f"Changes from {pair[0]} to {pair[1]}:"
    assert lines[1:] == [
        "+ connection a/dicom: h (does not listen) (not installed)",
        "~ device a",
        "+ dicomDescription: second",
        "~ dicomInstalled: TRUE → FALSE",
        "2 entries differ: 1 to add, 1 to change",
    ]


def test_a_long_diff_is_cut_and_says_what_shows_the_rest(run: Run, tmp_path: Path) -> None:
    more = (f"\ndn: cn={number},dicomDeviceName=a,dc=x\nobjectClass: top\n" for number in range(201))
    one, other = written(tmp_path / "a.ldif", DEVICE), written(tmp_path / "b.ldif", DEVICE + "".join(more))
    text = run("diff", one, other).stdout
    assert text.count("\n  + cn=") == 200
    assert "… and 1 more entries; --details shows all\n201 entries differ: 201 to add\n" in text
    detailed = run("diff", one, other, "--details").stdout
    assert (detailed.count("\n  + cn="), "more entries" in detailed) == (201, False)
    refused = run("diff", one, other, "--details", "--format", "ldif")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "Error: --details is for the text report. --format ldif always has all details\n" in refused.stderr
    assert run("diff", one, other, "--ldif").stdout.count("changetype: add\n") == 201


def test_equal_files_are_one_line_and_exit_0_however_they_are_spelt(run: Run, tmp_path: Path) -> None:
    one = written(tmp_path / "a.ldif", DEVICE)
    other = written(
        tmp_path / "b.ldif",
        "version: 1\n\ndn: DICOMDEVICENAME=A,dc=x\ndicomInstalled:: VFJVRQ==\n"
        "1.2.840.10008.15.0.3.1: a\nobjectclass: dicomdevice\n",
    )
    result = run("diff", one, other)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "No differences\n", "")
    assert run("diff", one, other, "--unified").stdout == ""


def test_what_slapcat_adds_is_no_difference(run: Run, pair: tuple[str, str], tmp_path: Path) -> None:
    kept_by_server = "structuralObjectClass: dicomDevice\nentryUUID: 1\nEntryCSN: 2\nmodifiersName: cn=admin\n"
    dump = written(tmp_path / "dump.ldif", DEVICE + kept_by_server)
    assert run("diff", pair[0], dump).stdout == "No differences\n"


def test_the_unified_text_leads_from_one_export_to_the_other(run: Run, pair: tuple[str, str]) -> None:
    result = run("diff", *pair, "--unified")
    assert result.exit_code == 1
    assert (
        result.stdout
        == f"""\
--- {pair[0]}
+++ {pair[1]}
@@ -3,5 +3,6 @@ dicomDeviceName=a,dc=x
 dn: dicomDeviceName=a,dc=x
 objectClass: dicomDevice
+dicomDescription: second
 dicomDeviceName: a
-dicomInstalled: TRUE
+dicomInstalled: FALSE
\x20
@@ -7,0 +9,5 @@ cn=dicom,dicomDeviceName=a,dc=x
+dn: cn=dicom,dicomDeviceName=a,dc=x
+objectClass: dicomNetworkConnection
+cn: dicom
+dicomHostname: h
+
"""
    )


def test_json_tells_the_changes_in_order_with_the_values_that_move(run: Run, pair: tuple[str, str]) -> None:
    result = run("diff", *pair, "--json")
    assert result.exit_code == 1
    content = json.loads(result.stdout)
    assert (content["source"], content["target"], content["equal"]) == (*pair, False)
    assert content["entry_counts"] == {"source": 1, "target": 2}
    assert [(change["dn"], change["change_type"]) for change in content["changes"]] == [
        ("cn=dicom,dicomDeviceName=a,dc=x", "add"),
        ("dicomDeviceName=a,dc=x", "modify"),
    ]
    assert content["changes"][1]["attributes"] == [
        {"name": "dicomInstalled", "removed": ["TRUE"], "added": ["FALSE"], "writer": None},
        {"name": "dicomDescription", "removed": [], "added": ["second"], "writer": None},
    ]


def test_ignore_and_only_narrow_what_is_compared(run: Run, pair: tuple[str, str]) -> None:
    only = ("--only", "cn=Dicom, dicomDeviceName=a, dc=x")
    assert "1 entry differs: 1 to add\n" in run("diff", *pair, *only).stdout
    ignored = ("--ignore", "dicominstalled", "--ignore", "dicomDescription")
    assert "1 entry differs: 1 to add\n" in run("diff", *pair, *ignored).stdout
    nowhere = run("diff", *pair, "--only", "dc=elsewhere")
    missing = "dcmcfg: dc=elsewhere: the entry is missing in the two configurations (FROM and TO)\n"
    assert (nowhere.exit_code, nowhere.stderr) == (3, missing)
    assert run("diff", *pair, "--only", "nonsense").exit_code == 2


def test_names_are_relative_to_the_container_when_only_a_part_is_compared(run: Run, tmp_path: Path) -> None:
    above = "dn: cn=Devices,dc=x\nobjectClass: dicomDevicesRoot\ncn: Devices\n\n"
    inside = [above + text.replace("dc=x", "cn=Devices,dc=x") for text in (DEVICE, CHANGED)]
    sides = written(tmp_path / "1.ldif", inside[0]), written(tmp_path / "2.ldif", inside[1])
    whole = run("diff", *sides).stdout
    assert "dc=x" not in whole.partition("\n")[2]
    for only in ("dicomDeviceName=a,cn=Devices,dc=x", "dicomDeviceName=a"):
        assert run("diff", *sides, "--only", only).stdout == whole


def test_a_folder_is_its_ldif_files_together(run: Run, pair: tuple[str, str], tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    written(folder / "1-device.ldif", CHANGED)
    written(folder / "2-connection.ldif", BELOW)
    written(folder / "notes.txt", "not LDIF")
    assert run("diff", str(folder), pair[1]).stdout == "No differences\n"
    written(folder / "3-again.ldif", "# once more\n" + CHANGED)
    twice = run("diff", str(folder), pair[1])
    assert twice.exit_code == 3
    assert twice.stderr == (
        f"dcmcfg: {folder}/3-again.ldif:2: the entry already occurs at {folder}/1-device.ldif:1: "
        "dicomDeviceName=a,dc=x\n"
    )


def test_standard_input_is_a_side(run: Run, pair: tuple[str, str]) -> None:
    result = run("diff", "-", pair[0], input=DEVICE)
    assert (result.exit_code, result.stdout) == (0, "No differences\n")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("# a comment\n\nobjectClass: dicomDevice\n", ":3: "),
        (DEVICE + "dicomDescription:: %%%\n", ":5: "),
        (
            DEVICE + "\ndn: dicomDeviceName=a,dc=x\nchangetype: delete\n",
            ":6: this is a change record, but only entries can be compared",
        ),
        (DEVICE + BELOW.replace("=dicom,", "=x,cn=dicom,"), ":6: the parent entry of cn=x,cn=dicom,"),
        ("\n" + DEVICE + "userCertificate:: AAE=\n", ":2: userCertificate must be written as userCertificate;binary"),
        ("version: 1\n", ": no entries found\n"),
    ],
)
def test_what_is_not_a_tree_is_told_with_its_line(
    run: Run, pair: tuple[str, str], tmp_path: Path, text: str, told: str
) -> None:
    broken = written(tmp_path / "broken.ldif", text)
    result = run("diff", pair[0], broken)
    assert (result.exit_code, result.stdout) == (3, "")
    assert f"{broken}{told}" in result.stderr


def test_what_is_not_there_is_told(run: Run, pair: tuple[str, str], tmp_path: Path) -> None:
    missing = run("diff", pair[0], str(tmp_path / "none.ldif"))
    assert missing.exit_code == 3
    assert missing.stderr == (
        f"dcmcfg: {tmp_path}/none.ldif: cannot read the file (No such file or directory)\n"
        f"  next: check the path: the folder {tmp_path} has no such file\n"
    )
    (tmp_path / "empty").mkdir()
    empty = run("diff", pair[0], str(tmp_path / "empty"))
    assert (empty.exit_code, empty.stderr) == (3, f"dcmcfg: {tmp_path}/empty: the folder contains no *.ldif files\n")


@pytest.mark.parametrize("sides", [(), ("a", "b", "c"), ("live", "live"), ("-", "-"), ("live",)])
def test_sides_that_make_no_sense_are_a_usage_error(run: Run, sides: tuple[str, ...]) -> None:
    assert run("diff", *sides).exit_code == 2


# -- secrets

SECRETS = (
    "dcmProperty: ldap.password=swordfish\ndcmProperty: a=1\ndcmKeyStorePin: swordfish\n"
    "dcmURI: http://u:swordfish@host/\nuserPassword: swordfish\n"
)


@pytest.mark.parametrize("form", [(), ("--ldif",), ("--unified",), ("--json",)])
def test_no_form_shows_a_secret_unless_asked(run: Run, tmp_path: Path, form: tuple[str, ...]) -> None:
    one = written(tmp_path / "a.ldif", DEVICE + SECRETS)
    other = written(tmp_path / "b.ldif", CHANGED + SECRETS.replace("swordfish", "marlin").replace("a=1", "a=2"))
    third = written(tmp_path / "c.ldif", DEVICE + BELOW + SECRETS)
    for sides in ((one, other), (other, one), (one, third), (third, one)):
        hidden = run("diff", *sides, *form)
        assert hidden.exit_code == 1
        assert "swordfish" not in hidden.output
        assert "marlin" not in hidden.output
    shown = run("diff", one, other, "--with-secrets", *form)
    assert "swordfish" in shown.stdout
    assert "marlin" in shown.stdout


def test_a_changed_secret_is_seen_in_each_form_without_being_shown(run: Run, tmp_path: Path) -> None:
    one = written(tmp_path / "a.ldif", DEVICE + "dcmKeyStorePin: swordfish\n")
    other = written(tmp_path / "b.ldif", DEVICE + "dcmKeyStorePin: marlin\n")
    assert "\n      ~ dcmKeyStorePin: (secret) → (secret)\n" in run("diff", one, other).stdout
    assert "\n+# different secret omitted: dcmKeyStorePin\n" in run("diff", one, other, "--unified").stdout
    assert "# secret omitted: dcmKeyStorePin\n" in run("diff", one, other, "--ldif").stdout
    (change,) = json.loads(run("diff", one, other, "--json").stdout)["changes"]
    secret = [{"secret": True}]
    assert change["attributes"] == [{"name": "dcmKeyStorePin", "removed": secret, "added": secret, "writer": None}]


def test_ldif_without_secrets_holds_nothing_that_cannot_be_applied(run: Run, tmp_path: Path) -> None:
    """Half of a replaced single value, or of an attribute replaced whole, would do harm."""
    one = written(tmp_path / "a.ldif", DEVICE + "dcmURI: http://u:p@host/\nsiteURL: http://u:p@host/\nsiteURL: x\n")
    other = written(tmp_path / "b.ldif", DEVICE + "dcmURI: http://other/\nsiteURL: http://u:q@host/\nsiteURL: x\n")
    text = run("diff", one, other, "--ldif").stdout
    assert read_all([text.encode()], "diff") == ()
    assert "# dicomDeviceName=a,dc=x\n# secret omitted: dcmURI\n# secret omitted: siteURL\n" in text


# -- the live tree


def test_of_dcm_property_the_secret_line_alone_is_not_compared(run: Run, tmp_path: Path) -> None:
    one = written(tmp_path / "a.ldif", f"{DEVICE}dcmProperty: mail.password=p\ndcmProperty: roles=admin\n")
    same = written(tmp_path / "b.ldif", f"{DEVICE}dcmProperty: roles=admin\n")
    note = (
        "dcmcfg did not compare these secrets and vendor data, because only one of the two configurations contains "
        "them: dcmProperty mail.password"
    )
    assert run("diff", one, same).stdout == f"No differences. {note}\n"
    assert json.loads(run("diff", one, same, "--json").stdout)["not_compared"] == ["dcmProperty mail.password"]
    other = written(tmp_path / "c.ldif", f"{DEVICE}dcmProperty: roles=user\n")
    text = run("diff", one, other).stdout
    assert "\n      ~ dcmProperty: roles=admin → roles=user\n" in text
    assert f"1 entry differs: 1 to change. {note}\n" in text


@pytest.mark.real
def test_it_says_which_way_it_reads(run: Run, site: CliSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("export-ldif", "--with-secrets", "-o", "site.ldif").exit_code == 0
    drift(site.slapd, "dicomDescription", "drifted")

    def changed_lines(*arguments: str) -> list[str]:
        return list(filter(None, run(*arguments).stdout.splitlines()))

    back, since = changed_lines("diff", "site.ldif"), changed_lines("diff", "site.ldif", "live")
    live = f"live {site.slapd.url}"
    assert back[:3] == [
        f"Changes that would turn {live} into site.ldif:",
        "  ~ device dcm4chee-arc",
        "      ~ dicomDescription: drifted → Archive of the lab",
    ]
    assert back[-2:] == [
        "1 entry differs: 1 to change",
        "To show the changes since site.ldif: dcmcfg diff site.ldif live",
    ]
    assert since[:3] == [
        f"Changes in {live} since site.ldif:",
        "  ~ device dcm4chee-arc",
        "      ~ dicomDescription: Archive of the lab → drifted",
    ]
    assert since[-1] == "1 entry differs: 1 changed"
    part = changed_lines("diff", "site.ldif", "--only", "dicomDeviceName=dcm4chee-arc")
    assert part[-1].endswith(": dcmcfg diff site.ldif live --only dicomDeviceName=dcm4chee-arc")
    assert changed_lines(*part[-1].partition(": dcmcfg ")[2].split())[-1] == since[-1]


@pytest.mark.real
def test_drift_is_shown_and_the_ldif_takes_it_back(
    run: Run, stock_site: CliSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export, before = str(tmp_path / "export.ldif"), stock_site.octets()
    assert run("export-ldif", "-o", export).exit_code == 0
    equal = run("diff", export)
    assert (equal.exit_code, equal.stderr, equal.stdout.count("\n")) == (0, "", 1)
    assert equal.stdout.startswith(
        "No differences. dcmcfg did not compare these secrets and vendor data, because only one of the two "
        "configurations contains them: "
    )
    with monkeypatch.context() as patch:
        patch.setenv("COLUMNS", "80")
        wrapped = run("diff", export).stdout
    assert (wrapped.split(), max(map(len, wrapped.splitlines())) <= 80) == (equal.stdout.split(), True)
    drift(stock_site.slapd, "dcmFuzzyAlgorithmClass", "org.example.Soundex")

    shown = run("diff", export, "--ldif")
    assert (shown.exit_code, shown.stderr) == (1, "")
    assert shown.stdout.partition("\n\n")[2] == (
        f"dn: {ARCHIVE_DN[:72]}\n {ARCHIVE_DN[72:]}\nchangetype: modify\n"
        "delete: dcmFuzzyAlgorithmClass\ndcmFuzzyAlgorithmClass: org.example.Soundex\n-\n"
        "add: dcmFuzzyAlgorithmClass\ndcmFuzzyAlgorithmClass: org.dcm4che3.soundex.ESoundex\n-\n\n"
    )
    applied = run("apply", written(tmp_path / "back.ldif", shown.stdout), "--yes")
    assert (applied.exit_code, applied.stderr) == (0, "")
    assert stock_site.octets() == before
    assert run("diff", export).exit_code == 0


def drift(slapd: RunningSlapd, name: str, value: str) -> None:
    """Have somebody set *name* of the archive's device without dcmcfg."""
    text = f"dn: {ARCHIVE_DN}\nchangetype: modify\nreplace: {name}\n{name}: {value}\n"
    done = subprocess.run(
        ["/usr/bin/ldapmodify", "-x", "-H", slapd.url, "-D", slapd.bind_dn, "-w", slapd.password],
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.real
def test_the_word_live_is_either_side(run: Run, site: CliSite, tmp_path: Path) -> None:
    export = str(tmp_path / "export.ldif")
    assert run("export-ldif", "--with-secrets", "-o", export).exit_code == 0
    assert run("diff", "live", export, "--with-secrets").stdout == "No differences\n"
    drift(site.slapd, "dicomDescription", "drifted")
    there, back = run("diff", export, "live", "--json"), run("diff", export, "--json")
    (change,), (goes,) = (json.loads(each.stdout)["changes"][0]["attributes"] for each in (there, back))
    assert change == {"name": "dicomDescription", "removed": goes["added"], "added": ["drifted"], "writer": None}
    assert goes["removed"] == ["drifted"]
    assert json.loads(back.stdout)["source"] == f"live {site.slapd.url}"


@pytest.mark.real
def test_the_export_of_one_device_is_compared_with_that_device(run: Run, site: CliSite, tmp_path: Path) -> None:
    export = str(tmp_path / "device.ldif")
    assert run("export-ldif", "--device", "storescp", "-o", export).exit_code == 0
    assert run("diff", "--device", "storescp", export).exit_code == 0
    whole = run("diff", export)
    assert (whole.exit_code, whole.stdout) == (3, "")
    assert '  next: to compare only this part: --only "dicomDeviceName=storescp,' in whole.stderr


@pytest.mark.real
def test_a_server_that_does_not_answer_is_exit_3(run: Run, pair: tuple[str, str]) -> None:
    result = run("diff", pair[0], "--ldap-url", "ldap://127.0.0.1:1")
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr.startswith("dcmcfg: ")
