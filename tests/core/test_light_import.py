"""Listing, help and every mistake in a configuration are answered before anything heavy is imported."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.core.zoo_source import ZOO

PROGRAM = """
import json, sys
code = 0
arguments = json.loads(sys.argv[1])
if arguments is None:
    import pdx_core
    pdx_core.__version__
else:
    from pdx_core.cli import main
    try:
        main(arguments, prog_name="pdx")
    except SystemExit as exit:
        code = exit.code
heavy = [name for name in ("paddle", "numpy", "cv2", "matplotlib", "PIL") if name in sys.modules]
sys.stderr.write("\\nRESULT " + json.dumps([code, heavy]))
"""


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (None, 0),
        (["--help"], 0),
        (["--version"], 0),
        (["models"], 0),
        (["models", "--json"], 0),
        (["info", "CountNet_x1_0"], 0),
        (["config", "CountNet_x1_0"], 0),
        (["plugins"], 0),
        (["run", "--help"], 0),
        (["run"], 2),
        (["config", "CountNt_x1_0"], 2),
        (["config", "CountNet_x1_0", "-o", "Train.x=1"], 2),
        (["config", "CountNet_x1_0", "-o", "Model.backbone.x=1"], 2),
        (["config", "CountNet_x1_0", "-o", "Data.eval_transforms=[Nothing]"], 2),
        (["run", "-c", "CountNet_x1_0.yaml", "-o", "Global.mode=trian"], 2),
        (["run", "-c", "absent.yaml"], 2),
        (["train", "--help"], 0),
        (["train", "CountNet_x1_0", "-o", "Train.x=1"], 2),
        (["train", "CountNt_x1_0"], 2),
        (["check", "--help"], 0),
        (["predict", "--help"], 0),
        (["export", "--help"], 0),
        (["demo", "--help"], 0),
        (["nonsense"], 2),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else str(value),
)
def test_nothing_heavy_is_imported(fake_site, tmp_path, arguments, code):
    fake_site.install("zoo", ZOO)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(arguments)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(fake_site.folder)},
        timeout=120,
    )
    assert "RESULT" in done.stderr, done.stderr
    assert json.loads(done.stderr.rpartition("RESULT ")[2]) == [code, []], done.stderr
    assert "Traceback" not in done.stderr
