"""Reports of each command, built from small trees; their values are hostile, and some are secrets."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from dcmcfg.changes import Add, Change, Modification, Modify, Operation
from dcmcfg.connectivity.call import CallResult, CallStage, PeerEndpoint
from dcmcfg.connectivity.echo import AeEchoResult, EchoTarget
from dcmcfg.connectivity.echo_matrix import EchoMatrix, MatrixRow
from dcmcfg.dicom.peer import Peer
from dcmcfg.dn import DN
from dcmcfg.entry import Entry
from dcmcfg.lint.checker import CheckSubject, check_configuration
from dcmcfg.model.devices import Configuration
from dcmcfg.plan.plan import DesiredChange, Plan, make_plan
from dcmcfg.plan.risk_checks import NewFinding, Risk
from dcmcfg.plan.tree_diff import diff_trees
from dcmcfg.render.check_report import build_check_report, build_rules_report
from dcmcfg.render.diff import DiffDirection
from dcmcfg.render.diff_report import build_diff_report
from dcmcfg.render.echo_report import build_echo_matrix_report, build_echo_report
from dcmcfg.render.history_report import build_history_report, build_rollout_report
from dcmcfg.render.plan_report import PlanReportFacts, build_plan_report
from dcmcfg.render.report import Report
from dcmcfg.rollout.history import History
from dcmcfg.rollout.record import RolloutContext, write_record
from dcmcfg.rollout.site_history import SiteHistory
from tests.trees import ARCHIVE, DEVICES, site

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SITE = "cn=admin,dc=dcm4che,dc=org @ ldap://127.0.0.1:389"
OLD_SECRET, NEW_SECRET = "old-pin-2718", "new-pin-3141"
HOSTILE = "<script>alert(1)</script> | ``` `x` **b** [l](http://h/) \x1b[31m @all #1\n# h"
COMMAND = f"dcmcfg set dcm4chee-arc 'dicomDescription={HOSTILE}'"


def make_example_plan(hostile: str = HOSTILE) -> Plan:
    """Return a plan that changes values and a secret of the archive, and adds a device."""
    before = site(dicomDescription="Archive", dcmKeyStorePin=OLD_SECRET)
    device = {"objectClass": "dicomDevice", "dicomDeviceName": "ct1", "dicomDescription": hostile}
    changes: list[Change] = [
        Modify(
            DN.parse(ARCHIVE),
            (
                Modification(Operation.REPLACE, "dicomDescription", (hostile.encode(),)),
                Modification(Operation.REPLACE, "dcmKeyStorePin", (NEW_SECRET.encode(),)),
                Modification(Operation.ADD, "dicomPrimaryDeviceType", (b"ARCHIVE", b"WSD")),
            ),
        ),
        Add(Entry.from_values(f"dicomDeviceName=ct1,{DEVICES}", device)),
    ]
    return make_plan(before, [DesiredChange(change) for change in changes])


def build_plan(hostile: str = HOSTILE, *, number: int | None = None) -> Report:
    plan = make_example_plan(hostile)
    finding = check_configuration(CheckSubject.from_tree(plan.after), NOW).findings[0]
    return build_plan_report(
        PlanReportFacts(
            plan=plan,
            site=SITE,
            command=f"dcmcfg set '{hostile}'",
            created=NOW,
            strategy="in one transaction",
            preconditions="1 of 2 steps: the directory server checks",
            plan_file=f"{hostile}.ldif",
            warnings=(hostile,),
            risks=(
                Risk("unloadable", hostile, (hostile,), (NewFinding(finding, hostile),)),
                Risk("many-changes", "many", (), ()),
            ),
            forced_names=frozenset({"many-changes"}),
            rejected=(f"rejected: {hostile}",),
            change_number=number,
            result_lines=(hostile,) if number is not None else (),
            apply_commands=("dcmcfg apply plan.ldif",) if number is None else (),
            undo_command=f"dcmcfg undo {number or 'NUMBER'}",
            show_ldif=True,
        )
    )


def build_diff(hostile: str = HOSTILE) -> Report:
    plan = make_example_plan(hostile)
    names = (f"{hostile}.ldif", "live ldap://127.0.0.1:389")
    return build_diff_report(
        diff_trees(plan.before, plan.after),
        names,
        DiffDirection.for_sides(names, 0),
        DN.parse(DEVICES),
        created=NOW,
        with_secrets=False,
        writers={},
    )


def build_check(hostile: str = HOSTILE) -> Report:
    tree = site(dcmExternalRetrieveAEDestination=hostile, dcmKeyStorePin=OLD_SECRET, dicomStationName=hostile)
    report = check_configuration(CheckSubject.from_tree(tree), NOW)
    return build_check_report(report, hostile, NOW, {f"{hostile}.ldif": 2})


def write_history(folder: Path, hostile: str = HOSTILE) -> History:
    """Write the record of the example plan, applied, and return the history."""
    context = RolloutContext(folder, SITE, f"dcmcfg set '{hostile}'")
    record = write_record(context, "ldap://127.0.0.1:389", make_example_plan(hostile), "step by step")
    (record.folder / "journal").write_text("begins 1 2\nended 2\n")
    return History(folder)


def build_history(folder: Path, hostile: str = HOSTILE) -> tuple[Report, Report]:
    """Return the reports of the list and of its only change."""
    history = write_history(folder, hostile)
    (record,) = history.records
    return build_history_report(SiteHistory(history, None), NOW), build_rollout_report(
        history, record, NOW, undo_command="dcmcfg undo 1"
    )


def list_echo_targets() -> list[EchoTarget]:
    aes = Configuration(site()).network_aes()
    return [
        EchoTarget(ae, PeerEndpoint(Peer(ae.title, "127.0.0.1", 104)) if ae.title != "AS_RECEIVED" else None, "no port")
        for ae in aes
    ]


def make_example_matrix(problem: str = "no association: rejected") -> EchoMatrix:
    """Return a matrix with each kind of result."""
    answered = CallResult(0.01)
    refused = CallResult(problem=problem, failed_stage=CallStage.ASSOCIATION, next_step="ask", is_rejected=True)
    silent = CallResult(problem="no answer within 5 s", failed_stage=CallStage.TCP)
    return EchoMatrix(
        ("DCM4CHEE", "WORKLIST"),
        tuple(
            MatrixRow(target, node, results)
            for target, node, results in zip(
                list_echo_targets(),
                ("", "node-1", ""),
                ((None, None), (answered, refused), (silent, silent)),
                strict=True,
            )
        ),
    )


def build_echo(hostile: str = HOSTILE) -> tuple[Report, Report]:
    """Return the reports of calls as one AE title, and as two."""
    matrix = make_example_matrix(hostile)
    results = [AeEchoResult(each.target, each.results[-1]) for each in matrix.rows]
    return (
        build_echo_report(results, "DCM4CHEE", SITE, NOW, show_uncalled_steps=True),
        build_echo_matrix_report(matrix, SITE, NOW, show_uncalled_steps=True),
    )


def build_reports(folder: Path, hostile: str = HOSTILE) -> dict[str, Report]:
    """Return a report of each kind, by name; *folder* is for the history."""
    changes, change = build_history(folder, hostile)
    echo, matrix = build_echo(hostile)
    rules = tuple({each.rule: None for each in check_configuration(CheckSubject.from_tree(site()), NOW).findings})
    return {
        "plan": build_plan(hostile),
        "applied": build_plan(hostile, number=7),
        "diff": build_diff(hostile),
        "check": build_check(hostile),
        "rules": build_rules_report(rules, NOW),
        "history": changes,
        "change": change,
        "echo": echo,
        "matrix": matrix,
    }
