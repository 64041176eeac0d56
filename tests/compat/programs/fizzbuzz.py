"""Fizz, buzz or a number, from a number's binary digits."""

import autodiff as ad
import loss
import nn
import numpy as np
import optim


def encode(n):
    return [[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]][(n % 3 == 0) + 2 * (n % 5 == 0)]


def bits(n):
    return [n >> j & 1 for j in range(10)]


x = np.array([bits(n) for n in range(70)])
y = np.array([encode(n) for n in range(70)])

model = nn.Model([nn.Linear(50), nn.Tanh(), nn.Linear(25), nn.Sigmoid(), nn.Linear(4), nn.Softmax()])
model.train(x, y, epochs=150, optimizer=optim.RMSProp(lr=0.01), loss_fn=loss.categorical_crossentropy)

correct = 0
for n in range(100):
    pred = model(np.array([bits(n)]))
    assert isinstance(pred, ad.Tensor)
    correct += np.argmax(pred.value, axis=1)[0] == np.argmax(encode(n))

accuracy = correct / 100
print("accuracy: ", accuracy)
