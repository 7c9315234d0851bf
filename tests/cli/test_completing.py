"""Shell completion from a real directory, and in a real bash."""

from __future__ import annotations

import os
import pty
import shutil
import socket
import sys
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete

from dcmcfg.cli.bash_completion import UnsplitBashComplete
from dcmcfg.cli.main import program
from dcmcfg.settings.profiles import get_profile_path
from tests.cli.at_terminal import read_until
from tests.cli.sites import CliSite
from tests.ports import free_port

pytestmark = pytest.mark.real


def offered(*words: str) -> list[str]:
    """What may stand in place of the last of *words*."""
    completion = ShellComplete(program, {}, "dcmcfg", "_DCMCFG_COMPLETE")
    return [item.value for item in completion.get_completions(list(words[:-1]), words[-1])]


def test_targets_attributes_and_values_come_from_the_site_that_the_line_names(
    site: CliSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = site.slapd.url
    assert offered("show", "st") == ["storescp", "storescp/STORESCP"]
    assert offered("get", "AE:S") == ["AE:STORESCP"]
    assert offered("edit", "storescp/") == ["storescp/STORESCP"]
    assert offered("set", "AE:STORESCP", "dicomAssociation") == [
        "dicomAssociationAcceptor=",
        "dicomAssociationInitiator=",
    ]
    acceptor = "dicomAssociationAcceptor"
    for words, operator in (
        (("set", "AE:STORESCP"), "+="),
        (("ae", "set", "STORESCP"), "+="),
        (("ae", "set", "STORESCP", "--device", "storescp"), "+="),
        (("add-value", "AE:STORESCP"), "="),
    ):
        values = [f"{acceptor}{operator}TRUE", f"{acceptor}{operator}FALSE"]
        assert offered(*words, f"{acceptor}{operator}") == values
    for words, operator in ((("set", "AE:STORESCP"), "-="), (("remove-value", "AE:STORESCP"), "=")):
        assert offered(*words, f"dicomAETitle{operator}") == [f"dicomAETitle{operator}STORESCP"]
    assert offered("remove-value", "AE:STORESCP", "dicomAET") == ["dicomAETitle="]
    assert offered("set", "AE:STORESCP", "dicomaetitle-") == ["dicomAETitle-="]
    assert offered("set", "AE:STORESCP", "dicomAssociationAcceptor+") == ["dicomAssociationAcceptor+="]
    assert offered("device", "set", "storescp", "dicomInstal") == ["dicomInstalled="]
    assert offered("device", "set", "storescp", "dicomInstalled-=") == ["dicomInstalled-=TRUE"]
    assert offered("ae", "set", "STO") == ["STORESCP"]
    assert offered("unset", "storescp", "dicomInst") == ["dicomInstalled"]
    assert offered("ae", "remove", "STO") == ["STORESCP"]
    assert offered("capability", "list", "storescp/") == ["storescp/STORESCP"]
    assert offered("device", "remove", "STO") == ["storescp"]
    assert offered("connection", "set", "storescp/") == ["storescp/dicom"]
    assert offered("connection", "add", "storescp") == ["storescp"]
    assert offered("verify", "--dest", "ST") == offered("ae", "rename", "ST") == offered("echo", "ST") == ["STORESCP"]
    assert offered("rename", "exporter", "l") == ["LONGTERM"]
    assert offered("rename", "storage", "") == ["fs1"]
    assert offered("--device", "storescp", "rename", "storage", "") == [], "no part of that device"
    assert offered("ae", "list", "--device", "st") == offered("--device", "st") == ["storescp"]
    assert offered("ae", "rename", "LO") == ["LONGTERM"]
    destination = "dcmExternalRetrieveAEDestination"
    assert offered("set", "dcm4chee-arc", f"{destination}=") == [f"{destination}=DCM4CHEE"], "no other one can store"
    assert offered("set-external-retrieve", "") == ["DCM4CHEE"]
    share = "dcmShareTransferCapabilitiesFromAETitle"
    titles = [f"{share}={title}" for title in ("AS_RECEIVED", "DCM4CHEE", "IOCM_REGULAR_USE", "WORKLIST")]
    assert offered("set", "dcm4chee-arc/WORKLIST", f"{share}=") == titles, "looked for on the archive's own device"
    assert offered("set", "storescp", "dicomInstalled=") == ["dicomInstalled=TRUE", "dicomInstalled=FALSE"]
    exporter = "dcmExporterID=LONGTERM,dicomDeviceName=dcm4chee-arc"
    assert offered("set", exporter, "dcmURI=") == ["dcmURI=dicom:LONGTERM"], "the value that it has"
    assert offered("device", "rename", "LONG") == ["longterm"]
    assert offered("explain", "dcmexternalretrieveaed") == ["dcmExternalRetrieveAEDestination"]
    monkeypatch.setenv("DCMCFG_LDAP_URL", f"ldap://127.0.0.1:{free_port()}")
    assert offered("--ldap-url", url, "show", "st") == [], "an option without a password beside it names another server"
    monkeypatch.setenv("DCMCFG_BIND_PASSWORD_FILE", "/nowhere")
    assert offered("show", "st") == []


def test_profiles_are_completed_by_name() -> None:
    path = get_profile_path("hospital")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("", "utf-8")
    assert offered("--profile", "") == offered("show", "--profile", "hosp") == ["hospital"]
    assert offered("--profile", "x") == []


def test_whatever_fails_is_silent_and_asks_nothing(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        for url, password in (
            (f"ldap://127.0.0.1:{free_port()}", "secret"),
            (f"ldap://127.0.0.1:{silent.getsockname()[1]}", "secret"),
            (f"ldap://127.0.0.1:{silent.getsockname()[1]}", None),
            ("nonsense", "secret"),
        ):
            monkeypatch.setenv("DCMCFG_LDAP_URL", url)
            if password is None:
                monkeypatch.delenv("DCMCFG_BIND_PASSWORD")
            else:
                monkeypatch.setenv("DCMCFG_BIND_PASSWORD", password)
            assert offered("show", "s") == []
            assert offered("unset", "storescp", "dcmExternalRetrieveAED") == ["dcmExternalRetrieveAEDestination"]
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("dcmcfg show ", ""),
        ("dcmcfg show AE:ST", "AE:ST"),
        ("dcmcfg set 'a b' x=", "x="),
        ("dcmcfg show 'a b", "a b"),
        ("dcmcfg", ""),
    ],
)
def test_a_word_is_what_is_one_to_the_program(monkeypatch: pytest.MonkeyPatch, line: str, word: str) -> None:
    monkeypatch.setenv("COMP_LINE", line)
    assert UnsplitBashComplete(program, {}, "dcmcfg", "_DCMCFG_COMPLETE").get_completion_args()[1] == word


