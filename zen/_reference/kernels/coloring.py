"""Colours for the columns of sparse matrices, and for graphs, in Python: the twin of `zen/_core/_coloring.pyx`."""

from __future__ import annotations

import numpy as np


def columns(
    row_starts: np.ndarray,
    row_members: np.ndarray,
    column_starts: np.ndarray,
    column_members: np.ndarray,
    order: np.ndarray,
) -> np.ndarray:
    """A colour for each column, so that columns of one colour share no row; -1 for one without entries."""
    rows = _lists(column_starts, column_members)
    used: list[set[int]] = [set() for _ in range(row_starts.size - 1)]  # the colours in each row
    colors = np.full(column_starts.size - 1, -1, np.intp)
    for j in order.tolist():
        if rows[j]:
            c = colors[j] = _smallest(set().union(*[used[i] for i in rows[j]]))
            for i in rows[j]:
                used[i].add(c)
    return colors


def star(starts: np.ndarray, members: np.ndarray, order: np.ndarray) -> np.ndarray:
    """A colour for each vertex, so that neighbours differ and no path of four has two colours; -1 for a lone vertex."""
    graph = _lists(starts, members)
    colors = [-1] * len(graph)
    by_color: list[dict[int, list[int]]] = [{} for _ in graph]  # for each vertex the neighbours of each colour
    centres: list[list[int]] = [[] for _ in graph]
    for v in order.tolist():
        if not graph[v]:
            continue
        forbidden = set()
        for w in graph[v]:
            if w != v and colors[w] >= 0:
                beyond = graph[w] if len(by_color[v][colors[w]]) > 1 else centres[w]
                forbidden.add(colors[w])
                forbidden.update([colors[x] for x in beyond if x != v])
        c = colors[v] = _smallest(forbidden)
        for x in graph[v]:
            if x == v:
                continue
            alike = by_color[x].setdefault(c, [])
            alike.append(v)
            for end in alike if len(alike) == 2 else alike[-1:] if len(alike) > 2 else ():
                centres[end].append(x)
    return np.array(colors, np.intp)


def _lists(starts: np.ndarray, members: np.ndarray) -> list[list[int]]:
    found, bounds = members.tolist(), starts.tolist()
    return [found[a:b] for a, b in zip(bounds, bounds[1:], strict=False)]


def _smallest(forbidden: set[int]) -> int:
    c = 0
    while c in forbidden:
        c += 1
    return c
