"""The rules of the optimisers: plain data. The build reads this file to generate the compiled loops.

What the formulas are taken from stands with the class of each optimiser; the language is described in `rule.py`.
"""

from __future__ import annotations

from .rule import Rule, rule

# The gradient to go against: turned round to ascend, plus the gradient of the L2 penalty.
_DIRECTION = """
    d = (-1 if maximize else 1) * g
    if weight_decay != 0:
        d = d + weight_decay * p
    """

SGD = rule(
    "sgd", "lr momentum dampening weight_decay nesterov? maximize?", "momentum_buffer",
    _DIRECTION,  # the first step has it as it is in the buffer
    """
    if momentum != 0:
        momentum_buffer = (0 if first else momentum) * momentum_buffer + (1 if first else 1 - dampening) * d
        if nesterov:
            d = d + momentum * momentum_buffer
        else:
            d = momentum_buffer
    p = p - lr * d
    """,
)  # fmt: skip

# Adam and AdamW: `weight_decay` is the penalty's, `shrink` what is taken from p directly.
ADAM = rule(
    "adam", "lr beta1 beta2 eps weight_decay shrink amsgrad? maximize?", "exp_avg exp_avg_sq max_exp_avg_sq step",
    _DIRECTION,
    """
    rate = lr / (1 - beta1 ** step)
    scale = 1 / sqrt(1 - beta2 ** step)
    exp_avg = exp_avg + (1 - beta1) * (d - exp_avg)
    exp_avg_sq = beta2 * exp_avg_sq + (1 - beta2) * d * d
    v = exp_avg_sq
    if amsgrad:
        max_exp_avg_sq = maximum(max_exp_avg_sq, v)
        v = max_exp_avg_sq
    p = (1 - lr * shrink) * p - rate * exp_avg / (sqrt(v) * scale + eps)
    """,
)  # fmt: skip

RMSPROP = rule(
    "rmsprop", "lr alpha eps weight_decay momentum centered? maximize?", "square_avg momentum_buffer grad_avg step",
    _DIRECTION,
    # Rounding may leave a variance below zero.
    """
    square_avg = alpha * square_avg + (1 - alpha) * d * d
    v = square_avg
    if centered:
        grad_avg = grad_avg + (1 - alpha) * (d - grad_avg)
        v = maximum(v - grad_avg * grad_avg, 0)
    d = d / (sqrt(v) + eps)
    if momentum > 0:
        momentum_buffer = momentum * momentum_buffer + d
        d = momentum_buffer
    p = p - lr * d
    """,
)  # fmt: skip

ADAGRAD = rule(
    "adagrad", "lr lr_decay eps weight_decay maximize?", "sum step",
    _DIRECTION,
    """
    rate = lr / (1 + (step - 1) * lr_decay)
    sum = sum + d * d
    p = p - rate * d / (sqrt(sum) + eps)
    """,
)  # fmt: skip

LION = rule(
    "lion", "lr beta1 beta2 weight_decay maximize?", "exp_avg",
    """
    d = (-1 if maximize else 1) * g
    u = beta1 * exp_avg + (1 - beta1) * d
    exp_avg = beta2 * exp_avg + (1 - beta2) * d
    p = (1 - lr * weight_decay) * p - lr * sign(u)
    """,
)  # fmt: skip

NADAM = rule(
    "nadam", "lr beta1 beta2 eps weight_decay shrink momentum_decay maximize?", "exp_avg exp_avg_sq mu_product# step",
    _DIRECTION,
    """
    mu = beta1 * (1 - 0.5 * 0.96 ** (step * momentum_decay))
    coming = beta1 * (1 - 0.5 * 0.96 ** ((step + 1) * momentum_decay))
    mu_product = mu_product * mu
    rate = lr * (1 - mu) / (1 - mu_product)
    further = lr * coming / (1 - mu_product * coming)
    scale = 1 / sqrt(1 - beta2 ** step)
    exp_avg = exp_avg + (1 - beta1) * (d - exp_avg)
    exp_avg_sq = beta2 * exp_avg_sq + (1 - beta2) * d * d
    p = (1 - lr * shrink) * p - (rate * d + further * exp_avg) / (sqrt(exp_avg_sq) * scale + eps)
    """,
)  # fmt: skip

RADAM = rule(
    "radam", "lr beta1 beta2 eps weight_decay shrink maximize?", "exp_avg exp_avg_sq step",
    _DIRECTION,
    # The variance is rectified from the step on in which its average is long enough.
    """
    longest = 2 / (1 - beta2) - 1
    left = beta2 ** step
    length = longest - 2 * step * left / (1 - left)
    rate = lr / (1 - beta1 ** step)
    share = (length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length) if length > 5 else 0
    rectified = rate * sqrt(share * (1 - left))
    exp_avg = exp_avg + (1 - beta1) * (d - exp_avg)
    exp_avg_sq = beta2 * exp_avg_sq + (1 - beta2) * d * d
    plain = rate * exp_avg
    change = by_sign(length - 5, plain, plain, rectified * exp_avg / (sqrt(exp_avg_sq) + eps))
    p = (1 - lr * shrink) * p - change
    """,
)  # fmt: skip

ADAMAX = rule(
    "adamax", "lr beta1 beta2 eps weight_decay maximize?", "exp_avg exp_inf step",
    _DIRECTION,
    """
    rate = lr / (1 - beta1 ** step)
    exp_avg = exp_avg + (1 - beta1) * (d - exp_avg)
    exp_inf = maximum(beta2 * exp_inf, maximum(d, -d) + eps)
    p = p - rate * exp_avg / exp_inf
    """,
)  # fmt: skip

ADADELTA = rule(
    "adadelta", "lr rho eps weight_decay maximize?", "square_avg acc_delta step",
    _DIRECTION,
    """
    square_avg = rho * square_avg + (1 - rho) * d * d
    d = sqrt(acc_delta + eps) / sqrt(square_avg + eps) * d
    acc_delta = rho * acc_delta + (1 - rho) * d * d
    p = p - lr * d
    """,
)  # fmt: skip

RPROP = rule(
    "rprop", "etaminus etaplus smallest largest maximize?", "prev step_size step",
    """
    d = (-1 if maximize else 1) * g
    turned = d * prev
    step_size = step_size * by_sign(turned, etaminus, 1, etaplus)
    step_size = minimum(maximum(step_size, smallest), largest)
    prev = by_sign(turned, 0, d, d)
    p = p - step_size * sign(prev)
    """,
)  # fmt: skip

ASGD = rule(
    "asgd", "lr lambd alpha t0 weight_decay maximize?", "ax eta# mu# step",
    _DIRECTION,
    # A step goes by the rates that the one before has left.
    """
    rate = eta
    share = mu
    later = step - t0
    eta = lr / (1 + lambd * lr * step) ** alpha
    mu = 1 / later if later > 1 else 1
    p = (1 - lambd * rate) * p - rate * d
    ax = by_sign(1 - share, p, p, ax + share * (p - ax))
    """,
)  # fmt: skip

RULES: tuple[Rule, ...] = (SGD, ADAM, RMSPROP, ADAGRAD, LION, NADAM, RADAM, ADAMAX, ADADELTA, RPROP, ASGD)
