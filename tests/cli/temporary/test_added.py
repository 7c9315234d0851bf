"""``dcmcfg verify --temporary-dest``: what is added is received as, and taken back."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from dcmcfg.bulk.store_file import lock_store
from dcmcfg.dicom.peer import Peer
from dcmcfg.dicom.tls import TlsFiles
from dcmcfg.lab.move_scp import MoveExchange, MoveResponse
from dcmcfg.lab.studies import get_standard_study
from tests.archive.scripted import scripted_archive as scripted_control
from tests.cli.conftest import Run
from tests.cli.temporary.runs import LOCAL, MADE, VERIFY, masked, masked_lines, octets
from tests.dicom.certificates import make_pki
from tests.dicom.dcmtk import Made, storescu
from tests.lab.purging import purge
from tests.lab.running_site import AE, DEVICE, RunningSite
from tests.patience import PATIENCE_S
from tests.verify.scripted_archive import scripted_archive

pytestmark = pytest.mark.real
ACCEPTED = "dcmAcceptedMoveDestination"


def test_it_is_added_received_as_and_taken_back_and_the_archive_forgets_it(run: Run, site: RunningSite) -> None:
    done = run(*VERIFY, "--yes")
    headline = masked(done.stdout).splitlines()[0]
    assert (done.exit_code, headline.partition(";")[0]) == (0, "verified: 5 of 5 instances received by DCMCFG_TITLE")
    assert masked_lines(done.stderr) == [
        "dcmcfg adds for this run: AE DCMCFG_TITLE with the device dcmcfg_title and a connection; its AE title in "
        "the registry of AE titles (--show-plan shows the whole plan)",
        (
            "warning: LONGTERM sends its objects directly to DCMCFG_TITLE, but does not know the AE DCMCFG_TITLE. So "
            "these objects will not be delivered. To route these objects through the archive: dcmcfg "
            "set-external-retrieve DCM4CHEE"
        ),
        "the archive will call DCMCFG_TITLE at 127.0.0.1:PORT, this machine's address on the route to 127.0.0.1",
        "the archive reloads after dcmcfg adds the AE, and again after dcmcfg removes the AE; "
        "no entry of the AE remains",
        "added DCMCFG_TITLE in one transaction (change 1)",
        "the archive has reloaded",
        "removed DCMCFG_TITLE (change 2)",
        "the archive has reloaded",
    ]
    assert "To verify a purged study, run dcmcfg verify --recall --temporary-dest" in done.stdout
    rows = [line.split()[3:8] for line in run("history").stdout.splitlines() if line[:3].strip().isdigit()]
    assert rows == [["4", "deleted", "applied", "dcmcfg", "verify"], ["4", "added", "reverted", "by", "2"]]
    title = re.findall(r"DCMCFG_[0-9A-F]{9}", done.stdout)[0]
    again = run("verify", "--study", LOCAL, "--dest", title, "--json")
    assert (again.exit_code, json.loads(again.stdout)["reported"]["status_hex"]) == (1, "A801")


def test_a_list_of_accepted_destinations_holds_it_only_meanwhile(run: Run, site: RunningSite) -> None:
    site.put(ACCEPTED, "STORESCP", dn=AE)
    site.reload()
    held = octets(site)
    try:
        done = run(*VERIFY, "--yes", "--json")
        assert octets(site) == held
    finally:
        site.put(ACCEPTED, dn=AE)
        site.reload()
    answer = json.loads(done.stdout)
    assert (done.exit_code, answer["verified"], answer["destination_ae_title"]) == (
        0,
        True,
        answer["temporary_destination"]["ae_title"],
    )
    assert {
        name: answer["temporary_destination"][name]
        for name in ("host", "added_by_rollout", "removed_by_rollout", "removed", "removed_leftovers")
    } == {
        "host": "127.0.0.1",
        "added_by_rollout": 1,
        "removed_by_rollout": 2,
        "removed": True,
        "removed_leftovers": [],
    }


def test_a_purged_study_comes_by_way_of_the_archive(run: Run, site: RunningSite) -> None:
    purge(site.site, get_standard_study("three").uid)
    site.put("dcmExternalRetrieveAEDestination", "DCM4CHEE")
    try:
        done = run("verify", "--study", get_standard_study("three").uid, "--temporary-dest", "--yes", "--json")
    finally:
        site.put("dcmExternalRetrieveAEDestination")
        site.reload()
    answer = json.loads(done.stdout)
    assert (done.exit_code, answer["received"]["instance_count"], answer["route"]["finding"]) == (0, 3, "shown")
    assert "straight" not in done.stderr
    assert [len(each["sha256"]) for each in answer["received"]["instances"]] == [64] * 3


def test_what_it_receives_is_kept_where_that_is_asked_for(run: Run, site: RunningSite, tmp_path: Path) -> None:
    done = run(*VERIFY, "--yes", "--json", "--keep", str(tmp_path / "kept"))
    assert done.exit_code == 0, done.stderr
    assert len([path for path in (tmp_path / "kept").rglob("*") if path.is_file()]) == 5


def test_an_ae_that_calls_with_tls_only_gets_a_destination_that_listens_so(
    run: Run, site: RunningSite, made: Made, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pki = make_pki(tmp_path)
    own = f"cn=dicom,{DEVICE}"
    site.put("dicomTLSCipherSuite", "TLS_AES_128_GCM_SHA256", dn=own)
    site.put("dcmTLSProtocol", "TLSv1.3", dn=own)

    def send(exchange: MoveExchange) -> MoveResponse:
        title = exchange.request.destination_ae_title
        name = f"cn=dicom-tls,dicomDeviceName={title.lower()},"
        (there,) = (each for each in site.slapd.entries() if str(each.dn).startswith(name))
        assert there.texts("dcmTLSProtocol") == ("TLSv1.3",)
        options = ["+tls", str(pki.client.key), str(pki.client.certificate), "+cf", str(pki.ca)]
        peer = Peer(title, there.text("dicomHostname") or "", int(there.text("dicomPort") or 0))
        assert storescu(peer, made.files, calling="DCM4CHEE", options=options).returncode == 0
        return MoveResponse(0, completed=len(made.files))

    context = TlsFiles(None, pki.server.certificate, pki.server.key).server_context()
    shown = ("--tls-ca", str(pki.ca), "--tls-cert", str(pki.server.certificate), "--tls-key", str(pki.server.key))
    try:
        with scripted_control() as control, scripted_archive(made, send, tls=context) as peer:
            control.run_as_an_archive_does()
            monkeypatch.setenv("DCMCFG_ARCHIVE_URL", control.url)
            arguments = ("verify", "--study", MADE, "--temporary-dest", "--yes")
            ask = (*arguments, "--json", "--no-qido", "--connect", f"{peer.host}:{peer.port}")
            without = run(*ask, "--tls-ca", str(pki.ca))
            done = run(*ask, *shown)
    finally:
        for name in ("dicomTLSCipherSuite", "dcmTLSProtocol"):
            site.put(name, dn=own)
    assert (without.exit_code, json.loads(without.stdout)["error"]["message"]) == (
        3,
        "a TLS server requires a certificate",
    )
    assert (done.exit_code, json.loads(done.stdout)["received"]["finding"]) == (0, "complete"), done.stderr


def test_many_studies_have_one_for_the_whole_run(run: Run, site: RunningSite) -> None:
    site.put("dcmExternalRetrieveAEDestination", "DCM4CHEE")
    try:
        uids = [get_standard_study(name).uid for name in ("local", "one")]
        named = [word for uid in uids for word in ("--study", uid)]
        done = run("verify", *named, "--temporary-dest", "--yes", "--json")
        answer = json.loads(done.stdout)
        with lock_store(Path(answer["results_file"])):
            held = run("verify", *named, "--temporary-dest", "--yes")
    finally:
        site.put("dcmExternalRetrieveAEDestination")
        site.reload()
    assert done.exit_code == 0, done.output
    assert (
        answer["temporary_destination"]["added_by_rollout"],
        answer["temporary_destination"]["removed_by_rollout"],
    ) == (1, 2)
    assert (answer["outcome_counts"]["pending"], answer["sent_instance_count"], answer["next_steps"]) == (0, 6, [])
    assert held.exit_code == 3
    assert held.stderr.startswith("dcmcfg: "), "nothing was added for a store that another run has"
    assert "another run uses this result store" in held.stderr


def test_two_at_once_have_one_each(site: RunningSite) -> None:
    command = [sys.executable, "-m", "dcmcfg", *VERIFY, "--yes", "--json"]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(2)]
    ended = [(each.communicate(timeout=PATIENCE_S), each.returncode) for each in both]
    assert [code for _, code in ended] == [0, 0], ended
    titles = {json.loads(out)["temporary_destination"]["ae_title"] for (out, _), _ in ended}
    assert len(titles) == 2
