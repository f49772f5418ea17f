"""Writes nn_recurrent.json: outputs and gradients of torch.nn.RNN, LSTM and GRU in double. Needs torch."""

import torch

from cosine_fill import cell_shapes, fill, fill_parameters, load, write

LAYERS = {"rnn": (torch.nn.RNN, 1), "lstm": (torch.nn.LSTM, 4), "gru": (torch.nn.GRU, 3)}
BATCH, STEPS, INPUTS, HIDDEN = 2, 4, 3, 5

cases = []
for cell, (layer_type, gates) in LAYERS.items():
    values = fill_parameters(cell_shapes(gates, INPUTS, HIDDEN), 0.8)
    layer = layer_type(INPUTS, HIDDEN, batch_first=True, dtype=torch.float64)
    load(layer, values)
    x = fill((BATCH, STEPS, INPUTS), 1000, 1.5).requires_grad_()
    states = layer(x)[0]
    (states * fill(states.shape, 2000, 1.0)).sum().backward()
    gradients = {name: getattr(layer, name + "_l0").grad.flatten().tolist() for name in values}
    cases.append({
        "cell": cell,
        "sizes": [BATCH, STEPS, INPUTS, HIDDEN],
        "states": states.flatten().tolist(),
        "x_gradient": x.grad.flatten().tolist(),
        "gradients": gradients,
    })
write(__file__, cases)
