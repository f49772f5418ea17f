"""Writes model_seq2seq.json: encoder, decoder, attention and loss of whole models in double, one sentence at a time
and with nothing fused, so that neither batching nor padding can hide a mistake. Needs torch.
"""

import torch

from cosine_fill import cell_shapes, fill_parameters, write
from whole_models import SMOOTHING, VOCABULARY, pairs, record

GATES = {"rnn": 1, "lstm": 4, "gru": 3}
LAYERS = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}
EMBEDDING, ENCODER = 4, 3


def parameter_shapes(case):
    encoder, decoder = case["memory"], case["decoder"]
    gates = GATES[case["cell"]]
    shapes = {
        "source_embedding.weight": (VOCABULARY, EMBEDDING),
        "target_embedding.weight": (VOCABULARY, EMBEDDING),
        "output.weight": (VOCABULARY, decoder),
        "output.bias": (VOCABULARY,),
    }
    directions = ("forward", "backward") if case["bidirectional"] else ("forward",)
    for i in range(case["layers"]):
        for direction in directions:
            inputs = EMBEDDING if i == 0 else encoder
            for name, shape in cell_shapes(gates, inputs, ENCODER).items():
                shapes[f"encoder.layer{i}_{direction}.{name}"] = shape
        for name, shape in cell_shapes(gates, EMBEDDING if i == 0 else decoder, decoder).items():
            shapes[f"decoder.layer{i}.{name}"] = shape
    states = 2 if case["cell"] == "lstm" else 1
    shapes["decoder.bridge.weight"] = (case["layers"] * states * decoder, encoder)
    shapes["decoder.bridge.bias"] = (case["layers"] * states * decoder,)
    attention = case["attention"]
    if case["input_feeding"]:
        shapes["decoder.feed.weight"] = (gates * decoder, encoder if attention == "none" else decoder)
    if attention != "none":
        shapes["decoder.combine.weight"] = (decoder, encoder + decoder)
    if attention in ("general", "additive"):
        shapes["decoder.attention.key.weight"] = (decoder, encoder)
    if attention == "additive":
        shapes["decoder.attention.query.weight"] = (decoder, decoder)
        shapes["decoder.attention.query.bias"] = (decoder,)
        shapes["decoder.attention.v"] = (decoder,)
    return shapes


def scoped(w, prefix):
    return {name[len(prefix):]: value for name, value in w.items() if name.startswith(prefix)}


def run_layer(case, weights, x):
    """x [S, I] -> [S, H] by torch's own layer, with gradients to `weights`."""
    layer = LAYERS[case["cell"]](x.shape[1], ENCODER, dtype=torch.float64)
    named = {name + "_l0": value for name, value in weights.items()}
    return torch.func.functional_call(layer, named, (x,))[0]


def encode(case, w, source):
    x = w["source_embedding.weight"][torch.tensor(source)]
    for i in range(case["layers"]):
        states = run_layer(case, scoped(w, f"encoder.layer{i}_forward."), x)
        summary = states[-1]
        if case["bidirectional"]:
            back = run_layer(case, scoped(w, f"encoder.layer{i}_backward."), x.flip(0)).flip(0)
            summary = torch.cat([summary, back[0]])
            states = torch.cat([states, back], 1)
        x = x + states if case["residual"] and i > 0 else states
    return x, summary


def cell(case, weights, gates, hidden, memory):
    """gates = W_ih x + b_ih and what is fed; torch's definitions of the cells, written out."""
    recurrent = weights["weight_hh"] @ hidden + weights["bias_hh"]
    if case["cell"] == "rnn":
        return torch.tanh(gates + recurrent), memory
    if case["cell"] == "lstm":
        i, f, g, o = (gates + recurrent).chunk(4)
        memory = torch.sigmoid(f) * memory + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(memory), memory
    (xr, xz, xn), (hr, hz, hn) = gates.chunk(3), recurrent.chunk(3)
    update = torch.sigmoid(xz + hz)
    new = torch.tanh(xn + torch.sigmoid(xr + hr) * hn)
    return (1 - update) * new + update * hidden, memory


def attend(case, w, query, states):
    kind = case["attention"]
    if kind == "dot":
        scores = [query @ m for m in states]
    elif kind == "general":
        scores = [query @ (w["decoder.attention.key.weight"] @ m) for m in states]
    else:
        q = w["decoder.attention.query.weight"] @ query + w["decoder.attention.query.bias"]
        scores = [w["decoder.attention.v"] @ torch.tanh(q + w["decoder.attention.key.weight"] @ m) for m in states]
    weights = torch.softmax(torch.stack(scores), 0)
    return weights @ states, weights


def decode(case, w, states, summary, words):
    layers, width = case["layers"], case["decoder"]
    initial = torch.tanh(w["decoder.bridge.weight"] @ summary + w["decoder.bridge.bias"])
    if case["cell"] == "lstm":
        parts = initial.reshape(layers, 2, width)
        hidden, memory = list(parts[:, 0]), list(parts[:, 1])
    else:
        hidden, memory = list(initial.reshape(layers, width)), [None] * layers
    attentive = case["attention"] != "none"
    feed = torch.zeros(width, dtype=torch.float64) if attentive else summary
    logits, attention = [], []
    for word in words:
        x = w["target_embedding.weight"][word]
        for i in range(layers):
            weights = scoped(w, f"decoder.layer{i}.")
            gates = weights["weight_ih"] @ x + weights["bias_ih"]
            if i == 0 and case["input_feeding"]:
                gates = gates + w["decoder.feed.weight"] @ feed
            hidden[i], memory[i] = cell(case, weights, gates, hidden[i], memory[i])
            x = x + hidden[i] if case["residual"] and i > 0 else hidden[i]
        features = x
        if attentive:
            context, weights = attend(case, w, x, states)
            attention.append(weights)
            features = torch.tanh(w["decoder.combine.weight"] @ torch.cat([context, x]))
            feed = features
        logits.append(w["output.weight"] @ features + w["output.bias"])
    return torch.stack(logits), attention


def run(cell_name, attention, input_feeding, layers, bidirectional):
    memory = 2 * ENCODER if bidirectional else ENCODER
    case = {
        "cell": cell_name,
        "attention": attention,
        "input_feeding": input_feeding,
        "layers": layers,
        "residual": layers > 1,
        "bidirectional": bidirectional,
        "memory": memory,
        "decoder": memory if attention == "dot" else 5,
    }
    w = fill_parameters(parameter_shapes(case), 0.6)

    def decoded(source, target):
        states, summary = encode(case, w, source)
        logits, weights = decode(case, w, states, summary, target)
        return logits, torch.stack(weights) if weights else None

    return record(case, w, decoded)


write(__file__, {
    "vocabulary": VOCABULARY,
    "embedding": EMBEDDING,
    "encoder": ENCODER,
    "smoothing": SMOOTHING,
    "pairs": pairs(),
    "cases": [
        run("lstm", "additive", True, 1, True),
        run("gru", "general", False, 2, False),
        run("rnn", "dot", True, 1, True),
        run("lstm", "none", True, 1, False),
        run("gru", "additive", True, 2, True),
        run("lstm", "general", True, 2, True),
        run("rnn", "none", False, 2, True),
    ],
})
