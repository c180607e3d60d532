"""The conformance kit: good components pass, and each broken promise is noticed and says what to change."""

from __future__ import annotations

import collections
import importlib
import itertools
import subprocess
import sys
import textwrap
import types

import pytest

from pdx_core.errors import MissingDependencyError, UnknownNameError
from pdx_core.specs import BackboneSpec, CommandSpec, MetricSpec, RuntimeSpec
from pdx_core.testing import (
    Check,
    CheckFailure,
    NotCheckable,
    component_checks,
    light_import,
    plugin_checks,
    records,
    run_checks,
)
from pdx_core.testing import plugin as plugin_module

_NUMBERS = itertools.count()


@pytest.fixture
def module(monkeypatch, tmp_path):
    """A module made of source text, in a file because exporting reads it; gives its name."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def make(source: str) -> str:
        name = f"kit_parts_{next(_NUMBERS)}"
        (tmp_path / f"{name}.py").write_text(textwrap.dedent(source))
        importlib.invalidate_caches()
        return name

    return make


def failures(spec, title=""):
    """Messages by title of the checks (or the one called `title`) that a component does not pass."""
    checks = [check for check in component_checks(spec) if title in check.title]
    return {outcome.check.title: outcome.message for outcome in run_checks(checks) if outcome.message}


GOOD = """
import paddle
from paddle import nn
from pdx_core.contracts import FeatureSpec

class Good(nn.Layer):
    features = (FeatureSpec(8, 4),)

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2D(3, 8, 4, stride=4)
        self.norm = nn.BatchNorm2D(8)

    def forward(self, images):
        return (nn.functional.relu(self.norm(self.conv(images))),)
