"""Loading weights into networks: dialects, strictness, types, and a network that stays as it was on failure."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

paddle = pytest.importorskip("paddle")
pytestmark = pytest.mark.paddle

from pdx_core import weights as pdx_weights  # noqa: E402
from pdx_core.errors import PluginError, WeightsError  # noqa: E402
from pdx_core.specs import ModelSpec, Weights  # noqa: E402
from pdx_core.weights import load_weights, official_weights, save_weights  # noqa: E402

nn = paddle.nn


class Trunk(nn.Layer):
    """One convolution and one normalisation, spelled otherwise in two releases."""

    dialects = {  # noqa: RUF012 (as networks have it)
        "PaddleClas": [(r"stem\.conv\.(.*)", r"conv1._conv.\1"), (r"stem\.norm\.(.*)", r"conv1._batch_norm.\1")],
        "PaddleDetection": [(r"(.*)", lambda found: "backbone." + found[1].replace("stem.", "conv1."))],
    }

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(("conv", nn.Conv2D(3, 4, 3, bias_attr=False)), ("norm", nn.BatchNorm2D(4)))


class Head(nn.Layer):
    def __init__(self, classes: int) -> None:
        super().__init__()
        self.fc = nn.Linear(4, classes)


class Net(nn.Layer):
    """The three components of a `Network`, without its imports."""

    def __init__(self, classes: int = 5) -> None:
        super().__init__()
        self.backbone = Trunk()
        self.neck = None
        self.head = Head(classes)


CLAS = {
    "conv1._conv.weight": (4, 3, 3, 3),
    "conv1._batch_norm.weight": (4,),
    "conv1._batch_norm.bias": (4,),
    "conv1._batch_norm._mean": (4,),
    "conv1._batch_norm._variance": (4,),
    "fc.weight": (4, 5),
    "fc.bias": (5,),
}


def arrays(shapes: dict[str, tuple[int, ...]] = CLAS, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {name: rng.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}


def values(net: nn.Layer) -> dict[str, np.ndarray]:
    return {name: tensor.numpy().copy() for name, tensor in net.state_dict().items()}


def unchanged(before: dict[str, np.ndarray], net: nn.Layer) -> bool:
    return all(np.array_equal(before[name], array) for name, array in values(net).items())


def test_official_names_load_completely(tmp_path: Path) -> None:
    source = arrays()
    save_weights(source, tmp_path / "w.pdparams")
    net = Net()
    report = load_weights(net, tmp_path / "w.pdparams")
    assert (report.missing, report.unexpected, report.mismatched) == ([], [], [])
    assert report.complete
    assert report.dialect == "PaddleClas"
    assert len(report.loaded) == 7
    found = values(net)
    assert np.array_equal(found["backbone.stem.conv.weight"], source["conv1._conv.weight"])
    assert np.array_equal(found["backbone.stem.norm._variance"], source["conv1._batch_norm._variance"])
    assert np.array_equal(found["head.fc.weight"], source["fc.weight"])


def test_own_files_load_and_paddle_reads_them(tmp_path: Path) -> None:
    first, second = Net(), Net()
    load_weights(first, arrays())
    save_weights(first.state_dict(), tmp_path / "best_model.pdparams")
    report = load_weights(second, str(tmp_path / "best_model.pdparams"))
    assert report.dialect == "pdx"
    assert unchanged(values(first), second)
    by_paddle = paddle.load(str(tmp_path / "best_model.pdparams"))
    assert set(by_paddle) == set(first.state_dict())
    missing, unexpected = second.set_state_dict(by_paddle)
    assert not missing
    assert not unexpected


def test_files_of_paddle_save(tmp_path: Path) -> None:
    first, second = Net(), Net()
    load_weights(first, arrays())
    for protocol in (2, 3, 4):
        paddle.save(first.state_dict(), str(tmp_path / "w.pdparams"), protocol=protocol)
        assert load_weights(second, tmp_path / "w.pdparams").complete
        assert unchanged(values(first), second)
    optimiser = paddle.optimizer.Adam(
        paddle.optimizer.lr.CosineAnnealingDecay(0.1, 10), parameters=first.backbone.parameters()
    )
    first.backbone.stem(paddle.ones([1, 3, 8, 8])).sum().backward()
    optimiser.step()
    paddle.save(optimiser.state_dict(), str(tmp_path / "w.pdopt"))
    found = pdx_weights.read_state(tmp_path / "w.pdopt")
    expected = optimiser.state_dict()
    assert set(found) == set(expected)
    assert found["LR_Scheduler"] == expected["LR_Scheduler"]
    optimiser.set_state_dict(found)


def test_a_backbone_alone_from_each_kind_of_file() -> None:
    for source in (arrays(), {f"backbone.{name}": array for name, array in values(Trunk()).items()}):
        backbone = Trunk()
        patterns = ["fc.*", "head.*"]
        assert not load_weights(backbone, source, partial=patterns).missing
        assert np.array_equal(values(backbone)["stem.conv.weight"], next(iter(source.values())))
    whole = {"backbone.conv1." + name.removeprefix("stem."): array for name, array in values(Trunk()).items()}
    net = Net()
    report = load_weights(net, whole, partial=["head.*"])
    assert report.dialect == "PaddleDetection"
    assert report.missing == ["head.fc.weight", "head.fc.bias"]
    assert load_weights(net.backbone, arrays(), dialect="PaddleClas", partial="fc.*").unexpected == [
        "fc.weight",
        "fc.bias",
    ]


def test_layers_without_dialects_take_the_names_of_their_origin() -> None:
    net = nn.Sequential(("conv", nn.Conv2D(3, 4, 1)))
    assert load_weights(net, arrays({"conv.weight": (4, 3, 1, 1), "conv.bias": (4,)})).complete


MISFITS = {
    "missing": lambda source: source.pop("conv1._conv.weight"),
    "unexpected": lambda source: source.update(extra=np.zeros(1, np.float32)),
    "shape": lambda source: source.update({"conv1._conv.weight": np.zeros((4, 3, 1, 1), np.float32)}),
    "nan": lambda source: source["conv1._batch_norm._mean"].__setitem__(1, np.nan),
    "infinity": lambda source: source["fc.bias"].__setitem__(1, -np.inf),
    "whole numbers": lambda source: source.update({"fc.bias": np.zeros(5, np.int64)}),
    "text": lambda source: source.update({"fc.bias": np.array(list("abcde"))}),
}


@pytest.mark.parametrize("kind", sorted(MISFITS))
def test_any_difference_is_refused_and_the_network_stays(kind: str) -> None:
    source = arrays()
    MISFITS[kind](source)
    net = Net()
    before = values(net)
    with pytest.raises(WeightsError) as caught:
        load_weights(net, source)
    named = {"unexpected": "extra", "nan": "_mean", "infinity": "fc.bias", "text": "fc.bias", "whole numbers": "int64"}
    assert named.get(kind, "conv1._conv.weight" if kind == "missing" else "stem.conv.weight") in str(caught.value)
    assert unchanged(before, net)


def test_nan_can_be_allowed_and_large_sums_are_not_infinite() -> None:
    source = arrays()
    source["fc.bias"][0] = np.nan
    assert load_weights(Net(), source, allow_nonfinite=True).complete
    source["fc.bias"] = np.full(5, 3e38, np.float32)
    assert load_weights(Net(), source).complete


def test_another_class_count_is_named_and_may_be_allowed() -> None:
    net = Net(classes=3)
    before = values(net)
    with pytest.raises(WeightsError, match=r"for 5 classes, the network is built for 3.*num_classes=5") as caught:
        load_weights(net, arrays())
    assert "head.fc.*" in str(caught.value)
    assert unchanged(before, net)
    for patterns in (["head.*"], ["fc.*"], "head.fc.*", True):
        report = load_weights(net, arrays(), partial=patterns)
        assert [item.name for item in report.mismatched] == ["head.fc.weight", "head.fc.bias"]
        assert len(report.loaded) == 5
    assert np.array_equal(values(net)["head.fc.weight"], before["head.fc.weight"])


def test_weights_of_another_model_are_refused_even_when_anything_may_differ(monkeypatch: pytest.MonkeyPatch) -> None:
    from pdx_core import plugins

    class Fake:
        def specs(self, kind: str) -> list[ModelSpec]:
            common = {"task": "cls", "backbone": "x", "head": "y"}
            return [ModelSpec(name="TinyNet", params=12, **common), ModelSpec(name="OtherNet", params=13, **common)]

    monkeypatch.setattr(plugins, "get_registry", Fake)
    other = arrays({"a.weight": (3, 4), "a._mean": (7,)})
    with pytest.raises(WeightsError, match=r"0 of 7 tensors(?s:.*)seem to be those of TinyNet:"):
        load_weights(Net(), other)
    with pytest.raises(WeightsError, match="does not fit the network"):
        load_weights(Net(), other, partial=True)


def test_the_same_network_under_foreign_names_is_not_called_another_model() -> None:
    foreign = {f"module.{index}{'_mean' * ('_mean' in name)}{'_variance' * ('_variance' in name)}": array
               for index, (name, array) in enumerate(arrays().items())}  # fmt: skip
    with pytest.raises(WeightsError, match="as many parameters as the network"):
        load_weights(Net(), foreign)


def test_only_ten_names_are_listed_and_control_characters_are_not_printed() -> None:
    source = arrays() | {f"extra\x1b[31m{index}": np.zeros(1, np.float32) for index in range(15)}
    with pytest.raises(WeightsError, match="and 5 more") as caught:
        load_weights(Net(), source)
    assert "\x1b" not in str(caught.value)


def test_types_are_converted() -> None:
    for dtype in (np.float16, np.float64):
        net = Net()
        source = {name: array.astype(dtype) for name, array in arrays().items()}
        load_weights(net, source)
        assert np.array_equal(values(net)["head.fc.bias"], source["fc.bias"].astype(np.float32))
        assert net.head.fc.bias.dtype == paddle.float32
    net = Net()
    load_weights(net, {name: (array.view(np.uint32) >> 16).astype(np.uint16) for name, array in arrays().items()})
    assert np.allclose(values(net)["head.fc.bias"], arrays()["fc.bias"], rtol=8e-3)
    layer = nn.Linear(2, 2)
    layer.to(dtype="bfloat16")
    load_weights(layer, {"weight": np.full((2, 2), 1.5, np.float32), "bias": np.zeros(2, np.float32)})
    assert layer.weight.astype("float32").numpy().tolist() == [[1.5, 1.5], [1.5, 1.5]]


def test_scalars_of_old_and_new_paddle_are_alike() -> None:
    layer = nn.Layer()
    layer.register_buffer("steps", paddle.to_tensor([3], dtype="int64"))
    load_weights(layer, {"steps": np.array(9, np.int32)})
    assert layer.steps.numpy().tolist() == [9]


def test_unknown_dialect_and_ambiguous_rules() -> None:
    with pytest.raises(WeightsError, match="Did you mean 'PaddleClas'"):
        load_weights(Net(), arrays(), dialect="PaddleClass")
    net = Net()
    net.backbone.dialects = {"PaddleClas": [(r".*", "same")]}
    with pytest.raises(PluginError, match=r"both .* are called 'same'"):
        load_weights(net, {"same": np.zeros(4, np.float32)}, dialect="PaddleClas")


def test_a_wrong_path_never_downloads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdx_weights, "fetch", lambda *_, **__: pytest.fail("asked the network"))
    with pytest.raises(WeightsError, match="no such file"):
        load_weights(Net(), "weights.bcebos.com/ResNet50_pretrained.pdparams")


def test_official_weights(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked = []
    monkeypatch.setattr(pdx_weights, "fetch", lambda url, **_: asked.append(url) or tmp_path / "w.pdparams")
    offered = (Weights(tag="imagenet1k", url="https://a/1"), Weights(tag="ssld", url="https://a/2"))
    spec = ModelSpec(name="TinyNet", task="cls", backbone="x", head="y", weights=offered)
    assert official_weights(spec) == tmp_path / "w.pdparams"
    official_weights(spec, tag="ssld")
    assert asked == ["https://a/1", "https://a/2"]
    with pytest.raises(WeightsError, match="'imagenet1k'"):
        official_weights(spec, tag="coco")
    with pytest.raises(WeightsError, match="no published weights"):
        official_weights(ModelSpec(name="TinyNet", task="cls", backbone="x", head="y"))
