"""Regression with gradflow's own names: one linear layer, or one hidden layer of ReLUs. Run under aliased modules."""

import numpy as np
from gradflow.activations import relu
from gradflow.data.dataset import Dataset
from gradflow.grad_engine import Variable
from gradflow.layers.linear import Linear
from gradflow.layers.module import Module
from gradflow.optimizers import NaiveSGD


class Line(Module):
    def __init__(self):
        super().__init__()
        self.linear = self.add_module(Linear(1, 1))

    def forward(self, input):
        return self.linear(input=input)


class Network(Module):
    def __init__(self):
        super().__init__()
        self.hidden = self.add_module(Linear(1, 32))
        self.out = self.add_module(Linear(32, 1))

    def forward(self, input):
        return self.out(input=relu(self.hidden(input=input)))


def train(model, X, y, epochs):
    """Losses of all epochs, and the fitted curve."""
    dataset = Dataset(X, y, batch_size=1)
    optimizer = NaiveSGD(model.parameters, lr=0.001)
    losses = []
    for _ in range(epochs):
        total = 0.0
        for features, labels in dataset:
            error = model(features) - labels
            loss = error @ error
            total += loss.data.item()
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
        losses.append(total / len(dataset))
    places = np.linspace(np.amin(dataset._features), np.amax(dataset._features), 100).reshape(-1, 1)
    return losses, places, model(Variable(places)).data
