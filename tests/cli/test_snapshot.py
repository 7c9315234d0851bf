"""``dcmcfg snapshot``: a file that is whole, private, loadable, and says when it is not."""

from __future__ import annotations

import base64
import hashlib
import json
import random
import re
import stat
import subprocess
from pathlib import Path

import pytest

from dcmcfg.errors import LabError
from dcmcfg.lab.slapd import Slapd
from dcmcfg.lab.tree import list_site_files
from tests.archive.scripted import Scripted
from tests.cli.conftest import Run
from tests.cli.sites import CliSite, settle_at
from tests.ports import free_port
from tests.running_slapd import PASSWORD, RunningSlapd

pytestmark = pytest.mark.real


@pytest.fixture
def snapshot_file(run: Run, site: CliSite, tmp_path: Path) -> Path:
    path = tmp_path / "site.snapshot.ldif"
    result = run("snapshot", str(path))
    assert result.exit_code == 0, result.stderr
    return path


def with_checksum(content: bytes) -> bytes:
    """*content* as if dcmcfg had written it so."""
    return content + b"# end of snapshot, sha256 " + hashlib.sha256(content).hexdigest().encode() + b"\n"


USE_ANOTHER = "if the file is a copy, copy the snapshot again; or use another snapshot"


def body(path: Path) -> bytes:
    """The file without its last line."""
    return path.read_bytes().rpartition(b"# end of snapshot")[0]


def flipped(octets: bytes, place: int, bit: int) -> bytes:
    return octets[:place] + bytes([octets[place] ^ bit]) + octets[place + 1 :]


def another_slapd(folder: Path) -> Slapd:
    server = Slapd(folder, port=free_port(), root_password=PASSWORD)
    server.prepare()
    return server


