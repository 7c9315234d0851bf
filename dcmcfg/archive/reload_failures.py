"""Build the error of a failed reload: the active configuration, the closed listener, and the next step."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

from dcmcfg.archive.reload_outcome import (
    LoadedButNotBound,
    NotLoaded,
    NotRunning,
    ReloadOutcome,
    ReloadSucceeded,
    ReloadUnclear,
)
from dcmcfg.errors import ArchiveError

#: The next step if a value may prevent the archive from loading its configuration.
CHECK_VALUES = (
    "To list the values that the archive cannot load, run dcmcfg check. Fix these values, then run dcmcfg reload"
)
#: Known messages of Java and ``SSLManagerFactory`` about an unreadable key store or trust store.
_STORE_ERROR = re.compile(
    r"(?:KeyStore|UnrecoverableKey|UnrecoverableEntry|Certificate\w*)Exception"
    r"|(?i:key ?store|trust ?store|keyPinProperty)|FileNotFoundException"
)


@dataclass(frozen=True)
class ReloadAttempt:
    """One ``POST ctrl/reload``: the HTTP status (0 without a response), its outcome, and the seconds it took."""

    status: int
    outcome: ReloadOutcome
    seconds: float


@dataclass(frozen=True)
class Reload:
    """A reload with its one or two attempts, in order."""

    attempts: tuple[ReloadAttempt, ...]

    @property
    def outcome(self) -> ReloadOutcome:
        """The outcome of the last attempt."""
        return self.attempts[-1].outcome

    @property
    def seconds(self) -> float:
        """Duration of all attempts."""
        return sum(each.seconds for each in self.attempts)

    @property
    def in_force(self) -> bool | None:
        """Whether the new configuration is in force; None if unknown.

        A configuration that one attempt has put in force stays in force, regardless of the next attempt.
        """
        if any(each.outcome.in_force for each in self.attempts):
            return True
        return self.outcome.in_force

    @property
    def binding_failure(self) -> LoadedButNotBound | None:
        """The last attempt that left a listener closed; None if a later one opened it, or none was closed."""
        if isinstance(self.outcome, ReloadSucceeded):
            return None
        unbound = (each.outcome for each in reversed(self.attempts) if isinstance(each.outcome, LoadedButNotBound))
        return next(unbound, None)

    @property
    def repaired_binding_failure(self) -> LoadedButNotBound | None:
        """The failure of the first attempt that the second one repaired; None if the first one succeeded."""
        match self.attempts[0].outcome, self.outcome:
            case LoadedButNotBound() as first, ReloadSucceeded():
                return first
            case _:
                return None


class ReloadFailed(ArchiveError):
    """The reload did not succeed completely; ``reload`` has its attempts."""

    reload: Reload | None = None


class NotReloaded(ReloadFailed):
    """The new configuration is not in force: the archive keeps the previous one."""


class ReloadUnfinished(ReloadFailed):
    """The new configuration is in force with a closed listener, or it is unknown whether it is in force."""

    exit_code = 4


class ReloadUnconfirmed(ReloadFailed):
    """The reload was sent without a response: the archive may have reloaded, or may still be reloading."""

    exit_code = 4


def build_reload_error(reload: Reload, url: str, device: str = "") -> ReloadFailed:
    """Return the error for *reload* of *url*, which must not have succeeded.

    With the name of the archive's *device*, the next step contains the command that lists its connections.
    """
    error = _create_failure(reload, url, device)
    error.reload = reload
    return error


def build_unconfirmed_error(failure: ArchiveError, earlier_reload: Reload | None = None) -> ReloadUnconfirmed:
    """Return the error for a reload whose response was lost in *failure*, after the attempts of *earlier_reload*."""
    attempts = earlier_reload.attempts if earlier_reload else ()
    binding_failure = earlier_reload.binding_failure if earlier_reload else None
    summary = "dcmcfg sent a reload, but the archive did not confirm the reload"
    if binding_failure is not None:
        summary = (
            f"{_describe_binding_failure(binding_failure)}. dcmcfg sent a second reload, but the archive did not "
            "confirm the second reload"
        )
    error = ReloadUnconfirmed(
        f"{summary}: {failure.message}",
        subject=failure.subject,
        next_step="Run dcmcfg status, then dcmcfg reload once more: a second reload does no harm",
    )
    error.reload = Reload((*attempts, ReloadAttempt(0, ReloadUnclear(failure.message), 0)))
    return error


def _create_failure(reload: Reload, url: str, device: str) -> ReloadFailed:
    last_attempt = reload.attempts[-1]
    binding_failure = reload.binding_failure
    if binding_failure is not None:
        # A binding failure comes first: the configuration stays in force, whatever the second attempt reports.
        return _build_not_bound_error(reload, binding_failure, url, device)
    match last_attempt.outcome:
        case NotLoaded(reason):
            return NotReloaded(
                f"The archive could not load the new configuration: {_format_reason(reason)} (HTTP "
                f"{last_attempt.status}). The archive keeps its previous configuration",
                subject=url,
                next_step=f"{CHECK_VALUES}. The archive's server.log has the full error",
            )
        case NotRunning(reason):
            return NotReloaded(
                f"The archive did not reload: {_format_reason(reason)} (HTTP {last_attempt.status})",
                subject=url,
                next_step="Run dcmcfg status",
            )
        case ReloadUnclear(reason):
            archive_url = url.removesuffix("/ctrl/reload")
            return ReloadUnfinished(
                f"Archive error: {_format_reason(reason)} (HTTP {last_attempt.status}). dcmcfg does not "
                "know whether the archive uses the new configuration",
                subject=url,
                next_step="See the archive's server.log. To see which configuration the archive uses, send GET "
                f"{archive_url}/aets: the response lists the loaded AEs and their dicomDescription. {CHECK_VALUES}",
            )
        case _:
            raise ValueError(f"the reload succeeded, so there is no failure to explain: {reload}")


def _build_not_bound_error(reload: Reload, binding_failure: LoadedButNotBound, url: str, device: str) -> ReloadFailed:
    last_attempt = reload.attempts[-1]
    repetition = "; dcmcfg reloaded twice" if len(reload.attempts) > 1 else ""
    status = _get_http_status(reload, binding_failure)
    message = (
        f"{_describe_binding_failure(binding_failure)}: {_format_reason(binding_failure.reason)} "
        f"(HTTP {status}{repetition})"
    )
    if last_attempt.outcome is not binding_failure:
        message += (
            f". The second reload ended with: {_format_reason(getattr(last_attempt.outcome, 'reason', ''))} (HTTP "
            f"{last_attempt.status})"
        )
    return ReloadUnfinished(
        f"{message}. Until a reload succeeds, other listeners might be closed too, and the AE cache of the archive "
        "still contains old AEs",
        subject=url,
        next_step=f"{_suggest_fix(binding_failure, device)}. Then run dcmcfg reload",
    )


def _describe_binding_failure(binding_failure: LoadedButNotBound) -> str:
    listener = f"the listener {binding_failure.listener}" if binding_failure.listener else "a listener"
    return f"The new configuration is in force, but the archive could not open {listener}"


def _get_http_status(reload: Reload, binding_failure: LoadedButNotBound) -> int:
    return next(each.status for each in reversed(reload.attempts) if each.outcome is binding_failure)


def _suggest_fix(binding_failure: LoadedButNotBound, device: str) -> str:
    """Return the fix for the closed listener, depending on the archive's reason."""
    reason = binding_failure.reason
    if "Unsupported CipherSuite" in reason:
        return (
            "Correct dicomTLSCipherSuite of the TLS connection. Use Java's names, such as TLS_RSA_WITH_AES_128_CBC_SHA"
        )
    if "Unsupported protocol" in reason:
        return "Correct dcmTLSProtocol of the TLS connection. Use Java's names, such as TLSv1.2"
    if _STORE_ERROR.search(reason):
        return _suggest_store_fix(reason)
    port = binding_failure.listener.rpartition(":")[2]
    if binding_failure.is_retryable and port.isdecimal():
        return _suggest_port_fix(reason, port, device)
    return "Fix the problem that the reason describes (the archive's server.log has the full error)"


def _suggest_store_fix(reason: str) -> str:
    if "FileNotFoundException" in reason:
        return (
            "Correct dcmKeyStoreURL or dcmTrustStoreURL of the archive's device. The URL must lead to a file that the "
            "archive can read"
        )
    return (
        "Correct the key store or the trust store of the archive's device (dcmKeyStoreURL, dcmKeyStoreType, "
        "dcmKeyStorePin, dcmKeyStoreKeyPin; dcmTrustStoreURL, dcmTrustStoreType, dcmTrustStorePin)"
    )


def _suggest_port_fix(reason: str, port: str, device: str) -> str:
    if "Address already in use" in reason:
        list_command = f" (dcmcfg connection list {shlex.quote(device)})" if device else ""
        return (
            f"Find out what else uses port {port}. Check the other connections of the archive{list_command}. Check the "
            f"other processes on the archive's machine (ss -tlnp 'sport = :{port}')"
        )
    return (
        f"Correct the address of the connection with port {port} "
        "(dcmBindAddress, or dicomHostname if dcmBindAddress is not set)"
    )


def _format_reason(reason: str) -> str:
    return reason or "no reason given"
