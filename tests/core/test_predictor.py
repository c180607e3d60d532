"""The road from input to result, with a runner written here: order, batches, options, broken images."""

import functools
import http.server
import threading
import time

import attrs
import numpy as np
import pytest

from pdx_core.errors import DataError, PdxError
from pdx_core.images import write_image
from pdx_core.model_card import ModelCard
from pdx_core.predictor import ImagePredictor
from pdx_core.results import Result

NORMALIZE = {"Normalize": {"mean": [0, 0, 0], "std": [1, 1, 1], "scale": 1.0}}


@attrs.define(kw_only=True, eq=False)
class MeanResult(Result):
    mean: float = attrs.field(kw_only=False)

    def content(self):
        return {"mean": self.mean}

    def draw(self, image):
        return {"res": image}


class Runner:
    """Gives the mean of each image and remembers what it was fed."""

    def __init__(self):
        self.feeds = []

    def __call__(self, inputs):
        self.feeds.append({name: array.copy() for name, array in inputs.items()})
        return {"mean": inputs["images"].mean(axis=(1, 2, 3))}


class MeanPredictor(ImagePredictor):
    def check_options(self, options):
        super().check_options({name: value for name, value in options.items() if name != "plus"})

    def results(self, outputs, images, plus=0):
        return [
            MeanResult(image.name, float(value) + plus, **image.common)
            for image, value in zip(images, outputs["mean"], strict=True)
        ]


def predictor(*transforms, **options):
    card = ModelCard(name="m", task="t", transforms=(*transforms, NORMALIZE))
    return MeanPredictor(card, Runner(), **options)


@pytest.fixture
def photos(tmp_path):
    for level in range(10):
        write_image(tmp_path / f"{level}.png", np.full((6, 8, 3), level, np.uint8))
    return tmp_path


@pytest.mark.parametrize("batch_size", [1, 3, 10, 64])
def test_results_come_in_order_whatever_the_batch(photos, batch_size):
    model = predictor(workers=3)
    results = list(model.predict(photos, batch_size=batch_size))
    assert [result.mean for result in results] == list(range(10))
    assert [len(feed["images"]) for feed in model.runner.feeds] == [
        len(range(start, min(10, start + batch_size))) for start in range(0, 10, batch_size)
    ]
    feed = model.runner.feeds[0]
    assert feed["images"].dtype == np.float32 and feed["images"].shape[1:] == (3, 6, 8)
    assert feed["im_shape"][0].tolist() == [6, 8] and feed["scale_factor"][0].tolist() == [1, 1]
    assert all(result.image is None for result in results)  # files are not kept in memory


def test_images_of_several_sizes_are_not_padded_into_one_batch():
    arrays = [np.full((size, 5, 3), size, np.uint8) for size in (4, 4, 7, 4)]
    model = predictor()
    assert [result.mean for result in model.predict(arrays, batch_size=4)] == [4, 4, 7, 4]
    assert [feed["images"].shape for feed in model.runner.feeds] == [(2, 3, 4, 5), (1, 3, 7, 5), (1, 3, 4, 5)]


def test_an_array_is_kept_to_be_drawn_on(tmp_path):
    array = np.zeros((4, 4, 3), np.uint8)
    array[..., 2] = 255  # red, in BGR
    (result,) = predictor().predict(array)
    assert np.asarray(result.img["res"])[0, 0].tolist() == [255, 0, 0]


def test_transforms_run_before_the_network(photos):
    model = predictor({"Resize": {"size": [3, 2]}})
    list(model.predict(photos / "4.png"))
    assert model.runner.feeds[0]["images"].shape == (1, 3, 3, 2)
    assert model.runner.feeds[0]["scale_factor"].tolist() == [[0.5, 0.25]]


def test_a_network_input_must_come_out():
    model = MeanPredictor(ModelCard(name="m", task="t", transforms=({"Resize": {"size": 4}},)), Runner())
    with pytest.raises(PdxError, match="must end in Normalize"):
        list(model.predict(np.zeros((4, 4, 3), np.uint8)))


def test_options_reach_the_task_and_unknown_ones_are_refused(photos):
    assert [result.mean for result in predictor().predict(photos / "1.png", plus=5)] == [6]
    with pytest.raises(PdxError, match="predict takes no option 'topk'"):
        predictor().predict(photos, topk=3)


