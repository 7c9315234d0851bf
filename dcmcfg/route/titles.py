"""The AE titles that an AE calls with, and calls by, once masquerading is applied."""

from __future__ import annotations

from dcmcfg.model.devices import NetworkAE


def calling_title(ae: NetworkAE, called: str) -> str:
    """Return the title that *ae* calls *called* with: its own, or by dcmMasqueradeCallingAETitle another.

    A value ``[CALLED]X`` counts for that AE alone and before ``X``. A title that is given for the association
    bypasses it.
    """
    general = ae.title
    for value in ae.entry.texts("dcmMasqueradeCallingAETitle"):
        only_for, bracket, title = value[1:].partition("]") if value.startswith("[") else ("", "", value)
        if bracket and only_for == called:
            return title
        if not bracket:
            general = value
    return general


def called_title(ae: NetworkAE, called: str) -> str:
    """Return the title that *ae* calls *called* by (dcmMasqueradeCalledAETitle, ``CALLED:USED``)."""
    pairs = (value.partition(":") for value in ae.entry.texts("dcmMasqueradeCalledAETitle"))
    return next((used for title, colon, used in pairs if colon and title == called), called)
