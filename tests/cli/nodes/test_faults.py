"""A fault of a node or of its replica during a change: what is printed is true, and ``--resume`` finishes the change.

What a node has loaded is asked of the node itself: each change, or an edit just before it, gives the archive's AE a new
description, which ``GET /aets`` shows from the memory of the node.
"""

from __future__ import annotations

import itertools
import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path

import pytest
from click.testing import Result

from dcmcfg.archive.http_client import HttpClient
from dcmcfg.archive.issuer import ClientCredentials, TokenIssuer
from tests.cli.conftest import Run
from tests.cli.nodes.two_nodes import AE, ARCHIVES, CONNECTION, DEVICE, PROFILE, REPLICAS, TwoNodes
from tests.issuer import Issuer, running_issuer
from tests.killing_proxy import KillingProxy
from tests.patience import comes_true
from tests.ports import free_port
from tests.sampling import LONG

pytestmark = pytest.mark.real

NODES = ("node1", "node2")
KEEP_GOING, PARALLEL = "--keep-going", "--parallel-nodes"
TIMEOUT_S = "1.5"
MARKER_REMOVED = (
    "The marker is removed from the directory. The nodes keep the marker in their loaded configuration until their "
    "next reload."
)
BINDS_AGAIN = (
    "warning: the reload closes a port of the archive and opens the port again (cn=dicom). If the port stays closed "
    "('Address already in use'), dcmcfg repeats the reload once"
)
#: The token of a marker is another one each time.
_TOKEN = re.compile(r"(dcmcfg-1-)[0-9a-f]{8}")
_numbers = itertools.count()


class Kind(Enum):
    """A change, by what shows that a node has loaded it."""

    VISIBLE = "visible"
    HIDDEN = "hidden"
    MARKED = "marked"
    PORT = "port"


@dataclass(frozen=True)
class Made:
    """A change in a file, what confirms it, and the description that a node shows that has loaded it."""

    kind: Kind
    file: str
    description: str
    sources: tuple[str, ...]

    @property
    def dn(self) -> str:
        """The entry that the change modifies."""
        return {Kind.VISIBLE: AE, Kind.PORT: CONNECTION}.get(self.kind, DEVICE)


@dataclass(frozen=True)
class Outcome:
    """What is reported of a node: its state, the state of its replica, the cell "Reloaded", what confirms the reload.

    ``note`` is the line below the table. ``has_loaded`` is the truth about the node.
    """

    state: str
    replica: str | None
    reloaded: str
    confirmation: str | None = None
    sources: tuple[str, ...] = ()
    note: str = ""
    has_loaded: bool = True


class Site:
    """The site, of which *node* has the fault."""

    def __init__(self, nodes: TwoNodes, node: str, *, stack: ExitStack, issuer: Issuer) -> None:
        self.nodes, self.node, self.stack, self.issuer = nodes, node, stack, issuer
        self.port = free_port()

    @property
    def url(self) -> str:
        return self.nodes.urls[self.node]

    @property
    def host(self) -> str:
        return self.url.removeprefix("http://").partition(":")[0]

    @property
    def ldap_url(self) -> str:
        return self.nodes.ldap_urls[self.node]

    def make(self, kind: Kind, folder: Path) -> Made:
        """A change that nobody has made before, in a file."""
        number = next(_numbers)
        ports = sorted((self.site_port, self.port))
        sources = {
            Kind.VISIBLE: ("GET /aets",),
            Kind.HIDDEN: (),
            Kind.MARKED: ("GET /attribute-set/DIFF_RS",),
            Kind.PORT: tuple(f"port {each}" for each in ports),
        }
        made = Made(kind, str(folder / "change.ldif"), f"description {number}", sources[kind])
        attribute, value = {
            Kind.VISIBLE: ("dicomDescription", made.description),
            Kind.PORT: ("dicomPort", str(self.port)),
        }.get(kind, ("dicomManufacturer", f"manufacturer {number}"))
        Path(made.file).write_text(
            f"dn: {made.dn}\nchangetype: modify\nreplace: {attribute}\n{attribute}: {value}\n-\n"
        )
        return made

    @property
    def site_port(self) -> int:
        return self.nodes.site.ports.archive


