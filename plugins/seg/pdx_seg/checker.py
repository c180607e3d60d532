"""Checks and splits segmentation datasets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from pdx_core.data.check import CheckSettings
from pdx_core.data.findings import Findings
from pdx_core.data.image_check import check_images, report_duplicates
from pdx_core.data.pictures import draw_samples, pick_samples
from pdx_core.data.split import UNSPLIT, divide, require_clean
from pdx_core.images import read_image
from pdx_seg.advice import advise_remap
from pdx_seg.class_statistics import write_statistics
from pdx_seg.labels import IGNORE
from pdx_seg.mask_checks import SplitStatistics, check_masks, place_of
from pdx_seg.readers.coding import show_values
from pdx_seg.readers.formats import SCANS, scan_all
from pdx_seg.readers.label_maps import read_label_map, settle_classes
from pdx_seg.readers.listing import Listing, Pair
from pdx_seg.remap import Colour
from pdx_seg.truth_pictures import draw_truth
from pdx_seg.writing import write_json_lists, write_pair_lists, write_voc_lists


class _Checker:
    """A `contracts.DatasetChecker`; `format` is the name of the reader's record."""

    dataset_type: ClassVar[str] = "SegDataset"
    format: ClassVar[str] = "SegDataset"

    def __init__(self, root: Path, settings: CheckSettings) -> None:
        self.root = Path(root)
        self.settings = settings
        self.options: Mapping[str, Any] = settings.options
        self.listing: Listing | None = None
        self.statistics: dict[str, SplitStatistics] = {}

    def check(self, findings: Findings) -> None:
        """Find every defect of lists, images and masks."""
        listing = self.listing = SCANS[self.format](self.root, findings, self.settings.splits, **self.options)
        named: dict[str, tuple[Path, str, str]] = {}
        places: dict[str, list[tuple[str, str, str]]] = {}
        for name, split in listing.splits.items():
            places[name] = [(pair.image, *place_of(split, pair)) for pair in split.pairs]
            for pair, (shown, file, place) in zip(split.pairs, places[name], strict=True):
                named.setdefault(shown, (listing.image_path(pair), file, place))
            if not split.pairs and name != UNSPLIT:
                findings.add(
                    "split-empty",
                    f"there is no usable {name} image",
                    file=split.source,
                    fix=f"add {name} images with their masks, or divide the others with `pdx split`",
                )
        facts = check_images(named, findings, self.settings.max_megapixels)
        self.statistics, raw = check_masks(listing, facts, findings, self.settings.max_megapixels)
        _check_classes(listing, self.statistics, raw, findings)
        report_duplicates(facts, places, findings)

    def attributes(self, output: Path) -> dict[str, Any]:
        """The published attributes, with pictures drawn below `output`."""
        listing = self.listing
        assert listing is not None and listing.classes is not None, "check comes first, and found no error"
        used: set[str] = set()
        found: dict[str, Any] = {}
        for name in ("train", "val"):
            pairs = listing.splits[name].pairs if name in listing.splits else []
            found[f"{name}_sample_paths"] = draw_samples(
                pick_samples(pairs), output, lambda pair: pair.image, lambda pair: self._drawn(listing, pair), used
            )
            found[f"{name}_samples"] = len(pairs)
        write_statistics(output, listing.classes, self.statistics)
        return {**found, "num_classes": len(listing.classes)}

    def split(self, output: Path, train_percent: int, val_percent: int, seed: int) -> dict[str, int]:
        """Divide all images anew and write lists into `output`."""
        findings = Findings()
        listing = scan_all(self.format, self.root, findings, **self.options)
        require_clean(findings, self.root)
        pairs = [pair for split in listing.splits.values() for pair in split.pairs]
        train, val = divide(pairs, train_percent, seed)
        self._write(output, listing, {"train": train, "val": val})
        return {"train": len(train), "val": len(val)}

    def _write(self, output: Path, listing: Listing, parts: dict[str, list[Pair]]) -> None:
        write_pair_lists(output, listing, parts)

    def _drawn(self, listing: Listing, pair: Pair) -> np.ndarray:
        image = read_image(listing.image_path(pair), max_megapixels=self.settings.max_megapixels)
        height, width = image.shape[:2]
        label_map = read_label_map(listing, pair, (width, height), self.settings.max_megapixels)
        return draw_truth(image, label_map, listing.classes or ())


class ListsChecker(_Checker):
    """For lists of images and masks."""


class FoldersChecker(_Checker):
    """For folders of images and masks."""

    format = "MaskFolders"
    dataset_type = "MaskFolders"


class VocChecker(_Checker):
    """For VOC's layout."""

    format = "VOCSegDataset"
    dataset_type = "VOCSegDataset"

    def _write(self, output: Path, listing: Listing, parts: dict[str, list[Pair]]) -> None:
        if output.resolve() == listing.root.resolve():
            write_voc_lists(output, parts, in_place=True)
        else:
            write_pair_lists(output, listing, parts)


class CityscapesChecker(_Checker):
    """For Cityscapes."""

    format = "Cityscapes"
    dataset_type = "Cityscapes"


class LabelMeChecker(_Checker):
    """For LabelMe files with polygons."""

    format = "LabelMeSegDataset"
    dataset_type = "LabelMeSegDataset"

    def _write(self, output: Path, listing: Listing, parts: dict[str, list[Pair]]) -> None:
        write_json_lists(output, listing, parts)


def _check_classes(
    listing: Listing, statistics: dict[str, SplitStatistics], raw: Counter[int | Colour], findings: Findings
) -> None:
    """What the masks hold, taken together, against the classes."""
    if UNSPLIT in listing.splits or not any(part.masks for part in statistics.values()):
        return
    source = next(iter(listing.splits.values())).source
    total = sum((part.pixels for part in statistics.values()), np.zeros(256, np.int64))
    if set(raw) == {0, IGNORE} and not total[1:IGNORE].any() and total[IGNORE]:
        findings.add(
            "mask-binary",
            f"all masks hold 0 and {IGNORE} only ({show_values(raw)}), and {IGNORE} is ignored: one class is left",
            file=source,
            value=f"0, {IGNORE}",
            fix=advise_remap(listing.coding, raw),
        )
        return
    if listing.classes is None:
        settle_classes(listing, total, raw, findings)
    if listing.classes is None:
        return  # every pixel is ignored, which each mask was told
    train = statistics.get("train")
    used = np.flatnonzero(total[:IGNORE])
    if len(used) < 2 or (train is not None and train.masks and np.count_nonzero(train.pixels[:IGNORE]) < 2):
        findings.add(
            "one-class",
            f"the {'train ' if len(used) > 1 else ''}masks show one class only: {listing.classes[int(used[0])]!r}"
            if len(used)
            else "the masks show no class at all",
            file=source,
            value=show_values(raw),
            fix="annotate a second class; a background is one",
        )
        return
    for label, name in enumerate(listing.classes):
        images = {split: int(part.images[label]) for split, part in statistics.items()}
        place = {"file": listing.class_file or source, "value": name}
        if images.get("val") and images.get("train") == 0:
            message = f"class {label} ({name}) occurs in {images['val']} val images but in no train image"
            fix = "add training images of it, or split anew with `pdx split`"
            findings.warn("class-not-in-train", message, fix=fix, **place)
        elif "train" in images and not any(images.values()):
            findings.warn("class-unused", f"class {label} ({name}) has no pixel", fix="annotate some, or remove the "
                          "class and renumber the others", **place)  # fmt: skip
