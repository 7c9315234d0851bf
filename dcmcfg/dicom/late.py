"""Parts of pydicom, loaded when they are first asked for.

To import the package takes 70 ms, a quarter of a start, most of them for decoders of pixels. A verification needs none
of it but the list of UIDs, unless files are kept, or something is asked for that is not ASCII.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def pydicom(module: str) -> Any:
    """Return the module of pydicom that is called *module* in it."""
    return importlib.import_module(f"pydicom.{module}")


def uid_dictionary() -> Mapping[str, tuple[str, str, str, str, str]]:
    """Return what PS3.6 Annex A says of each UID: name, kind, more, ``Retired`` where it is, keyword.

    From a file of constants, which is private: pydicom.uid shows no way to look through them. The package stays where
    it is.
    """
    package = importlib.util.find_spec("pydicom")
    if package is None or package.origin is None:
        raise ImportError("pydicom is not installed")
    spec = importlib.util.spec_from_file_location(
        "dcmcfg_uid_dictionary", Path(package.origin).with_name("_uid_dict.py")
    )
    if spec is None or spec.loader is None:
        raise ImportError("pydicom has no list of UIDs")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found: Mapping[str, tuple[str, str, str, str, str]] = module.UID_dictionary
    return found
