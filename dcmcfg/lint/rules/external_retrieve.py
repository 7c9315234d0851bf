"""The AE that external retrieves are sent to (dcmExternalRetrieveAEDestination)."""

from __future__ import annotations

from collections.abc import Iterator

from dcmcfg.entry import Entry
from dcmcfg.lint.context import Survey
from dcmcfg.lint.rule import Breach, LintRule
from dcmcfg.model.devices import Device, NetworkAE
from dcmcfg.model.retrieve_settings import unable_to_store

ATTRIBUTE = "dcmExternalRetrieveAEDestination"
CANNOT_STORE = "external-retrieve-cannot-store"
_SET = "dcmcfg set-external-retrieve AET"


def _settings(survey: Survey) -> Iterator[tuple[Device, Entry, str]]:
    """Yield where the destination is set: the archive, the entry that has it (itself or an AE), the title."""
    for device in survey.judged_archives:
        for entry in (device.entry, *(ae.entry for ae in device.network_aes)):
            for title in entry.texts(ATTRIBUTE):
                yield device, entry, title


def destinations(survey: Survey) -> Iterator[tuple[Device, Entry, NetworkAE]]:
    """Yield each setting that means an AE of the archive, by its own title, another of its titles or the AE ``*``."""
    for device, entry, title in _settings(survey):
        ae = device.answering(title)
        if ae is not None:
            yield device, entry, ae


def _unknown(survey: Survey) -> Iterator[Breach]:
    for device, entry, title in _settings(survey):
        if device.answering(title) is None and title not in survey.carriers:
            storage = [ae.title for ae in device.network_aes if ae.takes_storage]
            hint = f"; storage SCPs of {device.name}: {', '.join(storage)}" if storage else ""
            yield Breach(
                entry.dn, f"no AE has the title {title}{hint}", ATTRIBUTE, title.encode(), _command(storage, entry)
            )


def _elsewhere(survey: Survey) -> Iterator[Breach]:
    for device, entry, title in _settings(survey):
        if device.answering(title) is None and title in survey.carriers:
            other = survey.carriers[title][0].device.name
            storage = [ae.title for ae in device.network_aes if ae.takes_storage]
            message = f"{title} is an AE of {other}: what {device.name} fetches goes there and is not forwarded"
            yield Breach(entry.dn, message, ATTRIBUTE, title.encode(), _command(storage, entry))


def _command(storage: list[str], entry: Entry) -> tuple[str, ...]:
    """Return the command that sets the only storage SCP there is; none where one has to choose."""
    if len(storage) != 1:
        return ()
    on = ("--ae", entry.text("dicomAETitle") or "") if entry.is_a("dicomNetworkAE") else ()
    return ("set-external-retrieve", storage[0], *on)


def _takes_nothing(survey: Survey) -> Iterator[Breach]:
    for _, entry, ae in destinations(survey):
        value = entry.values(ATTRIBUTE)[0]
        if why := unable_to_store(ae):
            yield Breach(entry.dn, f"{ae.title} {why}", ATTRIBUTE, value)


def _refuses(survey: Survey) -> Iterator[Breach]:
    for device, _, ae in destinations(survey):
        accepted = ae.entry.texts("dcmAcceptedCallingAETitle")
        for title in survey.external_archives(device) if accepted else ():
            if title not in accepted:
                message = f"{title} is to store here and is not among the callers that {ae.title} accepts"
                command = ("add-value", survey.target(ae.entry), f"dcmAcceptedCallingAETitle={title}")
                yield Breach(ae.entry.dn, message, "dcmAcceptedCallingAETitle", command=command)


def _identity(survey: Survey) -> Iterator[Breach]:
    name = "dcmUserIdentityNegotiation"
    for device, _, ae in destinations(survey):
        asked = ae.entry.text(name) or device.entry.text(name)
        if asked == "REQUIRED" and survey.external_archives(device):
            message = f"{ae.title} asks every caller for a user identity, which an external archive seldom sends"
            yield Breach(ae.entry.dn, message, name, asked.encode())


def _unset(survey: Survey) -> Iterator[Breach]:
    for device in survey.archives:
        titles = survey.external_archives(device)
        if titles and ATTRIBUTE not in device.entry and not any(ATTRIBUTE in ae.entry for ae in device.network_aes):
            storage = [ae.title for ae in device.network_aes if ae.takes_storage]
            message = f"{', '.join(titles)} sends straight to each destination, and has to know it"
            yield Breach(device.entry.dn, message, ATTRIBUTE, command=_command(storage, device.entry))


def _overridden(survey: Survey) -> Iterator[Breach]:
    for device in survey.archives:
        whole = device.entry.text(ATTRIBUTE)
        for ae in device.network_aes:
            own = ae.entry.text(ATTRIBUTE)
            if own is not None and whole is not None and own != whole:
                yield Breach(ae.entry.dn, f"it wins over the device's {whole}", ATTRIBUTE, own.encode())


RULES = (
    LintRule(
        "external-retrieve-unknown",
        "error",
        "dcmExternalRetrieveAEDestination is an AE of the archive.",
        "The external archive is asked to send to a title that nobody has. The official container image leaves "
        "DCM4CHEE there when the archive's AE title is changed by AE_TITLE.",
        "Set it to a storage SCP of the archive.",
        _SET,
        _unknown,
    ),
    LintRule(
        "external-retrieve-elsewhere",
        "error",
        "dcmExternalRetrieveAEDestination is an AE of the archive, not of another device.",
        "The external archive sends the objects there; the archive never sees them and forwards nothing.",
        "Set it to a storage SCP of the archive.",
        _SET,
        _elsewhere,
    ),
    LintRule(
        CANNOT_STORE,
        "error",
        "The AE that external retrieves are sent to accepts associations, is a storage SCP and has a storage.",
        "What the external archive sends is refused.",
        "Set another AE of the archive, one with storage SCP capabilities and dcmObjectStorageID.",
        _SET,
        _takes_nothing,
    ),
    LintRule(
        "external-retrieve-caller-refused",
        "error",
        "The AE that external retrieves are sent to accepts the external archive as caller.",
        "With dcmAcceptedCallingAETitle all others are rejected.",
        "Add the external archive's title.",
        "dcmcfg add-value DEVICE/AE dcmAcceptedCallingAETitle=AET",
        _refuses,
    ),
    LintRule(
        "external-retrieve-identity",
        "warning",
        "The AE that external retrieves are sent to does not require a user identity.",
        "A caller that sends none is rejected.",
        "Use an AE without that requirement.",
        "dcmcfg set DEVICE/AE dcmUserIdentityNegotiation=SUPPORTS",
        _identity,
    ),
    LintRule(
        "external-retrieve-unset",
        "note",
        "An archive that fetches from external archives has dcmExternalRetrieveAEDestination.",
        "Unset, a request is passed on with its original destination; the external archive sends straight there "
        "and must know that AE itself.",
        "Set it, unless that is intended.",
        _SET,
        _unset,
    ),
    LintRule(
        "external-retrieve-overridden",
        "note",
        "The destination that an AE has for itself is the device's.",
        "The AE's own value wins, and the device's is what one looks at.",
        "Clear the AE's value, unless that is intended.",
        "dcmcfg set-external-retrieve --clear --ae AET",
        _overridden,
    ),
)
#: The rules of the AE itself: it exists, is the archive's own, and can store.
OF_THE_AE = tuple(rule for rule in RULES if rule.find in (_unknown, _elsewhere, _takes_nothing))
