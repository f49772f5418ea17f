"""Writes nn_local_attention.json: equations 9 and 10 of Luong et al. (2015), "Effective Approaches to Attention-based
Neural Machine Translation", with their `general` score, in double, one query at a time. Plain Python.

    p_t = S sigmoid(v_p . tanh(W_p h_t))
    a_t(s) = align(h_t, m_s) exp(-(s - p_t)^2 / (2 sigma^2)),  sigma = D / 2,  s in [p_t - D, p_t + D]

align is the softmax over the words of the window; the product is not divided by its sum. Words count from 1.
"""

import json
import math
import pathlib

QUERY, MEMORY, HIDDEN, SCALE = 5, 4, 8, 0.9


def fill(rows, columns, start, scale):
    """As cosine_fill.py: scale * cos(n^2) for n = start, start + 1, ... in row-major order."""
    return [[scale * math.cos(float(start + row * columns + column) ** 2) for column in range(columns)]
            for row in range(rows)]


def dot(a, b):
    return sum(x * y for x, y in zip(a, b))


def times(matrix, x):
    return [dot(row, x) for row in matrix]


# Filled one after another in the order of their names.
KEY = fill(QUERY, MEMORY, 0, SCALE)  # key.weight
POSITION = fill(HIDDEN, QUERY, QUERY * MEMORY, SCALE)  # position.weight
POSITION_V = fill(1, HIDDEN, QUERY * MEMORY + HIDDEN * QUERY, SCALE)[0]  # position_v


def attend(query, states, window):
    """Weights of all states, and the context."""
    hidden = [math.tanh(value) for value in times(POSITION, query)]
    position = len(states) / (1 + math.exp(-dot(POSITION_V, hidden)))
    near = [s for s in range(1, len(states) + 1) if position - window <= s <= position + window]
    exponentials = {s: math.exp(dot(query, times(KEY, states[s - 1]))) for s in near}
    total, sigma = sum(exponentials.values()), window / 2
    weights = [exponentials[s] / total * math.exp(-((s - position) ** 2) / (2 * sigma**2)) if s in near else 0.0
               for s in range(1, len(states) + 1)]
    return weights, [dot(weights, column) for column in zip(*states)]


def run(window, lengths, hypotheses):
    longest = max(lengths)
    queries = fill(len(lengths) * hypotheses, QUERY, 3000, 1.3)
    states = fill(len(lengths) * longest, MEMORY, 2000, 1.3)
    case = {"window": window, "lengths": lengths, "hypotheses": hypotheses, "weights": [], "context": []}
    for row, query in enumerate(queries):
        sentence = row // hypotheses
        own = states[sentence * longest:][:lengths[sentence]]
        weights, context = attend(query, own, window)
        case["weights"] += weights + [0.0] * (longest - len(own))
        case["context"] += context
    return case


target = pathlib.Path(__file__).with_suffix(".json")
target.write_text(json.dumps({
    "sizes": [QUERY, MEMORY, HIDDEN],
    "scale": SCALE,
    "cases": [run(1, [1, 6, 4], 1), run(2, [12, 3], 3), run(3, [9, 1, 9], 2), run(10, [15, 30], 1)],
}, separators=(",", ":")).replace("},{", "},\n{") + "\n")
