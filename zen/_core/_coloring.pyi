from typing import Any

from numpy.typing import NDArray

_Ints = NDArray[Any]

def columns(
    row_starts: _Ints, row_members: _Ints, column_starts: _Ints, column_members: _Ints, order: _Ints
) -> _Ints: ...
def star(starts: _Ints, members: _Ints, order: _Ints) -> _Ints: ...
