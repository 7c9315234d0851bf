"""What ``docs/how-to/shared-history.md`` shows is what the commands print, for two real accounts on a real slapd."""

from __future__ import annotations

import re
import shlex
import shutil
import socket
from collections.abc import Iterator
from itertools import islice, takewhile
from pathlib import Path

import pytest

from tests.cli.accounts import Account, SharedSite, sharing_accounts
from tests.cli.pages import Shown, assert_shows
from tests.cli.sites import CliSite
from tests.sampling import LONG

pytestmark = pytest.mark.real
PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "shared-history.md"
PROMPT = re.compile(r"(?m)^ *(?P<account>root#|adm1\$|op2\$) ")
#: The folder on the page.
FOLDER = "/srv/dcmcfg-history"
#: The commands of a short run; test_shared_history.py and test_blame.py try the others.
SHORT_COUNT = 5


def commands() -> Iterator[tuple[str, Shown]]:
    """Yield the account of each command on the page, and the command with the lines that the page shows."""
    for section in re.split(r"(?m)^## ", PAGE.read_text("utf-8"))[1:]:
        for block in re.findall(r"(?ms)^ *```console\n(.*?)^ *```$", section):
            pieces = PROMPT.split(block)[1:]
            for account, text in zip(pieces[::2], pieces[1::2], strict=True):
                command, _, output = text.partition("\n")
                yield account, Shown(section.partition("\n")[0], command, tuple(output.splitlines()))


@pytest.fixture
def shared(site: CliSite, monkeypatch: pytest.MonkeyPatch) -> Iterator[SharedSite]:
    monkeypatch.setenv("DCMCFG_PROFILE", "hospital")
    with sharing_accounts(site) as made:
        shutil.rmtree(made.folder)  # the page creates it
        for account, name in ((made.adm1, "adm1"), (made.op2, "op2")):
            del account.environment["DCMCFG_HISTORY_DIR"]
            account.environment["LOGNAME"] = name
        yield made


def run(shared: SharedSite, account: Account, command: str) -> str:
    """Run *command* of the page as *account*; return its output as it is on the page."""
    names = {"adm1": shared.adm1, "op2": shared.op2}
    command = re.sub(r"\b(adm1|op2)(?=-\d)", lambda match: str(names[match[0]].uid), command)
    words = shlex.split(command.replace(FOLDER, str(shared.folder)))
    assert words[0] == "dcmcfg"
    done = account.run(*words[1:], COLUMNS="100")
    text = (done.stdout + done.stderr).replace(str(shared.folder), FOLDER)
    text = text.replace(shared.site.slapd.url, "ldap://127.0.0.1:20389")
    for name, each in names.items():
        text = text.replace(f"{each.home}/config", f"/home/{name}/.config").replace(str(each.uid), name)
    text = text.replace(socket.gethostname(), "pacs")  # the random name of a folder may contain a short host name
    return re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?", "TIME", text)


def comparable(text: str) -> str:
    """Return *text* without times, and without widths and shortened commands that depend on the length of names."""
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?", "TIME", text)
    text = re.sub(r"(?m)(?<=@pacs)( +dcmcfg \S+) .*…$", r"\1", text)
    return "\n".join(re.sub(r"(?<=\S) {2,}", " ", re.sub("─+", "─", line.strip())) for line in text.splitlines())


def test_the_page_shows_what_is_printed(shared: SharedSite) -> None:
    accounts = {"adm1$": shared.adm1, "op2$": shared.op2}
    typed = ((name, each) for name, each in commands() if name != "root#")
    for name, each in islice(typed, None if LONG else SHORT_COUNT):
        if not shared.folder.exists():
            shared.make_folder()
        printed = comparable(run(shared, accounts[name], each.command))
        expected = Shown(each.section, each.command, tuple(comparable("\n".join(each.lines)).splitlines()))
        assert_shows(expected, printed.splitlines())


def test_the_commands_of_root_make_the_folder_that_the_tests_use() -> None:
    made = [each.command for name, each in takewhile(lambda item: item[0] == "root#", commands())]
    assert made[-1] == f"install -d -m 2770 -g pacs-admins {FOLDER}"
