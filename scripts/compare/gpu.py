#!/usr/bin/env python3
"""Measures seq2seq, OpenNMT-py and CTranslate2 one after the other on one device; started by gpu.sh.

    gpu.py FOLDER WORK OUT train|decode...

Each measurement is a process of its own, ended before the next begins. Where FORK is not 0 these are forked from this
one, which has imported torch and OpenNMT-py but computes nothing, so that they start without a Python's seconds.
"""
import gzip
import json
import os
import re
import signal
import statistics
import sys
import time
import traceback

BEGIN = time.monotonic()
FOLDER, WORK, OUT = sys.argv[1:4] if len(sys.argv) > 3 else (None, None, None)
DEVICE = os.environ.get("DEVICE", "cuda")
QUICK = os.environ.get("QUICK", "0") != "0"
LIMIT = float(os.environ.get("LIMIT", 190))
PEER_SECONDS = 2 if QUICK else float(os.environ.get("PEER_SECONDS", 7))
PEER_BUCKET = 1 if QUICK else float(os.environ.get("PEER_BUCKET", 4))
PRECISIONS = os.environ.get("PRECISIONS", "float32" if DEVICE == "cpu" else "float32 tf32 bfloat16").split()
WORKERS = os.environ.get("WORKERS", "1 2 4").split()
DECODE_FLAGS = os.environ.get("DECODE_FLAGS", "").split()
BATCH = 256 if QUICK else 16384
LINES = 16 if QUICK else 256
LENGTH = 15
REPEATS = 1 if QUICK else 10
forking = os.environ.get("FORK", "1") != "0"
results, matrix, device_name = [], {}, DEVICE

# The options of the peer for each preset; its own files name the rest.
RNN, TRANSFORMER = "rnn-attention", "transformer-base"
PEER = {
    RNN: ["-config", f"{FOLDER}/compare/onmt_rnn.yaml"],
    TRANSFORMER: ["-config", f"{FOLDER}/compare/onmt_transformer.yaml", "-enc_layers", "6", "-dec_layers", "6",
                  "-heads", "8", "-hidden_size", "512", "-word_vec_size", "512", "-transformer_ff", "2048",
                  "-dropout", "0.1"],
}
REPORT_EVERY = 1 if QUICK else {RNN: 5, TRANSFORMER: 2}


# ---- what a process of its own does; arguments are those of JSON


def say(**values):
    print("RESULT", json.dumps(values), flush=True)


def execute(*command):
    environment = dict(os.environ, LD_LIBRARY_PATH=os.environ["OWN_LIBRARIES"])
    os.execve(command[0], command, environment)


def multiply():
    import torch
    size = 512 if DEVICE == "cpu" else 8192
    if DEVICE != "cpu":
        say(device=torch.cuda.get_device_name())
    for name in ("float32", "tf32", "bfloat16"):
        kind = torch.bfloat16 if name == "bfloat16" else torch.float32
        torch.backends.cuda.matmul.allow_tf32 = name == "tf32"
        a, b = (torch.randn(size, size, device=DEVICE).to(kind) for _ in range(2))
        for count in (3, 10):  # the first time to warm up
            wait_for_device()
            begin = time.perf_counter()
            for _ in range(count):
                a @ b
            wait_for_device()
            seconds = (time.perf_counter() - begin) / count
        say(precision=name, tflops=2e-12 * size**3 / seconds)


def wait_for_device():
    import torch
    if DEVICE != "cpu":
        torch.cuda.synchronize()


def attend_as_before():
    """OpenNMT-py turns one kernel of attention off and means the two others that there were. The fourth that came
    later, cuDNN's, may be planned anew for each shape of a batch."""
    import torch
    kernel = torch.backends.cuda.sdp_kernel
    torch.backends.cuda.sdp_kernel = lambda *a, **named: kernel(*a, enable_cudnn=False, **named)


def onmt_train(*options):
    if os.environ.get("CUDNN_ATTENTION", "0") == "0":
        attend_as_before()
    from onmt.bin.train import main
    sys.argv = ["onmt_train", *options]
    main()


