"""Search for an architecture with AMBER, or with the baselines that it has to beat.

A search is a loop: somebody proposes tokens, they are built into a child network, the child is
trained for a few epochs and earns a reward on the validation data, and whoever proposed hears of
it. `search` lets AMBER's controller propose, `random_search` a die, `successive_halving` gives
more epochs to the children that begin well. All three survive being killed: the same call goes on
where the last one ended.

References
----------
AMBER: Zhang et al. (2021), doi:10.1038/s42256-021-00316-z. Search by reinforcement learning: Zoph
and Le (2017), arXiv:1611.01578. Random search: Bergstra and Bengio (2012), JMLR 13:281. Successive
halving: Jamieson and Talwalkar (2016), arXiv:1502.07943.
"""

import contextlib
import importlib.metadata
import threading
from dataclasses import asdict

import numpy as np

from workshop import training
from workshop._checks import positive_int
from workshop._progress import ProgressLine
from workshop.architecture import Architecture, GlobalMaxPool
from workshop.nas.budget import Budget
from workshop.nas.controller import Controller, ControllerSettings
from workshop.nas.executors import InProcess, Workers, check_executor
from workshop.nas.folder import SearchDirectory, fingerprint
from workshop.nas.loop import SearchLoop
from workshop.nas.results import SearchResult
from workshop.nas.space import (
    check_operations,
)
from workshop.nas.strategies import (
    HalvingPolicy,
    RandomPolicy,
    RungController,
    bracket_size,
    check_rungs,
)
from workshop.nas.trial import Child, Reward
from workshop.nas.worker import twin_of


def search(
    space,
    *,
    train,
    val,
    working_dir,
    framework="torch",
    reward="auroc",
    task="binary",
    epochs=5,
    batch_size=128,
    learning_rate=0.001,
    time_budget=None,
    max_trials=None,
    patience=None,
    controller=None,
    rungs=None,
    random_state=0,
    resume=True,
    executor=None,
    callbacks=(),
    progress=True,
):
    """Search a model space with AMBER's controller, a recurrent network trained by REINFORCE.

    Parameters
    ----------
    space : amber.architect.ModelSpace
        Such as `cnn_model_space()`, or your own.
    train, val : pair of arrays
        X (N, L, 4) and y (N, T): children learn from the first and are rewarded on the second.
        The test data has no place here.
    working_dir : path-like
        A folder for this search alone. The same call again goes on where the last one ended,
        however it ended, and returns at once what is finished.
    framework : str
        ``"torch"`` or ``"keras"``: which twin trains the children.
    reward : str or callable
        ``"auroc"`` (several outputs: their mean), ``"accuracy"``, ``"loss"`` (its negative), all on
        the validation data; or a function ``(y_true, y_score) -> float``, of labels and
        probabilities, both (N, T), which is maximised. A function that you edit begins another
        search.
    task : str
        Of the output, see `Architecture`.
    epochs, batch_size, learning_rate
        How each child is trained; see the twins' ``fit``. The learning rate is a number here.
    time_budget : float or str, optional
        Seconds or ``"HH:MM:SS"``, over all calls that go on with this search. The child under way
        is finished.
    max_trials : int, optional
    patience : int, optional
        End after this many trials without a better one than the best before them.
    controller : ControllerSettings, optional
    rungs : sequence of int, optional
        Epochs, such as ``(1, 2)``, after which children are compared: one that is worse than the
        best third of all that were trained so far stops there, and that is what the controller is
        told. A trial is then one child on one rung; a child goes on from its weights, with a fresh
        optimiser. Without rungs every child trains for all `epochs`.
    random_state : int
        From 0 to 2**32 - 1. Decides the search: what is proposed, and each child's weights and
        batches.
    resume : bool
        False refuses a folder that holds a search.
    executor : concurrent.futures.Executor, optional
        Trains the children of a step side by side: worker processes, such as
        ``ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn"))`` or
        ``loky.get_reusable_executor(2)``, or a cluster's, such as Dask's
        ``Client(...).get_executor()``. The history is the same as without. It stays yours: shut it
        down when you are done.
    callbacks : sequence of callable
        Each is called with the `Trial` after each trial, when it is on disk. One that returns
        True ends the search; what it raises is raised.
    progress : bool
        Show a line with the trials and the best so far.

    Returns
    -------
    SearchResult
        Also after Ctrl-C, with what is there; the same call goes on from it.

    Raises
    ------
    ValueError
        If data, space or settings do not fit, or `working_dir` holds another search or a damaged
        file.
    RuntimeError
        If another search is running in `working_dir`, or the executor cannot train.
    FileExistsError
        If `resume` is False and there is a search.

    Notes
    -----
    A child that cannot be built, fails or diverges is a row of the history with its status and
    reason. It earns what a model earns that predicts the same for every sequence, or what the
    worst child so far earned where that is less.

    A process trains one child at a time, on one thread: threads of one process gain nothing, and
    one search a process is all. With Keras, equal seeds give equal children up to the rounding
    errors of TensorFlow's threads.

    Each worker of an `executor` reads the arrays once, from a file in `working_dir`, or is sent
    them where it cannot read that. A child whose worker dies is trained once more, alone, and then
    recorded as failed. Dask sends it to three more workers before it says so:
    ``dask.config.set({"distributed.scheduler.allowed-failures": 0})``, before the cluster starts,
    leaves that to the search. Where a cluster has no workers left, the search waits for new ones.

    Rewards are computed here: what a callable `reward` uses need not travel. A step has
    `controller.children_per_step` children, so give it a multiple of the workers; when the search
    ends within a step, children of it that are still training are given up.

    Examples
    --------
    In a script that starts processes, the search stands below ``if __name__ == "__main__":``.

    >>> from concurrent.futures import ProcessPoolExecutor
    >>> with ProcessPoolExecutor(2, mp_context=spawn) as executor:  # doctest: +SKIP
    ...     result = search(space, train=train, val=val, executor=executor, max_trials=24, ...)
    """
    settings = ControllerSettings() if controller is None else controller
    if not isinstance(settings, ControllerSettings):
        raise TypeError(
            f"controller must be nas.ControllerSettings(...); got {type(settings).__name__}."
        )
    stages = _stages(rungs, epochs)

    def make_policy():
        policy = Controller(space, settings, random_state=random_state)
        return policy if stages is None else RungController(policy, stages)

    return _run(
        make_policy,
        {"method": Controller.method, "controller": asdict(settings), "rungs": stages},
        space=space,
        train=train,
        val=val,
        working_dir=working_dir,
        framework=framework,
        reward=reward,
        task=task,
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        budget=Budget(time_budget, max_trials, patience),
        random_state=random_state,
        resume=resume,
        executor=executor,
        callbacks=callbacks,
        progress=progress,
    )


