"""``dcmcfg verify --recall``: which study it takes, on whose word, and that it takes none that proves nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from dcmcfg.lab.archive.service import open_database
from dcmcfg.lab.studies import get_standard_study
from tests.cli.conftest import Run
from tests.cli.labs import name_in_environment, recalling_lab
from tests.lab.running_site import AE, DEVICE, RunningSite
from tests.ports import free_port

pytestmark = pytest.mark.real
FS1 = f"dcmStorageID=fs1,{DEVICE}"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    with recalling_lab(tmp_path_factory.mktemp("lab"), "external", "storage", "archive") as lab:
        yield lab


@pytest.fixture
def site(running: RunningSite, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningSite]:
    """The lab, whose archive knows afterwards again what it knew before."""
    name_in_environment(running, monkeypatch)
    database = open_database(running.site)
    before = database.list_instances()
    yield running
    database.save(before)
    database.close()


def report_all_as_online(site: RunningSite) -> None:
    """Have the archive say ONLINE of what it has purged, as it does without an availability on the storage."""
    site.put("dcmExternalRetrieveInstanceAvailability", dn=FS1)
    database = open_database(site.site)
    database.save([replace(each, availability="ONLINE") for each in database.list_instances()])
    database.close()


def test_the_smallest_purged_study_is_taken_each_time_and_in_the_end_none_is_left(run: Run, site: RunningSite) -> None:
    report_all_as_online(site)
    for name, found in (
        ("one", "found 4 purged studies; the chosen study has the fewest instances"),
        ("jpeg-ls", "found 3 purged studies; the chosen study has the fewest instances"),
        ("three", "found 2 purged studies; the chosen study has the fewest instances"),
        ("twenty", "the only"),
    ):
        done = run("verify", "--recall", "--dest", "STORESCP", "--json")
        verdict = json.loads(done.stdout)
        assert done.exit_code == 0, done.output
        assert (verdict["study_instance_uid"], verdict["route"]["finding"]) == (get_standard_study(name).uid, "shown")
        why = "the archive's database has no local file for this study. The external archive of the study is LONGTERM"
        assert f"recall: chosen: study {get_standard_study(name).uid}, " in done.stderr
        assert f"; {why}; {found}" in done.stderr
        assert any(note.startswith("chosen by --recall: ") for note in verdict["notes"])
    done = run("verify", "--recall", "--dest", "STORESCP")
    assert (done.exit_code, done.stdout) == (3, "")
    assert (
        "no purged study found: according to the archive's database, no study has an external archive and no local "
        "files" in done.stderr
    )
    assert done.stderr.splitlines()[-1].startswith("  next: let the archive purge a study")


def test_keys_narrow_what_is_looked_for(run: Run, site: RunningSite) -> None:
    done = run("verify", "--recall", "--query", "PatientID=LAB-T*", "--dest", "STORESCP", "--json")
    assert json.loads(done.stdout)["study_instance_uid"] == get_standard_study("three").uid
    nothing = run("verify", "--recall", "--query", "PatientID=NOBODY", "--dest", "STORESCP")
    assert nothing.exit_code == 3
    assert (
        "no purged study that matches PatientID=NOBODY found: according to the archive's database, none of the "
        "matching studies has an external archive and no local files (dcmcfg examines at most 1,000 studies)\n"
        "  next: specify other keys with --query, omit --query to search all studies, or specify a study with --study"
    ) in nothing.stderr
    no_database = run("verify", "--recall", "--query", "PatientID=NOBODY", "--dest", "STORESCP", "--no-qido")
    assert "no purged study that matches PatientID=NOBODY found: C-FIND lists no matching study" in no_database.stderr
    malformed = run("verify", "--recall", "--query", "NoSuchThing=1", "--dest", "STORESCP")
    assert (malformed.exit_code, "not a keyword of PS3.6" in malformed.stderr) == (2, True)


def test_without_the_database_the_availability_tells(
    run: Run, site: RunningSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = run("verify", "--recall", "--dest", "STORESCP", "--json", "--no-qido")
    assert json.loads(done.stdout)["study_instance_uid"] == get_standard_study("one").uid
    why = "the Instance Availability of the study is NEARLINE, but this value does not prove that the study was purged"
    assert (
        f"1 instance; {why}; found 4 studies that are not ONLINE; the chosen study has the fewest instances"
    ) in done.stderr
    monkeypatch.setenv("DCMCFG_ARCHIVE_URL", f"http://127.0.0.1:{free_port()}/dcm4chee-arc")
    done = run("verify", "--recall", "--dest", "STORESCP", "--json")
    # Its Instance Availability stays NEARLINE after the recall.
    assert json.loads(done.stdout)["study_instance_uid"] == get_standard_study("one").uid
    assert "asking the archive's database" not in done.stderr


def test_the_next_step_after_a_local_study_names_no_command_that_finds_the_same_study_again(
    run: Run, site: RunningSite
) -> None:
    verify = ("verify", "--recall", "--dest", "STORESCP", "--json")
    assert json.loads(run(*verify).stdout)["study_instance_uid"] == get_standard_study("one").uid
    # The archive then refuses the search for purged studies (413), but not the query for one study.
    site.put("dcmQueryMaxNumberOfResults", "1", dn=AE)
    site.reload()
    try:
        again = json.loads(run(*verify).stdout)
    finally:
        site.put("dcmQueryMaxNumberOfResults", dn=AE)
        site.reload()
    assert (again["study_instance_uid"], again["route"]["finding"]) == (get_standard_study("one").uid, "not tried")
    assert again["next_steps"] == [
        "the archive's database did not answer, so --recall would choose the same study again. To verify a purged "
        "study, specify its UID (dcmcfg verify --study UID --dest STORESCP), or limit the search of --recall with "
        "--query"
    ]


def test_without_the_database_one_that_names_another_archive_comes_before_a_smaller_one_that_names_none(
    run: Run, site: RunningSite
) -> None:
    database = open_database(site.site)
    database.save(replace(each, external_aet="*") for each in database.list_instances() if each.header.StudyID == "ONE")
    database.close()
    done = run("verify", "--recall", "--dest", "STORESCP", "--json", "--no-qido")
    assert json.loads(done.stdout)["study_instance_uid"] == get_standard_study("jpeg-ls").uid


def test_where_purged_ones_are_told_to_be_online_only_the_database_can_tell_them(run: Run, site: RunningSite) -> None:
    report_all_as_online(site)
    site.put("dcmExternalRetrieveAET", "LONGTERM", dn=FS1)
    before = site.received()
    done = run("verify", "--recall", "--dest", "STORESCP", "--no-qido")
    assert (done.exit_code, done.stdout) == (3, "")
    assert "this archive also reports ONLINE for purged studies" in done.stderr
    assert site.received() == before