def onmt_model(options, path):
    """Writes a checkpoint of random weights: what is trained does not matter to the time of outputs of one length."""
    from onmt.bin.train import _get_parser
    from onmt.model_builder import build_model
    from onmt.models import build_model_saver
    from onmt.train_single import _init_train
    from onmt.utils.optimizers import Optimizer
    from onmt.utils.parse import ArgumentParser
    opt, _ = _get_parser().parse_known_args([*options, "-save_model", path])
    ArgumentParser.validate_train_opts(opt)
    ArgumentParser.update_model_opts(opt)
    ArgumentParser.validate_model_opts(opt)
    _, vocabularies, _ = _init_train(opt)
    model = build_model(opt, opt, vocabularies, None, -1)
    build_model_saver(opt, opt, model, vocabularies, Optimizer.from_opt(model, opt), -1).save(1)
    return f"{path}_step_1.pt"


def onmt_decode(options, passes):
    attend_as_before()
    from onmt.bin.translate import _get_parser
    from onmt.inference_engine import InferenceEnginePY
    from onmt.utils.parse import ArgumentParser
    model = onmt_model(options, f"{WORK}/onmt_model")
    for precision in ("fp32",) if DEVICE == "cpu" else ("fp32", "fp16"):
        for beam in (5, 1):
            arguments = ["-model", model, "-output", f"{WORK}/onmt_output", "-beam_size", str(beam),
                         "-batch_size", str(LINES), "-batch_type", "sents", "-precision", precision,
                         "-min_length", str(LENGTH), "-max_length", str(LENGTH), "-src", f"{WORK}/warm-up.pieces"]
            arguments += [] if beam > 1 else ["-random_sampling_topk", "1"]
            arguments += [] if DEVICE == "cpu" else ["-gpu", "0"]
            opt = _get_parser().parse_args(arguments)
            ArgumentParser.validate_translate_opts(opt)
            ArgumentParser._get_all_transform_translate(opt)
            ArgumentParser._validate_transforms_opts(opt)
            ArgumentParser.validate_translate_opts_dynamic(opt)
            engine = InferenceEnginePY(opt)
            engine.infer_file()
            opt.src = f"{WORK}/test.pieces"
            speeds = []
            for _ in range(passes):
                begin = time.perf_counter()
                outputs = engine.infer_file()[1]
                wait_for_device()
                tokens = sum(len(output[0].split()) for output in outputs)
                speeds.append(tokens / (time.perf_counter() - begin))
            say(beam=beam, setting=precision, speeds=speeds, length=tokens / len(outputs))


def ct2_model(path, pieces):
    """A Transformer of random weights: 4+4 layers, 256/1024, 4 heads, norms first, tied embeddings."""
    import numpy
    from ctranslate2.specs import TransformerSpec
    width, inner = 256, 1024
    draw = numpy.random.default_rng(0).standard_normal
    spec = TransformerSpec.from_config((4, 4), 4, pre_norm=True)

    def linear(layer, outputs, inputs):
        layer.weight = (0.05 * draw((outputs, inputs))).astype(numpy.float32)
        layer.bias = numpy.zeros(outputs, numpy.float32)

    def norm(layer):
        layer.gamma, layer.beta = numpy.ones(width, numpy.float32), numpy.zeros(width, numpy.float32)

    def attention(layer, *widths):
        norm(layer.layer_norm)
        for part, outputs in zip(layer.linear, widths):
            linear(part, outputs, width)

    tokens = ["<unk>", "<s>", "</s>", *pieces]
    tokens += [f"<{i}>" for i in range(len(tokens), 8000)]
    embeddings = (0.06 * draw((len(tokens), width))).astype(numpy.float32)
    encoder, decoder = spec.encoder, spec.decoder
    encoder.embeddings[0].weight = decoder.embeddings.weight = decoder.projection.weight = embeddings
    decoder.projection.bias = numpy.zeros(len(tokens), numpy.float32)
    for side in (encoder, decoder):
        norm(side.layer_norm)
        side.position_encodings.encodings = numpy.zeros((512, width), numpy.float32)
        for layer in side.layer:
            attention(layer.self_attention, 3 * width, width)
            norm(layer.ffn.layer_norm)
            linear(layer.ffn.linear_0, inner, width)
            linear(layer.ffn.linear_1, width, inner)
    for layer in decoder.layer:
        attention(layer.attention, width, 2 * width, width)
    spec.register_source_vocabulary(tokens)
    spec.register_target_vocabulary(tokens)
    spec.validate()
    spec.optimize()
    os.makedirs(path)
    spec.save(path)