def test_it_says_what_it_holds_and_is_private(run: Run, site: CliSite, tmp_path: Path) -> None:
    path = tmp_path / "site.snapshot.ldif"
    result = run("snapshot", str(path))
    assert (result.exit_code, result.stderr) == (0, "")
    summary_pattern = re.escape(f"{path}: {len(site.octets())} entries of dc=dcm4che,dc=org @ {site.slapd.url}, ")
    assert re.fullmatch(summary_pattern + r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC; contains secrets\n", result.stdout)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    (pin,) = site.values("dcmKeyStorePin")
    assert pin in path.read_text()
    assert not list(tmp_path.glob(".site*")), "no temporary file is left"


def test_the_facts_of_the_server_stand_at_its_head(snapshot_file: Path, site: CliSite) -> None:
    head = snapshot_file.read_text().partition("\n\n")[0].replace("\n#  ", "")
    lines = head.splitlines()
    assert lines[0] == "# dcmcfg snapshot 1"
    assert "# dn: dc=dcm4che,dc=org" in lines
    assert f"# server: {site.slapd.url}" in lines
    assert "# vendorName: OpenLDAP" in lines
    assert "# namingContexts: dc=dcm4che,dc=org" in lines
    assert any(re.fullmatch("# subschema-sha256: [0-9a-f]{64}", line) for line in lines)
    assert any("NAME 'dcmArchiveDevice'" in line for line in lines)
    assert any(re.search(r"# attributeTypes: \( .* NAME 'dicomDeviceName'", line) for line in lines)


def test_check_proves_it_without_a_server(run: Run, snapshot_file: Path, site: CliSite) -> None:
    site.slapd.slapd.stop()
    result = run("snapshot", "--check", str(snapshot_file))
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith(f"{snapshot_file}: complete and loadable: ")


def test_json_tells_the_same(run: Run, snapshot_file: Path, site: CliSite, tmp_path: Path) -> None:
    fresh = run("snapshot", "--json", str(tmp_path / "other.ldif"))
    checked = run("snapshot", "--check", "--json", str(tmp_path / "other.ldif"))
    assert (fresh.exit_code, checked.exit_code, fresh.stdout) == (0, 0, checked.stdout)
    content = json.loads(fresh.stdout)
    assert (content["entry_count"], content["loadable"], content["server"]) == (
        len(site.octets()),
        True,
        site.slapd.url,
    )
    assert (content["base_dn"], content["findings"]) == ("dc=dcm4che,dc=org", [])


def test_what_check_passes_slapadd_loads_to_the_same_tree(
    run: Run, snapshot_file: Path, site: CliSite, tmp_path: Path
) -> None:
    assert run("snapshot", "--check", str(snapshot_file)).exit_code == 0
    server = another_slapd(tmp_path / "empty")
    content = snapshot_file.read_bytes()
    server.load_ldif(content)
    assert not content.lower().startswith(b"version:")
    with server:
        loaded = CliSite(RunningSlapd(server), site.archive)
        assert loaded.octets() == site.octets()


def test_ldapadd_loads_it_too(snapshot_file: Path, site: CliSite, tmp_path: Path) -> None:
    with another_slapd(tmp_path / "empty") as server:
        loaded = CliSite(RunningSlapd(server), site.archive)
        added = loaded.slapd.run_client("ldapadd", "-f", str(snapshot_file))
        assert added.returncode == 0, added.stderr
        assert loaded.octets() == site.octets()


def test_the_stock_configuration_loads_as_well(run: Run, stock_site: CliSite, tmp_path: Path) -> None:
    path = tmp_path / "stock.ldif"
    assert run("snapshot", str(path)).exit_code == 0
    result = run("snapshot", "--check", str(path))
    assert result.exit_code == 0, result.output
    server = another_slapd(tmp_path / "empty")
    server.load_ldif(path.read_bytes())
    with server:
        assert CliSite(RunningSlapd(server), stock_site.archive).octets() == stock_site.octets()


def test_a_flipped_octet_a_cut_or_a_missing_line_is_refused(run: Run, snapshot_file: Path) -> None:
    """At places drawn anew each time, and at those that are most likely to be forgotten."""
    whole = snapshot_file.read_bytes()
    lines = whole.splitlines(keepends=True)
    records = [record + b"\n\n" for record in whole.split(b"\n\n")]
    draw = random.Random()
    cuts = (0, 1, len(whole) // 2, len(whole) - 1, *draw.choices(range(len(whole)), k=25))
    ends = (0, 2, 21, whole.index(b"server:"), len(whole) - 1, len(whole) - 40, len(whole) - 70)
    places = (*ends, *draw.choices(range(len(whole)), k=40))
    numbers = (0, 1, 2, len(lines) - 2, len(lines) - 1, *draw.choices(range(len(lines)), k=25))
    damaged = [whole[:cut] for cut in cuts]
    damaged += [flipped(whole, place, bit) for place in places for bit in (0x01, 0x20)]
    damaged += [b"".join(lines[:number] + lines[number + 1 :]) for number in numbers]
    damaged += [whole.replace(record, b"") for record in draw.choices(records[1:-1], k=10)]
    damaged += [whole + b"\n", whole + whole, whole.replace(b"\n", b"\r\n")]
    for octets in damaged:
        snapshot_file.write_bytes(octets)
        for arguments, code in ((("snapshot", "--check"), 1), (("restore", "--yes"), 3)):
            refused = run(*arguments, str(snapshot_file))
            assert (refused.exit_code, refused.stdout) == (code, ""), octets[-200:]
            assert refused.stderr.startswith(f"dcmcfg: {snapshot_file}: ")


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda whole: whole[:0], "not a snapshot of dcmcfg\n  next: to apply another LDIF file: dcmcfg apply FILE"),
        (
            lambda whole: whole[:-1],
            f"the snapshot is incomplete: the last line with the checksum is missing or damaged\n  next: {USE_ANOTHER}",
        ),
        (
            lambda whole: whole.replace(b"dicomInstalled: TRUE", b"dicomInstalled: FALSE", 1),
            "the checksum does not match: somebody has changed the snapshot, or the file is damaged\n"
            f"  next: {USE_ANOTHER}",
        ),
        (
            lambda whole: whole.replace(b"snapshot 1\n", b"snapshot 2\n", 1),
            "the snapshot has format 2; this version of dcmcfg can read only formats up to 1\n"
            "  next: use the newer version of dcmcfg that wrote the file; nothing was changed",
        ),
    ],
    ids=["empty", "cut short", "altered", "newer"],
)
def test_the_reason_is_told(run: Run, snapshot_file: Path, damage: object, told: str) -> None:
    assert callable(damage)
    snapshot_file.write_bytes(damage(snapshot_file.read_bytes()))
    assert run("snapshot", "--check", str(snapshot_file)).stderr == f"dcmcfg: {snapshot_file}: {told}\n"


