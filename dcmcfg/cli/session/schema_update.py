"""Update the schema of the site's directory servers: connect, show the plans, confirm, apply, report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from dcmcfg.cli import invocation
from dcmcfg.cli.printing import print_message
from dcmcfg.cli.session.change import make_server_rules
from dcmcfg.cli.session.directory import open_directory
from dcmcfg.cli.session.output import STDOUT, print_json, require_new_file, write_atomically
from dcmcfg.cli.session.schema_servers import SchemaOptions, SchemaServer, add_server_name, list_servers, lock_servers
from dcmcfg.cli.session.shared_history import make_sharing, publish_pending
from dcmcfg.cli.terminal import confirm, require_terminal
from dcmcfg.directory.ldap import LdapDirectory
from dcmcfg.directory.tree_reader import read_tree
from dcmcfg.errors import DcmcfgError, DirectoryError, IncompleteChange, NegativeResult, NotFound, Refused
from dcmcfg.ldif.writer import format_change
from dcmcfg.plan.plan import Plan
from dcmcfg.plan.server_schema import require_accepted
from dcmcfg.printable import escape_unprintable, format_count
from dcmcfg.render.plan import print_plan
from dcmcfg.render.schema_update import (
    comparisons_json,
    format_schema_lines,
    print_missing,
    print_server_plan,
    server_plan_json,
)
from dcmcfg.render.terminal.console import make_stderr_console, make_stdout_console, print_line, print_prose
from dcmcfg.rollout import reload_result
from dcmcfg.rollout.execution import run_rollout
from dcmcfg.rollout.record import RolloutContext
from dcmcfg.rollout.recovery import require_finished
from dcmcfg.rollout.reload_result import RecordedReload, RecordedReloadOutcome
from dcmcfg.rollout.strategy import choose_strategy
from dcmcfg.schema_update.inspection import ServerPlan, inspect_server, require_unused
from dcmcfg.schema_update.record import RecordedServer, SchemaUpdateRecord, UpdateState, find_unfinished, write_record
from dcmcfg.schema_update.run import PlannedServer, apply_plans
from dcmcfg.schema_update.server import ConfigurationUnavailable, read_published
from dcmcfg.settings import Settings, format_site_headline
from dcmcfg.settings.folders import get_state_folder
from dcmcfg.upgrade.schema.configured import ServerSchemaEntries
from dcmcfg.upgrade.schema.obsolete_values import plan_deletion
from dcmcfg.upgrade.schema.release_schema import ReleaseSchema, SchemaComparison, compare_schema
from dcmcfg.upgrade.schema.violations import find_new_violations, is_about
from dcmcfg.upgrade.schema.wanted import want_former, want_release

#: Seconds to wait until a replica no longer has the values that --drop-obsolete has deleted.
_REPLICA_TIMEOUT_S = 60.0
_MAX_WARNINGS = 10


@dataclass(frozen=True)
class _Inspected:
    server: SchemaServer
    plan: ServerPlan
    comparisons: tuple[SchemaComparison, ...]


class SchemaUpdate:
    """An update of the schema of the site's directory servers to *release*; *others* are further known releases."""

    def __init__(
        self, settings: Settings, release: ReleaseSchema, others: Sequence[ReleaseSchema], options: SchemaOptions
    ) -> None:
        self._settings = settings
        self._release = release
        self._releases = (*others, release)
        self._options = options
        self._state = get_state_folder()
        self._console = make_stderr_console() if options.as_json or options.output == STDOUT else make_stdout_console()
        self._result: dict[str, Any] = {"target": release.label, "servers": [], "applied": False, "data_change": None}

    def run(self) -> None:
        """Show the plan, confirm it and apply it; with ``output``, write it to that file instead.

        Raises :class:`Refused`, :class:`DirectoryError` and :class:`NegativeResult` if nothing was
        changed, and :class:`IncompleteChange`.
        """
        options = self._options
        invocation.current().partial_result = lambda: self._result
        if options.output is not None and options.output != STDOUT:
            require_new_file(options.output)
        servers = list_servers(self._settings, options)
        unfinished = find_unfinished(self._state, self._settings.ldap_url)
        bases = _Bases(unfinished)
        with ExitStack() as stack:
            inspected = [
                self._inspect(stack, each, lambda url, live: want_release(bases.get(url, live), self._release))
                for each in servers
            ]
            provider = stack.enter_context(open_directory(servers[-1].data))
            deletion = self._plan_deletion(provider, inspected)
            self._check_violations(provider, inspected[-1])
            if not any(each.plan.plan.steps for each in inspected):
                self._finish_unchanged(unfinished)
                return
            if options.output is not None:
                self._write_ldif(inspected[-1].plan, options.output)
                return
            if not options.yes:
                require_terminal()
            require_finished(self._state, provider)
            if not options.yes and not confirm("Apply these changes?"):
                raise NegativeResult("declined; nothing was changed")
            data_change = self._delete_values(provider, deletion)
        self._apply(inspected, bases, unfinished, data_change)

    def _inspect(
        self, stack: ExitStack, server: SchemaServer, want: Callable[[str, ServerSchemaEntries], ServerSchemaEntries]
    ) -> _Inspected:
        comparisons: tuple[SchemaComparison, ...] = ()
        try:
            data = stack.enter_context(open_directory(server.data))
            comparisons = tuple(compare_schema(read_published(data), each) for each in self._releases)
            self._print_schema(server.url, comparisons)
            config = stack.enter_context(open_directory(server.config))
            plan = inspect_server(
                config, data, lambda live: want(server.url, live), tests_permission=self._options.output is None
            )
        except ConfigurationUnavailable as error:
            if comparisons:
                print_missing(self._console, comparisons[-1], for_slapd_conf=error.uses_slapd_conf)
                self._result["servers"].append({"ldap_url": server.url, "schema": comparisons_json(comparisons)})
            raise
        except DirectoryError as error:
            raise add_server_name(error, server.url) from error
        print_server_plan(self._console, plan)
        for context in plan.data.unread:
            print_message(f"warning: the entries below {escape_unprintable(context)} could not be searched")
        self._result["servers"].append(server_plan_json(plan, comparisons))
        return _Inspected(server, plan, comparisons)

    def _print_schema(self, url: str, comparisons: Sequence[SchemaComparison]) -> None:
        print_line(self._console, escape_unprintable(f"server {url}"))
        for line in format_schema_lines(comparisons, "  schema"):
            print_prose(self._console, escape_unprintable(line))

    def _plan_deletion(self, provider: LdapDirectory, inspected: Sequence[_Inspected]) -> Plan | None:
        used = [each.plan for each in inspected if each.plan.data.uses]
        if not used:
            return None
        if not self._options.drop_obsolete:
            require_unused(
                used[0],
                "delete these values, or run the command with --drop-obsolete to delete the values. To restore the "
                "values later, run 'dcmcfg upgrade schema --undo', then 'dcmcfg undo'",
            )
        main = inspected[-1].plan
        tree = read_tree(provider)
        plan = plan_deletion(tree, main.data.uses, main.configuration.published)
        require_accepted(plan, make_server_rules(provider, tree))
        if plan.steps:
            print_line(self._console, "Deleted from the data first:")
            print_plan(self._console, plan, show_ldif=False, show_short_ldif=True)
        return plan if plan.steps else None

    def _check_violations(self, provider: LdapDirectory, inspected: _Inspected) -> None:
        """Warn of entries that the new schema does not allow; refuse them if the release is older than the schema."""
        plan = inspected.plan
        try:
            entries = read_tree(provider).entries.values()
        except NotFound:  # the server has no configuration yet
            return
        except DirectoryError as error:
            print_message(f"warning: the entries were not compared with the new schema: {error.message}")
            return
        # Uses of obsolete names are refused, or deleted.
        violations = find_new_violations(entries, plan.configuration.published, plan.plan)
        found = [each for each in violations if not is_about(each, plan.obsolete)]
        comparison = inspected.comparisons[-1]
        if found and comparison.is_older:
            raise Refused(
                f"the schema of release {self._release.label} is older than the server's schema, and does not allow "
                "all entries of the directory",
                subject=plan.ldap_url,
                next_step="specify a newer release; to revert the last update of the schema: "
                f"{self._options.undo_command}",
                details=[f"{each.dn}: {each.message}" for each in found[:_MAX_WARNINGS]],
            )
        for each in found[:_MAX_WARNINGS]:
            print_message(f"warning: {escape_unprintable(f'{each.dn}: {each.message}')} (in the new schema)")
        if len(found) > _MAX_WARNINGS:
            count = format_count(len(found) - _MAX_WARNINGS, "more problem")
            print_message(f"warning: the entries have {count} in the new schema. dcmcfg does not list all problems")

    def _write_ldif(self, plan: ServerPlan, target: str) -> None:
        if len(self._result["servers"]) > 1:
            print_message(f"warning: the file is only for {plan.ldap_url}, not for the replicas")
        head = f"# Schema of release {self._release.label} for {plan.ldap_url}; apply with ldapmodify\n\n"
        text = (head, *(format_change(step.change) for step in plan.plan.steps))
        write_atomically(target, text, private=True, must_be_new=True)
        if self._options.as_json:
            print_json({**self._result, "output": target})
        elif target != STDOUT:
            print_line(self._console, escape_unprintable(f"Written, and not applied: {target}"))

    def _finish_unchanged(self, unfinished: SchemaUpdateRecord | None) -> None:
        if unfinished is not None:
            unfinished.set_state(UpdateState.FINISHED)
        if self._options.as_json:
            print_json(self._result)
        else:
            print_line(self._console, f"No changes: the schema of release {self._release.label} is complete.")

    def _delete_values(self, provider: LdapDirectory, plan: Plan | None) -> int | None:
        if plan is None:
            return None
        context = RolloutContext(
            self._state,
            format_site_headline(self._settings),
            invocation.current().command_line,
            sharing=make_sharing(self._settings),
        )
        strategy = choose_strategy(provider, plan)
        outcome = run_rollout(provider, plan, strategy=strategy, context=context, on_step=lambda _done, _total: None)
        reload_result.write_reload(outcome.undo_file.parent, RecordedReload(RecordedReloadOutcome.NOT_REQUESTED))
        publish_pending(self._settings)
        self._result["data_change"] = outcome.number
        if not self._options.as_json:
            print_line(self._console, f"Deleted the values (change {outcome.number}).")
        return outcome.number

    def _apply(
        self,
        inspected: Sequence[_Inspected],
        bases: _Bases,
        unfinished: SchemaUpdateRecord | None,
        data_change: int | None,
    ) -> None:
        with lock_servers(self._state, [each.server.url for each in inspected]):
            recorded = [
                RecordedServer(
                    each.server.url,
                    bases.get(each.server.url, each.plan.plan.before),
                    each.plan.plan.after,
                )
                for each in inspected
            ]
            if data_change is None and unfinished is not None:
                data_change = unfinished.header.data_change
            record = write_record(self._state, self._release.label, recorded, data_change=data_change)
            if unfinished is not None:
                unfinished.set_state(UpdateState.CONTINUED)
            invocation.current().may_have_changed = True
            has_changed = data_change is not None or unfinished is not None
            try:
                apply_plans(
                    [PlannedServer(each.plan, each.server.access) for each in inspected],
                    next_step=f"run the same command again to continue, or revert the update: "
                    f"{self._options.undo_command}",
                    data_timeout_s=_REPLICA_TIMEOUT_S,
                    has_changed=has_changed,
                )
            except IncompleteChange:
                raise
            except DcmcfgError:  # nothing was changed
                record.set_state(UpdateState.REVERTED)
                raise
            record.set_state(UpdateState.FINISHED)
        self._result |= {"applied": True, "record": str(record.folder)}
        if self._options.as_json:
            print_json(self._result)
            return
        count = format_count(len(inspected), "server")
        print_line(self._console, f"Applied. The schema of release {self._release.label} is complete on {count}.")
        undo_command = invocation.current().insert_site_options(self._options.undo_command)
        print_line(self._console, escape_unprintable(f"To revert it: {undo_command}"))


class _Bases:
    """The schema entries from which an update starts: those before an *unfinished* update, if there is one."""

    def __init__(self, unfinished: SchemaUpdateRecord | None) -> None:
        self._recorded = {each.ldap_url: each for each in unfinished.read_servers()} if unfinished is not None else {}

    def get(self, url: str, live: ServerSchemaEntries) -> ServerSchemaEntries:
        """Return the base for the server at *url*, which has the entries *live* now."""
        found = self._recorded.get(url)
        return want_former(live, found.before, found.after) if found is not None else live
