"""What of the command line is loaded only when it is needed.

Kept apart: only this module of the command line imports while it runs (see LAZY in tests/test_architecture.py).
"""

from __future__ import annotations

import importlib
from typing import Any


def import_attribute(module: str, attribute: str) -> Any:
    """Return *attribute* of *module* of ``dcmcfg.cli``."""
    return getattr(importlib.import_module(f"dcmcfg.cli.{module}"), attribute)
