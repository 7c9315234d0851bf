"""``dcmcfg upgrade``: a customised configuration gets the changes of a release, and undo takes them back."""

from __future__ import annotations

import json
import shlex
import shutil
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from dcmcfg.lab.slapd import Slapd
from dcmcfg.ldif.writer import format_entry
from dcmcfg.render.upgrade_commands import format_plan_command
from dcmcfg.upgrade.plan_source import parse_plan_source
from tests.archive.scripted import Scripted
from tests.cli.conftest import Run
from tests.cli.sites import CliSite, settle_at
from tests.ports import free_port
from tests.running_slapd import PASSWORD, RunningSlapd
from tests.upgrade.customised import SOURCES, TARGET, Releases
from tests.upgrade.small_release import ARCHIVE, default_entries, write_releases
from tests.upgrade.test_half_upgraded import apply_as_shipped

#: An account that may only read, and its class.
READER = f"dn: cn=reader,dc=dcm4che,dc=org\nobjectClass: reader\ncn: reader\nuserPassword: {PASSWORD}\n"
READER_CLASS = "objectclass ( 1.3.6.1.4.1.4203.666.11.99.1 NAME 'reader' SUP top MUST cn MAY userPassword )"


@pytest.fixture
def hospital(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, releases: Releases, archive: Scripted
) -> Iterator[CliSite]:
    server = Slapd(tmp_path / "slapd", port=free_port(), root_password=PASSWORD)
    server.prepare()
    server.load_files([releases.build_file("hospital", "5.31.0")])
    with server:
        yield settle_at(monkeypatch, RunningSlapd(server), archive)


def options_to_target(releases: Releases, *more: str) -> tuple[str, ...]:
    """The options of an upgrade from 5.31.0 to 5.33.1."""
    folders = ("--from", str(releases.find_folder("5.31.0")), "--to", str(releases.find_folder("5.33.1")))
    return (*folders, "--updates", str(releases.upstream / "updates"), *more)


@pytest.mark.real
def test_the_plan_is_written_for_its_owner_only_and_changes_nothing(
    run: Run, hospital: CliSite, releases: Releases, tmp_path: Path
) -> None:
    before, plan = hospital.octets(), tmp_path / "plan.ldif"
    planned = run("upgrade", "plan", *options_to_target(releases), "-o", str(plan))
    assert (planned.exit_code, planned.stderr) == (0, "")
    assert planned.stdout.endswith(f"plan: {plan}\nTo apply it: dcmcfg upgrade apply {plan}\n")
    assert plan.stat().st_mode & 0o777 == 0o600
    assert hospital.octets() == before


@pytest.mark.real
@pytest.mark.parametrize(
    ("attribute", "operation", "value", "named"),
    [
        ("dcmQueryRetrieveViewID", "replace", "hideAll", "dcmQueryRetrieveViewID"),
        # The plan removes other values of the attribute, and must not leave this one alone there.
        ("dcmAcceptedUserRole", "add", "radiologist", "entryCSN"),
    ],
)
def test_a_plan_of_yesterday_is_refused_if_an_entry_of_it_was_changed(
    run: Run,
    hospital: CliSite,
    releases: Releases,
    tmp_path: Path,
    attribute: str,
    operation: str,
    value: str,
    named: str,
) -> None:
    plan = tmp_path / "plan.ldif"
    report = json.loads(run("upgrade", "plan", *options_to_target(releases), "-o", str(plan), "--json").stdout)
    (changed, *_) = (each for each in report["changes"] if each["attribute"] == attribute)
    file = tmp_path / "other.ldif"
    file.write_text(f"dn: {changed['dn']}\nchangetype: modify\n{operation}: {attribute}\n{attribute}: {value}\n")
    assert hospital.slapd.run_client("ldapmodify", "-f", str(file)).returncode == 0
    before = hospital.octets()
    refused = run("apply", str(plan), "--yes", "--no-reload")
    assert refused.exit_code == 3, refused.stdout
    assert named in refused.stderr
    assert hospital.octets() == before


