"""Search for an architecture with AMBER, or with the baselines that it has to beat.

A search is a loop: a strategy proposes tokens, they are built into a child network, the child is
trained for a few epochs and earns a reward on the validation data, and the strategy hears of it.
In `search` the strategy is AMBER's controller, in `random_search` chance; `successive_halving`
gives more epochs to the children that begin well. From here to a trained child: `SearchLoop.run`
(loop.py), `Children.job` (trial.py), `train_child` (worker.py), the twin's ``fit``.

References
----------
AMBER: Zhang et al. (2021), doi:10.1038/s42256-021-00316-z. Search by reinforcement learning: Zoph
and Le (2017), arXiv:1611.01578. Random search: Bergstra and Bengio (2012), JMLR 13:281. Successive
halving: Jamieson and Talwalkar (2016), arXiv:1502.07943.
"""

import contextlib
import functools
import inspect
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, fields
from os import PathLike

from workshop import training
from workshop._checks import plain_array, whole_number
from workshop._progress import ProgressLine
from workshop.architecture import Architecture, GlobalMaxPool
from workshop.nas.benchmark import DATA, Benchmark
from workshop.nas.controller import Controller
from workshop.nas.executors import check_executor, on_workers
from workshop.nas.folder import NoFolder, SearchFolder, fingerprint
from workshop.nas.loop import Budget, SearchLoop
from workshop.nas.results import SearchResult
from workshop.nas.space import space_table
from workshop.nas.strategies import (
    HalvingStrategy,
    RandomStrategy,
    RungStrategy,
    bracket_size,
    check_rungs,
)
from workshop.nas.trial import Children
from workshop.nas.worker import train_child, twin_of

NOT_ON_BENCHMARK = (
    *("train", "val", "working_dir", "framework", "task", "batch_size", "time_budget"),
    *("resume", "executor"),
)


@dataclass(kw_only=True)
class Options:
    """What every search takes beside its space, by name.

    train, val : pair of arrays
        X (N, L, 4) and y (N, T): children learn from the first and are rewarded on the second.
        The test data has no place here.
    working_dir : path-like
        A folder for this search alone. The same call goes on where the last one ended, however it
        ended, and returns at once what is finished.
    benchmark : Benchmark, optional
        From `load_benchmark`, instead of the three above: children are looked up, not trained, and
        nothing is written. It says how they were trained: pass the learning rate and the epochs of
        a child, up to 20. A child that trains on keeps its optimiser there.
    framework : str
        ``"torch"`` or ``"keras"``: which twin trains the children.
    reward : str or callable
        ``"auroc"`` (several outputs: their mean), ``"accuracy"``, ``"loss"`` (its negative), all on
        the validation data; or a function ``(y_true, y_score) -> float``, of labels and
        probabilities, both (N, T), which is maximised; or ``(y_true, y_score, architecture)``, with
        the child's `Architecture`, so that size can have its price. A function that you edit begins
        another search, and so does one whose enclosed or global values or functions you change. Not
        noticed: what is in a list, a module or a model, and what it imports itself or reads.
    task, batch_size, learning_rate
        As for an `Architecture` and the twins' ``fit``. The learning rate is a number here.
    time_budget : float or str, optional
        Seconds or ``"HH:MM:SS"``, over all calls together. The child under way is finished.
    max_trials : int, optional
    patience : int, optional
        End after this many trials without a better one than the best before them.
    random_state : int
        From 0 to 2**32 - 1. Decides what is proposed, and each child's weights and batches.
    resume : bool
        False refuses a folder that holds a search.
    executor : concurrent.futures.Executor, optional
        Its worker processes, which must all see `working_dir`, train the children of a step side
        by side: ``ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn"))``,
        ``loky.get_reusable_executor(2)``, or a cluster's, such as Dask's
        ``Client(...).get_executor()``. The history is the same as without.
    callbacks : sequence of callable
        Each is called with the `Trial` after each trial, when it is on disk. One that returns
        True ends the search; what it raises is raised.
    progress : bool
        Show a line with the trials and the best so far; none on a benchmark.
    """

    train: tuple | None = None
    val: tuple | None = None
    working_dir: str | PathLike | None = None
    benchmark: Benchmark | None = None
    framework: str = "torch"
    reward: str | Callable = "auroc"
    task: str = "binary"
    batch_size: int = 128
    learning_rate: float = 0.001
    time_budget: float | str | None = None
    max_trials: int | None = None
    patience: int | None = None
    random_state: int = 0
    resume: bool = True
    executor: Executor | None = None
    callbacks: Sequence[Callable] = ()
    progress: bool = True

    def __post_init__(self):
        if self.benchmark is None:
            twin_of(self.framework)
            for name in ("train", "val", "working_dir"):
                if getattr(self, name) is None:
                    raise TypeError(f"missing a required argument: {name!r} (or a benchmark)")
            self.train, self.val = _check_data(self.train, self.val, self.task)
        else:
            self._check_benchmark()
            self.train = self.val = DATA
        if callable(self.learning_rate):
            raise ValueError("learning_rate of a search must be a number; got a schedule.")
        _, self.batch_size, (self.learning_rate,) = training.check_settings(
            1, self.batch_size, "adam", self.learning_rate, self.random_state
        )
        self.random_state = int(self.random_state)
        if not isinstance(self.callbacks, (list, tuple)) or not all(map(callable, self.callbacks)):
            raise TypeError(f"callbacks must be functions of a Trial; got {self.callbacks!r}.")
        if self.executor is not None:
            check_executor(self.executor)

    def _check_benchmark(self):
        """Refuse what the table decides, or what would have no effect."""
        if not isinstance(self.benchmark, Benchmark):
            raise TypeError(f"benchmark must come from load_benchmark(); got {self.benchmark!r}.")
        given = [one.name for one in fields(self) if getattr(self, one.name) is not one.default]
        if others := [name for name in given if name in NOT_ON_BENCHMARK]:
            names = f"{', '.join(others)}: its children were trained before"
            raise TypeError(f"A search on the benchmark takes no {names}. Leave out either one.")


