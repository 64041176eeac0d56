"""What an installed zen must do with NumPy alone, without pytest. `.ci/run` runs it on the wheel."""

import sys
from importlib.metadata import requires, version
from pathlib import Path

import numpy as np

import zen
from zen import Tensor, f


def check(what: str, found: object, expected: object) -> None:
    if not np.allclose(np.asarray(found), np.asarray(expected), rtol=1e-6):
        sys.exit(f"smoke: {what}: expected {expected}, found {found}")


def main() -> None:
    checkout = Path(__file__).resolve().parents[1]
    if checkout in Path(zen.__file__).resolve().parents and "site-packages" not in zen.__file__:
        sys.exit(f"smoke: zen was imported from the checkout ({zen.__file__}), not from an installed wheel")
    check("version", version("zen-autograd") == zen.__version__, True)
    check("requirements", [r for r in requires("zen-autograd") or [] if "extra ==" not in r] == ["numpy>=2"], True)

    a, b = Tensor(10), Tensor(5)
    d = (a * b) ** 2
    d.get_gradients()
    check("(a b)^2", [a.gradient, b.gradient], [500, 1000])

    x = zen.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], dtype=zen.float32, requires_grad=True)
    f.sum(np.tanh(x) * np.float32([1, 2, 3])).backward()
    check("tanh, broadcast", x.gradient, (1 - np.tanh(x.value) ** 2) * [1, 2, 3])

    w = np.linspace(-1, 1, 12).reshape(3, 4)
    loss = zen.grad(lambda w: f.cross_entropy(np.float64([[1, 2, 3]]) @ w, [2]))
    z = np.float64([[1, 2, 3]]) @ w
    check("cross entropy", loss(w), np.outer([1, 2, 3], np.exp(z) / np.exp(z).sum() - [[0, 0, 1, 0]]))

    cube = zen.grad(zen.grad(lambda t: t**3))
    check("second order", cube(np.float64(2)), 12)
    zen.random.seed(0)
    layers = zen.nn.Sequential(zen.nn.Linear(1, 1), zen.nn.Identity())
    optimiser = zen.optim.SGD(layers.parameters(), lr=0.5)
    line = np.linspace(-1, 1, 16, dtype=np.float32)[:, None]
    loader = zen.data.DataLoader(zen.data.TensorDataset(line, 2 * line + 1), batch_size=16)
    history = zen.fit(layers, loader, zen.nn.MSELoss(), optimiser, 60, progress=False)
    check("a fitted line", [*layers[0].weight.value.ravel(), *layers[0].bias.value], [2, 1])
    check("its history", len(history), 60)
    for extra, use in (("save", lambda: zen.save("model.safetensors", layers)), ("sklearn", lambda: zen.sklearn)):
        try:
            use()
        except ImportError as error:
            check(f"the error names the extra {extra}", f"(the extra {extra!r};" in str(error), True)
        else:
            sys.exit(f"smoke: {extra}: an optional library is here, in an environment that should be empty")
    print(f"smoke: zen {zen.__version__}, {zen.backend.NAME} engine, NumPy {np.__version__}: all right")


if __name__ == "__main__":
    main()
