"""The benchmark of the course's model space: what each of its networks reaches, trained before.

Such a table is a *tabular NAS benchmark*: a child costs a look at a row instead of a training, so
that methods of search are compared over a hundred seeds instead of one. The first was NAS-Bench-101
(Ying et al. 2019, arXiv:1902.09635). Ours is made by ``make benchmark-table``; data/README.md says
how its networks were trained.
"""

import functools
from dataclasses import dataclass

import numpy as np
import pandas as pd

from workshop._files import shipped_file
from workshop.nas.space import cnn_model_space, layers_of, to_architecture
from workshop.nas.worker import Trained

# The shapes and classes of the data behind the table: all that a search on it has to know of them.
DATA = np.zeros((2, 200, 4), np.float32), np.array([[0], [1]], np.float32)
SCORES = ("val_loss", "val_auroc")  # of which one is the reward


@dataclass(frozen=True, eq=False)
class Benchmark:
    """All networks of `cnn_model_space`, trained; pass it to a search as ``benchmark=``.

    Parameters
    ----------
    table : DataFrame
        A row an epoch of a training: tokens (tuple of int), learning_rate, random_state, epoch
        (from 1), val_auroc, val_loss, test_auroc (NaN but after epochs 3 and 20), seconds (of one
        core, for the whole training) and n_parameters. A training is ``torch_cnn.fit`` with
        batches of 128, on the course's data, split by chromosome.
    searches : DataFrame
        A row a trial of searches on the table, 100 for each method: method, random_state, trial,
        tokens, epochs and val_auroc.

    Examples
    --------
    Does the rank after three epochs tell the rank after twenty? (Of several seeds, the mean.)

    >>> from workshop import nas
    >>> runs = nas.load_benchmark().table.query("learning_rate == 0.003")
    >>> runs = runs.pivot_table(index="tokens", columns="epoch", values="val_auroc")
    >>> len(runs), bool(0 < runs[3].corr(runs[20], method="spearman") < 1)
    (378, True)
    """

    table: pd.DataFrame
    searches: pd.DataFrame

    @functools.cached_property
    def _trainings(self):
        """The columns of each training, and the seeds with each learning rate."""
        keys = ["tokens", "learning_rate", "random_state"]
        groups = self.table.sort_values("epoch").groupby(keys)
        trainings = {key: rows.to_dict("list") for key, rows in groups}
        seeds = self.table.groupby("learning_rate")["random_state"].unique().map(sorted)
        return trainings, seeds.to_dict()

    @functools.cached_property
    def _tokens(self):
        """The tokens of each architecture."""
        space = cnn_model_space()
        return {to_architecture(space, tokens): tokens for tokens in self.table["tokens"].unique()}

    def training(self, tokens, learning_rate, random_state):
        """The columns of a child's training in a search with this `random_state`: lists by epoch.

        Its own seed is one of the table's, and follows from that of the search and the tokens: a
        child that trains on goes on with the same training.
        """
        trainings, seeds = self._trainings
        draw = np.random.SeedSequence([random_state, *tokens]).generate_state(1)[0]
        seed = seeds[learning_rate][draw % len(seeds[learning_rate])]
        return trainings[tokens, learning_rate, seed]

    def trainer(self, space, options, epochs):
        """Check that the table holds what a search asks for; return what looks up its children."""
        rates, (most, rate) = self._trainings[1], (self.table["epoch"].max(), options.learning_rate)
        if rate not in rates:
            known = " or ".join(f"{one:g}" for one in sorted(rates))
            raise ValueError(f"learning_rate on the benchmark must be {known}; got {rate:g}.")
        if epochs > most:
            raise ValueError(f"epochs on the benchmark are {most} at most; got {epochs}.")
        if options.reward not in ("auroc", "loss"):
            expected = "'auroc' or 'loss': it holds both scores, and no predictions"
            raise ValueError(f"reward on the benchmark must be {expected}; got {options.reward!r}.")
        own, asked = layers_of(cnn_model_space()), layers_of(space)
        other = [one for i, layer in enumerate(asked[:4]) for one in layer if one not in own[i]]
        if other or len(asked) != len(own):
            got = f"{len(asked)} layers" + (f", with {other[0]}" if other else "")
            expected = "nas.cnn_model_space() or a part of it, with its four layers"
            raise ValueError(f"space on the benchmark must be {expected}; got {got}.")

        def train(jobs):
            for job in jobs:
                known = self.training(self._tokens[job.architecture], rate, options.random_state)
                epochs = job.settings["epochs"]
                last = job.epochs_before + epochs - 1
                scores = {name: known[name][last] for name in SCORES}
                seconds = known["seconds"][last] * epochs / most
                yield Trained(epochs=epochs, scores=scores, seconds=seconds)

        return train


def load_benchmark():
    """Load the shipped `Benchmark` of the course's model space."""
    return Benchmark(read_table("nas_benchmark.tsv.gz"), read_table("nas_searches.tsv.gz"))


def read_table(name):
    """A shipped table, with tokens such as ``0-0-6-1`` as tuples."""
    table = pd.read_csv(shipped_file(name), sep="\t")
    known = {text: tuple(map(int, text.split("-"))) for text in table["tokens"].unique()}
    return table.assign(tokens=table["tokens"].map(known))