def test_the_release_of_a_tree_is_found_without_a_server(run: Run, releases: Releases) -> None:
    tree = releases.build_file("renamed", "5.31.0")
    folder = str(releases.find_folder("5.33.1"))
    updates = str(releases.upstream / "updates")
    found = run("upgrade", "status", "--to", folder, "--updates", updates, "--tree", str(tree), "--json")
    assert found.exit_code == 0, found.stderr
    status = json.loads(found.stdout)
    assert (status["configuration"]["first_release"], status["configuration"]["last_release"]) == ("5.31.0", "5.31.0")
    assert (status["software"], status["entry_count"]) == (None, 1499)
    printed = run("upgrade", "status", "--to", folder, "--updates", updates, "--tree", str(tree)).stdout
    assert printed.startswith("configuration: release 5.31.0 (matches ")
    assert printed.endswith("software: the archive has not recorded a release\n")


def test_other_names_are_reported_and_a_value_that_both_changed_is_a_decision(
    run: Run, releases: Releases, tmp_path: Path
) -> None:
    text = releases.build_file("renamed", "5.31.0").read_text("utf-8")
    tree = tmp_path / "site.ldif"
    view = "dcmQueryRetrieveViewID: regularUse\n"
    assert view in text
    tree.write_text(text.replace(view, "dcmQueryRetrieveViewID: hideAll\n"), "utf-8")
    arguments = options_to_target(releases, "--tree", str(tree))
    planned = run("upgrade", "plan", *arguments)
    assert planned.exit_code == 1, planned.stderr
    assert "device with another name than in the release: dcm4chee-arc is pacs-archive\n" in planned.stdout
    assert "AE with another name than in the release: DCM4CHEE is HOSPITAL_PACS\n" in planned.stdout
    assert (
        "  1. dicomAETitle=AS_RECEIVED,dicomDeviceName=pacs-archive dcmQueryRetrieveViewID: the site and the "
        "release have changed the value\n"
        "     site: hideAll\n"
        "     release: iocmDisabled\n"
    ) in planned.stdout
    plan = tmp_path / "plan.ldif"
    taken = json.loads(run("upgrade", "plan", *arguments, "--take", "1", "--json", "-o", str(plan)).stdout)
    # In another plan, the decision may have another number.
    source = parse_plan_source(plan.read_bytes())
    assert source is not None
    (place,) = source.options.take
    assert place.startswith("dicomAETitle=AS_RECEIVED,dicomDeviceName=pacs-archive,")
    assert place.endswith(" dcmQueryRetrieveViewID")
    again = shlex.split(format_plan_command(source).removeprefix("dcmcfg "))
    assert run(*again, "--tree", str(tree)).exit_code == 0
    assert taken["decisions"] == []
    assert [
        (each["before"], each["after"]) for each in taken["changes"] if each["attribute"] == "dcmQueryRetrieveViewID"
    ] == [(["hideAll"], ["iocmDisabled"])]


def test_a_role_without_a_holder_is_a_question(run: Run, releases: Releases, tmp_path: Path) -> None:
    tree = releases.build("pristine", "5.31.0")
    main = "dicomAETitle=DCM4CHEE,dicomDeviceName=dcm4chee-arc,"
    path = tmp_path / "site.ldif"
    records = releases.build_file("pristine", "5.31.0").read_text("utf-8").split("\n\n")
    assert any(main in str(each.dn) for each in tree.entries.values())
    path.write_text("\n\n".join(each for each in records if main not in each.partition("\n")[0]), "utf-8")
    arguments = options_to_target(releases, "--tree", str(path))
    asked = run("upgrade", "plan", *arguments)
    assert asked.exit_code == 2
    assert asked.stderr.startswith(
        "dcmcfg: it is uncertain which AEs of the site have replaced these AEs of the default configuration\n"
    )
    assert "--role DCM4CHEE=" in asked.stderr
    answered = run("upgrade", "plan", *arguments, "--role", "DCM4CHEE=-")
    assert answered.exit_code in (0, 1), answered.stderr
    assert "parts of the release that this site does not have: " in answered.stdout


def test_what_is_no_release_is_refused_with_what_is_missing(run: Run, tmp_path: Path) -> None:
    refused = run("upgrade", "plan", "--from", str(tmp_path), "--to", str(tmp_path))
    assert (refused.exit_code, refused.stdout) == (3, "")
    assert "default-config.ldif" in refused.stderr
    missing = run("upgrade", "status", "--to", str(tmp_path / "missing"))
    assert (missing.exit_code, missing.stdout) == (3, "")