def test_line_endings_that_were_changed_are_told_with_what_changes_them_back(run: Run, snapshot_file: Path) -> None:
    snapshot_file.write_bytes(snapshot_file.read_bytes().replace(b"\n", b"\r\n"))
    mend = f"sed -i 's/\\r$//' {snapshot_file}"
    result = run("snapshot", "--check", str(snapshot_file))
    assert (result.exit_code, result.stderr) == (
        1,
        f"dcmcfg: {snapshot_file}: the snapshot has CRLF line endings. Probably, a program has copied the file in "
        "text mode\n"
        f"  next: copy the file again in binary mode, or convert the line endings: {mend}\n",
    )
    assert subprocess.run(["/bin/sh", "-c", mend], check=False).returncode == 0
    assert run("snapshot", "--check", str(snapshot_file)).exit_code == 0


def test_with_json_a_file_that_is_no_good_is_told_in_one_object(run: Run, snapshot_file: Path) -> None:
    whole = json.loads(run("snapshot", "--check", "--json", str(snapshot_file)).stdout)
    snapshot_file.write_bytes(
        with_checksum(body(snapshot_file).replace(b"\ndicomDeviceName: ", b"\nuid: x\ndicomDeviceName: ", 1))
    )
    unloadable = run("snapshot", "--check", "--json", str(snapshot_file))
    content = json.loads(unloadable.stdout)
    assert (unloadable.exit_code, content["loadable"], content["file"]) == (1, False, whole["file"])
    error = {
        "message": "a directory server cannot load the whole snapshot",
        "exit_code": 1,
        "subject": str(snapshot_file),
        "next_step": "",
    }
    assert content["error"] == error
    snapshot_file.write_bytes(b"")
    damaged = run("snapshot", "--check", "--json", str(snapshot_file))
    assert damaged.exit_code == 1
    assert json.loads(damaged.stdout)["error"]["message"] == "not a snapshot of dcmcfg"


def test_the_time_is_rfc_3339_in_the_file_and_in_json(run: Run, snapshot_file: Path) -> None:
    time_pattern = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
    assert re.search(rf"\n# taken: {time_pattern}\n", snapshot_file.read_text())
    assert re.fullmatch(
        time_pattern, json.loads(run("snapshot", "--check", "--json", str(snapshot_file)).stdout)["created_at"]
    )


def test_a_file_with_a_fitting_checksum_is_proved_all_the_same(run: Run, snapshot_file: Path, tmp_path: Path) -> None:
    """Whatever wrote it: an entry without its parent, an entry twice, and what slapd would not load."""
    content = body(snapshot_file)
    records = content.rstrip(b"\n").split(b"\n\n")
    archive = next(number for number, record in enumerate(records) if b"dn: dicomDeviceName=dcm4chee-arc," in record)
    cases = {
        "the parent entry of": records[:archive] + records[archive + 1 :],
        "the entry already occurs at": [*records, records[archive]],
        "has no colon": [*records, b"dn: cn=x\nno colon"],
        "the entry's object classes do not allow uid": [
            *records[:archive],
            records[archive] + b"\nuid: x",
            *records[archive + 1 :],
        ],
        "unknown attribute dcmNoSuch": [
            *records[:archive],
            records[archive] + b"\ndcmNoSuch: x",
            *records[archive + 1 :],
        ],
    }
    for message, parts in cases.items():
        forged = tmp_path / "forged.ldif"
        forged.write_bytes(with_checksum(b"\n\n".join(parts) + b"\n\n"))
        refused = run("snapshot", "--check", str(forged), env={"COLUMNS": "300"})
        assert refused.exit_code == 1, message
        assert message in refused.output
        server = another_slapd(tmp_path / message.replace(" ", "-"))
        with pytest.raises(LabError):
            server.load_ldif(forged.read_bytes())


def test_a_file_cannot_steer_the_terminal(run: Run, snapshot_file: Path, site: CliSite) -> None:
    hostile = base64.b64encode(b"ldap://\x1b[2J\x07pacs")
    lines = [b"# server:: " + hostile if b"# server:" in line else line for line in body(snapshot_file).split(b"\n")]
    snapshot_file.write_bytes(with_checksum(b"\n".join(lines)))
    checked = run("snapshot", "--check", str(snapshot_file))
    restored = run("restore", str(snapshot_file), "--dry-run")
    assert (checked.exit_code, restored.exit_code) == (0, 0)
    assert "ldap://\\x1b[2J\\x07pacs" in checked.stdout
    assert "ldap://\\x1b[2J\\x07pacs" in restored.stderr
    assert "\x1b" not in checked.output + restored.output


