"""A nonlinear fit with standard errors: the mobility of electrons in a semiconductor, against certified values.

37 observations by R. Thurber, from the Statistical Reference Datasets of NIST, nonlinear regression, "Thurber":
mobility against the logarithm of density, fitted by a quotient of two cubic polynomials. NIST certifies parameters and
standard deviations to eleven digits; the table and the 95 % bands come from `zen.optimize`, whose Jacobian is exact.
Leaves a picture of the data, the curve, its confidence band, and the interval of new observations.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from program import arguments, clock, picture

import zen

DENSITY = np.array([
    -3.067, -2.981, -2.921, -2.912, -2.840, -2.797, -2.702, -2.699, -2.633, -2.481, -2.363, -2.322, -1.501, -1.460,
    -1.274, -1.212, -1.100, -1.046, -0.915, -0.714, -0.566, -0.545, -0.400, -0.309, -0.109, -0.103, 0.010, 0.119, 0.377,
    0.790, 0.963, 1.006, 1.115, 1.572, 1.841, 2.047, 2.200,
])  # fmt: skip
MOBILITY = np.array([
    80.574, 84.248, 87.264, 87.195, 89.076, 89.608, 89.868, 90.101, 92.405, 95.854, 100.696, 101.060, 401.672, 390.724,
    567.534, 635.316, 733.054, 759.087, 894.206, 990.785, 1090.109, 1080.914, 1122.643, 1178.351, 1260.531, 1273.514,
    1288.339, 1327.543, 1353.863, 1414.509, 1425.208, 1421.384, 1442.962, 1464.350, 1468.705, 1447.894, 1457.628,
])  # fmt: skip
CERTIFIED = np.array([
    1.2881396800e03, 1.4910792535e03, 5.8323836877e02, 7.5416644291e01, 9.6629502864e-01, 3.9797285797e-01,
    4.9727297349e-02,
])  # fmt: skip
DEVIATIONS = np.array([
    4.6647963344e00, 3.9571156086e01, 2.8698696102e01, 5.5675370270e00, 3.1333340687e-02, 1.4984928198e-02,
    6.5842344623e-03,
])  # fmt: skip
"""What NIST certifies: the parameters and their standard deviations."""


def mobility(p: dict[str, Any], x: Any) -> Any:
    """(a0 + a1 x + a2 x^2 + a3 x^3) / (1 + b0 x + b1 x^2 + b2 x^3)."""
    above, below = p["above"], p["below"]
    numerator = above[0] + x * (above[1] + x * (above[2] + x * above[3]))
    return numerator / (1 + x * (below[0] + x * (below[1] + x * below[2])))


def main() -> None:
    chosen = arguments("A nonlinear fit with standard errors, against certified values.").parse_args()
    start = {"above": np.array([1000.0, 1000.0, 400.0, 40.0]), "below": np.array([0.7, 0.3, 0.03])}
    with clock(chosen, "the fit"):
        fit = zen.optimize.least_squares(
            lambda p: mobility(p, DENSITY) - MOBILITY, start, x_scale="jac", ftol=1e-15, xtol=1e-15, gtol=1e-15
        )
    table = zen.optimize.summary(fit)
    print(table)
    print(f"{fit.nfev} evaluations, {fit.njev} Jacobians")
    far = np.abs(table.estimates / CERTIFIED - 1).max()
    print(f"parameters differ from the certified ones by at most {far:.1e} of each")
    far = np.abs(table.standard_errors / DEVIATIONS - 1).max()
    print(f"standard errors differ from the certified ones by at most {far:.1e} of each")

    at = np.linspace(DENSITY.min(), DENSITY.max(), 60 if chosen.quick else 300)
    curve = table.band(mobility, at)
    new = table.band(mobility, at, prediction=True)
    with picture(chosen, "nonlinear_fit", figsize=(7, 4.2)) as axes:
        axes.fill_between(at, new.lower, new.upper, alpha=0.12, color="#1f4e8c", label="95 % of new observations")
        axes.fill_between(at, curve.lower, curve.upper, alpha=0.35, color="#1f4e8c", label="95 % band of the curve")
        axes.plot(at, curve.value, color="#1f4e8c", linewidth=1, label="fit")
        axes.plot(DENSITY, MOBILITY, ".", color="#c0504d", label="observations")
        axes.set(
            xlabel="logarithm of density", ylabel="mobility of electrons", title="Thurber's data, cubic over cubic"
        )
        axes.legend()


if __name__ == "__main__":
    main()
