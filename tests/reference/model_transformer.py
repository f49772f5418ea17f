"""Writes model_transformer.json: whole Transformers by torch.nn.Transformer in double, one sentence at a time. Needs
torch.
"""

import math

import torch

from cosine_fill import fill_parameters, write
from whole_models import SMOOTHING, VOCABULARY, pairs, record

WIDTH, HEADS, INNER, LEARNED = 4, 2, 6, 1024


def parameter_shapes(case):
    """Our names."""
    shapes = {
        "source_embedding.weight": (VOCABULARY, WIDTH),
        "target_embedding.weight": (VOCABULARY, WIDTH),
        "output.weight": (VOCABULARY, WIDTH),
        "output.bias": (VOCABULARY,),
    }

    def linear(name, outputs, inputs):
        shapes[name + ".weight"], shapes[name + ".bias"] = (outputs, inputs), (outputs,)

    def norm(name):
        shapes[name + ".weight"] = shapes[name + ".bias"] = (WIDTH,)

    for side in ("encoder", "decoder"):
        for i in range(case["layers"]):
            layer = f"{side}.layer{i}."
            linear(layer + "self_attention.projection", 3 * WIDTH, WIDTH)
            linear(layer + "self_attention.output", WIDTH, WIDTH)
            norm(layer + "self_attention_norm")
            if side == "decoder":
                linear(layer + "cross_attention.query", WIDTH, WIDTH)
                linear(layer + "cross_attention.memory", 2 * WIDTH, WIDTH)
                linear(layer + "cross_attention.output", WIDTH, WIDTH)
                norm(layer + "cross_attention_norm")
            linear(layer + "feed_forward.inner", INNER, WIDTH)
            linear(layer + "feed_forward.outer", WIDTH, INNER)
            norm(layer + "feed_forward_norm")
        if case["norm"] == "pre":
            norm(side + ".norm")
        if case["positions"] == "learned":
            shapes[side + ".positions.learned"] = (LEARNED, WIDTH)
    return shapes


def torch_names(case, w):
    """The same values under the names of torch.nn.Transformer."""
    named = {}

    def copy(ours, theirs):
        for kind in ("weight", "bias"):
            named[f"{theirs}.{kind}"] = w[f"{ours}.{kind}"]

    for side in ("encoder", "decoder"):
        for i in range(case["layers"]):
            ours, theirs = f"{side}.layer{i}.", f"{side}.layers.{i}."
            for kind in ("weight", "bias"):
                named[f"{theirs}self_attn.in_proj_{kind}"] = w[f"{ours}self_attention.projection.{kind}"]
            copy(ours + "self_attention.output", theirs + "self_attn.out_proj")
            norms = ["self_attention_norm"]
            if side == "decoder":
                for kind in ("weight", "bias"):
                    named[f"{theirs}multihead_attn.in_proj_{kind}"] = torch.cat(
                        [w[f"{ours}cross_attention.query.{kind}"], w[f"{ours}cross_attention.memory.{kind}"]])
                copy(ours + "cross_attention.output", theirs + "multihead_attn.out_proj")
                norms.append("cross_attention_norm")
            norms.append("feed_forward_norm")
            for number, name in enumerate(norms, 1):
                copy(ours + name, f"{theirs}norm{number}")
            copy(ours + "feed_forward.inner", theirs + "linear1")
            copy(ours + "feed_forward.outer", theirs + "linear2")
        if case["norm"] == "pre":
            copy(side + ".norm", side + ".norm")
    return named


def placed(case, w, side, ids):
    """Scaled embeddings with positions [1, T, D]."""
    name = "source" if side == "encoder" else "target"
    rows = []
    for position, word in enumerate(ids):
        x = w[f"{name}_embedding.weight"][word] * math.sqrt(WIDTH)
        if case["positions"] == "learned":
            x = x + w[f"{side}.positions.learned"][position]
        else:
            angle = [position / 10000 ** (2 * (i // 2) / WIDTH) for i in range(WIDTH)]
            x = x + torch.tensor([math.cos(a) if i % 2 else math.sin(a) for i, a in enumerate(angle)],
                                 dtype=torch.float64)
        rows.append(x)
    return torch.stack(rows).unsqueeze(0)


def first_head(w, layer, query, memory):
    """Weights of the first head of a cross-attention, written out: query [T, D], memory [S, D]."""
    d = WIDTH // HEADS
    name = layer + "cross_attention."
    q = (query @ w[name + "query.weight"].T + w[name + "query.bias"])[:, :d]
    k = (memory @ w[name + "memory.weight"].T + w[name + "memory.bias"])[:, :d]
    return torch.softmax(q @ k.T / math.sqrt(d), 1)


def run(norm, activation, positions, layers):
    case = {"norm": norm, "activation": activation, "positions": positions, "layers": layers}
    w = fill_parameters(parameter_shapes(case), 0.6)
    model = torch.nn.Transformer(WIDTH, HEADS, layers, layers, INNER, 0.0, activation, batch_first=True,
                                 norm_first=norm == "pre", dtype=torch.float64)
    if norm == "post":
        model.encoder.norm = model.decoder.norm = None
    seen = []
    model.decoder.layers[-1].multihead_attn.register_forward_hook(
        lambda module, inputs, kwargs, output: seen.append(inputs[:2]), with_kwargs=True)

    def decoded(source, target):
        x, y = placed(case, w, "encoder", source), placed(case, w, "decoder", target)
        causal = model.generate_square_subsequent_mask(y.shape[1], dtype=torch.float64)
        features = torch.func.functional_call(model, torch_names(case, w), (x, y), {"tgt_mask": causal})[0]
        query, memory = seen.pop()
        weights = first_head(w, f"decoder.layer{layers - 1}.", query[0], memory[0])
        return features @ w["output.weight"].T + w["output.bias"], weights

    return record(case, w, decoded)


write(__file__, {
    "vocabulary": VOCABULARY,
    "smoothing": SMOOTHING,
    "pairs": pairs(),
    "cases": [
        run("pre", "relu", "sinusoidal", 2),
        run("post", "gelu", "sinusoidal", 2),
        run("post", "relu", "learned", 1),
        run("pre", "gelu", "learned", 2),
    ],
})
