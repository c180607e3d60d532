"""What is imported when the installed plugins are listed: records, and nothing that only a chosen model needs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

PACKAGES = sorted(path.parent.name for path in (Path(__file__).parents[1] / "plugins").glob("*/*/plugin.py"))
PROGRAM = """
import json, sys
import attrs
from pdx_core.plugins import get_registry
get_registry()
modules = {name: module for name, module in sys.modules.items() if name.partition(".")[0] in sys.argv[1:]}
print(json.dumps(sorted(
    f"{name}.{value.__name__}"
    for name, module in modules.items()
    for value in vars(module).values()
    if isinstance(value, type) and value.__module__ == name and attrs.has(value)
)))
"""


def test_no_class_of_options_is_built():
    """attrs compiles each class; forty of them were a third of `pdx --help`. Records name them by import path."""
    done = subprocess.run([sys.executable, "-c", PROGRAM, *PACKAGES], capture_output=True, text=True, timeout=120)
    assert json.loads(done.stdout) == [], done.stderr