@dataclass(frozen=True)
class Fault:
    """A fault, and what is reported of the node that has it.

    ``stops_run``: the next node is not reloaded. ``is_everywhere``: both nodes have it. ``warning`` is printed at the
    start; with ``is_fatal``, it is the error without ``--keep-going``, with nothing changed.
    """

    name: str
    inject: Callable[[Site, Made], None]
    get_outcome: Callable[[Site, Made], Outcome]
    stops_run: bool = False
    is_everywhere: bool = False
    warning: str = ""
    is_fatal: bool = False

    def __str__(self) -> str:
        return self.name


def healthy(_site: Site, made: Made) -> Outcome:
    if made.kind is Kind.HIDDEN:
        note = "no service of the archive returns the changed values"
        return Outcome("loaded", "current", "yes", "not confirmed", note=note)
    return Outcome("loaded", "current", "yes", "confirmed", made.sources)


PENDING = Outcome("pending", "current", "no", note="not reloaded, because an earlier node failed", has_loaded=False)


def leave_alone(site: Site, made: Made) -> None:
    """No fault."""


def slow_down(site: Site, made: Made) -> None:
    site.nodes.pause(ARCHIVES[site.node])
    timer = threading.Timer(1.0, site.nodes.wake, [ARCHIVES[site.node]])
    timer.start()
    site.stack.callback(timer.join)


def stop_archive(site: Site, made: Made) -> None:
    assert site.nodes.post(site.node, "stop") == 204


def kill_archive(site: Site, made: Made) -> None:
    site.nodes.kill(ARCHIVES[site.node])


def hold_replica(site: Site, made: Made) -> None:
    site.nodes.hold_replica(site.node)


def pause_replica(site: Site, made: Made) -> None:
    site.nodes.pause(REPLICAS[site.node])


def kill_replica(site: Site, made: Made) -> None:
    site.nodes.kill(REPLICAS[site.node])


def name_provider(site: Site, made: Made) -> None:
    """The profile names the provider, but the node reads a replica that gets nothing more."""
    site.nodes.hold_replica(site.node)
    site.nodes.write_profile(site.node, ldap_url=site.nodes.ldap_url)


def occupy_port(site: Site, made: Made) -> None:
    """The connection gets a port that another program has on the address of the node."""
    site.stack.enter_context(socket.create_server((site.host, site.port)))
    if made.kind is not Kind.PORT:
        site.nodes.put("dicomPort", str(site.port), dn=CONNECTION)


def set_unreadable_value(site: Site, made: Made) -> None:
    site.nodes.put("dcmCStoreSCUOfCMoveSCP", "no pair", dn=DEVICE)


def require_tokens(site: Site, made: Made) -> None:
    credentials = ClientCredentials(site.issuer.url, "dcmcfg", site.issuer.clients["dcmcfg"].secret)
    site.nodes.token = TokenIssuer(credentials, HttpClient()).get_token()
    site.nodes.require_tokens(site.node, site.issuer.url)


def stopped(site: Site, made: Made) -> Outcome:
    note = (
        "The archive loaded the new configuration, but the archive is STOPPED: its DICOM and HL7 "
        "ports are closed — Start the archive on the Control page of its web interface, or run: "
        f"curl -X POST {site.url}/ctrl/start"
    )
    return Outcome("stopped", "current", "yes, but STOPPED", note=note)


def dead(site: Site, made: Made) -> Outcome:
    note = "connection refused — check that the archive is running, and that its URL is correct (--archive-url)"
    return Outcome("not loaded", "current", "failed", note=note, has_loaded=False)


def behind(site: Site, made: Made) -> Outcome:
    note = f"the replica {site.ldap_url} is behind: the entry {made.dn} has its old values"
    return Outcome("replica behind", "behind", "no", note=note, has_loaded=False)


def unreachable(reason: str) -> Callable[[Site, Made], Outcome]:
    def get_outcome(site: Site, made: Made) -> Outcome:
        note = f"the replica {site.ldap_url} cannot be read: {reason}"
        return Outcome("replica unreachable", "unreachable", "no", note=note, has_loaded=False)

    return get_outcome


