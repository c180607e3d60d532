"""`pdx weights` from the command line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np

from pdx_core.weight_files import save_weights

CODE = "import sys; from pdx_core.cli import main; main(sys.argv[1:])"


def pdx(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", CODE, *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False, encoding="utf-8")


def test_lists_tensors_as_text_and_json(tmp_path: Path) -> None:
    file = tmp_path / "权重 é.pdparams"
    save_weights({"fc.weight": np.zeros((2, 3), np.float32), "fc.bias": np.zeros(3, np.float32)}, file)
    shown = pdx("weights", file)
    assert shown.returncode == 0, shown.stderr
    assert "fc.weight  float32  [2, 3]" in shown.stdout
    assert "2 tensors, 9 elements" in shown.stdout
    found = json.loads(pdx("weights", file, "--json").stdout)
    assert found["elements"] == 9
    assert found["tensors"][1] == {"name": "fc.bias", "dtype": "float32", "shape": [3]}


def test_a_hostile_file_is_shown_and_refused(tmp_path: Path) -> None:
    file = tmp_path / "evil.pdparams"
    file.write_bytes(b"\x80\x02cos\nsystem\nX\x14\x00\x00\x00touch " + b"/tmp/pdx_canary\x85R.")
    shown = pdx("weights", file)
    assert shown.returncode == 2
    assert "os.system  (1 times)" in shown.stdout
    assert "Nothing of it was run" in shown.stderr
    assert "Traceback" not in shown.stderr
    assert not Path("/tmp/pdx_canary").exists()


def test_bad_paths_end_with_code_2(tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere.pdparams", tmp_path):
        shown = pdx("weights", path)
        assert shown.returncode == 2
        assert str(path) in shown.stderr
        assert "Traceback" not in shown.stderr