def ct2_decode(passes):
    import ctranslate2
    with open(f"{FOLDER}/enc/vocabulary", encoding="utf-8") as lines:
        ct2_model(f"{WORK}/ct2_model", [line.split("\t")[0] for line in lines])
    with open(f"{WORK}/test.pieces", encoding="utf-8") as lines:
        lines = [line.split() for line in lines]
    for precision in ("float32",) if DEVICE == "cpu" else ("float16", "float32", "int8_float16"):
        for workers in (1, 2):
            translator = ctranslate2.Translator(f"{WORK}/ct2_model", device=DEVICE, compute_type=precision,
                                                inter_threads=workers)
            for beam in (5, 1):
                options = dict(beam_size=beam, min_decoding_length=LENGTH, max_decoding_length=LENGTH,
                               max_batch_size=LINES, batch_type="examples")
                translator.translate_batch(lines[:4 * LINES], **options)
                speeds = []
                for _ in range(passes):
                    begin = time.perf_counter()
                    outputs = translator.translate_batch(lines, **options)
                    tokens = sum(len(output.hypotheses[0]) for output in outputs)
                    speeds.append(tokens / (time.perf_counter() - begin))
                say(beam=beam, setting=f"{precision}, {counted(workers)}", speeds=speeds, length=tokens / len(outputs))
            del translator


# ---- processes


def remaining():
    return LIMIT - (time.monotonic() - BEGIN)


def text_of(name):
    text = ""
    for end in ("out", "err"):
        with open(f"{WORK}/{name}.{end}", errors="replace") as stream:
            text += stream.read()
    return text


def child(name, function, arguments, fork):
    """Never returns."""
    try:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        os.setsid()
        for end, number in (("out", 1), ("err", 2)):
            os.dup2(os.open(f"{WORK}/{name}.{end}", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644), number)
        if fork or function == "execute":
            globals()[function](*arguments)
        else:
            call = ["--child", function, json.dumps(arguments)]
            os.execv(sys.executable, [sys.executable, os.path.abspath(__file__), FOLDER, WORK, OUT, *call])
        sys.stdout.flush()
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        os._exit(1)


def end_of(pid, runs):
    """Ends a process and all that it has started."""
    for kill in (os.killpg, os.kill) if runs else (os.killpg,):
        try:
            kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    if runs:
        os.waitpid(pid, 0)


def run(name, need, seconds, function, *arguments, fork=True, enough=None):
    """What was printed within `seconds`, or until it is enough; nothing where less than `need` is left for it."""
    global forking
    if remaining() < need:
        print(f"{name}: left out, {remaining():.0f} s are left", flush=True)
        return None
    fork = fork and forking
    begin = time.monotonic()
    sys.stdout.flush()
    pid = os.fork()
    if not pid:
        child(name, function, arguments, fork)
    how, code = "", None
    try:
        while code is None:
            time.sleep(0.05)
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                code = os.waitstatus_to_exitcode(status)
            elif enough and enough(text_of(name)):
                break
            elif time.monotonic() - begin > min(seconds, remaining() + 5):
                how = f"stopped after {time.monotonic() - begin:.0f} s"
                break
    finally:
        end_of(pid, code is None)
    text = text_of(name)
    if fork and code and "in forked subprocess" in text:
        forking = False
        return run(name, need, seconds, function, *arguments, enough=enough)
    if code:
        how = f"exit code {code}"
    if how:
        print(f"{name}: {how}; the last lines:", *(f"    {line[:200]}" for line in text.strip().splitlines()[-6:]),
              sep="\n", flush=True)
    if os.environ.get("TIMES"):
        print(f"# {name}: {time.monotonic() - begin:.1f} s", flush=True)
    return text