def differing(site: Site, made: Made) -> Outcome:
    """A change that nothing shows is not confirmed; the node has not loaded it, but nothing shows this either."""
    match made.kind:
        case Kind.HIDDEN:
            return replace(healthy(site, made), replica=None, has_loaded=False)
        case Kind.MARKED:
            missing = "GET /attribute-set/DIFF_RS shows dcmcfg-1-TOKEN"
        case _:
            missing = "GET /aets shows the new dicomDescription of DCM4CHEE"
    note = f"the archive does not show the expected values after the reload. Expected: {missing}"
    return Outcome("differs", None, "yes, but shows other values", "contradicted", note=note, has_loaded=False)


def not_bound(site: Site, made: Made) -> Outcome:
    # The archive names the address that the configuration has; each node of the lab listens on its own.
    address = f"127.0.0.1:{site.port}"
    note = (
        f"The new configuration is in force, but the archive could not open the listener {address}: IOException: "
        f"Unable to start TCPListener on {address}; cause: BindException: Address already in use (HTTP 500; dcmcfg "
        "reloaded twice). Until a reload succeeds, other listeners might be closed too, and the AE cache of the "
        f"archive still contains old AEs — Find out what else uses port {site.port}. Check the other connections "
        f"of the archive (dcmcfg --profile {PROFILE} connection list dcm4chee-arc). Check the other processes on the "
        f"archive's machine (ss -tlnp 'sport = :{site.port}'). Then run dcmcfg --profile {PROFILE} reload"
    )
    return Outcome("unknown", "current", "uncertain", note=note)


def unloadable(site: Site, made: Made) -> Outcome:
    note = (
        "The archive could not load the new configuration: IllegalArgumentException: CStoreSCUofCMoveSCP in "
        "incorrect format : no pair (HTTP 409). The "
        "archive keeps its previous configuration — To list the values that the archive cannot load, run dcmcfg "
        f"--profile {PROFILE} check. Fix these values, then run dcmcfg --profile {PROFILE} reload. The archive's "
        "server.log has the full error"
    )
    return Outcome("not loaded", "current", "failed", note=note, has_loaded=False)


def without_token(site: Site, made: Made) -> Outcome:
    note = (
        f"the archive requires a token (HTTP 401) — run dcmcfg --profile {PROFILE} token to see the issuer, then see "
        "dcmcfg help secured; or set a token with --archive-token-file FILE"
    )
    return Outcome("not loaded", "current", "failed", note=note, has_loaded=False)


FAULTS = (
    Fault("none", leave_alone, healthy),
    Fault("slow", slow_down, healthy),
    Fault(
        "stopped",
        stop_archive,
        stopped,
        stops_run=True,
        warning="The archive is STOPPED: its DICOM and HL7 ports are closed. A reload does not open the ports. To see "
        f"how to start the archive: dcmcfg --profile {PROFILE} status",
    ),
    Fault(
        "killed",
        kill_archive,
        dead,
        stops_run=True,
        warning="Connection refused: no server listens at {address}",
        is_fatal=True,
    ),
    Fault("behind", hold_replica, behind),
    Fault("hanging", pause_replica, unreachable("the connection to the LDAP server was lost: no answer in time")),
    Fault("away", kill_replica, unreachable("cannot connect to the LDAP server: connection refused")),
    Fault("other-replica", name_provider, differing, stops_run=True),
    Fault("port-conflict", occupy_port, not_bound, stops_run=True),
    Fault("unloadable", set_unreadable_value, unloadable, stops_run=True, is_everywhere=True),
    Fault(
        "token",
        require_tokens,
        without_token,
        stops_run=True,
        warning="the archive requires a token (HTTP 401)",
        is_fatal=True,
    ),
)


@dataclass(frozen=True)
class Case:
    """A run: a change of a kind, a fault of a node, and the options."""

    fault: Fault
    kind: Kind
    node: str
    order: str
    as_json: bool

    def __str__(self) -> str:
        return "-".join(
            [
                self.fault.name,
                self.kind.value,
                self.node,
                self.order.strip("-") or "in-turn",
                "json" if self.as_json else "table",
            ]
        )

    @property
    def options(self) -> tuple[str, ...]:
        marker = ("--confirm", "marker") if self.kind is Kind.MARKED else ()
        return (*([self.order] if self.order else []), *marker, *(["--json"] if self.as_json else []))

    def expect(self, site: Site, made: Made) -> dict[str, Outcome]:
        """What is reported of each node."""
        faulty = self.fault.get_outcome(site, made)
        found = {each: healthy(site, made) for each in NODES} | {self.node: faulty}
        if self.fault.is_everywhere:
            found = dict.fromkeys(NODES, faulty)
        is_first = self.fault.is_everywhere or self.node == "node1"
        if self.fault.stops_run and is_first and not self.order and faulty.state != "loaded":
            found["node2"] = PENDING
        return found