def test_a_role_that_is_given_twice_is_wrong_usage(run: Run, tmp_path: Path) -> None:
    folders = ("--from", str(tmp_path), "--to", str(tmp_path))
    refused = run("upgrade", "plan", *folders, "--role", "WORKLIST=MWL", "--role", "WORKLIST=-")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "WORKLIST is given twice: MWL and -" in refused.stderr


def test_an_older_release_is_no_upgrade(run: Run, releases: Releases) -> None:
    folders = [str(releases.find_folder(each)) for each in ("5.33.1", "5.31.0")]
    tree = str(releases.build_file("pristine", "5.31.0"))
    refused = run("upgrade", "plan", "--from", folders[0], "--to", folders[1], "--tree", tree)
    assert (refused.exit_code, refused.stdout) == (3, "")
    assert refused.stderr == (
        "dcmcfg: release 5.31.0 is not newer than release 5.33.1\n"
        "  next: specify the present release with --from, and the new release with --to\n"
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("--gap", "everything"),
            "unknown kind everything. The kinds are corrections, additions, values, removals and all",
        ),
        (("--role", "DCM4CHEE"), "'DCM4CHEE' does not have the form ROLE=NAME"),
    ],
)
def test_options_that_say_nothing_are_usage_errors(run: Run, arguments: tuple[str, ...], message: str) -> None:
    refused = run("upgrade", "plan", "--from", "a", "--to", "b", *arguments)
    assert refused.exit_code == 2
    assert message in refused.stderr.replace("\n", " ")


def test_without_the_present_release_a_plan_is_refused_with_where_to_find_it(run: Run, releases: Releases) -> None:
    tree = str(releases.build_file("renamed", "5.31.0"))
    arguments = ("--to", str(releases.find_folder(TARGET)), "--updates", str(releases.upstream / "updates"))
    refused = run("upgrade", "plan", *arguments, "--tree", tree)
    assert (refused.exit_code, refused.stdout) == (3, "")
    assert refused.stderr == (
        "dcmcfg: --from is missing: to find the site's own changes, dcmcfg needs the release that the site has now "
        "(according to the configuration: 5.31.0)\n"
        "  next: specify the distribution dcm4chee-arc-5.31.0 with --from: the ZIP file, or the folder "
        "dcm4chee-arc-assembly/src/main/resources/ldap of https://github.com/dcm4che/dcm4chee-arc-light at tag 5.31.0\n"
    )


def test_the_release_that_a_site_was_installed_with_is_proposed(run: Run, releases: Releases, tmp_path: Path) -> None:
    target = releases.read(TARGET)
    files = target.list_updates((5, 23, 0), (5, 29, 0))
    site, failed = apply_as_shipped(releases.build("trimmed", "5.23.0"), files, stops=False)
    assert failed
    tree = tmp_path / "site.ldif"
    tree.write_text("version: 1\n\n" + "".join(map(format_entry, site.sorted_entries())), "utf-8")
    folders = [part for each in SOURCES for part in ("--releases", str(releases.find_folder(each)))]
    arguments = (*folders, "--to", str(releases.find_folder(TARGET)), "--tree", str(tree))
    updates = ("--updates", str(releases.upstream / "updates"), "--updates", str(releases.more / "updates"))

    status = json.loads(run("upgrade", "status", *arguments, *updates, "--json").stdout)

    assert [(each["release"], each["dropped_count"]) for each in status["installed"]] == [
        ("5.23.0", 112),
        ("5.29.0", 113),
    ]
    printed = run("upgrade", "status", *arguments, *updates).stdout
    assert (
        "installed with: probably release 5.23.0 (upgrade from 5.23.0: 0 decisions, 112 changes not made; " in printed
    )


