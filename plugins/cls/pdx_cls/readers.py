"""Readers of classification datasets."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from pdx_cls.listing import Listing, scan_folders, scan_lists
from pdx_core.data.findings import Findings
from pdx_core.data.sample import Sample
from pdx_core.errors import DataError
from pdx_core.images import DEFAULT_MAX_MEGAPIXELS, read_image


class _Images:
    """Images with one class each. `classes` are those of the whole dataset, whichever split is read."""

    def __init__(
        self, scan: Callable[..., Listing], root: Path, split: str, max_megapixels: float = DEFAULT_MAX_MEGAPIXELS
    ) -> None:
        findings = Findings()
        self.listing = scan(Path(root), findings, (split,))
        findings.raise_errors(f"the dataset {root} cannot be used")
        self.classes = self.listing.classes
        self.split = split
        self.max_megapixels = max_megapixels
        self.entries = self.listing.entries.get(split, [])
        if not self.entries:
            raise DataError(
                f"{self.listing.root / self.listing.sources.get(split, split)}: there are no {split} images"
            )

    def __len__(self) -> int:
        return len(self.entries)

    def __getitem__(self, index: int) -> Sample:
        entry = self.entries[index]
        path = self.listing.image_path(entry)
        image = read_image(path, max_megapixels=self.max_megapixels)
        return Sample(image=image, label=entry.label, path=str(path), id=entry.path, size=image.shape[:2])

    def describe(self, index: int) -> str:
        """The file of a sample."""
        return str(self.listing.image_path(self.entries[index]))

    @property
    def labels(self) -> Sequence[int]:
        """The class ids of all samples, without reading an image."""
        return [entry.label for entry in self.entries]


class ClsDataset(_Images):
    """List files, `path class-id` per line, and a label file. Raises DataError naming the wrong lines."""

    def __init__(self, root: Path, split: str = "train", max_megapixels: float = DEFAULT_MAX_MEGAPIXELS) -> None:
        super().__init__(scan_lists, root, split, max_megapixels)


class ImageFolder(_Images):
    """train/<class>/image and val/<class>/image."""

    def __init__(self, root: Path, split: str = "train", max_megapixels: float = DEFAULT_MAX_MEGAPIXELS) -> None:
        super().__init__(scan_folders, root, split, max_megapixels)
