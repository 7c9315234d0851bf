"""An LDAP server through ldap3, as a :class:`~dcmcfg.directory.server.Directory`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Literal

import ldap3
from ldap3.operation.add import add_operation
from ldap3.operation.delete import delete_operation
from ldap3.operation.modify import modify_operation
from ldap3.operation.modifyDn import modify_dn_operation

from dcmcfg.changes import Add, Change, Control, Delete, Modify, Operation, Rename
from dcmcfg.directory import transaction
from dcmcfg.directory.failures import SUCCESS, check, translated
from dcmcfg.directory.opening import WHO_AM_I, closed, opened
from dcmcfg.directory.server import LdapServer, Scope, ServerFacts
from dcmcfg.dn import DN
from dcmcfg.entry import Attribute, Entry
from dcmcfg.errors import NotFound

_SCOPES: Mapping[Scope, Literal["BASE", "LEVEL", "SUBTREE"]] = {
    "base": "BASE",
    "one": "LEVEL",
    "subtree": "SUBTREE",
}
_OPERATIONS = {
    Operation.ADD: ldap3.MODIFY_ADD,
    Operation.DELETE: ldap3.MODIFY_DELETE,
    Operation.REPLACE: ldap3.MODIFY_REPLACE,
    Operation.INCREMENT: ldap3.MODIFY_INCREMENT,
}
Answer = dict[str, Any]


def connect(server: LdapServer) -> LdapDirectory:
    """Return an open connection, secured and bound as *server* says; raises what :func:`opened` raises."""
    return LdapDirectory(server, opened(server))


class LdapDirectory:
    """An open LDAP connection; also a context manager that closes it."""

    def __init__(self, server: LdapServer, connection: ldap3.Connection) -> None:
        self._server = server
        self._connection = connection

    def __enter__(self) -> LdapDirectory:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def server(self) -> LdapServer:
        return self._server

    def close(self) -> None:
        closed(self._connection)

    def reopened(self) -> LdapDirectory:
        self.close()
        return connect(self._server)

    def read(self, base: DN, scope: Scope = "subtree", attributes: Sequence[str] = ("*",)) -> tuple[Entry, ...]:
        with translated(self._server.url, sent=False):
            self._connection.search(
                str(base), "(objectClass=*)", search_scope=_SCOPES[scope], attributes=list(attributes)
            )
            answer, found = self._connection.result, self._connection.response or []
        check(answer, str(base) or "root DSE")
        return tuple(_entry(item) for item in found if item["type"] == "searchResEntry")

    def read_entry(self, dn: DN, attributes: Sequence[str] = ("*",)) -> Entry | None:
        try:
            found = self.read(dn, "base", attributes)
        except NotFound:
            return None
        return found[0] if found else None

    def facts(self) -> ServerFacts:
        root = self.read(DN(), "base", ("supportedExtension", "supportedControl", "namingContexts"))[0]
        base_dn = self._server.base_dn
        contexts = [DN.parse(text) for text in root.texts("namingContexts")]
        tops = [base_dn, *(context for context in contexts if context.rdns and base_dn.is_below(context))]
        suffixes = [self.read_entry(dn, ("contextCSN",)) for dn in tops]
        return ServerFacts(
            transactions=transaction.BEGIN in root.texts("supportedExtension"),
            assertions=transaction.ASSERTION in root.texts("supportedControl"),
            replicated=any(entry is not None and "contextCSN" in entry for entry in suffixes),
        )

    def who_am_i(self) -> str:
        answer = self._extended(WHO_AM_I, None)
        check(answer, self._server.url)
        return bytes(answer["responseValue"] or b"").decode("utf-8", "backslashreplace")

    def apply(self, change: Change) -> None:
        _, answer = self._send(change, ())
        check(answer, str(change.dn))

    def apply_in_transaction(self, changes: Sequence[Change]) -> None:
        begun = self._extended(transaction.BEGIN, None)
        transaction.check_begun(begun, self._server.url)
        identifier: bytes = begun["responseValue"]
        numbers: dict[int, Change] = {}
        member = Control(transaction.MEMBER, critical=True, value=identifier)
        for change in changes:
            number, answer = self._send(change, (member,))
            numbers[number] = change
            if answer["result"] != SUCCESS:
                self._extended(transaction.END, transaction.end_request(identifier, commit=False))
                transaction.check_member(answer, str(change.dn), change, first=len(numbers) == 1)
        ended = self._extended(transaction.END, transaction.end_request(identifier, commit=True))
        if ended["result"] != SUCCESS:
            failed = numbers.get(transaction.failed_message(ended["responseValue"]))
            on = str(failed.dn) if failed else self._server.url
            transaction.check_member(ended, on, failed, first=failed is changes[0])

    def _extended(self, name: str, value: bytes | None) -> Answer:
        with translated(self._server.url, sent=True):
            self._connection.extended(name, value)
            answer: Answer = self._connection.result
        return answer

    def _send(self, change: Change, more: tuple[Control, ...]) -> tuple[int, Answer]:
        """Return the message ID under which *change* went out, and the answer to it."""
        kind, request = _request(change)
        controls = [(control.oid, control.critical, control.value) for control in (*change.controls, *more)]
        with translated(self._server.url, sent=True):
            number: int = self._connection.send(kind, request, controls or None)
            self._connection.post_send_single_response(number)
            answer: Answer = self._connection.result
        return number, answer


def _request(change: Change) -> tuple[str, Any]:
    match change:
        case Add(entry):
            attributes = {attribute.name: list(attribute.values) for attribute in entry.attributes}
            return "addRequest", add_operation(str(entry.dn), attributes, auto_encode=False)
        case Modify(dn, modifications):
            # One key an attribute, however spelt, keeps the order of its modifications; ldap3 sends them by attribute.
            grouped: dict[str, list[tuple[str, list[bytes]]]] = {}
            spelt: dict[str, str] = {}
            for modification in modifications:
                step = (_OPERATIONS[modification.operation], list(modification.values))
                name = spelt.setdefault(modification.name.lower(), modification.name)
                grouped.setdefault(name, []).append(step)
            return "modifyRequest", modify_operation(str(dn), grouped, auto_encode=False)
        case Rename(dn, new_rdn, delete_old_rdn, new_superior):
            superior = str(new_superior) if new_superior is not None else None
            return "modDNRequest", modify_dn_operation(str(dn), str(new_rdn), delete_old_rdn, superior)
        case Delete(dn):
            return "delRequest", delete_operation(str(dn))  # type: ignore[no-untyped-call] # its stub says nothing


def _entry(item: dict[str, Any]) -> Entry:
    attributes = item["raw_attributes"]
    return Entry(
        DN.parse(bytes(item["raw_dn"]).decode("utf-8", "surrogateescape")),
        tuple(Attribute(name, tuple(bytes(value) for value in values)) for name, values in attributes.items()),
    )