def takes_options(method):
    """Let a search take the fields of `Options` by name; its signature and docstring have them."""
    space, _, *own = inspect.signature(method).parameters.values()
    named = [*own, *inspect.signature(Options).parameters.values()]
    named.sort(key=lambda p: p.default is not p.empty)  # required first
    signature = inspect.Signature([space, *(p.replace(annotation=p.empty) for p in named)])

    @functools.wraps(method)
    def search(*args, **given):
        given = signature.bind(*args, **given).arguments
        ours = {p.name: given.pop(p.name) for p in (space, *own) if p.name in given}
        return method(options=Options(**given), **ours)

    search.__signature__ = signature
    _, _, explained = inspect.cleandoc(Options.__doc__).partition("\n\n")
    search.__doc__ = inspect.cleandoc(method.__doc__).replace("{options}", explained)
    return search


@takes_options
def search(space, options, *, epochs=5, controller=None, rungs=None):
    """Search a model space with AMBER's controller, a recurrent network trained by REINFORCE.

    Parameters
    ----------
    space : amber.architect.ModelSpace
        Such as `cnn_model_space()`, or your own.
    epochs : int
        That each child trains.
    controller : ControllerSettings, optional
    rungs : sequence of int, optional
        Epochs, such as ``(1, 2)``, after which children are compared: one that is worse than the
        best third of all that were trained so far stops there, and that is what the controller is
        told. A trial is then one child on one rung; a child goes on from its weights, with a fresh
        optimiser. Without rungs every child trains for all `epochs`.
    {options}

    Returns
    -------
    SearchResult
        Also after Ctrl-C, with what is there; the same call goes on from it.

    Raises
    ------
    ValueError
        Also if `working_dir` holds another search, a damaged file, or a search that began with a
        Torch or AMBER whose proposals differ.
    RuntimeError
        If another search is running in `working_dir`, or the executor cannot train.
    FileExistsError
        If `resume` is False and there is a search.

    Notes
    -----
    A child that cannot be built, fails or diverges is a row of the history with its status and
    reason. It earns what a model earns that predicts the same for every sequence, or what the
    worst child so far earned where that is less. On disk are the trials and their models; when a
    search goes on, the controller learns again from the rewards, in seconds for a hundred.

    A step has `controller.children_per_step` children: give it a multiple of the workers. When a
    worker dies, its pool breaks, and the search says so; nothing is lost, and the same call with
    a new pool, or without, goes on. Dask starts a new worker instead; a child that four of them
    died of has failed. With Keras, children differ by the rounding errors of TensorFlow's threads.

    Examples
    --------
    In a script that starts processes, the search stands below ``if __name__ == "__main__":``.

    >>> from concurrent.futures import ProcessPoolExecutor
    >>> with ProcessPoolExecutor(2, mp_context=spawn) as executor:  # doctest: +SKIP
    ...     result = search(space, train=train, val=val, executor=executor, max_trials=24, ...)
    """
    epochs, stages = whole_number(epochs, "epochs"), None
    strategy = Controller(space, controller, random_state=options.random_state)
    settings = {f"controller.{key}": value for key, value in asdict(strategy.settings).items()}
    if rungs is not None:
        stages = _check_stages(rungs, epochs)
        strategy = RungStrategy(strategy, stages)
    return _run(strategy, space, epochs, options, {"rungs": stages, **settings})