def random_search(
    space,
    *,
    train,
    val,
    working_dir,
    framework="torch",
    reward="auroc",
    task="binary",
    epochs=5,
    batch_size=128,
    learning_rate=0.001,
    time_budget=None,
    max_trials=None,
    patience=None,
    random_state=0,
    resume=True,
    executor=None,
    callbacks=(),
    progress=True,
):
    """Search a model space by trying architectures at random, none twice while there are others.

    The baseline: what a clever search has to beat with the same budget. Parameters, result and
    errors are those of `search`.

    Returns
    -------
    SearchResult
    """
    return _run(
        lambda: RandomPolicy(space, random_state=random_state),
        {"method": RandomPolicy.method},
        space=space,
        train=train,
        val=val,
        working_dir=working_dir,
        framework=framework,
        reward=reward,
        task=task,
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        budget=Budget(time_budget, max_trials, patience),
        random_state=random_state,
        resume=resume,
        executor=executor,
        callbacks=callbacks,
        progress=progress,
    )


def successive_halving(
    space,
    *,
    train,
    val,
    working_dir,
    framework="torch",
    reward="auroc",
    task="binary",
    n_children=9,
    rungs=(1, 2, 5),
    batch_size=128,
    learning_rate=0.001,
    time_budget=None,
    max_trials=None,
    patience=None,
    random_state=0,
    resume=True,
    executor=None,
    callbacks=(),
    progress=True,
):
    """Search a model space by training many children a little and the best of them on.

    Random architectures are trained up to the first rung. The best third of them goes on to the
    next rung, and so on; after the last rung a new bracket of random architectures begins, until
    the budget is used. Without a budget there is one bracket. A child goes on from its weights,
    with a fresh optimiser.

    Parameters
    ----------
    n_children : int
        Children of a bracket. With few of them the first to finish comes soon; with many a bracket
        compares more before it settles.
    rungs : sequence of int
        Epochs, counted from the child's start, after which children are compared.
    space, train, val, working_dir and the others
        As in `search`. A trial is one child on one rung.

    Returns
    -------
    SearchResult
    """
    n_children, rungs = positive_int(n_children, "n_children"), check_rungs(rungs)
    if time_budget is None and max_trials is None and patience is None:
        max_trials = bracket_size(n_children, rungs)
    return _run(
        lambda: HalvingPolicy(space, n_children=n_children, rungs=rungs, random_state=random_state),
        {"method": HalvingPolicy.method, "n_children": n_children, "rungs": rungs},
        space=space,
        train=train,
        val=val,
        working_dir=working_dir,
        framework=framework,
        reward=reward,
        task=task,
        epochs=rungs[-1],
        batch_size=batch_size,
        learning_rate=learning_rate,
        budget=Budget(time_budget, max_trials, patience),
        random_state=random_state,
        resume=resume,
        executor=executor,
        callbacks=callbacks,
        progress=progress,
    )