def wait_for(terminal: int, text: bytes) -> None:
    """Read until *text* was seen; a prompt may follow it, or not yet."""
    seen = b""
    while text not in seen:
        seen += os.read(terminal, 1024)


def test_in_bash_words_with_colons_and_equals_signs_are_completed(site: CliSite) -> None:
    bash = shutil.which("bash")
    assert bash is not None
    folder = Path(sys.executable).parent
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ |= {"PATH": f"{folder}:{os.environ['PATH']}", "TERM": "dumb", "PS1": "$ ", "HISTFILE": "/dev/null"}
        os.execv(bash, ["bash", "--norc", "--noprofile", "-i"])
    quiet = "bind 'set enable-bracketed-paste off'; bind 'set bell-style none'"
    start = f"{quiet}; source <(dcmcfg completion bash); echo rea''dy"
    for typed, seen in (
        (f"{start}\n", "ready\r\n"),
        ("dcmcfg show AE:STO\t", "AE:STORESCP "),
        ("\x15dcmcfg set storescp dicomInstalled=F\t", "dicomInstalled=FALSE "),
        ("\x15dcmcfg rename storage \t", "fs1 "),
        ("\x15dcmcfg set storescp dicomInstalled-=T\t", "dicomInstalled-=TRUE "),
        ("\x15dcmcfg set storescp dicomInstalled-\t", "dicomInstalled-="),
        ("\x15dcmcfg add-value storescp/STOR\t", "storescp/STORESCP "),
        ("dcmOtherAET\t", "dcmOtherAETitle="),
    ):
        os.write(terminal, typed.encode())
        wait_for(terminal, seen.encode())
    os.write(terminal, b"\x15exit\n")
    read_until(terminal, None)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    os.close(terminal)