@takes_options
def random_search(space, options, *, epochs=5):
    """Search a model space by trying architectures at random, none twice while there are others.

    This is the baseline: what a clever search has to beat with the same budget.

    Parameters
    ----------
    space : amber.architect.ModelSpace
    epochs : int
        That each child trains.
    {options}

    Returns
    -------
    SearchResult
        As from `search`, whose notes and errors hold here, too.
    """
    strategy = RandomStrategy(space, random_state=options.random_state)
    return _run(strategy, space, whole_number(epochs, "epochs"), options, {})


@takes_options
def successive_halving(space, options, *, n_children=9, rungs=(1, 2, 5)):
    """Search a model space by training many children a little and the best of them on.

    Random architectures are trained up to the first rung. The best third of them goes on to the
    next rung, and so on; after the last rung a new bracket of random architectures begins, until
    the budget is used. Without a budget there is one bracket. A child goes on from its weights,
    with a fresh optimiser.

    Parameters
    ----------
    space : amber.architect.ModelSpace
    n_children : int
        Children of a bracket. With few the first finishes soon; with many more are compared.
    rungs : sequence of int
        Epochs, counted from the child's start, after which children are compared. A trial is one
        child on one rung.
    {options}

    Returns
    -------
    SearchResult
        As from `search`, whose notes and errors hold here, too.
    """
    n_children, rungs = whole_number(n_children, "n_children"), check_rungs(rungs)
    if options.time_budget is None and options.max_trials is None and options.patience is None:
        options.max_trials = bracket_size(n_children, rungs)
    strategy = HalvingStrategy(
        space, n_children=n_children, rungs=rungs, random_state=options.random_state
    )
    return _run(strategy, space, rungs[-1], options, {"n_children": n_children, "rungs": rungs})


def _run(strategy, space, epochs, options, settings):
    """Open the folder of a search, and search; `settings` are those of the strategy."""
    operations = space_table(space)
    children, on_benchmark = Children(space, options, epochs), options.benchmark is not None
    if on_benchmark:
        looked_up = options.benchmark.trainer(space, options, epochs)
    budget = Budget(options.time_budget, options.max_trials, options.patience)
    data = (*options.train, *options.val)
    shared = ("framework", "task", "batch_size", "learning_rate", "random_state")
    settings = {
        "method": strategy.method,
        **settings,
        **{name: getattr(options, name) for name in shared},
        **{f"space[{i}]": list(rows["operation"]) for i, rows in operations.groupby("layer")},
        "epochs": epochs,
        "data": fingerprint(data),
        "reward": children.reward.name,
    }
    held = NoFolder() if on_benchmark else SearchFolder(options.working_dir, options.framework)
    with held as folder, contextlib.ExitStack() as stack:
        trials, seconds = folder.open(settings, resume=options.resume)
        if on_benchmark:
            train = looked_up
        elif options.executor is None:
            train = functools.partial(_train_here, data)
        else:
            train = stack.enter_context(on_workers(options.executor, data, folder.path))
        loop = SearchLoop(strategy, children, train, folder, trials=trials, seconds=seconds)
        line = ProgressLine(options.progress and not on_benchmark)
        try:
            stopped = loop.run(budget, options.callbacks, line)
        finally:
            line.show(loop.text(budget), last=True)
    return SearchResult(
        method=strategy.method,
        framework=options.framework,
        working_dir=folder.path,
        stopped=stopped,
        seconds=loop.seconds,
        operations=operations,
        score_names=children.score_names,
        trials=loop.trials,
    )


def _train_here(data, jobs):
    """Train children in this process, each when its result is asked for."""
    for job in jobs:
        yield train_child(job, data)


def _check_data(train, val, task):
    """Check both pairs against each other and the task; return them as float32."""
    for name, pair in (("train", train), ("val", val)):
        if not isinstance(pair, (tuple, list)) or len(pair) != 2:
            raise ValueError(f"{name} must be a pair, (X, y); got a {type(pair).__name__}.")
    X, y = (plain_array(one, "train") for one in train)
    if X.ndim != 3 or y.ndim != 2 or 0 in (*X.shape, *y.shape):
        raise ValueError(
            "train must be X of shape (N, L, 4) and y of shape (N, T), neither of them empty; got "
            f"shapes {X.shape} and {y.shape}. For one output pass y[:, None]."
        )
    like = Architecture((GlobalMaxPool(),), X.shape[1], n_outputs=y.shape[1], task=task)
    return training.check_data(like, X, y), training.check_data(like, *val, suffix="_val")


def _check_stages(rungs, epochs):
    """Epochs after which a child may stop, with the last one."""
    rungs = check_rungs(rungs)
    stages = rungs if rungs[-1] == epochs else (*rungs, epochs)
    if rungs[-1] > epochs or len(stages) == 1:
        raise ValueError(f"rungs must be epochs below the {epochs} of a child; got {rungs}.")
    return stages
