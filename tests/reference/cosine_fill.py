"""The weights and inputs of the nn and model references: no random numbers, so no generator to agree on.

tests/support/fill.h makes the same ones. The square matters: cos(i) alone would make every matrix one of rank 2.
"""

import json
import pathlib

import torch


def fill(shape, start, scale):
    """scale * cos(n^2) for n = start, start + 1, ... in row-major order, in double."""
    count = torch.Size(shape).numel()
    n = torch.arange(start, start + count, dtype=torch.float64)
    return (scale * torch.cos(n * n)).reshape(shape)


def fill_parameters(shapes, scale):
    """Leaves that require gradients, filled one after another in the order of their names."""
    values, start = {}, 0
    for name in sorted(shapes):
        values[name] = fill(shapes[name], start, scale).requires_grad_()
        start += values[name].numel()
    return values


def cell_shapes(gates, inputs, hidden):
    return {
        "weight_ih": (gates * hidden, inputs),
        "weight_hh": (gates * hidden, hidden),
        "bias_ih": (gates * hidden,),
        "bias_hh": (gates * hidden,),
    }


def load(layer, values, suffix="_l0"):
    """Copies weight_ih, ... into one direction of a torch recurrent layer."""
    with torch.no_grad():
        for name, value in values.items():
            getattr(layer, name + suffix).copy_(value)


def write(generator, cases):
    path = pathlib.Path(generator).with_suffix(".json")
    path.write_text(json.dumps(cases, separators=(",", ":")).replace("},{", "},\n{") + "\n")
