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

import time
from dataclasses import asdict
from pathlib import Path

from workshop import training
from workshop._amber import ModelSpace, Operation
from workshop._layers import positive_int
from workshop._nas_budget import Budget
from workshop._nas_child import SUFFIXES, Child, Reward, Trial, twin_of
from workshop._nas_controller import Controller, ControllerSettings, Proposal
from workshop._nas_directory import SearchDirectory, fingerprint, sha256
from workshop._nas_policies import HalvingPolicy, RandomPolicy
from workshop._nas_result import (
    Record,
    SearchResult,
    load_model,
    read_history,
    records_from_plain,
)
from workshop._nas_space import (
    check_space,
    cnn_model_space,
    describe,
    space_table,
    to_architecture,
    to_plain,
)
from workshop.architecture import Architecture, GlobalMaxPool

__all__ = [
    "Controller",
    "ControllerSettings",
    "ModelSpace",
    "Operation",
    "Proposal",
    "SearchResult",
    "Trial",
    "cnn_model_space",
    "load_model",
    "random_search",
    "read_history",
    "search",
    "space_table",
    "successive_halving",
    "to_architecture",
]


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
    random_state=0,
    resume=True,
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
        probabilities, both (N, T), which is maximised.
    task : str
        Of the output, see `Architecture`.
    epochs, batch_size, learning_rate
        How each child is trained; see the twins' ``fit``.
    time_budget : float or str, optional
        Seconds or ``"HH:MM:SS"``, over all calls that go on with this search. The child under way
        is finished.
    max_trials : int, optional
    patience : int, optional
        End after this many trials without a better one than the best before them.
    controller : ControllerSettings, optional
    random_state : int
        From 0 to 2**32 - 1. Decides the search: what is proposed, and each child's weights and
        batches.
    resume : bool
        False refuses a folder that holds a search.
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
        If another search is running in `working_dir`.
    FileExistsError
        If `resume` is False and there is a search.

    Notes
    -----
    A child that cannot be built, fails or diverges is a row of the history with its status and
    reason. It earns what a model earns that predicts the same for every sequence, or what the
    worst child so far earned where that is less.

    Children are trained in this process, one after another. With Keras, equal seeds give equal
    children up to the rounding errors of TensorFlow's threads.
    """
    settings = ControllerSettings() if controller is None else controller
    if not isinstance(settings, ControllerSettings):
        raise TypeError(
            f"controller must be nas.ControllerSettings(...); got {type(settings).__name__}."
        )
    return _run(
        lambda: Controller(space, settings, random_state=random_state),
        {"method": Controller.method, "controller": asdict(settings)},
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
    n_children=27,
    rungs=(1, 2, 5),
    batch_size=128,
    learning_rate=0.001,
    time_budget=None,
    max_trials=None,
    patience=None,
    random_state=0,
    resume=True,
    callbacks=(),
    progress=True,
):
    """Search a model space by training many children a little and the best of them on.

    Random architectures are trained up to the first rung. The best third of them goes on to the
    next rung, and so on; after the last rung a new bracket of random architectures begins, until
    the budget is used. A child goes on from its weights, with a fresh optimiser.

    Parameters
    ----------
    n_children : int
        Children of a bracket.
    rungs : sequence of int
        Epochs, counted from the child's start, after which children are compared.
    space, train, val, working_dir and the others
        As in `search`. A trial is one child on one rung.

    Returns
    -------
    SearchResult
    """
    policy = HalvingPolicy(space, n_children=n_children, rungs=rungs, random_state=random_state)
    return _run(
        lambda: policy,
        {"method": policy.method, "n_children": policy.n_children, "rungs": policy.rungs},
        space=space,
        train=train,
        val=val,
        working_dir=working_dir,
        framework=framework,
        reward=reward,
        task=task,
        epochs=policy.rungs[-1],
        batch_size=batch_size,
        learning_rate=learning_rate,
        budget=Budget(time_budget, max_trials, patience),
        random_state=random_state,
        resume=resume,
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
    callbacks,
    progress,
):
    """Check what a search was given, open its folder, and search."""
    check_space(space)
    twin_of(framework)
    train, val = _check_data(train, val, task)
    epochs, batch_size, (learning_rate, *_) = training.check_settings(
        epochs=positive_int(epochs, "epochs"),
        batch_size=batch_size,
        optimizer="adam",
        learning_rate=learning_rate,
        random_state=random_state,
    )
    callbacks = _check_callbacks(callbacks)
    reward = Reward(reward, task=task, y_train=train[1], y_val=val[1])
    child = Child(
        space, framework, train, val, reward, task, batch_size, learning_rate, int(random_state)
    )
    settings = {
        **described,
        "framework": framework,
        "space": to_plain(space),
        "data": fingerprint([*train, *val]),
        "reward": reward.name,
        "task": task,
        "epochs": epochs,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "random_state": int(random_state),
    }
    with SearchDirectory(working_dir) as directory:
        state = directory.open(settings, resume=resume)
        loop = _Loop(make_policy(), child, directory, epochs)
        if state is not None:
            loop.restore(state)
        line = training.ProgressLine(progress)
        stopped = loop.run(budget, callbacks, line)
        line.show(loop.text(budget), last=True)
    return SearchResult(
        method=described["method"],
        framework=framework,
        working_dir=Path(working_dir).resolve(),
        stopped=stopped,
        seconds=loop.seconds,
        operations=[[describe(one) for one in space[i]] for i in range(len(space))],
        records=loop.records,
    )


class _Loop:
    """Propose, train, reward, tell; and put all of it on disk after each trial."""

    def __init__(self, policy, child, directory, epochs):
        self.policy, self.child, self.directory, self.epochs = policy, child, directory, epochs
        self.records = []
        self.seconds = 0.0
        self.step = 1

    @property
    def trials(self):
        return [record.trial for record in self.records]

    def run(self, budget, callbacks, line):
        """Search until an end of the budget is reached; return its name."""
        began = time.monotonic() - self.seconds
        try:
            while (end := budget.reached(self.trials, self.seconds)) is None:
                line.show(self.text(budget))
                record = self._next_record()
                self.seconds = time.monotonic() - began
                self._keep(record)
                if any([callback(record.trial) is True for callback in callbacks]):
                    return "callback"
        except KeyboardInterrupt:
            return "interrupted"
        return end

    def _next_record(self):
        """Train the next child that is proposed."""
        proposal = self.policy.propose()[len(self._of_step(self.step))]
        number = len(self.records) + 1
        path = self.directory.model_path(number, SUFFIXES[self.child.framework])
        trial = self.child.run(
            trial=number,
            step=self.step,
            tokens=proposal.tokens,
            epochs=self.epochs if proposal.epochs is None else proposal.epochs,
            parent=self._parent(proposal),
            path=path,
            worst=min((t.reward for t in self.trials if t.status == "ok"), default=None),
        )
        saved = sha256(path) if trial.status == "ok" else None
        return Record(trial, proposal.probabilities, saved)

    def _parent(self, proposal):
        """File of the model that the proposal trains on, and the epochs it has had; or None."""
        if proposal.parent is None:
            return None
        parent = self._of_step(self.step - 1)[proposal.parent].trial
        path = self.directory.model_path(parent.trial, SUFFIXES[self.child.framework])
        return path, parent.total_epochs

    def _keep(self, record):
        """Add a trial; tell who proposed it once the step is complete; save."""
        self.records = [*self.records, record]
        of_step = self._of_step(self.step)
        if len(of_step) == len(self.policy.propose()):
            self.policy.observe([one.trial for one in of_step])
            self.step += 1
            self.policy.propose()  # now, so that the checkpoint holds what comes next
        self.directory.save(
            {
                "seconds": self.seconds,
                "step": self.step,
                "trials": [one.to_plain() for one in self.records],
                "policy": self.policy.state(),
            }
        )

    def restore(self, state):
        """Go on from what `_keep` saved."""
        try:
            self.records = records_from_plain(state["trials"])
            self.seconds, self.step = state["seconds"], state["step"]
            self.policy.restore(state["policy"])
        except (LookupError, TypeError, ValueError, AttributeError, RuntimeError) as error:
            raise ValueError(
                f"{self.directory.checkpoint} cannot be read by this version of workshop "
                f"({type(error).__name__}: {error}). Choose another working_dir."
            ) from error

    def _of_step(self, step):
        return [record for record in self.records if record.trial.step == step]

    def text(self, budget):
        """One line about the search: trials, best so far, time."""
        trials = self.trials
        total = f"/{budget.max_trials}" if budget.max_trials else ""
        parts = [f"{self.policy.method}: trial {len(trials)}{total}"]
        finished = [trial for trial in trials if trial.status == "ok"]
        if finished:
            best = max(finished, key=lambda trial: trial.reward)
            parts.append(f"best reward {best.reward:.4f} by {list(best.tokens)}")
        if len(finished) < len(trials):
            parts.append(f"{len(trials) - len(finished)} did not finish")
        limit = f" of {budget.time_budget:.0f}" if budget.time_budget else ""
        parts.append(f"{self.seconds:.0f}{limit} s")
        return "  ".join(parts)


def _check_data(train, val, task):
    """Check both pairs against each other and the task; return them as float32."""
    pairs = []
    for name, pair in (("train", train), ("val", val)):
        if not isinstance(pair, (tuple, list)) or len(pair) != 2:
            raise ValueError(f"{name} must be a pair of arrays, ({name}=(X, y)); got {_kind(pair)}.")
        pairs.append(pair)
    (X, y), (X_val, y_val) = pairs
    shapes = [getattr(array, "shape", ()) for array in (X, y)]
    if len(shapes[0]) != 3 or len(shapes[1]) != 2:
        raise ValueError(
            "train must be X of shape (N, L, 4) and y of shape (N, T); got shapes "
            f"{shapes[0]} and {shapes[1]}."
        )
    data = Architecture(
        (GlobalMaxPool(),), input_length=shapes[0][1], n_outputs=shapes[1][1], task=task
    )
    return (
        training.check_data(data, X, y),
        training.check_data(data, X_val, y_val, suffix="_val"),
    )


def _check_callbacks(callbacks):
    callbacks = [callbacks] if callable(callbacks) else list(callbacks)
    for callback in callbacks:
        if not callable(callback):
            raise TypeError(f"callbacks must be functions of a Trial; got {callback!r}.")
    return callbacks


def _kind(value):
    size = f" of {len(value)}" if hasattr(value, "__len__") else ""
    return f"a {type(value).__name__}{size}"