@pytest.mark.parametrize("batch_size", [0, -1, 1.5, True, "2"])
def test_a_batch_size_is_a_count(photos, batch_size):
    with pytest.raises(PdxError, match="batch_size must be"):
        predictor().predict(photos, batch_size=batch_size)


def test_a_missing_input_is_said_at_once_and_not_at_the_first_result():
    with pytest.raises(PdxError, match="no such file"):
        predictor().predict("missing.jpg")


def test_a_broken_image_of_a_folder_is_left_out_and_noted(photos, caplog):
    (photos / "3.png").write_bytes(b"not an image at all")
    model = predictor()
    assert [result.mean for result in model.predict(photos, batch_size=4)] == [0, 1, 2, 4, 5, 6, 7, 8, 9]
    ((name, reason),) = model.failures
    assert name == str(photos / "3.png") and "3.png" in reason and "3.png" in caplog.text
    list(model.predict(photos / "1.png"))
    assert model.failures == []


def test_a_broken_image_that_was_named_stops_after_the_results_before_it(photos):
    (photos / "3.png").write_bytes(b"not an image at all")
    results = []
    with pytest.raises(DataError, match=r"3\.png"):
        for result in predictor().predict([photos / "1.png", photos / "3.png", photos / "2.png"], batch_size=3):
            results.append(result.mean)
    assert results == [1]


def test_the_policy_for_broken_images_can_be_given(photos):
    (photos / "3.png").write_bytes(b"")
    model = predictor()
    assert len(list(model.predict([photos / "3.png", photos / "1.png"], broken_images="skip"))) == 1
    with pytest.raises(DataError):
        list(model.predict(photos, broken_images="stop"))
    with pytest.raises(PdxError, match="broken_images"):
        model.predict(photos, broken_images="maybe")


def test_too_large_an_image_is_refused_before_it_is_decoded(photos):
    write_image(photos / "big.png", np.zeros((1000, 1001, 3), np.uint8))
    with pytest.raises(DataError, match="megapixels"):
        list(predictor(max_megapixels=1.0).predict(photos / "big.png"))


def test_a_server_can_switch_urls_off():
    with pytest.raises(PdxError, match="switched off"):
        predictor(allow_urls=False).predict("https://example.org/a.jpg")


@pytest.fixture
def site(photos):
    """The folder of photos over HTTP on this machine."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(photos)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_url_is_read_and_can_be_drawn_on(site, tmp_path):
    (result,) = predictor().predict(f"{site}/7.png")
    assert result.mean == 7 and result.input_path == f"{site}/7.png"
    assert result.img["res"].size == (8, 6)
    assert result.save_to_json(tmp_path / "out").name == "7_res.json"


def test_a_url_that_fails_is_named(site, photos):
    (photos / "page.png").write_text("<html>no image</html>")
    for name in ("missing.png", "page.png"):
        with pytest.raises(PdxError, match=name):
            list(predictor().predict(f"{site}/{name}"))
    model = predictor()
    assert len(list(model.predict([f"{site}/missing.png", f"{site}/1.png"], broken_images="skip"))) == 1


def test_urls_need_the_network(site, monkeypatch):
    monkeypatch.setenv("PDX_OFFLINE", "1")
    with pytest.raises(PdxError, match="PDX_OFFLINE"):
        list(predictor().predict(f"{site}/7.png"))


def test_stopping_early_ends_the_threads_and_reads_little(photos):
    read = []

    def stream():
        for number in range(1000):
            read.append(number)
            yield np.full((4, 4, 3), number % 256, np.uint8)

    results = predictor(workers=2).predict(stream())
    assert next(results).mean == 0
    results.close()
    assert len(read) <= 10
    time.sleep(0.05)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("pdx-read")]


def test_memory_stays_flat_over_a_long_stream():
    tracemalloc = pytest.importorskip("tracemalloc")

    def stream():
        for _ in range(600):
            yield np.zeros((100, 100, 3), np.uint8)

    tracemalloc.start()
    try:
        for number, _ in enumerate(predictor().predict(stream(), batch_size=4)):
            if number == 100:
                early = tracemalloc.get_traced_memory()[0]
        late = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    # the runner above keeps its feeds: 120 kB for each of the 500 images, and nothing else may grow
    assert late - early < 500 * 121_000
