"""What the tests of the search share: a small data set, a small space, a search of few seconds."""

import numpy as np

from workshop import nas

Op = nas.Operation
LENGTH = 24


def data(n, *, seed):
    """Random sequences; those with ACGT planted at a random place are positive."""
    rng = np.random.default_rng(seed)
    X = np.eye(4, dtype=np.float32)[rng.integers(0, 4, (n, LENGTH))]
    y = (np.arange(n) % 2).astype(np.float32)[:, None]
    for row in np.flatnonzero(y[:, 0]):
        start = rng.integers(0, LENGTH - 4)
        X[row, start : start + 4] = np.eye(4)
    return X, y


def make_space(*layers):
    space = nas.ModelSpace()
    for i, operations in enumerate(layers):
        space.add_layer(i, list(operations))
    return space


def small_space():
    """2 x 2 x 2 = 8 architectures for sequences of 24 bp."""
    return make_space(
        [Op("conv1d", filters=4, kernel_size=k, activation="relu") for k in (4, 7)],
        [Op("maxpool1d", pool_size=2), Op("identity")],
        [Op("flatten"), Op("globalmaxpool1d")],
    )


TRAIN, VAL = data(64, seed=0), data(32, seed=1)


def search(working_dir, *, method=nas.search, space=None, **settings):
    settings = {"train": TRAIN, "val": VAL, "epochs": 1, "progress": False, **settings}
    if method is nas.successive_halving:
        settings.pop("epochs")
    if not {"max_trials", "time_budget", "patience"} & set(settings):
        settings["max_trials"] = 4
    return method(space or small_space(), working_dir=working_dir, **settings)


def same_history(a, b):
    """Whether two searches tried, trained and found the same; only the time may differ."""
    return a.history.drop(columns="seconds").equals(b.history.drop(columns="seconds"))
