"""MNIST and the data sets that are published in its form (Fashion-MNIST, KMNIST), from files that are there already."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from .. import backend
from ..backend import Tensor
from .dataset import Dataset
from .idx import IDXError, read_idx

_NAMES = {True: ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
          False: ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")}  # fmt: skip


class MNIST(Dataset):
    """Images and labels from MNIST's standard files; sample i is (uint8 array of shape (28, 28), int).

    root: the folder with the files, plain or with `.gz`, or the one above `MNIST/raw`. Nothing is downloaded.
    train: the 60,000 images of the training set, else the 10,000 of the test set.
    transform, target_transform: functions of the image (an ndarray of shape (H, W)) and of the label.

    `images` and `labels` are the whole arrays. Raises FileNotFoundError naming the files expected, IDXError for files
    that are damaged or do not belong together.
    """

    def __init__(
        self, root: str | os.PathLike[str], train: bool = True, transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[Any], Any] | None = None,
    ) -> None:  # fmt: skip
        self.root, self.train = Path(root), train
        self.transform, self.target_transform = transform, target_transform
        paths = self._paths()
        self.images, self.labels = (read_idx(path) for path in paths)
        if self.images.ndim != 3 or self.labels.ndim != 1 or len(self.images) != len(self.labels):
            raise IDXError(
                f"MNIST: {paths[0]} holds an array of shape {self.images.shape}, {paths[1]} one of shape "
                f"{self.labels.shape}; expected (n, height, width) and (n,)"
            )
        if transform is None and target_transform is None:
            self.batch = self._batch

    def __len__(self) -> int:
        return len(self.images)

    def __repr__(self) -> str:
        return f"MNIST({str(self.root)!r}, train={self.train}, {len(self)} samples)"

    def __getitem__(self, index: Any) -> tuple[Any, Any]:
        image, label = self.images[index], int(self.labels[index])
        return (
            image if self.transform is None else self.transform(image),
            label if self.target_transform is None else self.target_transform(label),
        )

    def _batch(self, indices: Any) -> tuple[Tensor, Tensor]:
        labels = self.labels.take(indices).astype(np.int64)
        return backend.leaf(self.images.take(indices, axis=0), False), backend.leaf(labels, False)

    def _paths(self) -> list[Path]:
        folders = (self.root, self.root / "MNIST" / "raw")
        found = []
        for name in _NAMES[self.train]:
            candidates = [folder / (name + ending) for folder in folders for ending in ("", ".gz")]
            existing = [path for path in candidates if path.is_file()]
            if not existing:
                raise FileNotFoundError(
                    f"MNIST: {self.root} has no {name} or {name}.gz, nor has MNIST/raw in it; the "
                    f"{'training' if self.train else 'test'} set is {' and '.join(_NAMES[self.train])}"
                )
            found.append(existing[0])
        return found