def rows(text):
    return [json.loads(line[7:]) for line in (text or "").splitlines() if line.startswith("RESULT ")]


def note(what, program, setting, speed, **more):
    """`speed`: median, minimum and maximum of target tokens a second."""
    results.append(dict(what=what, program=program, setting=setting, **speed, **more))
    save()
    tflops = more.get("tflops")
    precision = setting.split(",")[0]
    share = matrix.get({"fp32": "float32", "fp16": "bfloat16"}.get(precision, precision))
    arithmetic = f"  {tflops:.3g} TFLOP/s" if tflops else ""
    if tflops and share:
        arithmetic += f", {100 * tflops / share:.1f}% of a large product's"
    mean = f", mean {more['mean']:.0f}" if "mean" in more else ""
    waited = more.get("details", {}).get("data_wait_share")
    waiting = f", {waited:.1%} waiting for data" if waited is not None else ""
    print(f"{what:32} {program:11} {setting:23} {speed['median']:9.0f} "
          f"({speed['minimum']:.0f} to {speed['maximum']:.0f}{mean}){arithmetic}{waiting}", flush=True)


def spread(speeds):
    return dict(median=statistics.median(speeds), minimum=min(speeds), maximum=max(speeds), windows=len(speeds))


def counted(workers):
    return f"{workers} worker{'' if int(workers) == 1 else 's'}"


def save():
    with open(f"{OUT}/compare.json", "w") as stream:
        json.dump({"device": device_name, "matrix_tflops": matrix, "results": results}, stream, indent=1)


def own_bench(name, need, seconds, *arguments):
    text = run(name, need, seconds, "execute", f"{FOLDER}/bin/seq2seq", "bench", *arguments, "--device", DEVICE)
    try:
        return json.loads((text or "")[:text.rindex("\n}") + 2])
    except (AttributeError, ValueError):
        return None


# ---- training


def prepare_text():
    """Ten times the text, each time with the words of every source rotated by one more, because OpenNMT-py leaves out a
    source that its batch has already."""
    take = 600 if QUICK else None
    for side in ("en", "de"):
        with open(f"{FOLDER}/data/train.{side}", encoding="utf-8") as lines:
            plain = [line.split() for line in lines.read().split("\n")[:-1]][:take]
        with gzip.open(f"{FOLDER}/enc/train.{side}.gz", "rt", encoding="utf-8") as lines:
            pieces = [re.split(" (?=▁)", line) for line in lines.read().split("\n")[:-1]][:take]
        assert len(plain) == len(pieces)
        for name, text in ((f"train.{side}", plain), (f"train.{side}.pieces", pieces)):
            with open(f"{WORK}/{name}", "w", encoding="utf-8") as out:
                for shift in range(REPEATS):
                    for words in text:
                        at = shift % max(len(words), 1) if side == "en" else 0
                        out.write(" ".join(words[at:] + words[:at]) + "\n")
    return len(pieces)


def own_train(model, precision):
    window, warmup = (0.3, 0) if QUICK else (0.7, 2)
    found = own_bench(f"own.{model}.{precision}", 9, 30, "train", "--config", f"{FOLDER}/models/{model}.json",
                      "--accumulation", "1", "--tokenizer.model", f"{FOLDER}/joint.model",
                      "--train-source", f"{WORK}/train.en", "--train-target", f"{WORK}/train.de",
                      "--precision", precision, "--batch-size", str(BATCH), "--windows", "5",
                      "--window-seconds", str(window), "--warmup-seconds", str(warmup))
    if found:
        note(f"training {model}", "seq2seq", precision, found["target_tokens_per_second"],
             tflops=found["gflops"] / 1000, mflop_per_token=found["mflop_per_target_token"], details=found)


def windows_of(text, every):
    """(target tokens a second, target tokens) of each report but the first two."""
    found = re.findall(r"Step +\d+/.*bsz: *\d+/ *(\d+)/ *\d+; *\d+/ *(\d+) tok/s", text)[2:]
    return [(float(speed), every * float(tokens)) for tokens, speed in found if float(speed) > 0]


