"""Writes model_simple_rnn.json: the equation of the Elman network written out, in double. Needs torch."""

import torch

from cosine_fill import cell_shapes, fill, fill_parameters, write

BATCH, STEPS, INPUTS, HIDDEN, OUTPUTS = 3, 6, 2, 4, 3

shapes = {"recurrence." + name: shape for name, shape in cell_shapes(1, INPUTS, HIDDEN).items()}
shapes |= {"head.weight": (OUTPUTS, HIDDEN), "head.bias": (OUTPUTS,)}
w = fill_parameters(shapes, 0.7)
x = fill((BATCH, STEPS, INPUTS), 1000, 1.5)

hidden = torch.zeros(BATCH, HIDDEN, dtype=torch.float64)
states = []
for t in range(STEPS):
    hidden = torch.tanh(
        x[:, t] @ w["recurrence.weight_ih"].T + w["recurrence.bias_ih"]
        + hidden @ w["recurrence.weight_hh"].T + w["recurrence.bias_hh"]
    )
    states.append(hidden)
outputs = hidden @ w["head.weight"].T + w["head.bias"]
(outputs * fill(outputs.shape, 2000, 1.0)).sum().backward()
write(__file__, {
    "sizes": [BATCH, STEPS, INPUTS, HIDDEN, OUTPUTS],
    "states": torch.stack(states, 1).flatten().tolist(),
    "outputs": outputs.flatten().tolist(),
    "gradients": {name: value.grad.flatten().tolist() for name, value in w.items()},
})
