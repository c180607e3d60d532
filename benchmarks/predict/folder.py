"""Is `create_model(...).predict(folder)` as fast as a loop written by hand?

    python benchmarks/predict/folder.py MODEL_DIR [PHOTO_FOLDER] [--rounds 5] [--runtime paddle] [--batch-size 1]

The loop: cv2.imread, resize of the short side, centre crop, normalisation, the bare Paddle Inference predictor with the
same settings, top 5. Without a folder 200 photos of 500 x 375 are drawn. The two take turns; the ratio printed is the
median over the rounds of (time by hand / time of pdx): above 0.9 is the goal, above 1 pdx is faster. CPU time is
printed as well, because it tells more on a machine that is busy with other work.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import click
import numpy as np

from pdx_core import create_model
from pdx_core.images import write_image
from pdx_core.inputs import expand
from pdx_core.model_card import find_model_dir, graph_file, read_card
from pdx_core.opencv import require_cv2
from pdx_core.paddle_support import configure_inference, require_paddle
from pdx_core.runtimes.feeds import draw_pictures
from pdx_core.runtimes.machine import usable_cpus


def load_by_hand(folder: Path, onednn: bool):
    require_paddle()
    from paddle import inference

    config = inference.Config(str(graph_file(folder)), str(folder / "inference.pdiparams"))
    config.disable_glog_info()
    config.disable_gpu()
    config.set_cpu_math_library_num_threads(min(8, usable_cpus()))
    configure_inference(config, graph_file(folder).suffix, onednn)
    return inference.create_predictor(config)


def run_by_hand(predictor, paths: list[str], short: int, crop: int, mean, std, batch_size: int) -> list[np.ndarray]:
    cv2 = require_cv2()
    source = predictor.get_input_handle(predictor.get_input_names()[0])
    target = predictor.get_output_handle(predictor.get_output_names()[0])
    mean, std = np.array(mean, np.float32), np.array(std, np.float32)
    found = []
    for start in range(0, len(paths), batch_size):
        batch = []
        for path in paths[start : start + batch_size]:
            image = cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2RGB)
            height, width = image.shape[:2]
            factor = short / min(height, width)
            image = cv2.resize(image, (round(width * factor), round(height * factor)))
            top, left = (image.shape[0] - crop) // 2, (image.shape[1] - crop) // 2
            image = image[top : top + crop, left : left + crop].astype(np.float32) / 255
            batch.append(((image - mean) / std).transpose(2, 0, 1))
        source.copy_from_cpu(np.ascontiguousarray(np.stack(batch)))
        predictor.run()
        found.extend(np.argsort(-target.copy_to_cpu(), axis=1)[:, :5])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model_dir")
    parser.add_argument("photos", nargs="?")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--runtime", default="paddle", choices=["paddle", "paddle_onednn"])
    parser.add_argument("--batch-size", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        photos = arguments.photos
        if photos is None:
            photos = scratch
            cv2 = require_cv2()
            pictures = [cv2.resize(picture, (500, 375)) for picture in draw_pictures(20)]
            for number in range(200):
                write_image(Path(scratch) / f"{number:03d}.jpg", pictures[number % len(pictures)])
        compare(arguments, photos)


def compare(arguments: argparse.Namespace, photos: str) -> None:
    folder = find_model_dir(arguments.model_dir)
    options = {name: values for step in read_card(folder).transforms for name, values in step.items()}
    normal = options["Normalize"] or {}
    mean, std = normal.get("mean", (0.485, 0.456, 0.406)), normal.get("std", (0.229, 0.224, 0.225))
    short, crop = options["ResizeShort"]["size"], options["CenterCrop"]["size"]
    paths = [image.name for image in expand(photos)]
    predictor = load_by_hand(folder, arguments.runtime == "paddle_onednn")
    model = create_model(model_dir=folder, device="cpu", runtime=arguments.runtime)
    times: dict[str, list[float]] = {"hand": [], "pdx": [], "hand cpu": [], "pdx cpu": []}
    for round_number in range(arguments.rounds + 1):
        started, cpu_started = time.perf_counter(), time.process_time()
        by_hand = run_by_hand(predictor, paths, short, crop, mean, std, arguments.batch_size)
        between, cpu_between = time.perf_counter(), time.process_time()
        results = list(model.predict(photos, batch_size=arguments.batch_size))
        ended = time.perf_counter()
        if round_number:  # the first round warms both up
            times["hand"].append(between - started)
            times["pdx"].append(ended - between)
            times["hand cpu"].append(cpu_between - cpu_started)
            times["pdx cpu"].append(time.process_time() - cpu_between)
        same = sum(int(hand[0] == result.class_ids[0]) for hand, result in zip(by_hand, results, strict=True))
    hand, pdx = np.array(times["hand"]), np.array(times["pdx"])
    click.echo(f"{len(paths)} photos, {arguments.runtime}, batch {arguments.batch_size}, same top-1 on {same}")
    click.echo(f"by hand {np.median(hand):.2f} s, pdx {np.median(pdx):.2f} s")
    click.echo(f"CPU: by hand {np.median(times['hand cpu']):.2f} s, pdx {np.median(times['pdx cpu']):.2f} s")
    ratio = float(np.median(hand / pdx))
    click.echo(f"ratio {ratio:.2f} (rounds: {' '.join(f'{value:.2f}' for value in hand / pdx)})")
    sys.exit(0 if ratio >= 0.9 else 1)


if __name__ == "__main__":
    main()