def mflop_of(what):
    return next((result["mflop_per_token"] for result in results
                 if result["what"] == what and "mflop_per_token" in result), None)


def peer_options(model, source, target):
    return [*PEER[model], "-data", json.dumps({"train": {"path_src": source, "path_tgt": target, "transforms": [],
                                                         "weight": 1}}),
            "-src_vocab", f"{FOLDER}/enc/vocabulary", "-tgt_vocab", f"{FOLDER}/enc/vocabulary"]


def peer_train(model, precision, workers, lines):
    if DEVICE == "cpu" and precision != "fp32":
        return
    every = REPORT_EVERY if QUICK else REPORT_EVERY[model]
    name = f"onmt.{model}.{precision}.{workers}"
    # A worker reads only its share of the lines; more than these would be the same ones once more.
    bucket = int(min(PEER_BUCKET, REPEATS / workers) * lines)
    gpu = [] if DEVICE == "cpu" else ["-world_size", "1", "-gpu_ranks", "0"]

    def enough(text):
        windows = windows_of(text, every)
        return len(windows) >= 5 and sum(tokens / speed for speed, tokens in windows) >= PEER_SECONDS

    text = run(name, 11 + PEER_SECONDS, 28 + PEER_SECONDS, "onmt_train",
               *peer_options(model, f"{WORK}/train.en.pieces", f"{WORK}/train.de.pieces"),
               "-batch_size", str(BATCH), "-bucket_size", str(bucket), f"{WORK}/{name}",
               "-save_checkpoint_steps", "1000000", "-train_steps", "1000000", "-valid_steps", "1000000",
               "-report_every", str(every), "-num_workers", str(workers), "-model_dtype", precision, *gpu,
               enough=enough)
    windows = windows_of(text or "", every)
    if windows:
        speeds = [speed for speed, _ in windows]
        mean = sum(tokens for _, tokens in windows) / sum(tokens / speed for speed, tokens in windows)
        mflop = mflop_of(f"training {model}")
        more = {"tflops": 1e-6 * mflop * statistics.median(speeds)} if mflop else {}
        note(f"training {model}", "OpenNMT-py", f"{precision}, {counted(workers)}", spread(speeds), mean=mean,
             updates=every * len(windows), **more)


# ---- decoding


WIDE = ["--embedding.size", "256", "--encoder.inner-size", "1024", "--decoder.inner-size", "1024"]
DECODED = {RNN: [], "transformer": WIDE}


def prepare_decoding():
    with open(f"{FOLDER}/data/test_2016_flickr.en", encoding="utf-8") as lines:
        plain = lines.read().split("\n")[:-1]
    with gzip.open(f"{FOLDER}/enc/test_2016_flickr.en.gz", "rt", encoding="utf-8") as lines:
        pieces = lines.read().split("\n")[:-1]
    times, take = (1, 3 * LINES) if QUICK else (4, None)
    for name, lines in (("test", plain), ("test.pieces", pieces), ("few", plain[:20]),
                        ("warm-up.pieces", pieces[:2 * LINES])):
        count = times if name.startswith("test") else 1
        with open(f"{WORK}/{name}", "w", encoding="utf-8") as out:
            out.writelines(f"{line}\n" for line in (count * lines)[:take])


def own_models():
    for model, options in DECODED.items():
        run(f"own.model.{model}", 6, 30, "execute", f"{FOLDER}/bin/seq2seq", "train", "--quiet",
            "--config", f"{FOLDER}/models/{model}.json", *options, "--accumulation", "1",
            "--tokenizer.model", f"{FOLDER}/joint.model", "--precision", "float32", "--batch-size", "1024",
            "--train-source", f"{FOLDER}/data/train.en", "--train-target", f"{FOLDER}/data/train.de",
            "--valid-source", f"{WORK}/few", "--valid-target", f"{WORK}/few", "--max-updates", "2",
            "--device", DEVICE, "--run-directory", f"{WORK}/{model}")


def what_decoding(model, beam):
    return f"decoding {model}, {'greedy' if beam == 1 else f'beam {beam}'}"


