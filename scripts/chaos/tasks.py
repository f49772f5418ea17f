"""Tiny tasks drawn from a seed: a model, its training and its text."""
import gzip
import json
import pathlib
import random

DATA = pathlib.Path(__file__).resolve().parents[2] / "data"

RECURRENT = ["--encoder.size", "8", "--decoder.size", "8"]
TRANSFORMER_ENCODER = ["--encoder", "transformer", "--encoder.heads", "2", "--encoder.inner-size", "16"]
MODELS = {
    "fixed context": [*RECURRENT, "--decoder.attention", "none"],
    "gru": [*RECURRENT, "--encoder.cell", "gru", "--decoder.cell", "gru", "--decoder.attention", "general"],
    "copying": [*RECURRENT, "--copying", "--decoder.coverage", "linear", "--coverage-loss", "0.5"],
    "deep": [*RECURRENT, "--encoder.layers", "2", "--decoder.layers", "2", "--encoder.recurrent-dropout", "0.2",
             "--decoder.recurrent-dropout", "0.1", "--decoder.layer-norm", "--encoder.residual"],
    "local": [*RECURRENT, "--decoder.attention", "local", "--decoder.window", "3", "--decoder.context-gate", "both"],
    "hierarchical": ["--encoder", "hierarchical", *RECURRENT, "--encoder.sentence-size", "8"],
    "transformer": [*TRANSFORMER_ENCODER, "--decoder", "transformer", "--decoder.heads", "2", "--decoder.inner-size", "16"],
    "mixed": [*TRANSFORMER_ENCODER, "--decoder.size", "8", "--decoder.attention", "multi-head", "--decoder.heads", "2"],
}
OPTIMIZERS = {
    "adam": [],
    "adamw": [],
    "sgd": ["--optimizer.momentum", "0.9"],
    "adagrad": [],
}
SCHEDULES = {
    "constant": [],
    "inverse-square-root": ["--warmup-updates", "10"],
    "linear": [],
    "cosine": ["--minimum-learning-rate", "0.0001"],
    "plateau": ["--schedule.factor", "0.7"],
}
FURTHER = [
    ["--average-decay", "0.9"],
    ["--label-smoothing", "0.1"],
    ["--scheduled-sampling", "0.2"],
    ["--word-dropout", "0.1"],
    ["--cache-mib", "0"],
    ["--remove-duplicates"],
    ["--gradient-flow-every", "9"],
    ["--valid-metrics", "bleu", "chrf"],
    ["--valid-criterion", "bleu"],
    ["--loader-threads", "2"],
    ["--lowercase"],
]


class Task:
    """`options` are those of train without text and folder; `write_text` makes the files of the others."""

    def __init__(self, seed, number):
        draw = random.Random(f"{seed} task {number}")
        self.number = number
        self.model = draw.choice(list(MODELS))
        self.optimizer, self.schedule = draw.choice(list(OPTIMIZERS)), draw.choice(list(SCHEDULES))
        self.tokenizer = draw.choice(["word", "char", "whitespace", "sentencepiece"])
        self.form = "jsonl" if self.model == "hierarchical" else draw.choice(["lines", "tsv", "jsonl"])
        self.zipped, self.held_out = draw.random() < 0.4, draw.random() < 0.25
        self.text_seed = draw.random()
        updates = draw.randint(40, 70)
        self.options = [
            "--threads", "1", "--device", "cpu", "--embedding.size", "8", *MODELS[self.model],
            "--encoder.dropout", "0.1", "--decoder.dropout", "0.2", "--tokenizer", self.tokenizer,
            "--optimizer", self.optimizer, *OPTIMIZERS[self.optimizer],
            "--schedule", self.schedule, *SCHEDULES[self.schedule],
            "--learning-rate", "0.01", "--seed", str(draw.randint(1, 999)),
            "--batch-size", str({"char": 4}.get(self.tokenizer, 1) * draw.randint(200, 400)),
            "--accumulation", str(draw.choice([1, 1, 2])), "--valid-every", str(draw.randint(4, 12)),
            "--checkpoint-every", str(draw.choice([0, 1, 2, 3, 5, 7])), "--log-every", str(draw.randint(1, 7)),
            "--keep-checkpoints", str(draw.randint(1, 3)), "--patience", str(draw.choice([0, 0, 3])),
        ]
        if self.tokenizer == "sentencepiece":
            self.options += ["--vocabulary-size", "120"]
        if draw.random() < 0.3:
            self.options += ["--max-epochs", "2"]
            if self.schedule in ("linear", "cosine"):
                self.options += ["--schedule.updates", str(updates)]
        else:
            self.options += ["--max-updates", str(updates)]
        for further in draw.sample(FURTHER, draw.randint(0, 3)):
            self.options += further
        if self.held_out:
            self.options += ["--held-out", "12"]

    def __str__(self):
        return (f"{self.model}, {self.optimizer}, {self.schedule}, {self.tokenizer}, {self.form}"
                f"{'.gz' if self.zipped else ''}{', held out' if self.held_out else ''}")

    def pairs(self):
        draw = random.Random(self.text_seed)
        lines = (DATA / "copying" / "train.jsonl").read_text(encoding="utf-8").splitlines()
        pairs = [(entry["source"], entry["target"]) for entry in map(json.loads, draw.sample(lines, 260))]
        if self.model == "hierarchical":
            pairs = [([source, other[0]], target) for (source, target), other in zip(pairs, pairs[1:])]
        return {"train": pairs[:220], "valid": pairs[220:234], "test": pairs[234:252]}

    def write_text(self, folder):
        """Writes all files; returns the options that name those of training, of a study's test and of score."""
        ending = ".gz" if self.zipped else ""
        for part, pairs in self.pairs().items():
            if part == "valid" and self.held_out:
                continue
            if self.form == "lines":
                files = {f"{part}.source": [source for source, _ in pairs], f"{part}.target": [target for _, target in pairs]}
            elif self.form == "tsv":
                files = {f"{part}.tsv": ["\t".join(pair) for pair in pairs]}
            else:
                files = {f"{part}.jsonl": [json.dumps({"source": source, "target": target}) for source, target in pairs]}
            for name, lines in files.items():
                text = "".join(line + "\n" for line in lines).encode()
                # No time in it: it is the same file in each round.
                (folder / (name + ending)).write_bytes(gzip.compress(text, mtime=0) if self.zipped else text)

    def training_text(self, folder):
        return [word for part in ("train", "valid") if part == "train" or not self.held_out for word in self._name(folder, part)]

    def test_text(self, folder, command):
        name = self._name(folder, "test")
        if command == "translate":
            return ["--input", name[1]]
        if command == "score":
            return ["--source", name[1], "--target", name[3]] if self.form == "lines" else ["--input", name[1]]
        return {"source": name[1], "target": name[3]} if self.form == "lines" else {"input": name[1]}

    def _name(self, folder, part):
        ending = ".gz" if self.zipped else ""
        if self.form == "lines":
            return [f"--{part}-source", f"{folder}/{part}.source{ending}", f"--{part}-target", f"{folder}/{part}.target{ending}"]
        return [f"--{part}", f"{folder}/{part}.{self.form}{ending}"]