"""
BAD = {
    "class Bad(Good):\n    features = (FeatureSpec(9, 4),)": ("builds and publishes its levels", "make the record say"),
    "class Bad(Good):\n    def forward(self, images):\n        return self.conv(images)": (
        "forward gives the levels it declares",
        "return a tuple",
    ),
    "class Bad(Good):\n    def forward(self, images):\n        return (super().forward(images)[0][:, :, ::2, ::2],)": (
        "forward gives the levels it declares",
        "correct channels and strides",
    ),
    "class Bad(Good):\n    def __init__(self):\n        super().__init__()\n        self.extra = nn.Linear(2, 2)": (
        "gradients reach every trained parameter",
        "no gradient reaches extra.weight",
    ),
    "class Bad(Good):\n    def __init__(self):\n        super().__init__()\n        self.scale = paddle.rand([1])\n"
    "    def forward(self, images):\n        return (super().forward(images)[0] * self.scale,)": (
        "saved parameters give the same outputs",
        "register_buffer",
    ),
    "class Bad(Good):\n    def forward(self, images):\n        x = super().forward(images)[0]\n"
    "        return (x + paddle.rand(x.shape),)": ("evaluation mode is deterministic", "in training only"),
    "class Bad(Good):\n    def forward(self, images):\n        x = super().forward(images)[0]\n"
    "        return (x - x.mean(axis=0, keepdim=True),)": ("evaluation mode is deterministic", "other images"),
    # Paddle 2.6 cannot trace `super()` without arguments
    "class Bad(Good):\n    calls = 0\n    def forward(self, images):\n        Bad.calls += 1\n"
    "        return (Good.forward(self, images)[0] * Bad.calls,)": (
        "exported graph gives the same levels",
        "tracing turned into constants",
    ),
    "class Bad(Good):\n    def forward(self, images):\n        scale = 2.0 if paddle.in_dynamic_mode() else 1.0\n"
    "        return (Good.forward(self, images)[0] * scale,)": (
        "exported graph gives the same levels",
        "tracing turned into constants",
    ),
    "class Bad(Good):\n    def forward(self, images):\n        return (super().forward(images)[0] * float('nan'),)": (
        "gradients reach every trained parameter",
        "the loss is nan",
    ),
}


@pytest.mark.paddle
def test_a_good_trunk_passes(module):
    name = module(GOOD)
    assert failures(BackboneSpec(name="Good", target=f"{name}:Good", channels=(8,), strides=(4,))) == {}


@pytest.mark.paddle
@pytest.mark.parametrize("source", BAD)
def test_each_defect_of_a_trunk_is_named(module, source):
    name = module(f"{GOOD}\n\n{source}")
    title, part = BAD[source]
    spec = BackboneSpec(name="Bad", target=f"{name}:Bad", channels=(8,), strides=(4,))
    message = failures(spec, title)[title]
    assert part in message
    assert "change: " in message


def metric(module, **replaced):
    """A metric of the toy task; methods are replaced by lines of source."""
    methods = {
        "update": "self.n += len(results)",
        "compute": "return {'n': float(self.n)}",
        "state": "return self.n",
        "merge": "self.n = sum(states)",
        **replaced,
    }
    heads = {"update": "self, results, samples", "compute": "self", "state": "self", "merge": "self, states"}
    lines = [f"    def {method}({heads[method]}):\n        {body}" for method, body in methods.items()]
    name = module("class M:\n    def __init__(self, classes):\n        self.n = 0\n" + "\n".join(lines))
    return MetricSpec(name="m", task="toy", key="n", target=f"{name}:M")


@pytest.fixture
def toy_example(monkeypatch):
    """Stands in for an example of a task: three results, three samples, two classes."""
    pytest.importorskip("numpy")
    from pdx_core.testing import metrics

    monkeypatch.setattr(metrics, "seen", lambda task: ([1, 2, 3], ["a", "b", "c"]))
    monkeypatch.setattr(metrics, "task_example", lambda task: types.SimpleNamespace(classes=("x", "y")))


@pytest.mark.parametrize(
    ("replaced", "title", "part"),
    [
        ({}, None, None),
        ({"compute": "return {'m': 1.0}"}, "numbers have names and the key is among them", "not 'n'"),
        ({"compute": "return {'n': 1 / self.n}"}, "nothing counted is no error", 'float("nan")'),
        ({"update": "self.n = len(results)"}, "batches do not matter", "count in update"),
        ({"merge": "self.n += sum(states)"}, "merging equals one process", "replace the own state"),
        ({"merge": "pass"}, "merging equals one process", "merged from two processes"),
        ({"state": "return lambda: self.n"}, "merging equals one process", "another process"),
    ],
)
def test_metrics(module, toy_example, replaced, title, part):
    found = failures(metric(module, **replaced))
    assert (found == {}) if title is None else (part in found[title])


def test_heavy_import_is_named_with_its_line(tmp_path, monkeypatch):
    (tmp_path / "heavy_plugin.py").write_text("PDX_API = 1\nimport json\nimport numpy as np\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(CheckFailure, match=r"heavy_plugin\.py, line 3 imports numpy(.|\n)*change: move the import"):
        light_import.listing_imports_nothing_heavy("heavy_plugin")


def test_records_with_wrong_paths_and_options(module):
    name = module(
        """
        import attrs
        def build(width=1): ...
        @attrs.frozen
        class Options:
            width: int = 2
        """
    )
    spec = CommandSpec(name="x", target=f"{name}:nothing", summary="x")
    with pytest.raises(CheckFailure, match="no 'nothing'"):
        _records(records.record_is_well_formed, spec)
    with pytest.raises(CheckFailure, match="has no summary"):
        _records(records.record_is_well_formed, CommandSpec(name="x", target=f"{name}:build"))
    spec = CommandSpec(name="x", target=f"{name}:build", options=f"{name}:Options", arguments={"wide": 1})
    with pytest.raises(CheckFailure, match="2 by default in the options and 1 in"):
        _records(records.options_are_those_of_the_component, spec)
    with pytest.raises(CheckFailure, match="takes no 'wide'"):
        _records(records.arguments_are_accepted, spec)


def _records(function, spec):
    try:
        function(spec)
    except NotCheckable:
        pytest.skip("paddle is not installed")


def test_commands(module):
    name = module("import click\n@click.command()\n@click.option('--x')\ndef run(x):\n    'Do it.'\n")
    found = failures(CommandSpec(name="run-it", target=f"{name}:run"))
    assert "--x has no help" in found["is a command of its own"]
    found = failures(CommandSpec(name="train", target=f"{name}:run"))
    assert "command 'train' of its own" in found["is a command of its own"]


@pytest.mark.paddle
def test_runtimes(module):
    name = module(
        """
        from pdx_core.runtimes.paddle_inference import PaddleInference
        class Wrong(PaddleInference):
            def __call__(self, inputs):
                return {name: array * 1.1 for name, array in super().__call__(inputs).items()}
        """
    )
    common = {"suffixes": (".json", ".pdmodel"), "requires": ("paddle",)}
    found = failures(RuntimeSpec(name="wrong", target=f"{name}:Wrong", **common))
    assert "not the network's" in found["runs an exported model by name"]
    found = failures(RuntimeSpec(name="absent", target=f"{name}:Wrong", requires=("no_such_library",)))
    assert all("no_such_library is not installed" in message for message in found.values())


def test_plugin_with_problems(fake_site):
    fake_site.install("broken", "import not_there\nPDX_API = 1\n")
    (check,) = plugin_checks("broken")
    with pytest.raises(CheckFailure, match="not_there"):
        check()
    with pytest.raises(UnknownNameError, match="Did you mean 'broken'"):
        plugin_checks("brokn")


def test_names_of_other_plugins_are_refused(fake_site):
    source = """
        from pdx_core import hookimpl
        from pdx_core.specs import MetricSpec
        PDX_API = 1
        @hookimpl
        def pdx_metrics():
            yield MetricSpec(name="same", task="t", key="k", target="a:B", summary="s")
    """
    fake_site.install("one", source)
    fake_site.install("two", source)
    with pytest.raises(CheckFailure, match="has the name of two/same"):
        plugin_checks("one")[0]()


def test_an_unexpected_error_names_the_line():
    def check():
        raise ZeroDivisionError("oops")

    (outcome,) = run_checks([Check("metric m", "counts", check)])
    assert outcome.status == "failed"
    assert "ZeroDivisionError: oops" in outcome.message
    assert "test_plugin_kit.py, line" in outcome.message


def test_the_kit_is_light():
    code = "import sys, pdx_core.testing.pytest_plugin as p; print({'paddle', 'numpy', 'cv2'} & {*sys.modules})"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "set()"


def test_only_the_smallest_record_of_each_network_is_built():
    specs = [
        BackboneSpec(name=f"N{width}", target="a:B", arguments={"width": width}, channels=(width,), strides=(4,))
        for width in (8, 2, 4)
    ]
    other = BackboneSpec(name="O", target="a:C", channels=(9,), strides=(4,))
    assert [spec.name for spec in plugin_module.representatives("backbones", [*specs, other])] == ["N2", "O"]


def test_a_coordinate_that_is_not_known_does_not_make_samples_differ():
    import numpy as np

    from pdx_core.data.sample import Sample
    from pdx_core.testing.readers import same

    def sample(*values):
        return Sample(image=np.zeros((2, 2, 3), np.uint8), extra={"points": np.array(values, np.float32)})

    assert same(sample(1, np.nan), sample(1, np.nan))
    assert not same(sample(1, np.nan), sample(np.nan, 1))
    assert same(np.array(["a"]), np.array(["a"])) and not same(np.array(["a"]), np.array([1.0]))


TWO_OF_A_KIND = """
    from pdx_core import hookimpl
    from pdx_core.specs import BackboneSpec, CommandSpec, ModelSpec
    PDX_API = 1
    @hookimpl
    def pdx_backbones():
        for width in (8, 4):
            yield BackboneSpec(name=f"Net{width}", target="a:B", arguments={"width": width}, channels=(width,),
                               strides=(4,), summary="s")
    @hookimpl
    def pdx_models():
        yield ModelSpec(name="Net8", task="t", backbone="Net8", head="h")
    @hookimpl
    def pdx_commands():
        yield CommandSpec(name="look", target="a:c", summary="s")
