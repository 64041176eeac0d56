"""A filter over a small image, and the image's gradient."""

import numpy as np
from autodiff import *  # noqa: F403 - as programs for the library do

a = Tensor(np.array([[3, 9.0, 0], [2, 8, 1], [1, 4, 8]]))  # noqa: F405
f = Tensor(np.array([[8.0, 9], [4, 4]]))  # noqa: F405
c = conv2d(f, 1, a)  # noqa: F405
print(c)
c.get_gradients()
print(a.gradient)