#: Faults for which a few cases run each time: in these, a node could be taken for one that has loaded the change.
_TRICKY = ("behind", "other-replica", "port-conflict")


def list_cases() -> Iterator[Case]:
    """Yield a few cases of each fault, or all of them (``DCMCFG_LONG``)."""
    for number, fault in enumerate(FAULTS):
        kinds = [Kind.VISIBLE, Kind.HIDDEN, Kind.MARKED]
        if fault.name in ("none", "behind", "port-conflict"):
            kinds.append(Kind.PORT)
        own = [
            Case(fault, kind, node, order, as_json)
            for node, order, kind, as_json in itertools.product(NODES, ("", KEEP_GOING, PARALLEL), kinds, (False, True))
        ]
        # The stride visits all kinds, orders and forms of output over the faults.
        picked = range(0, len(own), 19) if fault.name in _TRICKY else [0]
        yield from own if LONG else (own[(7 * number + each) % len(own)] for each in picked)


def normalise(text: str) -> str:
    """Replace the figures and tokens that differ from run to run."""
    return _TOKEN.sub(r"\1TOKEN", text)


def parse_table(result: Result) -> tuple[list[list[str]], list[str]]:
    """The rows of the table of the nodes, the first with the headings, and the lines below it."""
    table, _, notes = result.stdout.partition("undo 1\n\n")[2].partition("\n\n")
    rows = [re.split(r" {2,}", line.strip()) for line in table.splitlines() if "─" not in line]
    return rows, normalise(notes).strip().splitlines()


def format_row(node: str, outcome: Outcome) -> list[str]:
    replica = {None: "none", "current": "after N s", "behind": "behind after N s", "unreachable": "not read"}
    cell = "-" if outcome.confirmation is None else ", ".join(outcome.sources) or "not confirmed"
    return [node, "yes", replica[outcome.replica], outcome.reloaded, cell]


def check_table(result: Result, expected: dict[str, Outcome], case: Case) -> None:
    (heading, *rows), notes = parse_table(result)
    assert heading == ["Node", "Written", "Replica", "Reloaded", "Confirmed by"]
    seen = [[re.sub(r"after [0-9.]+ s", "after N s", cell) for cell in row] for row in rows]
    assert seen == [format_row(node, outcome) for node, outcome in expected.items()]
    marked = [MARKER_REMOVED] if case.kind is Kind.MARKED else []
    assert notes == [f"{node}: {outcome.note}" for node, outcome in expected.items() if outcome.note] + marked


def check_json(result: Result, expected: dict[str, Outcome]) -> None:
    found = json.loads(result.stdout)["nodes"]
    for each in found:
        for part in filter(None, (each["replica"], each["confirmation"])):
            part.pop("seconds", None)
            part.pop("reason")
    assert [(each["name"], each["state"], each["loaded"], each["replica"], each["confirmation"]) for each in found] == [
        (
            node,
            outcome.state,
            outcome.state == "loaded",
            None if outcome.replica is None else {"state": outcome.replica},
            None
            if outcome.confirmation is None
            else {"state": outcome.confirmation, "confirmed_by": list(outcome.sources)},
        )
        for node, outcome in expected.items()
    ]


def list_lines(text: str) -> list[str]:
    """The lines apart from those about a wait: how long a replica takes depends on the machine."""
    return [line for line in text.splitlines() if not line.startswith("waiting for the replica ")]