"""


def tried(*components, **choice):
    """What is tried beyond looking at the records: subject -> number of checks."""
    looked_at = {function.__name__.replace("_", " ") for function in records.CHECKS}
    found = [check for check in plugin_checks("zoo", *components, **choice) if check.title not in looked_at]
    return dict(collections.Counter(check.subject for check in found if check.subject != "plugin zoo"))


def test_components_are_chosen(fake_site):
    fake_site.install("zoo", TWO_OF_A_KIND)
    assert tried() == {"backbone Net4": 7, "model Net8": 6, "command look": 2}
    assert tried(every_record=True) == {**tried(), "backbone Net8": 7}
    assert tried(networks=False) == {"model Net8": 1, "command look": 2}
    assert tried("net8") == tried("Net8", "NET8") == {"backbone Net8": 7, "model Net8": 6}
    assert tried("model Net8", "look") == {"model Net8": 6, "command look": 2}
    with pytest.raises(UnknownNameError, match=r"zoo offers no 'lok'\. Did you mean 'look'"):
        plugin_checks("zoo", "lok")


def test_a_missing_library_is_no_failure():
    def check():
        raise MissingDependencyError("needs pycolour: pip install pycolour")

    (outcome,) = run_checks([Check("metric m", "counts", check)])
    assert (outcome.status, outcome.message) == ("skipped", "needs pycolour: pip install pycolour")
