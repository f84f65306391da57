"""How fast saturation mutagenesis is, side by side in one run: ``python benchmarks/ism.py``.

CPU milliseconds a sequence on one thread, for three models: on a core of its own that is what one
waits, and who else uses the machine hardly matters. Each way takes its turns in every round; the
table shows medians, and the ratio to ours. A sequence's cost is the slope between few and more
sequences: what a way does once a call (capturing a model, planning) does not count. Every way's
scores are compared with those of plain batches.

NumPy's products are as fast as its OpenBLAS takes the processor to be. The first line says what it
takes it for: where that is an older one, without AVX-512, ours works at half the speed of Torch's
kernels on the same core (``OPENBLAS_CORETYPE=SkylakeX`` mends it).

``--exact`` compares 378 architectures and 20 deeper ones, in both frameworks, at all positions.
"""

import argparse
import logging
import os
import platform
import sys
import time
from collections.abc import Callable
from statistics import median
from typing import NamedTuple

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np

from benchmarks.table import measured, ratio
from workshop import architecture as arch
from workshop import datasets, interpret, keras_cnn, torch_cnn
from workshop.interpret.mutagenesis import brute_force

import tangermeme  # isort: skip
import tangermeme.saturation_mutagenesis as tangermeme_ism
import tensorflow as tf
import threadpoolctl
import torch
from torch import nn

BASES = np.eye(4, dtype=np.float32)
BATCHES = (16, 32, 64)  # one of these is the best, or nearly so
PLAIN, DEFAULT, FORCED = "plain batches", "tangermeme, default", "tangermeme, fast path forced"
LIMITS = {  # x ours: the default of tangermeme, the best plain batches
    "Day-1 model": (30, 20),
    "two convolutions, GMP": (7, 6),
    "Basset-like, 600 bp": (None, 10),
}

TWO_CONVOLUTIONS = arch.Architecture(
    (
        *(arch.Conv1D(32, 7, "relu", "same"), arch.MaxPool(4)),
        *(arch.Conv1D(64, 7, "relu", "same"), arch.GlobalMaxPool()),
    )
)
BASSET_LIKE = arch.Architecture(  # Kelley et al., 2016, doi:10.1101/gr.200535.115
    (
        *(arch.Conv1D(300, 19, "relu", "same"), arch.MaxPool(3)),
        *(arch.Conv1D(200, 11, "relu", "same"), arch.MaxPool(4)),
        *(arch.Conv1D(200, 7, "relu", "same"), arch.MaxPool(4), arch.Flatten()),
        *(arch.Dense(1000, "relu"), arch.Dense(1000, "relu")),
    ),
    input_length=600,
    n_outputs=164,
    task="multilabel",
)

# Few and more sequences, between which the slope is taken, for the fast ways and for the slow.
MODELS = {
    "Day-1 model": (arch.DAY1_CNN, (16, 64), (1, 3)),
    "two convolutions, GMP": (TWO_CONVOLUTIONS, (16, 64), (1, 3)),
    "Basset-like, 600 bp": (BASSET_LIKE, (4, 16), (0, 1)),
}


def conv1d_net(architecture, weights):
    """The same network as most people write it: channels first, Conv1d, MaxPool1d."""
    modules, channels = [], 4
    for i, layer in enumerate(architecture.layers):
        weight, bias = weights.get(f"{i}.kernel"), weights.get(f"{i}.bias")
        match layer:
            case arch.Conv1D(filters, size):
                conv = nn.Conv1d(channels, filters, size, padding="same")
                modules += [with_weights(conv, weight.transpose(2, 1, 0), bias), nn.ReLU()]
                channels = filters
            case arch.MaxPool(size):
                modules.append(nn.MaxPool1d(size))
            case arch.GlobalAvgPool():
                modules += [nn.AdaptiveAvgPool1d(1), nn.Flatten()]
            case arch.GlobalMaxPool():
                modules += [nn.AdaptiveMaxPool1d(1), nn.Flatten()]
            case arch.Flatten():
                modules.append(nn.Flatten())
            case arch.Dense(units):
                if isinstance(modules[-1], nn.Flatten):  # here features come channel by channel
                    weight = weight.reshape(-1, channels, units).swapaxes(0, 1).reshape(-1, units)
                modules += [with_weights(nn.Linear(*weight.shape), weight.T, bias), nn.ReLU()]
    weight = weights["output.kernel"]
    output = with_weights(nn.Linear(*weight.shape), weight.T, weights["output.bias"])
    return nn.Sequential(*modules, output).eval()