def own_decode(model, beam, workers):
    found = own_bench(f"own.decode.{model}.{beam}.{workers}", 5, 25, "decode", "--model", f"{WORK}/{model}",
                      "--input", f"{WORK}/test", "--beam-size", str(beam), "--batch-size", str(LINES),
                      "--min-length", str(LENGTH), "--max-length", str(LENGTH), "--windows", "3",
                      "--workers", workers, *DECODE_FLAGS)
    if found:
        note(what_decoding(model, beam), "seq2seq", counted(workers), found["target_tokens_per_second"],
             tflops=found["gflops"] / 1000, details=found)


def peer_decode():
    text = run("onmt.decode", 9, 40, "onmt_decode", peer_options(RNN, *2 * (f"{WORK}/test.pieces",)), 2)
    for row in rows(text):
        note(what_decoding(RNN, row["beam"]), "OpenNMT-py", row["setting"], spread(row["speeds"]),
             length=row["length"])
    text = run("ct2.decode", 10, 45, "ct2_decode", 3, fork=False)
    for row in rows(text):
        note(what_decoding("transformer", row["beam"]), "CTranslate2", row["setting"], spread(row["speeds"]),
             length=row["length"])


def best(what, own, of=""):
    return max((result for result in results if result["what"] == what and (result["program"] == "seq2seq") == own
                and result["setting"].startswith(of)), key=lambda result: result["median"], default=None)


def table():
    print(f"\n{'target tokens/s, the best of each':32} {'seq2seq':>31} {'peer':>46} {'ratio':>6}")
    for what in dict.fromkeys(result["what"] for result in results):
        pairs = [("", "")] + ([("float32", "fp32"), ("bfloat16", "fp16")] if what.startswith("training") else [])
        shown = []
        for pair in pairs:
            own, peer = (best(what, i == 0, of) for i, of in enumerate(pair))
            if not own or not peer or (own, peer) in shown:
                continue
            shown.append((own, peer))
            print(f"{what:32} {own['median']:9.0f}, {own['setting']:20} {peer['median']:9.0f}, "
                  f"{peer['program'] + ', ' + peer['setting']:35} {own['median'] / peer['median']:6.2f}")


def stop(*_):
    raise SystemExit(1)


def main():
    global device_name
    sections = sys.argv[4:]
    signal.signal(signal.SIGTERM, stop)
    if forking:
        import onmt.bin.train  # noqa: F401
        import onmt.bin.translate  # noqa: F401
    lines = prepare_text() if "train" in sections else 0
    print(f"began after {time.monotonic() - BEGIN:.0f} s", flush=True)
    for row in rows(run("multiply", 5, 30, "multiply")):
        if "device" in row:
            device_name = row["device"]
        else:
            matrix[row["precision"]] = row["tflops"]
    print(f"{device_name}, matrix products, TFLOP/s:",
          ", ".join(f"{name} {tflops:.3g}" for name, tflops in matrix.items()))
    save()
    if "train" in sections:
        for precision in PRECISIONS:
            own_train(RNN, precision)
        peer_train(RNN, "fp32", 2, lines)
        peer_train(RNN, "fp16", 6, lines)
        for precision in PRECISIONS:
            own_train(TRANSFORMER, precision)
        peer_train(TRANSFORMER, "fp16", 2, lines)
    if "decode" in sections:
        prepare_decoding()
        own_models()
        for workers in WORKERS:
            for model in DECODED:
                for beam in (5, 1):
                    own_decode(model, beam, workers)
            if workers == WORKERS[0]:
                peer_decode()
    if "train" in sections:  # what may be left out
        peer_train(RNN, "fp32", 6, lines)
        peer_train(RNN, "fp16", 2, lines)
        peer_train(TRANSFORMER, "fp32", 2, lines)
    table()
    print(f"{time.monotonic() - BEGIN:.0f} s")


if __name__ == "__main__":
    if sys.argv[4:5] == ["--child"]:
        globals()[sys.argv[5]](*json.loads(sys.argv[6]))
    else:
        main()
