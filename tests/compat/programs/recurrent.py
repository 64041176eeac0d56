"""The next value of sin(x) * cos(x) from the twenty before it, by a recurrent network."""

import math

import loss
import nn
import numpy as np
import optim

seq = [math.sin(i) * math.cos(i) for i in range(70)]
x = []
y = []
for i in range(len(seq) - 20):
    x.append([[value] for value in seq[i : i + 20]])
    y.append([seq[i + 20]])

model = nn.Model([nn.RNN(15, hidden_dim=16), nn.Linear(10), nn.Linear(1)])
model.train(
    np.array(x[:40]), np.array(y[:40]), epochs=25, optimizer=optim.RMSProp(0.001), loss_fn=loss.MSE, batch_size=20
)

preds = []
for window in x:
    preds.append(model(np.expand_dims(np.array(window), axis=0)).value[0][0])
