"""C-ECHO with AEs of a tree, at the addresses that it gives for them."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from dcmcfg.connectivity.call import Callee, Verdict
from dcmcfg.connectivity.probe import PARALLEL, PATIENCE, probe_all
from dcmcfg.dicom.peer import Peer, Timeouts
from dcmcfg.errors import MalformedInput
from dcmcfg.model.connections import connection_name
from dcmcfg.model.devices import Configuration, Connection, NetworkAE
from dcmcfg.model.targets import network_ae
from dcmcfg.route.ae_lookup import installing
from dcmcfg.route.command import command


@dataclass(frozen=True)
class Target:
    """An AE with whom to call for it; without a ``callee`` the ``problem`` says why, with the next step."""

    ae: NetworkAE
    callee: Callee | None
    problem: str = ""
    next_step: str = ""


@dataclass(frozen=True)
class Echoed:
    """What came of calling an AE; ``verdict`` is None where it was not called."""

    target: Target
    verdict: Verdict | None = None

    def told(self, tell: Callable[[str], str]) -> Echoed:
        """Return it with what *tell* makes of its next steps."""
        verdict = self.verdict and replace(self.verdict, next_step=tell(self.verdict.next_step))
        return Echoed(replace(self.target, next_step=tell(self.target.next_step)), verdict)


def targets(configuration: Configuration, named: Sequence[str], *, tls: bool = False) -> tuple[Target, ...]:
    """Return the AEs that are *named*, each once, in that order; without names every AE, in the tree's order.

    An AE is called over TLS where it has no other connection, and with *tls* in any case. Raises what
    :func:`~dcmcfg.model.targets.network_ae` does for a name that is nobody's, or several AEs'.
    """
    found = [network_ae(configuration, each) for each in named] if named else configuration.network_aes()
    return tuple(_target(ae, tls=tls) for ae in {str(ae.entry.dn): ae for ae in found}.values())


def echo_all(
    called: Sequence[Target],
    calling: str,
    *,
    tls: ssl.SSLContext | None = None,
    parallel: int = PARALLEL,
    timeouts: Timeouts = PATIENCE,
    on_echoed: Callable[[Echoed], None] = lambda _: None,
) -> tuple[Echoed, ...]:
    """Return what came of calling each of *called* that has an address, as *calling*; the others were not called.

    *tls* is needed where one of them is called over TLS. *on_echoed* is told of each that was called as its verdict
    comes.
    """
    with_address = [(number, each.callee) for number, each in enumerate(called) if each.callee is not None]

    def on_verdict(place: int, verdict: Verdict) -> None:
        on_echoed(Echoed(called[with_address[place][0]], verdict))

    callees = [callee for _, callee in with_address]
    verdicts = probe_all(callees, calling, tls=tls, parallel=parallel, timeouts=timeouts, on_verdict=on_verdict)
    by_number = {number: verdict for (number, _), verdict in zip(with_address, verdicts, strict=True)}
    return tuple(Echoed(each, by_number.get(number)) for number, each in enumerate(called))


def _target(ae: NetworkAE, *, tls: bool) -> Target:
    if not ae.installed:
        return Target(ae, None, "not installed (dicomInstalled)", installing(ae))
    plain = ae.listening()
    connection = ae.listening(tls=True) if tls else plain or ae.listening(tls=True)
    if connection is None:
        problem = f"no installed DICOM connection with a port{' and TLS' if tls else ''}"
        return Target(ae, None, problem, _without_tls(ae, plain) if plain else _any_connection(ae))
    name = _name(ae, connection)
    try:
        peer = Peer(ae.title, connection.host, connection.port or 0)
    except MalformedInput as error:
        problem = f"{connection.host}:{connection.port} is no address: {error.what}"
        return Target(ae, None, problem, f"{command('connection', 'set', name)} HOST:PORT corrects it")
    return Target(ae, Callee(peer, connection.tls, name))


def _without_tls(ae: NetworkAE, plain: Connection) -> str:
    secured = command("connection", "set", _name(ae, plain), "--tls")
    return f"leave --tls out, since it has a plain one; where the peer speaks TLS there: {secured}"


def _any_connection(ae: NetworkAE) -> str:
    return f"{command('connection', 'list', ae.device.name)} tells what its device has"


def _name(ae: NetworkAE, connection: Connection) -> str:
    """Return *connection* of *ae* as ``connection set`` takes it."""
    return f"{ae.device.name}/{connection_name(connection.dn)}"
