"""Pictures: of recorded graphs (`graph`), and of what happens inside a model (`statistics`). For people to look at."""

from typing import TYPE_CHECKING

from ..exports import shown as _shown
from .drawing import Graph as Graph
from .drawing import graph as graph
from .statistics import Record as Record
from .statistics import Statistics as Statistics
from .statistics import Summary as Summary
from .statistics import statistics as statistics

if not TYPE_CHECKING:  # which reads the imports above
    __all__, __dir__ = _shown(globals())
