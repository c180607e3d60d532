"""`pdx doctor` and the messages about what is not installed."""

from __future__ import annotations

import builtins
import importlib.metadata
import json
import sys

import pytest
from click.testing import CliRunner

from pdx_core import doctor, opencv, paddle_support
from pdx_core.cli import main
from pdx_core.errors import MissingDependencyError, PdxError


def pretend_installed(monkeypatch, *names):
    monkeypatch.setattr(paddle_support, "installed_builds", lambda: list(names))


def states(findings):
    return {(finding.name, finding.state) for finding in findings}


def test_without_paddle_the_command_is_named(monkeypatch):
    pretend_installed(monkeypatch)
    (finding,) = doctor._paddle()
    assert finding.state == "broken"
    assert 'pip install "pdx-core[cpu]"' in finding.remedy and 'pip install "pdx-core[gpu]"' in finding.remedy


def test_both_builds_are_reported(monkeypatch):
    pretend_installed(monkeypatch, "paddlepaddle", "paddlepaddle-gpu")
    (finding,) = doctor._paddle()
    assert "paddlepaddle and paddlepaddle-gpu overwrite each other" in finding.text
    paddle_support.require_paddle.cache_clear()
    with pytest.raises(MissingDependencyError, match="both paddlepaddle and paddlepaddle-gpu are installed"):
        paddle_support.require_paddle()


def test_missing_paddle_names_the_commands(monkeypatch):
    pretend_installed(monkeypatch)
    monkeypatch.setitem(sys.modules, "paddle", None)
    paddle_support.require_paddle.cache_clear()
    with pytest.raises(MissingDependencyError, match=r"needs Paddle, which is not installed(.|\n)*pdx-core\[cpu\]"):
        paddle_support.require_paddle()
    paddle_support.require_paddle.cache_clear()


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ImportError("libGL.so.1: cannot open shared object file"), "pip uninstall -y opencv-python && pip install"),
        (ModuleNotFoundError("No module named 'cv2'", name="cv2"), "pip install opencv-python-headless"),
    ],
)
def test_opencv_that_cannot_be_loaded(monkeypatch, error, message):
    real_import = builtins.__import__

    def importing(name, *rest):
        if name == "cv2":
            raise error
        return real_import(name, *rest)

    opencv.require_cv2.cache_clear()
    monkeypatch.delitem(sys.modules, "cv2", raising=False)
    monkeypatch.setattr(builtins, "__import__", importing)
    with pytest.raises(MissingDependencyError, match=message):
        opencv.require_cv2()
    (finding,) = doctor._opencv()
    assert finding.state == "broken" and message in finding.remedy
    opencv.require_cv2.cache_clear()


def test_cache_folder_that_cannot_be_written(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PDX_HOME", str(tmp_path / "file" / "cache"))
    (finding,) = doctor._cache()
    assert finding.state == "broken" and "PDX_HOME" in finding.remedy


def test_a_check_that_fails_is_a_finding(monkeypatch):
    def _python():
        raise RuntimeError("odd machine")

    monkeypatch.setattr(doctor, "_python", _python)
    pretend_installed(monkeypatch)
    found = states(doctor.examine())
    assert ("python", "broken") in found and ("plugins", "ok") in found


def test_problems_of_plugins_are_listed(fake_site, monkeypatch):
    fake_site.install("bad", "import no_such_package")
    pretend_installed(monkeypatch)
    (finding,) = (finding for finding in doctor.examine() if finding.name == "plugin bad")
    assert "no_such_package" in finding.text and "PDX_DISABLE_PLUGINS=bad" in finding.remedy


def test_exit_code_and_json(monkeypatch):
    pretend_installed(monkeypatch)
    done = CliRunner().invoke(main, ["doctor", "--json"])
    report = json.loads(done.stdout)
    assert done.exit_code == 1 and report["ok"] is False
    assert {"name", "state", "text", "remedy"} == set(report["findings"][0])


@pytest.mark.paddle
def test_one_convolution_on_the_processor_is_right():
    assert ("device cpu", "ok") in states(doctor._paddle())


# -- devices ---------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("cpu", ("cpu", ())),
        (" GPU:0,1 ", ("gpu", (0, 1))),
        ("gpu", ("gpu", ())),
        ("auto", ("auto", ())),
        ("gpu:0,1,2,3", ("gpu", (0, 1, 2, 3))),
    ],
)
def test_device_strings(text, parsed):
    assert paddle_support.parse_device(text) == parsed


@pytest.mark.parametrize("text", ["", "tpu", "cpu:0", "gpu:", "gpu:a", "gpu:0,0", "gpu:-1", "gpu:0;1"])
def test_device_strings_that_are_refused(text):
    with pytest.raises(PdxError, match="device"):
        paddle_support.parse_device(text)


@pytest.mark.paddle
def test_absent_card_is_refused_with_the_way_out():
    import paddle

    if paddle.is_compiled_with_cuda():
        pytest.skip("this build has GPU support")
    with pytest.raises(PdxError, match=r"has no GPU support\. Use --device cpu"):
        paddle_support.resolve_device("gpu:0,1,2,3")
    assert paddle_support.resolve_device("auto") == "cpu"


def test_amd_switch_respects_the_user(monkeypatch):
    monkeypatch.setattr(paddle_support, "_is_amd", lambda: True)
    monkeypatch.setattr(paddle_support, "installed_builds", lambda: ["a", "b"])  # stops before the import
    for before, after in ((None, "5"), ("0", "0")):
        paddle_support.require_paddle.cache_clear()
        monkeypatch.delenv("MKL_DEBUG_CPU_TYPE", raising=False)
        if before is not None:
            monkeypatch.setenv("MKL_DEBUG_CPU_TYPE", before)
        with pytest.raises(MissingDependencyError):
            paddle_support.require_paddle()
        assert paddle_support.os.environ["MKL_DEBUG_CPU_TYPE"] == after
    paddle_support.require_paddle.cache_clear()
    monkeypatch.delenv("MKL_DEBUG_CPU_TYPE", raising=False)


def test_versions_come_from_the_metadata():
    assert paddle_support.installed_builds() == [name for name in ("paddlepaddle", "paddlepaddle-gpu") if _has(name)]


def _has(name):
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True
