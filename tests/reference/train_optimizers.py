"""Writes train_optimizers.json: weights after each step of torch.optim's optimizers in double. Needs torch.

One vector of weights: the optimizers work element by element, so how a model cuts it into parameters does not matter.
"""

import torch

from cosine_fill import fill, write

COUNT = 60
RATES = [0.1, 0.05, 0.2, 0.01, 0.1]
CASES = [
    (torch.optim.Adam, {"betas": (0.8, 0.95), "eps": 1e-3}),
    (torch.optim.AdamW, {"betas": (0.8, 0.95), "eps": 1e-3, "weight_decay": 0.3}),
    (torch.optim.SGD, {}),
    (torch.optim.SGD, {"momentum": 0.9, "weight_decay": 0.2}),
    (torch.optim.Adagrad, {"initial_accumulator_value": 0.3, "eps": 1e-2}),
]


def run(optimizer_type, settings):
    weights = fill((COUNT,), 0, 0.5).requires_grad_()
    optimizer = optimizer_type([weights], lr=1.0, **settings)
    steps = []
    for step, rate in enumerate(RATES):
        optimizer.param_groups[0]["lr"] = rate
        weights.grad = fill((COUNT,), 1000 * (step + 1), 0.7)
        optimizer.step()
        steps.append(weights.tolist())
    return {"type": optimizer_type.__name__.lower(), "settings": settings, "rates": RATES, "steps": steps}


write(__file__, [run(*case) for case in CASES])
