"""Warnings about given titles that no AE has."""

from __future__ import annotations

from collections.abc import Sequence

from dcmcfg.changes import Change
from dcmcfg.model.devices import Configuration
from dcmcfg.route.unknown_titles import warn_about_unknown_titles
from tests.route.sites import DCM4CHEE, lab, put


def warnings(*changes: Change, calling: Sequence[str] = (), dest: Sequence[str] = ()) -> list[str]:
    configuration = Configuration(lab().with_changes(list(changes)))
    ae = configuration.get_device("dcm4chee-arc").get_network_ae("DCM4CHEE")
    return list(warn_about_unknown_titles(configuration, ae, requesters=calling, destinations=dest))


def test_a_destination_without_an_ae_is_reported_with_similar_titles() -> None:
    assert warnings(dest=["WORKSTATON", "GONE", "GONE"]) == [
        "no AE has the title WORKSTATON; did you mean WORKSTATION, WORKLIST?",
        "no AE has the title GONE",
    ]


def test_a_caller_is_reported_only_if_its_title_is_nearly_that_of_an_ae() -> None:
    assert warnings(calling=["WORKSTATON", "CT1"]) == ["no AE has the title WORKSTATON; did you mean WORKSTATION?"]


def test_a_title_that_is_caller_and_destination_is_reported_once() -> None:
    assert len(warnings(calling=["WORKSTATON"], dest=["WORKSTATON"])) == 1


def test_titles_of_aes_and_other_titles_of_the_archive_are_known() -> None:
    other = put("dcmOtherAETitle", "WORKSTATON", on=DCM4CHEE)
    assert warnings(other, calling=["WORKSTATON"], dest=["WORKSTATON", "WORKSTATION"]) == []
