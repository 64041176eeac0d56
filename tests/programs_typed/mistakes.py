"""Mistakes that type checkers must see: every line that says `wrong`, and no other. Each of them raises when it runs.

After `wrong:` stand the code of mypy's error and the rule of pyright's.
"""

from __future__ import annotations

import numpy as np

import zen
from zen import nn, optim


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(3, 2)

    def forward(self, x: zen.Tensor, scale: float = 1.0) -> zen.Tensor:
        return self.linear(x) * scale


def loss(weights: zen.Tensor, x: np.ndarray) -> zen.Tensor:
    return (weights * x).sum()


t = zen.ones((2, 3), zen.float32)
net = Net()

# Names that do not exist
t.nosuch()  # wrong: attr-defined reportAttributeAccessIssue
zen.nosuch(t)  # wrong: attr-defined reportAttributeAccessIssue
zen.f.nosuch(t)  # wrong: attr-defined reportAttributeAccessIssue
zen.linalg.inverse(t)  # wrong: attr-defined reportAttributeAccessIssue
nn.Dense(3, 2)  # wrong: attr-defined reportAttributeAccessIssue
optim.Adamm(net.parameters())  # wrong: attr-defined reportAttributeAccessIssue
t.unsqueeze(0)  # wrong: attr-defined reportAttributeAccessIssue

# Names of arguments
t.sum(dim=0)  # wrong: call-arg reportCallIssue
zen.sum(t, dim=0)  # wrong: call-arg reportCallIssue
zen.f.softmax(t, axes=0)  # wrong: call-arg reportCallIssue
zen.zeros((2,), shape=3)  # wrong: misc reportCallIssue
nn.Linear(3, 2, biass=False)  # wrong: call-arg reportCallIssue
optim.SGD(net.parameters(), learning_rate=0.1)  # wrong: call-arg reportCallIssue
net(t, factor=2.0)  # wrong: call-arg reportCallIssue
nn.ReLU()(t, t)  # wrong: call-arg reportCallIssue

# Missing and surplus arguments
zen.exp()  # wrong: call-arg reportCallIssue
zen.multiply(t)  # wrong: call-arg reportCallIssue
zen.tanh(t, t)  # wrong: call-arg reportCallIssue
net()  # wrong: call-arg reportCallIssue
zen.grad(loss)(t)  # wrong: call-arg reportCallIssue
zen.vjp(loss)()  # wrong: operator reportCallIssue

# Types of arguments
zen.sum("abc")  # wrong: arg-type reportArgumentType
zen.f.relu({"a": 1})  # wrong: dict-item reportArgumentType
zen.mean(t, axis="x")  # wrong: arg-type reportArgumentType
t.reshape("2")  # wrong: arg-type reportArgumentType
t + "a"  # wrong: operator reportOperatorIssue
t["a"]  # wrong: index reportArgumentType
zen.concat(t, "a")  # wrong: arg-type reportArgumentType
zen.stack([t, "a"])  # wrong: list-item reportArgumentType
nn.Linear("3", 2)  # wrong: arg-type reportArgumentType
nn.Conv2d(1, 2, None)  # wrong: arg-type reportArgumentType
nn.Sequential(nn.Linear(3, 2)).extend(5)  # wrong: arg-type reportArgumentType
