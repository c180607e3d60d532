"""A plugin is listed without importing anything heavy: tried in a process of its own, where heavy imports fail."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from pdx_core.testing.checks import fail

HEAVY = ("paddle", "numpy", "cv2", "matplotlib", "PIL")
_SECONDS = 120

# Refuses heavy modules, then does what `pdx --help`, `pdx models`, `pdx config` and the search for a format do.
_PROGRAM = """
import importlib, json, sys, traceback

heavy, module_name = json.loads(sys.argv[1])
refused = []

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in heavy:
            frames = [frame for frame in traceback.extract_stack()[:-1] if not frame.filename.startswith("<frozen")]
            refused.append([name, frames[-1].filename, frames[-1].lineno])
            raise ImportError("pdx lets nobody import " + name + " while plugins are listed")

sys.meta_path.insert(0, Refuse())
error = ""
step = module_name
try:
    from pdx_core.specs import HOOK_RECORDS, import_target

    module = importlib.import_module(module_name)
    for hook in HOOK_RECORDS:
        step = hook
        for spec in (getattr(module, hook, None) or list)():
            names = ["options", "detect", "demo"] + (["target"] if hook == "pdx_commands" else [])
            for field in names:
                step = spec.name + ": " + field
                if getattr(spec, field, None):
                    import_target(getattr(spec, field))
except BaseException as problem:
    error = step + ": " + type(problem).__name__ + ": " + str(problem)
sys.stdout.write("\\nRESULT " + json.dumps([refused, error]))
"""


def listing_imports_nothing_heavy(module: str) -> None:
    """The plugin module, its hooks, options, detection and commands work where paddle, numpy and cv2 are missing."""
    refused, error = _probe(module)
    if refused:
        name, path, line = refused[0]
        fail(
            f"{path}, line {line} imports {name} while pdx lists the plugin; that costs every `pdx` command seconds",
            "move the import into the function that needs it, or the code into a module that only a record's `target` "
            "names",
        )
    if error:
        fail(f"{module} cannot be listed without paddle: {error}", "import nothing heavier than attrs, click and yaml")


def _probe(module: str) -> tuple[list[Any], str]:
    """[(heavy module, file, line)], and the error that stopped the listing."""
    result = subprocess.run(
        [sys.executable, "-c", _PROGRAM, json.dumps([HEAVY, module])],
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        timeout=_SECONDS,
    )
    head, mark, answer = result.stdout.rpartition("RESULT ")
    if not mark:
        return [], (result.stderr or head).strip()[-500:] or f"the process ended with code {result.returncode}"
    return tuple(json.loads(answer))


CHECKS = (listing_imports_nothing_heavy,)
