"""Referral entries on other servers than OpenLDAP: reported once, and left out of what is read."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import Run
from tests.foreign.server389 import Server389

pytestmark = pytest.mark.real

ROOT = "cn=DICOM Configuration,dc=dcm4che,dc=org"
URL = f"ldap://other.example/cn=elsewhere,{ROOT.replace(' ', '%20')}"
WARNING = f"warning: cn=elsewhere,{ROOT} is on other servers and was not read: {URL}\n"


def test_389ds_tells_its_referral_entries_as_openldap_does(run: Run, server389: Server389) -> None:
    before = run("check", "--json")
    referral = (
        f"dn: cn=elsewhere,{ROOT}\nobjectClass: referral\nobjectClass: extensibleObject\ncn: elsewhere\nref: {URL}\n"
    )
    added = server389.run_client("ldapadd", "-M", text=referral)
    assert added.returncode == 0, added.stderr
    after = run("check", "--json")
    assert (after.exit_code, after.stderr) == (before.exit_code, WARNING + before.stderr)
    assert json.loads(after.stdout) == json.loads(before.stdout)