def check_errors(result: Result, case: Case, site: Site, expected: dict[str, Outcome]) -> None:
    failed = [node for node, outcome in expected.items() if outcome.state != "loaded"]
    warning = case.fault.warning.format(address=f"{site.host}:{site.nodes.site.ports.http}")
    lines = [BINDS_AGAIN] if case.kind is Kind.PORT else []
    lines += [f"warning: node {case.node}: {warning}"] if warning else []
    if failed:
        resume = f"dcmcfg --profile {PROFILE} apply --resume"
        keep_going = f"to continue with the other nodes if a node fails: {resume} --keep-going; "
        is_pending = any(each.state == PENDING.state for each in expected.values())
        lines += [
            "dcmcfg: The directory was changed, but at least one node has not loaded the change or is not started: "
            + ", ".join(f"{node} ({expected[node].state})" for node in failed),
            f"  next: to continue with these nodes: {resume}; "
            f"{keep_going if is_pending else ''}to revert the change: dcmcfg --profile {PROFILE} undo 1",
        ]
    # With --json, the plan is there too.
    prefixes = ("warning: ", "dcmcfg: ", "  next: ") if case.as_json else ("",)
    assert [line for line in list_lines(result.stderr) if line.startswith(prefixes)] == lines
    assert result.exit_code == (4 if failed else 0)


def read_history(run: Run) -> list[tuple[str, str, list[str]]]:
    nodes = json.loads(run("history", "1", "--json").stdout)["nodes"]
    return [(each["name"], each["state"], each["confirmed_by"]) for each in nodes]


def check_truth(nodes: TwoNodes, made: Made, expected: dict[str, Outcome]) -> None:
    """What the nodes show themselves is what was to be expected, and none is confirmed that has not loaded it."""
    for node, outcome in expected.items():
        if nodes.is_running(ARCHIVES[node]):
            assert (nodes.description(node) == made.description) is outcome.has_loaded
        assert outcome.has_loaded or outcome.confirmation != "confirmed"


def mend(site: Site, case: Case, folder: Path) -> None:
    """Remove the fault; a token that is missing is given."""
    if case.fault.name == "token":
        file = folder / "token"
        file.write_text(site.nodes.token)
        file.chmod(0o600)
        site.nodes.write_profile(site.node, archive_token_file=str(file))
        return
    site.stack.close()
    site.nodes.mend()
    site.nodes.put("dcmCStoreSCUOfCMoveSCP", dn=DEVICE)
    site.nodes.write_profile()


@pytest.fixture(scope="module")
def issuer() -> Iterator[Issuer]:
    with pytest.MonkeyPatch.context() as environment, running_issuer() as running:
        environment.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")
        yield running


@pytest.mark.parametrize("case", list(list_cases()), ids=str)
def test_no_fault_leads_to_an_untrue_report_and_the_change_can_be_finished(
    nodes: TwoNodes, run: Run, tmp_path: Path, issuer: Issuer, case: Case
) -> None:
    with ExitStack() as stack:
        site = Site(nodes, case.node, stack=stack, issuer=issuer)
        made = site.make(case.kind, tmp_path)
        case.fault.inject(site, made)
        if case.kind is not Kind.VISIBLE:
            nodes.put("dicomDescription", made.description)
        result = run(*apply(made.file), *case.options)
        if case.fault.is_fatal and case.order != KEEP_GOING:
            check_refused(result, run, site, case)
            mend(site, case, tmp_path)
            assert run(*apply(made.file), *case.options).exit_code == 0
        else:
            expected = case.expect(site, made)
            check_errors(result, case, site, expected)
            if case.as_json:
                check_json(result, expected)
            else:
                check_table(result, expected, case)
            assert read_history(run) == [(node, each.state, list(each.sources)) for node, each in expected.items()]
            check_truth(nodes, made, expected)
            assert nodes.markers() == []
            mend(site, case, tmp_path)
            finish(run, expected)
        assert [nodes.description(node) for node in NODES] == [made.description] * 2
        assert [state for _, state, _ in read_history(run)] == ["loaded"] * 2
        assert nodes.markers() == []
    nodes.is_in_order = case.fault.name not in ("port-conflict", "token") and case.kind is not Kind.PORT


def apply(file: str) -> tuple[str, ...]:
    return "apply", file, "--yes", "--profile", PROFILE, "--replica-timeout-s", TIMEOUT_S


def check_refused(result: Result, run: Run, site: Site, case: Case) -> None:
    """The node does not answer, so nothing is written."""
    assert result.exit_code == 3
    reason = case.fault.warning.format(address=f"{site.host}:{site.nodes.site.ports.http}")
    first, second = result.stderr.splitlines()[-2:]
    assert first == f"dcmcfg: {site.url}/ctrl/status: node {case.node}: {reason}"
    assert second.endswith(
        "; nothing was changed; to change the directory without a reload of the archive: --no-reload; to continue "
        "with the other nodes: --keep-going"
    )
    assert json.loads(run("history", "--json").stdout) == {"rollouts": []}


