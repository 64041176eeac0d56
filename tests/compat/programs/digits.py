"""Ten noisy 8 x 8 glyphs, told apart by a small network: the library's digits program, with data of its own."""

import loss
import nn
import numpy as np
import optim
from autodiff import *  # noqa: F403 - as programs for the library do


def one_hot(n, size):
    row = [0] * size
    row[n - 1] = 1
    return row


draws = np.random.RandomState(0)
glyphs = draws.randint(0, 2, (10, 64)) * 16.0
labels = draws.randint(0, 10, 400)
images = glyphs[labels] + draws.normal(scale=4.0, size=(400, 64))
targets = np.array([one_hot(n, 10) for n in labels])

model = nn.Model([nn.Linear(64), nn.Linear(32), nn.Sigmoid(), nn.Linear(10), nn.Softmax()])
model.train(
    images[:256], targets[:256], epochs=15, loss_fn=loss.categorical_crossentropy, optimizer=optim.RMSProp(0.001),
    batch_size=64,
)  # fmt: skip

right = 0
for k in range(256, 400):
    pred = (np.argmax(model(np.array([images[k]])).value, axis=1) + 1) % 10
    if pred[0] == labels[k]:
        right += 1

accuracy = right / 144
print("accuracy:", accuracy)