def with_weights(module, weight, bias):
    module.weight.data = torch.from_numpy(np.ascontiguousarray(weight))
    module.bias.data = torch.from_numpy(bias.copy())
    return module


def scores_by(predict, X, *, share=1):
    """Brute force: mutants of one sequence after the other, or a share of them, by `predict`."""
    scores = np.full_like(X, 0 if share == 1 else np.nan)
    for x, out in zip(X, scores, strict=True):
        place, letter = (part[:: round(1 / share)] for part in np.nonzero(x == 0))
        mutants = np.repeat(x[None], len(place), axis=0)
        mutants[np.arange(len(place)), place] = BASES[letter]
        out[place, letter] = predict(mutants) - predict(x[None])
    return scores


def torch_batches(net, size, *, channels_first, share=1):
    """All mutants of a sequence in batches of one size, the net called directly."""

    def predict(X):
        X = torch.from_numpy(X.swapaxes(1, 2).copy() if channels_first else X)
        with torch.inference_mode():
            return torch.cat([net(batch)[:, 0] for batch in X.split(size)]).numpy()

    return lambda X: scores_by(predict, X, share=share)


def keras_naive(model, share):
    """The loop of the notebook of 2023: `predict` for each mutant; here for a share of them."""

    def predict(X):
        return np.array([model.predict(x[None], verbose=0)[0, 0] for x in X])

    return lambda X: scores_by(predict, X, share=share)


def keras_function(model):
    """All mutants of a sequence in one call of a `tf.function`."""
    function = tf.function(lambda X: model(X, training=False)[:, 0])
    return lambda X: scores_by(lambda X: function(X).numpy(), X)


def by_tangermeme(net, *, forced):
    """tangermeme; `forced` skips its checks whether its fast path pays: for jobs above 30 s."""

    def way(X):
        limit, verify = tangermeme_ism._FAST_MIN_SECONDS, tangermeme_ism._verify_fast
        if forced:
            tangermeme_ism._FAST_MIN_SECONDS = 0
            tangermeme_ism._verify_fast = lambda *args: None
        try:
            result = tangermeme_ism.saturation_mutagenesis(
                net, torch.from_numpy(X.swapaxes(1, 2).copy()), device="cpu", raw_outputs=True
            )
        finally:
            tangermeme_ism._FAST_MIN_SECONDS, tangermeme_ism._verify_fast = limit, verify
        effects = result.y_hat[..., 0] - result.y0[:, None, None, 0]  # (N, 4, L)
        return effects.numpy().swapaxes(1, 2)

    return way


class Way(NamedTuple):
    """One way to score sequences (N, L, 4)."""

    score: Callable
    slow: bool = True
    share: float = 1  # of the mutants that it scores
    prepares: bool = False  # whether a call begins with work that is not for one sequence alone


def ways_for(architecture):
    keras_model = keras_cnn.build_cnn(architecture, random_state=1)
    weights = keras_cnn.get_weights(keras_model)
    model = torch_cnn.build_cnn(architecture)
    torch_cnn.set_weights(model, weights)
    conv1d, share = conv1d_net(architecture, weights), 0.02

    def ours(X):
        return interpret.saturation_mutagenesis(model, X, progress=False)

    ways = {
        "ours": Way(ours, slow=False),
        "naive: Keras predict for each mutant": Way(keras_naive(keras_model, share), share=share),
        "naive: Torch forward for each mutant": Way(
            torch_batches(model, 1, channels_first=False, share=share), share=share
        ),
        "Keras, one tf.function a sequence": Way(keras_function(keras_model)),
        DEFAULT: Way(by_tangermeme(conv1d, forced=False)),
        FORCED: Way(by_tangermeme(conv1d, forced=True), slow=False, prepares=True),
    }
    for size in BATCHES:
        ways[f"{PLAIN} of {size}, our twin"] = Way(torch_batches(model, size, channels_first=False))
        ways[f"{PLAIN} of {size}, Conv1d"] = Way(torch_batches(conv1d, size, channels_first=True))
    return ways


def seconds(way, X):
    start = time.process_time()
    if len(X):
        way(X)
    return time.process_time() - start


def timed(name, rounds):
    """Milliseconds a sequence by each way in each round, and how far each is off."""
    architecture, fast, slow = MODELS[name]
    length = architecture.input_length
    data = datasets.load_ctcf()
    X = data.X[data.y[:, 0] == 1][:300].reshape(-1, length, 4)
    ways = ways_for(architecture)
    reference = ways[f"{PLAIN} of 64, Conv1d"].score(X[:1])
    # The first call loads and compiles. Nobody scores with what is wrong: largest difference.
    off = {key: np.nanmax(np.abs(way.score(X[:1]) - reference)) for key, way in ways.items()}
    times = {key: [] for key in ways}
    for _ in range(rounds):
        for key, way in ways.items():
            few, more = slow if way.slow else fast
            if way.prepares:
                few, more = few + 1, more + 1
            spent = seconds(way.score, X[:more]) - seconds(way.score, X[:few])
            times[key].append(1000 * spent / (more - few) / way.share)
    return times, off


