"""Data sets of NIST's Statistical Reference Datasets, nonlinear regression, with the certified values.

https://www.itl.nist.gov/div898/strd/nls/nls_main.shtml. Each: the model, both starts, certified parameters and their
standard deviations, the residual standard deviation, x and y.
"""

from typing import NamedTuple

import numpy as np


class Certified(NamedTuple):
    model: object
    starts: tuple
    values: list
    deviations: list
    scale: float
    x: np.ndarray
    y: np.ndarray


SETS = {
    "Misra1a": Certified(
        lambda b, x: b[0] * (1 - np.exp(-b[1] * x)),
        ([500, 0.0001], [250, 0.0005]),
        [2.3894212918e02, 5.5015643181e-04],
        [2.7070075241e00, 7.2668688436e-06],
        1.0187876330e-01,
        np.array([77.6, 114.9, 141.1, 190.8, 239.9, 289, 332.8, 378.4, 434.8, 477.3, 536.8, 593.1, 689.1, 760]),
        np.array([10.07, 14.73, 17.94, 23.93, 29.61, 35.18, 40.02, 44.82, 50.76, 55.05, 61.01, 66.4, 75.47, 81.78]),
    ),
    "Rat43": Certified(
        lambda b, x: b[0] / (1 + np.exp(b[1] - b[2] * x)) ** (1 / b[3]),
        ([100, 10, 1, 1], [700, 5, 0.75, 1.3]),
        [6.9964151270e02, 5.2771253025e00, 7.5962938329e-01, 1.2792483859e00],
        [1.6302297817e01, 2.0828735829e00, 1.9566123451e-01, 6.8761936385e-01],
        2.8262414662e01,
        np.arange(1.0, 16),
        np.array([16.08, 33.83, 65.8, 97.2, 191.55, 326.2, 386.87, 520.53, 590.03, 651.92, 724.93, 699.56, 689.96,
                  637.56, 717.41]),
    ),
    "MGH09": Certified(
        lambda b, x: b[0] * (x**2 + b[1] * x) / (x**2 + x * b[2] + b[3]),
        ([25, 39, 41.5, 39], [0.25, 0.39, 0.415, 0.39]),
        [1.9280693458e-01, 1.9128232873e-01, 1.2305650693e-01, 1.3606233068e-01],
        [1.1435312227e-02, 1.9633220911e-01, 8.0842031232e-02, 9.0025542308e-02],
        6.6279236551e-03,
        np.array([4, 2, 1, 0.5, 0.25, 0.167, 0.125, 0.1, 0.0833, 0.0714, 0.0625]),
        np.array([0.1957, 0.1947, 0.1735, 0.16, 0.0844, 0.0627, 0.0456, 0.0342, 0.0323, 0.0235, 0.0246]),
    ),
    "BoxBOD": Certified(
        lambda b, x: b[0] * (1 - np.exp(-b[1] * x)),
        ([100, 0.75],),
        [2.1380940889e02, 5.4723748542e-01],
        [1.2354515176e01, 1.0455993237e-01],
        1.7088072423e01,
        np.array([1.0, 2, 3, 5, 7, 10]),
        np.array([109.0, 149, 149, 191, 213, 224]),
    ),
}  # fmt: skip