def finish(run: Run, expected: dict[str, Outcome]) -> None:
    """Have the nodes load the change that have not: ``--resume`` knows them, unless all are said to have loaded it."""
    pending = [node for node, outcome in expected.items() if outcome.state != "loaded"]
    result = run("apply", "--resume", "--yes", "--profile", PROFILE)
    if not pending:
        assert (result.exit_code, "there is no unfinished change" in result.stderr) == (3, True)
        assert run("reload", "--profile", PROFILE).exit_code == 0
        return
    assert (result.exit_code, list_lines(result.stderr)) == (0, [])
    line = f"The change is in the directory. Nodes that have not loaded it: {', '.join(pending)}"
    assert result.stdout.splitlines()[1] == line
    assert [row.split()[0] for row in result.stdout.splitlines() if row.startswith(" node")] == pending


def test_only_the_nodes_that_are_named_are_reloaded(nodes: TwoNodes, run: Run, tmp_path: Path, issuer: Issuer) -> None:
    """The other one need not even run."""
    with ExitStack() as stack:
        site = Site(nodes, "node2", stack=stack, issuer=issuer)
        made = site.make(Kind.VISIBLE, tmp_path)
        before = nodes.description("node2")
        nodes.pause(REPLICAS["node2"])
        result = run(*apply(made.file), "--node", "node1")
        assert (result.exit_code, result.stderr) == (0, "")
        (row,) = parse_table(result)[0][1:]
        assert (row[:2], row[3:]) == (["node1", "yes"], ["yes", "GET /aets"])
        assert result.stdout.endswith(
            f"Not reloaded, because --node does not select these nodes: node2. To reload: dcmcfg --profile {PROFILE} "
            "apply --resume\n"
        )
        assert read_history(run) == [("node1", "loaded", ["GET /aets"]), ("node2", "pending", [])]
        assert nodes.description("node1") == made.description
        assert nodes.description("node2") == before != made.description
        nodes.mend()
        assert run("reload", "--node", "node2", "--profile", PROFILE).exit_code == 0
        assert nodes.description("node2") == made.description
        assert read_history(run) == [("node1", "loaded", ["GET /aets"]), ("node2", "loaded", [])]
    nodes.is_in_order = True


@pytest.mark.parametrize(
    ("options", "confirmation", "node2_by"),
    [((), "not confirmed", []), (("--confirm", "marker"), "contradicted", ["GET /attribute-set/DIFF_RS"])],
    ids=["without marker", "with marker"],
)
def test_a_node_whose_replica_got_only_the_first_step_is_not_confirmed(
    nodes: TwoNodes, run: Run, tmp_path: Path, *, options: tuple[str, ...], confirmation: str, node2_by: list[str]
) -> None:
    """The profile names the provider, and the node shows the first step: what comes after it is not there."""
    description = f"description {next(_numbers)}"
    file = tmp_path / "change.ldif"
    file.write_text(
        f"dn: {AE}\nchangetype: modify\nreplace: dicomDescription\ndicomDescription: {description}\n-\n\n"
        f"dn: {DEVICE}\nchangetype: modify\nreplace: dicomManufacturer\ndicomManufacturer: {description}\n-\n"
    )

    def hold_after_first_step(number: int, answered: bool) -> None:
        if number == 1 and answered:
            assert comes_true(lambda: description in nodes.find(nodes.ldap_urls["node1"], "(dicomAETitle=DCM4CHEE)"))
            nodes.hold_replica("node1")

    with KillingProxy(nodes.site.ports.ldap) as proxy:
        proxy.look_at_each(hold_after_first_step)
        nodes.write_profile("node1", site_url=proxy.url, ldap_url=proxy.url)
        result = run(*apply(str(file)), "--keep-going", "--json", *options)
    found = {each["name"]: each["confirmation"] for each in json.loads(result.stdout)["nodes"]}
    assert (nodes.description("node1"), nodes.description("node2")) == (description, description)
    assert (found["node1"]["state"], found["node2"]["confirmed_by"]) == (confirmation, node2_by)
