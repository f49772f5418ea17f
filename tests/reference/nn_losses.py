"""Writes nn_losses.json: torch's label-smoothed cross entropy of a projection, with gradients, in double."""

import torch

from cosine_fill import fill, write

ROWS, HIDDEN, VOCABULARY = 4, 3, 7

cases = []
for smoothing in (0.0, 0.1, 0.4):
    for with_bias in (True, False):
        features = fill((ROWS, HIDDEN), 0, 2.0).requires_grad_()
        weight = fill((VOCABULARY, HIDDEN), 100, 1.5).requires_grad_()
        bias = fill((VOCABULARY,), 200, 1.0).requires_grad_() if with_bias else None
        targets = torch.tensor([0, 6, 3, 3])
        logits = torch.nn.functional.linear(features, weight, bias)
        loss = torch.nn.functional.cross_entropy(logits, targets, reduction="sum", label_smoothing=smoothing)
        nll = torch.nn.functional.cross_entropy(logits, targets, reduction="sum")
        loss.backward()
        cases.append({
            "smoothing": smoothing,
            "with_bias": with_bias,
            "sizes": [ROWS, HIDDEN, VOCABULARY],
            "targets": targets.tolist(),
            "loss": loss.item(),
            "negative_log_likelihood": nll.item(),
            "features_gradient": features.grad.flatten().tolist(),
            "weight_gradient": weight.grad.flatten().tolist(),
            "bias_gradient": bias.grad.tolist() if with_bias else [],
        })
write(__file__, cases)
