"""Checks and splits classification datasets."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pdx_cls.listing import Entry, Listing, scan_folders, scan_lists
from pdx_cls.readers_light import LABEL_NAMES, LIST_NAMES, split_folder
from pdx_cls.writing import write_lists
from pdx_core.data.check import CheckSettings
from pdx_core.data.findings import Findings
from pdx_core.data.image_check import check_images, report_duplicates
from pdx_core.data.pictures import draw_histogram, draw_samples, pick_samples
from pdx_core.data.split import UNSPLIT, divide_by_class, require_clean
from pdx_core.drawing import draw_label, label_colour
from pdx_core.errors import DataError
from pdx_core.images import read_image


class _Checker:
    """A `contracts.DatasetChecker`; how files and classes are found is the subclass's."""

    dataset_type = "ClsDataset"
    scan: Callable[..., Listing]

    def __init__(self, root: Path, settings: CheckSettings) -> None:
        self.root = root
        self.settings = settings
        self.listing: Listing | None = None

    def check(self, findings: Findings) -> None:
        """Find every defect of lists, classes and images."""
        listing = self.listing = type(self).scan(self.root, findings, self.settings.splits)
        _check_splits(listing, findings)
        _check_lines(listing, findings)
        _check_classes(listing, findings)
        named: dict[str, tuple[Path, str, str]] = {}
        for split, entries in listing.entries.items():
            for entry in entries:  # the first place that names an image is the one to mend
                named.setdefault(entry.path, (listing.image_path(entry), *_place(listing, split, entry)))
        labels = {entry.path: entry.label for entries in listing.entries.values() for entry in entries}
        facts = check_images(named, findings, self.settings.max_megapixels)
        places = {
            split: [(entry.path, *_place(listing, split, entry)) for entry in entries]
            for split, entries in listing.entries.items()
        }
        report_duplicates(facts, places, findings, labels.get)

    def attributes(self, output: Path) -> dict[str, Any]:
        """The published attributes, with pictures drawn below `output`."""
        listing = self.listing
        assert listing is not None, "check comes first"
        used: set[str] = set()

        def draw(entry: Entry) -> Any:
            image = read_image(listing.image_path(entry), max_megapixels=self.settings.max_megapixels)
            return draw_label(image, listing.classes[entry.label], colour=label_colour(entry.label))

        found: dict[str, Any] = {
            "label_file": os.path.relpath(listing.label_file, output).replace(os.sep, "/")
            if listing.label_file
            else None,
            "num_classes": len(listing.classes),
        }
        for split in ("train", "val"):
            entries = listing.entries.get(split, [])
            found[f"{split}_samples"] = len(entries)
            found[f"{split}_sample_paths"] = draw_samples(
                pick_samples(entries), output, lambda entry: entry.path, draw, used
            )
        counts = {split: Counter(entry.label for entry in entries) for split, entries in listing.entries.items()}
        draw_histogram(
            output,
            listing.classes,
            *(
                [counts.get(split, Counter())[label] for label in range(len(listing.classes))]
                for split in ("train", "val")
            ),
        )
        return found

    def split(self, output: Path, train_percent: int, val_percent: int, seed: int) -> dict[str, int]:
        """Divide all images anew, class by class, and write lists into `output`."""
        findings = Findings()
        listing = type(self).scan(self.root, findings, self._splits_there())
        if listing.entries.keys() == {UNSPLIT}:
            findings = Findings()  # its only complaint is that nobody has split the folders
        require_clean(findings, self.root)
        entries = [entry for part in listing.entries.values() for entry in part]
        train, val = divide_by_class(entries, [entry.label for entry in entries], train_percent, seed)
        write_lists(output, listing, {"train": train, "val": val})
        return {"train": len(train), "val": len(val)}

    def _splits_there(self) -> Sequence[str]:
        raise NotImplementedError


class ListsChecker(_Checker):
    """For list files."""

    scan = staticmethod(scan_lists)

    def _splits_there(self) -> Sequence[str]:
        return [split for split, names in LIST_NAMES.items() if any((self.root / name).is_file() for name in names)]


class FoldersChecker(_Checker):
    """For class folders."""

    scan = staticmethod(scan_folders)

    def _splits_there(self) -> Sequence[str]:
        return [split for split in LIST_NAMES if split_folder(self.root, split) is not None]


def _place(listing: Listing, split: str, entry: Entry) -> tuple[str, str]:
    """The file that names an image, and where in it; for folders the image itself."""
    return (listing.sources[split], f"line {entry.line}") if entry.line else (entry.path, "")


def _check_splits(listing: Listing, findings: Findings) -> None:
    for split, entries in listing.entries.items():
        if not entries:
            findings.add(
                "split-empty",
                f"there is no usable {split} image",
                file=listing.sources[split],
                fix=f"add {split} images, or divide the others with `pdx split`",
            )


def _check_lines(listing: Listing, findings: Findings) -> None:
    """Images that are listed twice."""
    for split, entries in listing.entries.items():
        first: dict[str, Entry] = {}
        for entry in entries:
            other = first.setdefault(entry.path, entry)
            if other is entry:
                continue
            place = {"file": listing.sources[split], "location": f"line {entry.line}", "value": entry.path}
            if other.label != entry.label:
                findings.add(
                    "two-classes",
                    f"has class {entry.label} here and {other.label} in line {other.line}",
                    fix="keep the right line",
                    **place,
                )
            else:
                findings.warn("line-twice", f"is the same as line {other.line}", fix="remove one of them", **place)


def _check_classes(listing: Listing, findings: Findings) -> None:
    """Classes against their use in the splits. Ids are only meaningful once the label file could be read."""
    if not listing.classes:
        return
    name = listing.label_file.name if listing.label_file else "."
    if len(listing.classes) < 2:
        findings.add(
            "one-class",
            f"there is only the class {listing.classes[0]!r}; a classifier needs at least two",
            file=name if listing.label_file else listing.sources.get("train", LABEL_NAMES[0]),
            value=len(listing.classes),
            fix="add images of another class",
        )
        return
    used = {split: {entry.label for entry in entries} for split, entries in listing.entries.items()}
    if used.get("train") and used.get("val"):
        if len(used["train"]) == 1:
            findings.add(
                "one-class",
                f"all training images are of class {listing.classes[min(used['train'])]!r}",
                file=listing.sources["train"],
                value=min(used["train"]),
                fix="add training images of other classes",
            )
        for label in sorted(used["val"] - used["train"]):
            findings.add(
                "class-not-in-train",
                f"class {label} ({listing.classes[label]}) has val images but no train image",
                file=listing.sources["val"],
                value=label,
                fix="add training images of it, or split anew with `pdx split`",
            )
    if used and "train" in used:
        for label in sorted(set(range(len(listing.classes))) - set().union(*used.values())):
            findings.warn(
                "class-unused",
                f"class {label} ({listing.classes[label]}) has no image",
                file=name,
                value=label,
                fix="add images, or remove the class and renumber the others",
            )


def refuse_unsplit(listing: Listing) -> None:
    """DataError for class folders that have no train and val."""
    if UNSPLIT in listing.entries:
        raise DataError(f"{listing.root} is not split; use: pdx split {listing.root} --train 90 --val 10")
