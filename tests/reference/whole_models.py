"""What the references of whole models have in common: the sentences, and what is recorded of a model. Needs torch."""

import torch
from torch.nn.functional import cross_entropy

VOCABULARY = 9
SMOOTHING = 0.1
BEGIN, END = 2, 3
PAIRS = [([4, 5, 6, 7, 8, 4, 5], [8, 7, 6]), ([8], [4, 4, 5, 6, 7]), ([6, 1, 8, 8], [])]


def record(case, w, decode):
    """Adds to `case` log-probabilities, attention, loss and the norms of the gradients of `w`.

    decode(source ids, target ids) -> logits [T, V], and attention [T, S] or None, of one sentence.
    """
    loss, nll, sentences = 0, 0, []
    for source, target in PAIRS:
        logits, attention = decode(source + [END], [BEGIN] + target)
        outputs = torch.tensor(target + [END])
        loss = loss + cross_entropy(logits, outputs, reduction="sum", label_smoothing=SMOOTHING)
        nll = nll + cross_entropy(logits, outputs, reduction="sum")
        sentences.append({
            "log_probabilities": logits.log_softmax(1).flatten().tolist(),
            "attention": [] if attention is None else attention.flatten().tolist(),
        })
    loss.backward()
    case["sentences"] = sentences
    case["loss"], case["negative_log_likelihood"] = loss.item(), nll.item()
    case["gradient_norms"] = {name: value.grad.norm().item() for name, value in w.items()}
    return case


def pairs():
    return [{"source": source, "target": target} for source, target in PAIRS]