def test_files_of_the_vendor_data_in_conflict_are_written(run: Run, releases: Releases, tmp_path: Path) -> None:
    folders = {}
    for version, text in (("5.31.0", "1"), (TARGET, "2")):
        folders[version] = tmp_path / version
        shutil.copytree(releases.find_folder(version), folders[version])
        with zipfile.ZipFile(folders[version] / "vendor-data.zip", "w") as archive:
            archive.writestr("nullify-pn.xsl", text)
    generated = replace(releases, upstream=tmp_path, generated=tmp_path / "generated")
    generated.generated.mkdir()
    tree = generated.build_file("hospital", "5.31.0")
    folder_options = ("--from", str(folders["5.31.0"]), "--to", str(folders[TARGET]))
    arguments = (*folder_options, "--tree", str(tree), "--updates", str(releases.upstream / "updates"))

    planned = run("upgrade", "plan", *arguments, "--out-dir", str(tmp_path / "out"))

    assert planned.exit_code == 1, planned.stderr
    assert "vendor data: the site and the release have changed nullify-pn.xsl" in planned.stdout
    written = {each.name: each.read_text("utf-8") for each in (tmp_path / "out").iterdir()}
    assert written == {
        "nullify-pn.xsl.base": "1",
        "nullify-pn.xsl.site": "1<!-- changed at this hospital -->\n",
        "nullify-pn.xsl.release": "2",
    }
    assert run("upgrade", "plan", *arguments, "--vendor", "site").exit_code == 0


@pytest.mark.real
def test_a_configuration_that_cannot_be_seen_completely_is_refused(
    monkeypatch: pytest.MonkeyPatch, run: Run, tmp_path: Path, releases: Releases, archive: Scripted
) -> None:
    server = Slapd(
        tmp_path / "slapd",
        port=free_port(),
        root_password=PASSWORD,
        extra_global=READER_CLASS,
    )
    server.prepare()
    configuration = server.folder / "slapd.conf"
    devices = "cn=Devices,cn=DICOM Configuration,dc=dcm4che,dc=org"
    hidden = f'access to dn.children="dicomDeviceName=storescp,{devices}" by * none\naccess to * by * read'
    text = configuration.read_text().replace("access to * by * read", hidden).replace("sizelimit 500", "sizelimit 9999")
    configuration.write_text(text)
    server.load_files([releases.build_file("pristine", "5.31.0")])
    server.load_ldif(READER)
    with server:
        settle_at(monkeypatch, RunningSlapd(server), archive)
        password = tmp_path / "password"
        password.touch(mode=0o600)
        password.write_text(PASSWORD)
        reader = ("--bind-dn", "cn=reader,dc=dcm4che,dc=org", "--bind-password-file", str(password))
        arguments = options_to_target(releases, *reader)
        refused = run("upgrade", "plan", *arguments)
    assert (refused.exit_code, refused.stdout) == (3, "")
    assert "the configuration could not be read completely" in refused.stderr
    assert f"dicomDeviceName=storescp,{devices}: dcmcfg cannot read the child entries" in refused.stderr


@pytest.mark.real
@pytest.mark.parametrize(
    "hidden",
    [
        (f"dicomAETitle=IOCM_REGULAR_USE,{ARCHIVE}", f"dcmEntity=Study,{ARCHIVE}"),
        # The device refers to this AE, so that it is missing would be a question.
        (f"dicomAETitle=DCM4CHEE,{ARCHIVE}",),
    ],
)
def test_single_entries_that_are_hidden_are_not_taken_for_removed(
    monkeypatch: pytest.MonkeyPatch, run: Run, tmp_path: Path, archive: Scripted, *, hidden: tuple[str, ...]
) -> None:
    folders = write_releases(tmp_path)
    server = Slapd(tmp_path / "slapd", port=free_port(), root_password=PASSWORD, extra_global=READER_CLASS)
    server.prepare()
    configuration = server.folder / "slapd.conf"
    rules = "".join(
        f'access to dn.subtree="{each}" by * {right}\n'
        for each, right in zip(hidden, ("none", "disclose"), strict=False)
    )
    text = configuration.read_text().replace("access to * by * read", f"{rules}access to * by * read")
    configuration.write_text(text.replace("sizelimit 500", "sizelimit 9999"))
    (tmp_path / "site.ldif").write_text("".join(map(format_entry, default_entries())), "utf-8")
    server.load_files([tmp_path / "site.ldif"])
    server.load_ldif(READER)
    options = ("--from", str(folders[0]), "--to", str(folders[1]))
    with server:
        settle_at(monkeypatch, RunningSlapd(server), archive)
        assert run("upgrade", "plan", *options).exit_code == 0
        monkeypatch.setenv("DCMCFG_BIND_DN", "cn=reader,dc=dcm4che,dc=org")
        refused = run("upgrade", "plan", *options)
    assert (refused.exit_code, refused.stdout) == (3, "")
    assert all(f"{each}: the entry exists, but dcmcfg cannot read the entry" in refused.stderr for each in hidden)
