"""How pydicom behaves in this process: silent about what peers send."""

from __future__ import annotations

import warnings

from dcmcfg.dicom.late import pydicom


def keep_quiet() -> None:
    """Keep pydicom from writing to stderr; may be called any number of times.

    Peers send unknown elements, and values that break their VR's rules; it would warn for each.
    """
    config = pydicom("config")
    config.settings.reading_validation_mode = config.IGNORE
    warnings.filterwarnings("ignore", category=UserWarning, module=r"pydicom\.")