def _run(
    make_policy,
    described,
    *,
    space,
    train,
    val,
    working_dir,
    framework,
    reward,
    task,
    epochs,
    batch_size,
    learning_rate,
    budget,
    random_state,
    resume,
    executor,
    callbacks,
    progress,
):
    """Check what a search was given, open its folder, and search."""
    operations = check_operations(space)
    twin_of(framework)
    train, val = _check_data(train, val, task)
    if callable(learning_rate):
        raise ValueError(
            "learning_rate must be a positive number in a search, where children may train in "
            f"parts; got {learning_rate!r}. Train the best child anew with a schedule."
        )
    epochs, batch_size, (learning_rate, *_) = training.check_settings(
        epochs=positive_int(epochs, "epochs"),
        batch_size=batch_size,
        optimizer="adam",
        learning_rate=learning_rate,
        random_state=random_state,
    )
    callbacks = _check_callbacks(callbacks)
    executor = None if executor is None else check_executor(executor)
    reward = Reward(reward, task=task, y_train=train[1], y_val=val[1])
    data, seed = (*train, *val), int(random_state)
    child = Child(space, framework, data, reward, task, batch_size, learning_rate, seed)
    settings = {
        **described,
        "framework": framework,
        "space": [list(layer["operation"]) for _, layer in operations.groupby("layer")],
        "data": fingerprint(data),
        "reward": reward.name,
        "task": task,
        "epochs": epochs,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "random_state": seed,
    }
    with _only_thread(), SearchDirectory(working_dir) as directory:
        state = directory.open(settings, versions=_versions(framework), resume=resume)
        workers = InProcess(data) if executor is None else Workers(executor, data, directory.data)
        loop = SearchLoop(make_policy(), child, workers, directory, epochs)
        if state is not None:
            loop.restore(state)
        line = ProgressLine(progress)
        try:
            stopped = loop.run(budget, callbacks, line)
        finally:
            workers.close()
            line.show(loop.text(budget), last=True)
    return SearchResult(
        method=described["method"],
        framework=framework,
        working_dir=directory.path,
        stopped=stopped,
        seconds=loop.seconds,
        operations=operations,
        score_names=child.score_names,
        records=loop.records,
    )


def _check_data(train, val, task):
    """Check both pairs against each other and the task; return them as float32."""
    pairs = []
    for name, pair in (("train", train), ("val", val)):
        if not isinstance(pair, (tuple, list)) or len(pair) != 2:
            raise ValueError(
                f"{name} must be a pair of arrays, ({name}=(X, y)); got {_kind(pair)}."
            )
        pairs.append(pair)
    (X, y), (X_val, y_val) = (map(np.asarray, pair) for pair in pairs)
    if X.ndim != 3 or y.ndim != 2 or 0 in (*X.shape, *y.shape):
        raise ValueError(
            "train must be X of shape (N, L, 4) and y of shape (N, T), neither of them empty; got "
            f"shapes {X.shape} and {y.shape}. For one output pass y[:, None]."
        )
    data = Architecture(
        (GlobalMaxPool(),), input_length=X.shape[1], n_outputs=y.shape[1], task=task
    )
    return (
        training.check_data(data, X, y),
        training.check_data(data, X_val, y_val, suffix="_val"),
    )


def _stages(rungs, epochs):
    """Epochs after which a child may stop, with the last one; None without rungs."""
    if rungs is None:
        return None
    rungs, epochs = check_rungs(rungs), positive_int(epochs, "epochs")
    stages = rungs if rungs[-1] == epochs else (*rungs, epochs)
    if rungs[-1] > epochs or len(stages) == 1:
        raise ValueError(
            f"rungs must be epochs below the {epochs} that a child trains in all, such as (1, 2); "
            f"got {rungs}."
        )
    return stages


def _check_callbacks(callbacks):
    callbacks = [callbacks] if callable(callbacks) else callbacks
    if not isinstance(callbacks, (list, tuple)) or not all(map(callable, callbacks)):
        raise TypeError(f"callbacks must be a list of functions of a Trial; got {callbacks!r}.")
    return callbacks


@contextlib.contextmanager
def _only_thread():
    """Refuse to search in two threads: AMBER draws from generators of the whole process."""
    if not _SEARCHING.acquire(blocking=False):
        raise RuntimeError(
            "Another thread of this process is searching, and each would spoil the other's random "
            "numbers. Search one after the other, or in two processes."
        )
    try:
        yield
    finally:
        _SEARCHING.release()


_SEARCHING = threading.RLock()  # a search inside a search, in a callback, is harmless


def _versions(framework):
    """Versions of what computes a search."""
    packages = ("ucla-automl-workshop", "numpy", "amber-automl", "torch", "tensorflow")
    used = packages if framework == "keras" else packages[:-1]
    return {package: importlib.metadata.version(package) for package in used}


def _kind(value):
    size = f" of {len(value)}" if hasattr(value, "__len__") else ""
    return f"a {type(value).__name__}{size}"
