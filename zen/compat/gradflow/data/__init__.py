"""gradflow's `data`."""

from .dataset import Dataset as Dataset
