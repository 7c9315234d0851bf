"""What the how-tos for a plain lab show is what the commands print, and each page leaves the lab as it was.

The pages share one lab; a short run tries a sample of them.
"""

from __future__ import annotations

import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import pytest

from dcmcfg.lab.site import Site
from dcmcfg.lab.studies import StudyLocation, make_standard_studies
from tests.cli.page_reader import Reader, reading, without_times
from tests.cli.pages import PageFile, Shown, assert_shows, steps_on
from tests.issuer import running_issuer
from tests.lab.purging import purge
from tests.patience import PATIENCE_S
from tests.running_slapd import of_suffix
from tests.sampling import sample

pytestmark = pytest.mark.real
DOCS = Path(__file__).parents[2] / "docs"
OTHER_BASE_PAGE = "how-to/another-base.md"
#: Pages that are followed on one lab, one after the other.
PAGES = (
    "how-to/long-term-archive.md",
    "how-to/add-a-modality.md",
    "how-to/connect-a-second-pacs.md",
    "how-to/rename.md",
    "how-to/import-aes.md",
    "how-to/watch-drift.md",
    OTHER_BASE_PAGE,
    "how-to/recover.md",
    "how-to/verify-many-studies.md",
    "reference/ae-and-device.md",
)
#: The page for which the lab requires tokens.
SECURED_PAGE = "how-to/secured.md"
#: Where pages have a server beside the lab: a new directory server, an issuer of tokens.
NEW_LDAP_PORT, ISSUER_PORT = 22389, 28843
#: What pages show of a command that was killed.
KILLED = ("Killed",)
STATE = Path(".local", "state", "dcmcfg")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reader]:
    """A reader with a lab that runs until the last page."""
    with reading(tmp_path_factory.mktemp("pages")) as reader:
        reader.environment |= dict.fromkeys(("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"), "adm1")
        reader.environment |= dict.fromkeys(("GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"), "adm1@pacs")
        reader.run("dcmcfg lab up")
        yield reader


def comparable(lines: list[str]) -> list[str]:
    """Return *lines* without times, counts of a killed command, and commands that a table shortens by its width."""
    text = re.sub(r"\b\d+ of 160 steps", "N of 160 steps", "\n".join(without_times(lines)))
    text = re.sub(r"\b\d+ to add, in one transaction", "N to add, in one transaction", text)
    return re.sub(r"(?m)(\bdcmcfg \S+) .*…$", r"\1", text).splitlines()


def follow(page: str, reader: Reader) -> None:
    """Save the files of *page*, run its commands, and compare what they print."""
    for step in steps_on(DOCS / page):
        if isinstance(step, PageFile):
            reader.write(step.name, step.text)
        elif tuple(line.strip() for line in step.lines) == KILLED:
            run_and_kill(step.command, reader)
        else:
            printed = comparable(reader.run(step.command).splitlines())
            assert_shows(Shown(step.section, step.command, tuple(comparable(list(step.lines)))), printed)


def run_and_kill(command: str, reader: Reader) -> None:
    """Start *command*, and kill it when it has begun the third of its steps.

    A loaded machine may see that too late: then the command is reverted and run again.
    """
    rollouts = reader.folder / STATE / "rollouts"
    for _ in range(10):
        number = len(list(rollouts.iterdir())) + 1
        journal = rollouts / str(number) / "journal"
        with reader.start(f"exec {command}") as process:
            deadline = time.monotonic() + PATIENCE_S
            while process.poll() is None and time.monotonic() < deadline:
                if journal.exists() and journal.read_text().count("begins") >= 3:
                    break
                time.sleep(0.001)
            process.kill()
        if process.returncode < 0:
            return
        reader.run("dcmcfg undo --yes")
        for each in (number, number + 1):
            shutil.rmtree(rollouts / str(each))
    pytest.fail(f"never killed in time: {command}")


@contextmanager
def new_directory(reader: Reader) -> Iterator[None]:
    """Run the empty server of the page about another base DN, beside the file of its password."""
    server = of_suffix(reader.folder / "new-slapd", "dc=hospital,dc=org")
    save_secret(reader.folder / "new.password", server.password)
    with server.slapd:
        reader.other_ports[server.slapd.port] = NEW_LDAP_PORT
        yield


def save_secret(file: Path, secret: str) -> None:
    file.write_text(secret)
    file.chmod(0o600)


def follow_and_compare(page: str, lab: Reader) -> None:
    """Follow *page* on *lab* with all its studies purged and no history; the configuration must be as before."""
    site = Site.load(lab.folder / STATE / "lab")
    for study in make_standard_studies():
        if study.location is StudyLocation.EXTERNAL:
            purge(site, study.uid)
    shutil.rmtree(lab.folder / STATE / "rollouts", ignore_errors=True)
    lab.environment["DCMCFG_PROFILE"] = "lab"
    before = lab.run("dcmcfg export-ldif --with-secrets")
    assert before.count("\ndn: ") > 1000
    with new_directory(lab) if page == OTHER_BASE_PAGE else nullcontext():
        follow(page, lab)
    assert lab.run("dcmcfg export-ldif --with-secrets") == before


@pytest.mark.parametrize("page", sample((*PAGES, SECURED_PAGE), 0.1))
def test_the_page_shows_what_is_printed(
    page: str, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if page != SECURED_PAGE:
        follow_and_compare(page, request.getfixturevalue("lab"))
        return
    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")
    with running_issuer() as issuer, reading(tmp_path) as reader:
        save_secret(tmp_path / "keycloak.secret", issuer.clients["dcmcfg"].secret)
        reader.other_ports[int(re.findall(r":(\d+)/", issuer.url)[0])] = ISSUER_PORT
        follow(page, reader)
