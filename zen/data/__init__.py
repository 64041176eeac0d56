"""Data: datasets, samplers, the DataLoader, transforms for images, and readers of files."""

from typing import TYPE_CHECKING

from ..exports import shown as _shown
from . import transforms as transforms
from .collate import default_collate as default_collate
from .collate import default_convert as default_convert
from .dataset import ConcatDataset as ConcatDataset
from .dataset import Dataset as Dataset
from .dataset import IterableDataset as IterableDataset
from .dataset import MapDataset as MapDataset
from .dataset import Subset as Subset
from .dataset import TensorDataset as TensorDataset
from .dataset import random_split as random_split
from .idx import IDXError as IDXError
from .idx import read_idx as read_idx
from .idx import write_idx as write_idx
from .loader import DataLoader as DataLoader
from .mnist import MNIST as MNIST
from .npz import read_npz as read_npz
from .randomness import sample_generator as sample_generator
from .sampler import BatchSampler as BatchSampler
from .sampler import RandomSampler as RandomSampler
from .sampler import Sampler as Sampler
from .sampler import SequentialSampler as SequentialSampler
from .sampler import SubsetRandomSampler as SubsetRandomSampler
from .sampler import WeightedRandomSampler as WeightedRandomSampler
from .tables import read_csv as read_csv
from .tables import read_parquet as read_parquet

if not TYPE_CHECKING:  # which reads the imports above
    __all__, __dir__ = _shown(globals(), ("transforms",))
