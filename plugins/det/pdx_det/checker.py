"""Checks and splits detection datasets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from pdx_core.data.check import CheckSettings
from pdx_core.data.findings import Findings
from pdx_core.data.image_check import ImageFacts, check_images, report_duplicates
from pdx_core.data.pictures import draw_histogram, draw_samples, pick_samples
from pdx_core.data.size_check import size_difference
from pdx_core.data.split import divide, require_clean
from pdx_core.drawing import draw_boxes, label_colour
from pdx_core.image_size import displayed_size
from pdx_core.images import read_image
from pdx_det.box_histograms import draw_box_shapes
from pdx_det.readers.box_checks import BoxChecker, Place
from pdx_det.readers.formats import SCANS, scan_all
from pdx_det.readers.listing import Listing, Picture, SplitListing
from pdx_det.writing import write_coco_split, write_lists_split, write_yolo_split


class BoxDatasetChecker:
    """A `contracts.DatasetChecker`. A format adds how it is written; another task what it knows beside the boxes.

    format: the name of the reader's record
    unit:   what is counted per class, in the histogram
    """

    dataset_type: ClassVar[str] = "COCODetDataset"
    format: ClassVar[str] = "COCODetDataset"
    unit: ClassVar[str] = "boxes"

    def __init__(self, root: Path, settings: CheckSettings) -> None:
        self.root = Path(root)
        self.settings = settings
        self.listing: Listing | None = None

    # -- what a format or a task may say otherwise -------------------------------------------------------------------
    def scan(self, findings: Findings) -> Listing:
        """The splits that are checked."""
        return SCANS[self.format](self.root, findings, self.settings.splits)

    def scan_everything(self, findings: Findings) -> Listing:
        """All splits there are, to divide them anew."""
        return scan_all(self.format, self.root, findings)

    def look_closer(self, listing: Listing, facts: Mapping[str, ImageFacts], findings: Findings) -> None:
        """Further checks of a task. facts: of the readable images, by the name users know (`shown`)."""

    def drawn(self, listing: Listing, split: SplitListing, at: int) -> np.ndarray:
        """An image with its annotation, uint8 [H, W, 3] RGB."""
        boxes = split.table.boxes(at)
        labels = boxes.labels.tolist()
        return draw_boxes(
            self.image(split, at),
            boxes.xyxy,
            [listing.classes[label] for label in labels],
            [label_colour(label) for label in labels],
        )

    def draw_statistics(self, output: Path, listing: Listing) -> None:
        """Pictures of what the annotations are like, beside the histogram of the classes."""
        draw_box_shapes(output, {name: split.table.xyxy for name, split in listing.splits.items()})

    def write(self, output: Path, listing: Listing, parts: dict[str, Sequence[tuple[SplitListing, int]]]) -> None:
        """Annotation files of a new division."""
        raise NotImplementedError

    # -- what all have -----------------------------------------------------------------------------------------------
    def check(self, findings: Findings) -> None:
        """Find every defect of annotations and images."""
        listing = self.listing = self.scan(findings)
        _check_classes(listing, findings)
        named: dict[str, tuple[Path, str, str]] = {}
        places: dict[str, list[tuple[str, str, str]]] = {}
        for name, split in listing.splits.items():
            places[name] = []
            for picture in split.pictures:
                file, place = _place(split, picture)
                shown = self.shown(split, picture)
                named.setdefault(shown, (split.image_path(picture), file, place))
                places[name].append((shown, file, place))
            if not split.pictures:
                findings.add(
                    "split-empty",
                    f"there is no usable {name} image",
                    file=split.source,
                    fix=f"add {name} images, or divide the others with `pdx split`",
                )
            elif not len(split.table):
                findings.add("boxes-missing", f"the {name} images have no usable box at all", file=split.source,
                             fix="annotate them")  # fmt: skip
        facts = check_images(named, findings, self.settings.max_megapixels)
        for split in listing.splits.values():
            for at, picture in enumerate(split.pictures):
                fact = facts.get(self.shown(split, picture))
                if fact is not None and picture.width and picture.height:
                    _check_size(split, picture, fact, findings)
                elif fact is not None:
                    _check_boxes(split, at, findings)
        report_duplicates(facts, places, findings)
        self.look_closer(listing, facts, findings)

    def attributes(self, output: Path) -> dict[str, Any]:
        """The published attributes, with pictures drawn below `output`."""
        listing = self.listing
        assert listing is not None, "check comes first"
        used: set[str] = set()
        found: dict[str, Any] = {"num_classes": len(listing.classes)}
        for name in ("train", "val"):
            split = listing.splits.get(name)
            indices = list(range(len(split.pictures))) if split else []
            found[f"{name}_samples"] = len(indices)
            found[f"{name}_sample_paths"] = draw_samples(
                pick_samples(indices),
                output,
                lambda at, split=split: split.pictures[at].path,
                lambda at, split=split: self.drawn(listing, split, at),
                used,
            )
        counts = {
            name: np.bincount(listing.splits[name].table.labels, minlength=len(listing.classes)).tolist()
            if name in listing.splits
            else [0] * len(listing.classes)
            for name in ("train", "val")
        }
        draw_histogram(output, listing.classes, counts["train"], counts["val"], unit=self.unit)
        self.draw_statistics(output, listing)
        return found

    def split(self, output: Path, train_percent: int, val_percent: int, seed: int) -> dict[str, int]:
        """Divide all images anew and write annotation files into `output`."""
        findings = Findings()
        listing = self.scan_everything(findings)
        require_clean(findings, self.root)
        items = [(split, at) for split in listing.splits.values() for at in range(len(split.pictures))]
        train, val = divide(items, train_percent, seed)
        self.write(output, listing, {"train": train, "val": val})
        return {"train": len(train), "val": len(val)}

    def image(self, split: SplitListing, at: int) -> np.ndarray:
        """An image of a split, uint8 [H, W, 3] RGB."""
        return read_image(split.image_path(split.pictures[at]), max_megapixels=self.settings.max_megapixels)

    def shown(self, split: SplitListing, picture: Picture) -> str:
        """The path of an image as users know it: relative to the dataset where it lies in it."""
        try:
            return split.image_path(picture).relative_to(self.root).as_posix()
        except ValueError:
            return split.image_path(picture).as_posix()


class CocoChecker(BoxDatasetChecker):
    """For COCO json."""

    def write(self, output, listing, parts) -> None:
        write_coco_split(output, listing, parts)


class VocChecker(BoxDatasetChecker):
    """For VOC xml."""

    format = "VOCDetDataset"
    dataset_type = "VOCDetDataset"

    def write(self, output, listing, parts) -> None:
        write_lists_split(output, listing, parts, "{}_list.txt", ".xml")


class YoloChecker(BoxDatasetChecker):
    """For YOLO text files."""

    format = "YOLODetDataset"
    dataset_type = "YOLODetDataset"

    def write(self, output, listing, parts) -> None:
        write_yolo_split(output, listing, parts)


class LabelMeChecker(BoxDatasetChecker):
    """For LabelMe json."""

    format = "LabelMeDetDataset"
    dataset_type = "LabelMeDetDataset"

    def write(self, output, listing, parts) -> None:
        write_lists_split(output, listing, parts, "{}_anno_list.txt", ".json")


def _place(split: SplitListing, picture: Picture) -> tuple[str, str]:
    """The file that names an image, and where in it; for folders the image itself."""
    if split.source in (".", "") or (split.image_root / split.source).is_dir():
        return picture.path, ""
    return split.source, split.picture_place.format(picture.number)


def _check_size(split: SplitListing, picture: Picture, fact: ImageFacts, findings: Findings) -> None:
    """The annotated size against that of the file, as it is shown after its EXIF rotation."""
    annotated = (picture.width, picture.height)
    shown = displayed_size(split.image_path(picture))
    kind = size_difference(annotated, shown, (fact.width, fact.height))
    if not kind:
        return
    place = {"file": picture.annotation or split.source, "value": f"{annotated[0]} x {annotated[1]}"}
    if split.box_place.startswith("annotations"):  # the sizes stand beside the images of a COCO file
        place["location"] = split.picture_place.format(picture.number)
    size = f"the annotation says {annotated[0]} x {annotated[1]} pixels, {picture.path} has {shown[0]} x {shown[1]}"
    if kind == "unrotated":
        findings.add(
            "image-size-rotated",
            f"{size} after the rotation its EXIF data ask for: it was annotated unrotated",
            field="width, height",
            fix="rotate the pixels and remove the EXIF orientation, or annotate it anew",
            **place,
        )
    elif kind == "swapped":
        findings.add("image-size-swapped", f"{size}: width and height are exchanged", field="width, height",
                     fix="exchange them, and look at the boxes", **place)  # fmt: skip
    else:
        findings.add("image-size-differs", size, field="width, height",
                     fix="correct the size; if the image was resized, scale its boxes too", **place)  # fmt: skip


def _check_boxes(split: SplitListing, at: int, findings: Findings) -> None:
    """Boxes of a picture whose annotation does not say its size, against the file."""
    picture, rows = split.pictures[at], split.table.rows(at)
    size = displayed_size(split.image_path(picture))
    checker = BoxChecker(findings)
    for xyxy, number in zip(split.table.xyxy[rows].tolist(), split.table.numbers[rows].tolist(), strict=True):
        checker.usable(tuple(xyxy), size, Place(picture.annotation, split.box_place.format(number), "box"))


def _check_classes(listing: Listing, findings: Findings) -> None:
    """Classes against their use in the splits."""
    counts = {
        name: np.bincount(split.table.labels, minlength=len(listing.classes)) for name, split in listing.splits.items()
    }
    for label, name in enumerate(listing.classes):
        used = {split: int(count[label]) for split, count in counts.items()}
        if used.get("val") and used.get("train") == 0:
            findings.warn(
                "class-not-in-train",
                f"class {name!r} has {used['val']} val boxes but no train box",
                file=listing.splits["train"].source,
                field="categories",
                value=name,
                fix="add training images of it, or split anew with `pdx split`",
            )
        elif "train" in used and not any(used.values()):
            findings.warn(
                "class-unused",
                f"class {name!r} has no box",
                file=listing.splits["train"].source,
                field="categories",
                value=name,
                fix="annotate some, or remove the class",
            )