def test_definitions_that_only_the_server_had_count(
    run: Run, site: CliSite, tmp_path: Path, snapshot_file: Path
) -> None:
    """A newer release's attribute: the bundled schema does not know it, the snapshot brings its definition."""
    content = body(snapshot_file)
    new = b"( 1.2.40.0.13.1.15.0.3.99999 NAME 'dcmBrandNew' EQUALITY booleanMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.7 )"
    owner = b"( 1.2.40.0.13.1.15.0.4.99999 NAME 'dcmBrandNewClass' SUP top AUXILIARY MAY dcmBrandNew )"
    head, _, rest = content.partition(b"\n\n")
    rest = rest.replace(
        b"\ndicomDeviceName: dcm4chee-arc\n",
        b"\ndicomDeviceName: dcm4chee-arc\nobjectClass: dcmBrandNewClass\ndcmBrandNew: VALUE\n",
    )
    assert rest != content.partition(b"\n\n")[2]
    for value, code in ((b"TRUE", 0), (b"maybe", 1)):
        facts = head + b"\n# attributeTypes: " + new + b"\n# objectClasses: " + owner
        snapshot_file.write_bytes(with_checksum(facts + b"\n\n" + rest.replace(b"VALUE", value)))
        result = run("snapshot", "--check", str(snapshot_file), env={"COLUMNS": "300"})
        assert result.exit_code == code, result.output


def test_a_tree_that_would_not_load_is_told_when_it_is_taken(
    run: Run, monkeypatch: pytest.MonkeyPatch, archive: Scripted, tmp_path: Path
) -> None:
    """A server keeps an entry of former days that it would not take today."""
    server = another_slapd(tmp_path / "lax")
    server.load_files(list_site_files())
    below = "cn=old,dicomDeviceName=dcm4chee-arc,cn=Devices,cn=DICOM Configuration,dc=dcm4che,dc=org"
    server._run_tool("add", "-s", content=f"dn: {below}\nobjectClass: dicomNetworkConnection\ncn: old\n".encode())
    path = tmp_path / "s.ldif"
    with server:
        settle_at(monkeypatch, RunningSlapd(server), archive)
        result = run("snapshot", str(path))
    assert result.exit_code == 0
    assert result.stderr == (
        "warning: a directory server cannot load the whole snapshot. To list the problems: dcmcfg snapshot FILE "
        "--check\n"
    )
    refused = run("snapshot", "--check", str(path), env={"COLUMNS": "300"})
    assert refused.exit_code == 1
    assert "dicomNetworkConnection requires dicomHostname" in refused.stdout
    assert refused.stderr == f"dcmcfg: {path}: a directory server cannot load the whole snapshot\n"
    with pytest.raises(LabError):
        another_slapd(tmp_path / "empty").load_ldif(path.read_bytes())


def test_a_file_that_exists_is_left_alone_unless_asked(run: Run, snapshot_file: Path, site: CliSite) -> None:
    before = snapshot_file.read_bytes()
    refused = run("snapshot", str(snapshot_file))
    assert (refused.exit_code, refused.stdout) == (3, "")
    assert refused.stderr == f"dcmcfg: {snapshot_file}: the file exists\n  next: specify a new file, or add --replace\n"
    assert snapshot_file.read_bytes() == before
    snapshot_file.chmod(0o644)
    assert run("snapshot", "--replace", str(snapshot_file)).exit_code == 0
    assert stat.S_IMODE(snapshot_file.stat().st_mode) == 0o600


def test_a_server_that_is_away_leaves_no_file(run: Run, site: CliSite, tmp_path: Path) -> None:
    site.slapd.slapd.stop()
    result = run("snapshot", str(tmp_path / "none.ldif"))
    assert result.exit_code == 3
    assert list(tmp_path.glob("*none*")) == []


def test_a_folder_that_is_not_there_is_told(run: Run, site: CliSite, tmp_path: Path) -> None:
    path = tmp_path / "missing" / "s.ldif"
    result = run("snapshot", str(path))
    assert result.exit_code == 3
    assert result.stderr == (
        f"dcmcfg: {path}: the file cannot be written (No such file or directory)\n"
        f"  next: create the folder {path.parent} first, or specify a file in an existing folder\n"
    )
    assert run("snapshot", "-").exit_code == 2
    assert run("snapshot", "--check", str(path)).exit_code == 3
