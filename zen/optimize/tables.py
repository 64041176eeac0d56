"""The table of a fit, a `Summary`, as plain text and as HTML. `summaries.py` calls it."""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np


def text(s: Any) -> str:
    rows = [_head(s), *_rows(s)]
    widths = [max([len(row[k]) for row in rows]) for k in range(len(rows[0]))]
    lines = ["  ".join([c.ljust(w) if k == 0 else c.rjust(w) for k, (c, w) in enumerate(zip(row, widths, strict=True))])
             for row in rows]  # fmt: skip
    return "\n".join([*[line.rstrip() for line in lines], *_foot(s)])


def html(s: Any) -> str:
    head = "".join([f"<th>{escape(c)}</th>" for c in _head(s)])
    body = "".join([
        f"<tr><th>{escape(row[0])}</th>{''.join([f'<td>{escape(c)}</td>' for c in row[1:]])}</tr>" for row in _rows(s)
    ])  # fmt: skip
    foot = "<br>".join([escape(line) for line in _foot(s)])
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table><p>{foot}</p>"


def _head(s: Any) -> list[str]:
    letter = "z" if np.isinf(s.dof) else "t"
    return ["", "estimate", "std. error", letter, "p value", f"{100 * s.level:g} % interval"]


def _rows(s: Any) -> list[list[str]]:
    rows = []
    for k, name in enumerate(s.names):
        estimate = f"{s.estimates[k]:.6g}"
        if not s.free[k]:
            rows.append([name, estimate, "fixed", "", "", ""])
            continue
        low, high = _pair(s.lower[k], s.upper[k])
        rows.append([
            name, estimate, f"{s.standard_errors[k]:.4g}", f"{s.statistics[k]:.2f}", f"{s.p_values[k]:.2g}",
            f"{low} ... {high}",
        ])  # fmt: skip
    width = max([len(row[5].partition(" ... ")[2]) for row in rows])
    for row in rows:
        low, dots, high = row[5].partition(" ... ")
        row[5] = f"{low}{dots}{high.rjust(width)}" if dots else ""
    return rows


def _pair(low: float, high: float) -> tuple[str, str]:
    """Both limits, with digits that tell them apart."""
    for digits in range(4, 12):
        a, b = f"{low:.{digits}g}", f"{high:.{digits}g}"
        if abs(float(a) - low) + abs(float(b) - high) <= 0.01 * (high - low):
            break
    return a, b


def _foot(s: Any) -> list[str]:
    return [s.foot(), *[f"note: {note}" for note in s.notes]]