def best_plain(times):
    """The fastest of the plain batches."""
    return min((key for key in times if key.startswith(PLAIN)), key=lambda k: median(times[k]))


def compare(name, rounds):
    times, off = timed(name, rounds)
    ours, architecture = median(times["ours"]), MODELS[name][0]
    print(f"\n{name}: {architecture.n_parameters():,} parameters, {architecture.input_length} bp")
    print(f"{'ms a sequence':40} {'median':>9} {'x ours':>9} {'off by':>9}")
    for key, spent in times.items():
        print(f"{key:40} {median(spent):9.3f} {median(spent) / ours:9.1f} {off[key]:9.1e}")
    for key, limit in zip((DEFAULT, best_plain(times)), LIMITS[name], strict=True):
        required = f" (at least {limit})" if limit else ""
        print(f"{key} / ours: {median(times[key]) / ours:.1f}{required}")


def measure(rounds=(5, 5, 3)):
    """Rows for the suite: `rounds` for each model."""
    quiet()
    rows = []
    for name, n in zip(MODELS, rounds, strict=True):
        print(f"ISM: {name}", file=sys.stderr)
        times, off = timed(name, n)
        if max(off.values()) > 1e-4:
            raise ValueError(f"{name}: a way's scores are off by {off}.")
        ours = times.pop("ours")
        default, plain = LIMITS[name]
        limits = {DEFAULT: default, best_plain(times): plain}
        rows.append(measured(f"{name}: a sequence", ours, "ms"))
        for key, spent in times.items():
            if not key.startswith(PLAIN) or key in limits:
                best = "best " if key.startswith(PLAIN) else ""
                text = f"{name}: {best}{key} / ours"
                rows.append(ratio(text, spent, ours, at_least=limits.get(key)))
    return rows


def exact():
    """Largest difference from brute force by each framework, at every position."""
    from tests.course_space import course_space
    from tests.mutants import sequences
    from tests.test_ism import busy_weights, random_architecture

    rng = np.random.default_rng(4)
    groups = {
        "378 architectures of the course": (course_space(), sequences(3, 200)),
        "20 deeper ones": ([random_architecture(rng) for _ in range(20)], sequences(3, 60)),
    }
    for group, (architectures, X) in groups.items():
        worst = {"keras": 0.0, "torch": 0.0}
        for i, architecture in enumerate(architectures):
            weights = busy_weights(architecture, random_state=i)
            for name, twin in (("keras", keras_cnn), ("torch", torch_cnn)):
                model = twin.build_cnn(architecture)
                twin.set_weights(model, weights)

                def predict(X, twin=twin, model=model):
                    return twin.predict_logits(model, X, batch_size=64)[:, -1]

                task = architecture.n_outputs - 1
                scores = interpret.saturation_mutagenesis(model, X, task=task, progress=False)
                expected = brute_force(predict, X, range(X.shape[1]))
                worst[name] = max(worst[name], float(np.abs(scores - expected).max()))
            keras_cnn.keras.backend.clear_session()
        print(f"{group}: largest difference of a logit", worst, "(at most 1e-4)")


def openblas():
    """The processor whose kernels NumPy's products use."""
    pools = threadpoolctl.threadpool_info()
    return next((p["architecture"] for p in pools if p["internal_api"] == "openblas"), "no one")


def quiet():
    """One thread, no log."""
    logging.getLogger("tensorflow").setLevel(logging.ERROR)
    torch.set_num_threads(1)
    tf.config.threading.set_intra_op_parallelism_threads(1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--model", choices=MODELS, help="only this one")
    parser.add_argument("--exact", action="store_true", help="compare all architectures instead")
    options = parser.parse_args()
    quiet()
    print(f"{platform.machine()}, one thread, Python {platform.python_version()},", end=" ")
    print(f"OpenBLAS for {openblas()},", end=" ")
    print(*(f"{m.__name__} {m.__version__}" for m in (np, torch, tf, tangermeme)), sep=", ")
    if options.exact:
        exact()
    else:
        for name in [options.model] if options.model else MODELS:
            compare(name, options.rounds)


if __name__ == "__main__":
    main()
