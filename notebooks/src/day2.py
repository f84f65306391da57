# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# {{badges}}
#
# # Day 2 · Let a program find the network
#
# Yesterday you chose every layer yourself, and your CNN found CTCF sites with a test AUROC of
# about 0.79. Today you write down *what could be chosen*, and a program chooses. You will see how
# it learns to choose, what it finds, and whether it beats a die.
#
# | section | what you do | minutes |
# |---|---|---|
# | 0 | set up; yesterday's model once more, as the number to beat | 15 |
# | 1 | describe 378 architectures in one model space | 45 |
# | 2 | build any of them, in Keras and in PyTorch, **Practice 1** | 60 |
# | 3 | search: a die, a bandit, a controller that learns | 70 |
# | 4 | understand what the search found, **Practice 2** | 70 |
# | 5 | ask the winner what it looks at, **Practice 3** | 70 |
# | 6 | **Extended practices**: the homework, 10 points each | at home |
# | 7 | optional, in Colab: the same on real human chromosomes | 15 |
#
# Run the cells from the top with *Shift + Enter*. A GPU is used where there is one; none is needed.

# %% [markdown]
# # 0 · Setup, and the number to beat
#
# **Objective:** a runtime that works, the data split as yesterday, and an honest score of the
# Day-1 model. **15 minutes.**

# %%
import os
import sys

if "google.colab" in sys.modules or "KAGGLE_KERNEL_RUN_TYPE" in os.environ:
    print("Installing the course's package: this takes about a minute.")
    # %pip install -q "ucla-automl-workshop[colab] @ git+{{repository}}@{{ref}}"
    # No module named 'workshop' below? Switch the internet on (Kaggle: Settings); run this again.

# %%
from workshop import environment

environment.quiet_logs()  # first of all: the frameworks read such settings when they start
environment.check_environment()

# %%
import time

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from IPython.display import display

# keras_cnn starts TensorFlow without its chatter, so it comes first.
from workshop import (
    datasets,
    evaluation,
    homework,
    interpret,
    keras_cnn,
    motifs,
    nas,
    plot,
    sequences,
    splits,
    torch_cnn,
)
from workshop.architecture import DAY1_CNN, TASKS, Architecture, Conv1D, GlobalMaxPool

environment.quiet_logs()  # once more: Lightning turns its log on when it is imported

# %% [markdown]
# The same 5,000 sequences, the same chromosomes held out. Today the difference between **val** and
# **test** matters even more: a program is about to look at val dozens of times. It never sees test.

# %%
data = datasets.load_ctcf()
split = splits.split_by_chromosome(
    data.table["chrom"], val_chroms=["chr8", "chr20"], test_chroms=["chr1", "chr3", "chr6"]
)
X_train, y_train = data.X[split.train], data.y[split.train]
X_val, y_val = data.X[split.val], data.y[split.val]
X_test, y_test = data.X[split.test], data.y[split.test]
print("train", X_train.shape, "  val", X_val.shape, "  test", X_test.shape)

# %% [markdown]
# Yesterday's model, trained as yesterday: 20 epochs, batches of 64.

# %%
day1_model = torch_cnn.build_cnn(DAY1_CNN, random_state=0)
day1_history = torch_cnn.fit(
    day1_model,
    X_train,
    y_train,
    X_val=X_val,
    y_val=y_val,
    epochs=20,
    random_state=0,
    progress=False,
)
day1_test = torch_cnn.predict(day1_model, X_test)  # (988, 1)
interval = evaluation.bootstrap_interval(y_test, day1_test, n_resamples=500)
print(
    f"Day 1: test AUROC {interval.estimate:.3f}",
    f"(95 % interval {interval.low:.3f} to {interval.high:.3f})",
)

# %%
figure, axes = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained")
plot.training_history(day1_history, "auroc", ax=axes[0])
plot.roc(y_test, day1_test, label="Day 1", ax=axes[1])
plot.show(
    figure,
    "Where Day 1 ended: learning has become slow (left), and many positives on the test "
    "chromosomes are still missed (right).",
    alt="Left, training and validation AUROC by epoch, rising to about 0.8. Right, a ROC curve "
    "between the diagonal and the corner.",
)

# %% [markdown]
# **Takeaway:** this is the curve to beat, and it will stand next to the winner's at the end. **Can
# we do better?**

# %% [markdown]
# # 1 · A space of models
#
# **Objective:** say in a few lines of code which networks you are willing to consider. **45
# minutes.**
#
# An **architecture** is *operators* (convolution, pooling, flatten, fully connected) and the
# *wiring* between them. Much of the progress in deep learning was a new architecture for an old
# task:
#
# | network | what was new |
# |---|---|
# | U-Net (2015) | shortcuts from the narrowing half to the widening half |
# | Inception (2015) | kernels of several widths side by side |
# | ResNet (2016) | each block adds to its input, so a hundred layers still learn |
# | CRISPR-Net (2020) | Inception-like convolutions, then a recurrent layer, for off-targets |
# | Enformer (2021) | convolutions, then attention over 200,000 bases, for expression |
# | Sei (2022) | a linear and a nonlinear path in parallel, for chromatin profiles |
#
# **Performance relies on architecture.** You saw it yesterday in 1.P3.2: one word changed, from
# *average* to *maximum*, no parameter more, and another AUROC.
#
# Genomics is **heterogeneous**: splice sites, enhancers, guide RNAs and methylation differ in
# length, in motifs and in labels, and the best network for one is not the best for the next. Hand
# design does not scale. Try it on paper:

# %%
minutes_by_hand = 5  # edit a cell, run it, write the number down
print(f"378 architectures by hand: {378 * minutes_by_hand / 60:.1f} hours, for one data set")

# %% [markdown]
# ## AMBER
#
# **AMBER** (Zhang and colleagues 2021,
# [doi:10.1038/s42256-021-00316-z](https://doi.org/10.1038/s42256-021-00316-z)) automates this for
# genomics. It has two halves:
#
# - **`architect`** holds the AutoML methods: the model space, the controller that proposes, the
#   manager that evaluates, the rewards.
# - **`modeler`** turns a list of operators into a model of the *backend* library, TensorFlow or
#   PyTorch.
#
# In this course the architect is AMBER's own, reached through `workshop.nas` (*nas* is short for
# neural architecture search). The modeler's part is played by the two twins that you know,
# `keras_cnn` and `torch_cnn`, because AMBER 0.1.5 was written for older frameworks.

# %% [markdown]
# ## A model space is a list of lists
#
# One list for each layer, and in it the operations to choose from. Ours goes *convolution · pool ·
# convolution · reduce to a plain list of numbers*. We leave skip connections out, so the wiring is
# a chain.


# %%
def convolutions(filters):
    """Six convolutions: two activations times three kernel sizes."""
    return [
        nas.Operation(
            "conv1d", filters=filters, kernel_size=size, activation=activation, padding="same"
        )
        for activation in ("relu", "tanh")
        for size in (7, 13, 3)
    ]


layers = [
    convolutions(32),
    [
        nas.Operation("maxpool1d", pool_size=4),
        nas.Operation("avgpool1d", pool_size=4),
        nas.Operation("identity"),
    ],
    [*convolutions(64), nas.Operation("identity")],
    [
        nas.Operation("flatten"),
        nas.Operation("globalavgpool1d"),
        nas.Operation("globalmaxpool1d"),
    ],
]
sizes = [len(choices) for choices in layers]
print(" x ".join(map(str, sizes)), "=", np.prod(sizes), "architectures")

# %% [markdown]
# AMBER's `ModelSpace` takes these lists. The course's library has the same space ready made:

# %%
my_space = nas.ModelSpace.from_dict(layers)
space = nas.cnn_model_space()
print("the same space:", nas.space_table(my_space).equals(nas.space_table(space)))

# %% [markdown]
# A **token** is the number of an operation in its list, counted from 0. Four tokens name one
# architecture: a path from left to right.

# %%
plot.show(
    plot.model_space(nas.space_table(space), tokens=[0, 0, 6, 1]),
    "The course's model space. The tokens [0, 0, 6, 1] choose one operation a layer.",
    alt="Four columns of operations between an input and an output box: six convolutions, three "
    "pools, seven choices with identity last, three reductions. A path of arrows joins relu 7, "
    "max 4, identity and global average pooling.",
)

# %% [markdown]
# ## Identity removes a layer
#
# `identity` hands its input on unchanged. With it as a choice, a search can decide not only *what*
# a layer does but *whether* it is there. Grey boxes above; here two of them make a network with
# a single convolution:

# %%
nas.to_architecture(space, [1, 2, 6, 2]).layers

# %% [markdown]
# ## The ends are fixed
#
# The search chooses what is between. The **input** is what the data are: 200 × 4. The **output**
# is what the task is, and its activation follows from the task:

# %%
questions = {
    "regression": "how much is this gene expressed?",
    "binary": "does CTCF bind here?",
    "multilabel": "which of these proteins bind here?",
    "multiclass": "promoter, enhancer, or neither?",
}
pd.DataFrame(
    {"question": questions, "activation of the output": TASKS}, index=list(questions)
).rename_axis("task")

# %% [markdown]
# **Multi-label or multi-class?** Both have several outputs, and the difference is only in the
# activation. Take the same three logits, the numbers before the activation:

# %%
logits = np.array([2.0, 0.5, -1.0])
activations = pd.DataFrame(
    {
        "linear": logits,
        "sigmoid": 1 / (1 + np.exp(-logits)),  # each output for itself
        "softmax": np.exp(logits) / np.exp(logits).sum(),  # the outputs share one whole
    },
    index=["output 1", "output 2", "output 3"],
)
display(pd.concat([activations, activations.sum().to_frame("sum").T]).round(3))

# %%
figure, axes = plt.subplots(1, 2, figsize=(10, 3.3), layout="constrained", sharey=True)
for ax, activation, labels, title in (
    (axes[0], "sigmoid", ["CTCF", "RAD21", "SP1"], "multi-label: three yes-or-no questions"),
    (axes[1], "softmax", ["promoter", "enhancer", "neither"], "multi-class: one question"),
):
    chance = activations[activation].to_numpy()
    chosen = chance >= 0.5 if activation == "sigmoid" else chance == chance.max()
    bars = ax.bar(labels, chance, 0.6, color=np.where(chosen, "#0072B2", "#C8C8C8"))
    ax.bar_label(bars, fmt="%.2f", padding=2)
    ax.set(title=f"{title}; sum {chance.sum():.2f}", ylim=(0, 1.05))
    ax.spines[["top", "right"]].set_visible(False)
axes[0].axhline(0.5, color="grey", linestyle=":", zorder=0)
axes[0].set_ylabel("output")
plot.show(
    figure,
    "Equal logits, two readings. Blue is what the model says: CTCF and RAD21 on the left, only "
    "promoter on the right.",
    alt="Left, sigmoid outputs 0.88, 0.62, 0.27: the first two are above the threshold. Right, "
    "softmax outputs 0.79, 0.18, 0.04: only the first is chosen.",
)

# %% [markdown]
# Several proteins can bind one place, so *multi-label* outputs need not sum to 1. A place has one
# class only, so *multi-class* outputs must. In our library one word decides:

# %%
for task in ("multilabel", "multiclass"):
    three = Architecture(
        (Conv1D(32, 7, "relu", padding="same"), GlobalMaxPool()), n_outputs=3, task=task
    )
    outputs = torch_cnn.predict(torch_cnn.build_cnn(three, random_state=0), X_val[:3])
    print(f"{task:11} sums of three sequences:", outputs.sum(axis=1).round(3))

# %% [markdown]
# Our own task stays *binary*: one output, sigmoid.
#
# **Takeaway:** a model space is a list of lists, an architecture is a list of tokens, `identity`
# lets a layer vanish, and input and output are given by data and task.

# %% [markdown]
# # 2 · Build networks from tokens
#
# **Objective:** turn any tokens into a model, in either framework, and know that it is the same
# model. **60 minutes**, with Practice 1.
#
# Do you recognise this one?

# %%
from_tokens = nas.to_architecture(space, [0, 0, 6, 1])
print(from_tokens.layers)
print(from_tokens.n_parameters(), "parameters; the Day-1 model:", from_tokens == DAY1_CNN)

# %% [markdown]
# Four numbers stand for all that you wrote by hand yesterday. Change two of them, and there is a
# second convolution, and the maximum instead of the average:

# %%
plot.show(
    plot.architecture(nas.to_architecture(space, [0, 0, 0, 2])),
    "Tokens [0, 0, 0, 2].",
    alt="A stack of blocks: input 200 by 4, convolution 200 by 32, max pooling 50 by 32, a second "
    "convolution 50 by 64, global max pooling 64, one output; with the parameters of each.",
)

# %% [markdown]
# ## One description, two frameworks, again
#
# The same tokens make the same model in Keras and in PyTorch. We count the parameters in both,
# copy the weights from one to the other, and compare the predictions:

# %%
rows = []
for tokens in ([0, 0, 6, 1], [4, 2, 6, 2], [1, 1, 3, 0], [3, 0, 1, 2]):
    architecture = nas.to_architecture(space, tokens)
    keras_model = keras_cnn.build_cnn(architecture, random_state=1)
    torch_model = torch_cnn.build_cnn(architecture, random_state=2)  # other weights, at first
    torch_cnn.set_weights(torch_model, keras_cnn.get_weights(keras_model))
    difference = keras_cnn.predict(keras_model, X_val) - torch_cnn.predict(torch_model, X_val)
    rows.append(
        {
            "tokens": tokens,
            "parameters in Keras": keras_model.count_params(),
            "in Torch": sum(p.numel() for p in torch_model.parameters()),
            "equal predictions": bool(np.abs(difference).max() < 1e-5),
        }
    )
pd.DataFrame(rows).set_index("tokens")

# %% [markdown]
# ## Practice 1 · three tasks of about 10 minutes
#
# ### 2.P1.1 · Other tokens, other settings: better or worse?
#
# Add at least three rows to `my_runs`: other tokens, and at least one change of the *compile*
# settings (`optimizer` "adam" or "sgd", `learning_rate`, `batch_size`). Change **one thing at a
# time**, and write down your guess before you run. Which matters more, the architecture or the
# settings?

# %% tags=["stub"]
my_runs = {
    "Day 1": {
        "tokens": [0, 0, 6, 1],
        "optimizer": "adam",
        "learning_rate": 0.001,
        "batch_size": 64,
    },
}

# %% tags=["solution"]
as_day1 = {
    "tokens": [0, 0, 6, 1],
    "optimizer": "adam",
    "learning_rate": 0.001,
    "batch_size": 64,
}
my_runs = {
    "Day 1": as_day1,
    "global max": as_day1 | {"tokens": [0, 0, 6, 2]},
    "two convolutions": as_day1 | {"tokens": [0, 0, 0, 1]},
    "SGD": as_day1 | {"optimizer": "sgd"},
    "10 times faster": as_day1 | {"learning_rate": 0.01},
    "large batches": as_day1 | {"batch_size": 512},
}

# %%
display(homework.check("2.P1.1", my_runs))
rows, ax = {}, plt.subplots(figsize=(7, 4), layout="constrained")[1]
for (name, run), colour in zip(my_runs.items(), plot.SERIES_COLOURS * 3, strict=False):
    architecture = nas.to_architecture(space, run["tokens"])
    model = torch_cnn.build_cnn(architecture, random_state=0)
    settings = {key: value for key, value in run.items() if key != "tokens"}
    history = torch_cnn.fit(
        model, X_train, y_train, X_val=X_val, y_val=y_val, epochs=5, progress=False, **settings
    )
    ax.plot(history.table["epoch"], history.table["val_auroc"], ".-", color=colour, label=name)
    rows[name] = {
        "tokens": run["tokens"],
        "parameters": architecture.n_parameters(),
        "val AUROC": round(history.last["val_auroc"], 3),
    }
ax.set(xlabel="epoch", ylabel="val AUROC", xticks=range(1, 6))
ax.spines[["top", "right"]].set_visible(False)
ax.legend(frameon=False, loc="center left", bbox_to_anchor=(1, 0.5))
display(pd.DataFrame(rows).T)
plot.show(
    ax,
    "Five epochs of each run.",
    alt="Validation AUROC by epoch, a line for each run.",
)

# %% [markdown] tags=["solution"]
# One token, from average to maximum, is worth more than anything else: 0.77 becomes 0.985 with the
# same 961 parameters. A second convolution helps, and so does a ten times larger learning rate.
# Large batches mean fewer updates, and SGD at 0.001 has hardly moved. So the architecture matters
# most, but poor settings can hide a good one.

# %% [markdown]
# ### 2.P1.2 · Switch the framework
#
# Below, a *child* (that is what a search calls the networks that it tries) is trained in PyTorch,
# for three epochs, as the search will do later. Build and train the same child in Keras:
# `keras_child`, from the same `my_tokens`, with `keras_cnn.build_cnn` and `keras_cnn.fit`, the
# same `random_state` and the same settings `CHILD`. How far apart will the predictions be?

# %%
CHILD = {"epochs": 3, "batch_size": 128, "learning_rate": 0.003}  # how every child is trained
my_tokens = [0, 0, 2, 0]

torch_child = torch_cnn.build_cnn(nas.to_architecture(space, my_tokens), random_state=0)
torch_cnn.fit(torch_child, X_train, y_train, **CHILD, random_state=0, progress=False)
torch_child_auroc = evaluation.auroc(y_val, torch_cnn.predict(torch_child, X_val))
print(f"Torch: val AUROC {torch_child_auroc:.4f}")

# %% tags=["stub"]
keras_child = None

# %% tags=["solution"]
keras_child = keras_cnn.build_cnn(nas.to_architecture(space, my_tokens), random_state=0)
_ = keras_cnn.fit(keras_child, X_train, y_train, **CHILD, random_state=0, progress=False)

# %%
verdict = homework.check("2.P1.2", keras_child, torch_child)
display(verdict)
if verdict.done:
    from_keras = keras_cnn.predict(keras_child, X_val)  # (350, 1)
    from_torch = torch_cnn.predict(torch_child, X_val)
    print(f"Keras: val AUROC {evaluation.auroc(y_val, from_keras):.4f}")
    figure, ax = plt.subplots(figsize=(4.2, 4), layout="constrained")
    ax.plot([0, 1], [0, 1], color="grey", linewidth=1, zorder=0)
    ax.scatter(from_torch, from_keras, s=10, color="#0072B2")
    ax.set(xlabel="Torch", ylabel="Keras", aspect="equal")
    plot.show(
        ax,
        "Predictions of the two children for the val sequences.",
        alt="A scatter plot of Keras against Torch predictions with the diagonal.",
    )

# %% [markdown] tags=["solution"]
# The points lie close to the diagonal. Equal tokens and an equal `random_state` give equal first
# weights and equal batches, and the two frameworks follow the same rule. They differ in rounding
# only, and in 87 batches rounding grows until one can see it.

# %% [markdown]
# ### 2.P1.3 · Add a layer to the space
#
# After the reduction, offer one more layer: a **dense** layer of 16 units with ReLU
# (`nas.Operation("dense", units=16, activation="relu")`), or `identity`. Make `deeper_space` from
# the lists in `layers`, and `deeper_tokens` for *the Day-1 model with the dense layer*. Must the
# tokens change? How many architectures are there now?

# %% tags=["stub"]
deeper_space = None
deeper_tokens = None

# %% tags=["solution"]
dense = [nas.Operation("dense", units=16, activation="relu"), nas.Operation("identity")]
deeper_space = nas.ModelSpace.from_dict([*layers, dense])
deeper_tokens = [0, 0, 6, 1, 0]

# %%
verdict = homework.check("2.P1.3", deeper_space, deeper_tokens)
display(verdict)
if verdict.done:
    deeper = nas.to_architecture(deeper_space, deeper_tokens)
    print(deeper_space.get_space_size(), "architectures;", deeper.n_parameters(), "parameters")
    plot.show(
        plot.model_space(nas.space_table(deeper_space), tokens=deeper_tokens),
        "The space with one more layer.",
        alt="The model space of before with one more column of operations.",
    )

# %% [markdown] tags=["solution"]
# Twice as many architectures, 756, and the tokens need a fifth number: one for each layer. The old
# four no longer say what to do, and the library tells us so. With `identity` as fifth choice all
# old architectures are still in the space.

# %% tags=["solution"]
try:
    nas.to_architecture(deeper_space, [0, 0, 6, 1])
except ValueError as error:
    print(error)

# %% [markdown]
# **Takeaway:** tokens are a complete recipe. Whoever can write four numbers, a person, a die or a
# neural network, can design a CNN.

# %% [markdown]
# # 3 · Automated search
#
# **Objective:** let a die search, then a controller that learns from its rewards, and understand
# how it learns. **70 minutes.**
#
# ## Random search is a for-loop
#
# Draw an architecture, train it for three epochs, write down its val AUROC. Repeat. There is
# nothing more to it, and every cleverer search has to beat it.
#
# Three epochs are few. They are enough to tell good from bad: when the course's authors trained
# the whole space in this way (3 epochs, learning rate 0.003), the middle half of the AUROCs ran
# from 0.77 to 0.96, and the best reached 0.999.

# %%
rng = np.random.default_rng(0)
rows = []
for number in rng.choice(378, size=9, replace=False):  # no architecture twice
    tokens = tuple(int(token) for token in np.unravel_index(number, sizes))
    architecture = nas.to_architecture(space, tokens)
    child = torch_cnn.build_cnn(architecture, random_state=0)
    torch_cnn.fit(child, X_train, y_train, **CHILD, progress=False)
    rows.append(
        {
            "tokens": tokens,
            "reward": evaluation.auroc(y_val, torch_cnn.predict(child, X_val)),
            "epochs": CHILD["epochs"],
            "n_parameters": architecture.n_parameters(),
            "status": "ok",
        }
    )
random_history = pd.DataFrame(rows)
random_history.sort_values("reward", ascending=False).head(5).round(4)

# %% [markdown]
# Not bad for a die! (`nas.random_search` does the same and survives a crash.) How lucky were we?
# If a share *p* of the space is good, *n* tries find a good one with the chance 1 − (1 − *p*)ⁿ:

# %%
tries = np.array([5, 15, 30, 100])
pd.DataFrame(
    {
        "1 good in 6, as here": 1 - (1 - 1 / 6) ** tries,
        "1 good in 100": 1 - (1 - 1 / 100) ** tries,
        "1 good in 10,000": 1 - (1 - 1 / 10_000) ** tries,
    },
    index=pd.Index(tries, name="tries"),
).map("{:.1%}".format)

# %% [markdown]
# One architecture in six of our space reaches 0.99 in three epochs. **In a space this small and
# this kind a die is hard to beat.** In a large one with few good places it is hopeless, and there a
# search had better *learn* from the children that it has seen.

# %% [markdown]
# ## Learning from rewards: REINFORCE
#
# Shrink the problem to one layer: three operations with unknown rewards, as on a *bandit*, a slot
# machine with three arms. The **policy** is nothing but a softmax over three numbers *θ*. It draws
# an operation *a* and gets a reward *R*. Which *θ* earns most on average? **REINFORCE** climbs with
# the gradient
#
# > mean over the sample of ∇ log P(*a*) · (*R* − *b*)
#
# In words: make what you did **more likely if it was better than usual**, less likely if it was
# worse. *Usual* is the **baseline** *b*, a moving average of the rewards. For a softmax the
# gradient of log P(*a*) is *one-hot(a) − P*. Error times input, in yet another guise.

# %%
true_rewards = np.array([0.80, 0.75, 0.95])  # Flatten, GAP, GMP: made up, but not absurd


def softmax(theta):
    return np.exp(theta - theta.max()) / np.exp(theta - theta.max()).sum()


def reinforce_terms(theta, *, baseline, size, rng):
    """Draw `size` operations; return a term of the gradient for each, and the rewards."""
    p = softmax(theta)
    a = rng.choice(3, size=size, p=p)
    R = true_rewards[a] + rng.normal(0, 0.03, size)  # training is noisy
    return (np.eye(3)[a] - p) * (R - baseline)[:, None], R  # (size, 3), (size,)


# %% [markdown]
# Is that mean really the gradient of the expected reward? Here we can check, because we know the
# true rewards: the exact gradient is P(*a*) · (R(*a*) − mean reward).

# %%
theta = np.zeros(3)  # all operations equally probable
expected = softmax(theta) @ true_rewards
rng = np.random.default_rng(0)
without, _ = reinforce_terms(theta, baseline=0.0, size=200_000, rng=rng)
with_b, _ = reinforce_terms(theta, baseline=expected, size=200_000, rng=rng)
pd.DataFrame(
    {
        "exact gradient": softmax(theta) * (true_rewards - expected),
        "mean, without b": without.mean(axis=0),
        "mean, with b": with_b.mean(axis=0),
        "spread of a term, without b": without.std(axis=0),
        "spread of a term, with b": with_b.std(axis=0),
    },
    index=["Flatten", "GAP", "GMP"],
).round(3)

# %% [markdown]
# Both means agree with the exact gradient: **the baseline changes nothing on average**. But a
# single term is off by 0.4 without it and by 0.03 with it. A search trains three children a step,
# not 200,000, so the spread is what counts:


# %%
def learn(use_baseline, *, seed, steps=200, learning_rate=1.0):
    """Probabilities after each step of three children."""
    rng, theta, b = np.random.default_rng(seed), np.zeros(3), None
    path = []
    for _ in range(steps):
        path.append(softmax(theta))
        baseline = b if use_baseline and b is not None else 0.0
        terms, R = reinforce_terms(theta, baseline=baseline, size=3, rng=rng)
        if b is not None or not use_baseline:  # the first step only fills the baseline
            theta = theta + learning_rate * terms.mean(axis=0)
        b = R.mean() if b is None else 0.9 * b + 0.1 * R.mean()
    return np.array(path)  # (steps, 3)


figure, axes = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained", sharey=True)
for ax, use_baseline, title in ((axes[0], False, "without b"), (axes[1], True, "with b")):
    runs = np.array([learn(use_baseline, seed=seed) for seed in range(40)])  # (40, steps, 3)
    for i, name in enumerate(("Flatten, 0.80", "GAP, 0.75", "GMP, 0.95")):
        colour = plot.SERIES_COLOURS[i]
        ax.plot(runs[:, :, i].T, color=colour, linewidth=0.4, alpha=0.35)
        ax.plot(runs[:, :, i].mean(axis=0), color=colour, linewidth=2.5, label=name)
    lost = int((runs[:, -1, 2] < 0.1).sum())
    print(f"{title}: {lost} of 40 runs have nearly given up GMP, the best operation")
    ax.set(title=title, xlabel="step of three children", ylim=(0, 1))
    ax.spines[["top", "right"]].set_visible(False)
axes[0].set_ylabel("probability")
axes[1].legend(frameon=False, loc="center right", title="true reward")
plot.show(
    figure,
    "Forty runs each, thin, and their mean. Every run starts with one third for each operation; "
    "the probabilities skew towards what is rewarded.",
    alt="Left, without baseline, the thin lines scatter over the whole panel, and some runs settle "
    "on the wrong operation. Right, with baseline, all runs rise towards GMP.",
)

# %% [markdown]
# Without the baseline every reward is positive, so *whatever* was drawn becomes more likely. Some
# runs talk themselves into the wrong operation, and hardly ever draw another one to find out.

# %% [markdown]
# ## A controller for many layers
#
# With four layers the choices belong together: a first kernel of 3 letters badly needs a second
# convolution, one of 13 letters hardly does. AMBER's **controller** is a *recurrent* network (an
# LSTM). It chooses layer after layer, and each choice is fed back before the next one:
#
# > P(tokens) = P(*a*₁) · P(*a*₂ | *a*₁) · P(*a*₃ | *a*₂, *a*₁) · P(*a*₄ | *a*₃, *a*₂, *a*₁)
#
# REINFORCE stays as it was: log P is now a sum over the layers. Three proposals of an untrained
# controller:

# %%
controller = nas.Controller(space, random_state=0)
first_proposals = controller.propose()
for proposal in first_proposals:
    likely = np.prod([p[t] for p, t in zip(proposal.probabilities, proposal.tokens, strict=True)])
    print(proposal.tokens, f" P(tokens) = {likely:.5f}")
print(f"uniform would be         1 / 378 = {1 / 378:.5f}")

# %%
plot.show(
    plot.controller_unrolled(
        nas.space_table(space), first_proposals[0].tokens, first_proposals[0].probabilities
    ),
    "The controller at the first proposal. It is one and the same cell, drawn four times.",
    alt="Four copies of a recurrent cell from left to right; below each, bars of nearly equal "
    "probabilities with the sampled operation marked, whose token is fed to the next cell.",
)

# %% [markdown]
# ## The whole search in ten lines
#
# To see the loop at work without waiting for training, we make up a reward: the share of tokens
# that agree with a **secret** architecture. The controller does not know it. It hears rewards only.

# %%
secret = (4, 2, 0, 2)

controller = nas.Controller(space, random_state=0)
mean_rewards = []
for _ in range(30):
    proposals = controller.propose()  # three children
    rewards = [np.mean(np.equal(p.tokens, secret)) for p in proposals]  # instead of training
    controller.update(rewards)  # REINFORCE; the first four only fill its buffer
    mean_rewards.append(np.mean(rewards))

by_chance = np.mean([1 / size for size in sizes])
print(f"by chance {by_chance:.2f}, steps 1 to 5 {np.mean(mean_rewards[:5]):.2f},", end=" ")
print(f"last ten steps {np.mean(mean_rewards[-10:]):.2f}")

# %%
figure, ax = plt.subplots(figsize=(7, 3.4), layout="constrained")
ax.axvspan(0.5, 5.5, color="#EEEEEE", zorder=0)
ax.text(3, 0.95, "buffer\nfills", ha="center", va="top", color="dimgrey", fontsize=9)
ax.axhline(by_chance, color="grey", linestyle=":", zorder=0)
ax.text(30, by_chance + 0.02, "by chance", color="dimgrey", ha="right")
steps = np.arange(1, len(mean_rewards) + 1)
ax.plot(steps, mean_rewards, ".", color="#0072B2", alpha=0.5, label="mean of the three children")
smooth = pd.Series(mean_rewards).rolling(5).mean()
ax.plot(steps, smooth, color="#0072B2", linewidth=2.2, label="mean of five steps")
ax.set(xlabel="step", ylabel="reward", ylim=(0, 1), xlim=(0.5, 30.5))
ax.spines[["top", "right"]].set_visible(False)
ax.legend(frameon=False, loc="lower right")
plot.show(
    ax,
    "The reward rises: the controller guesses more and more of the secret.",
    alt="Mean reward by step: near the level of chance in the first five steps, then rising to "
    "about 0.7.",
)

# %% [markdown]
# What has it learnt? The same cell after 30 steps (compare it with the picture above):

# %%
last = max(controller.propose(), key=lambda p: np.mean(np.equal(p.tokens, secret)))
plot.show(
    plot.controller_unrolled(nas.space_table(space), last.tokens, last.probabilities),
    f"The trained controller. The secret was {list(secret)}.",
    alt="The unrolled controller again; now in each layer one operation, that of the secret, has "
    "most of the probability.",
)

# %% [markdown]
# ## The components
#
# Replace the made-up reward by training a child, and the search is complete. The controller sends
# tokens to the manager, whose builder makes a child that is trained and rewarded on the validation
# set; the reward goes to a buffer and back to the controller:
#
# ```text
# search environment (runs the loop, keeps the records)
#
#                                manager
# ┌────────────┐    tokens      ┌───────────────────────────────────────────┐
# │ controller ├─ [0, 0, 6, 1] ─> builder ────> child ──────> reward R      │
# │            │                │ (network)    (training)    (val AUROC)    │
# └────────────┘                └───────────────────────────────┬───────────┘
#       ^                       ┌────────────────────────────┐  │
#       └────── REINFORCE ──────┤ buffer of the last steps:  │<─┘
#                               │ tokens, P(tokens), rewards │
#                               └────────────────────────────┘
# ```
#
# REINFORCE steps along the mean of (R − b) ∇ log P(tokens), with the moving average of R as b.
# AMBER's words for the parts:
#
# | part | job | in the loop above |
# |---|---|---|
# | **controller** | proposes tokens, learns from rewards | `controller.propose`, `.update` |
# | **manager** | evaluates a proposal | the line `rewards = ...` |
# | ... its **builder** | tokens to a network, training | `to_architecture`, `build_cnn`, `fit` |
# | ... its **reward** | one number from the val data | val AUROC |
# | **search environment** | runs the loop, keeps the records | the `for` |

# %% [markdown]
# ## Search!
#
# Now with real children: three a step, five steps until the buffer is full and learning begins, 30
# children in all, and five minutes at most. (`patience=15` would end it after 15 children without a
# new best. We leave that out, to see the controller learn.) It takes about a minute. Which of the
# reductions will win?

# %%
result = nas.search(
    space,
    train=(X_train, y_train),
    val=(X_val, y_val),
    framework="torch",
    reward="auroc",
    **CHILD,
    max_trials=30,
    time_budget="00:05:00",
    random_state=0,
    working_dir="search/amber",
)

# %%
print("best tokens:", list(result.best.tokens), f"  val AUROC {result.best.reward:.4f}")
print("above 0.99 in less than five minutes:", result.best.reward > 0.99 and result.seconds < 300)
plot.show(
    plot.architecture(result.best.architecture),
    "What the search likes best.",
    alt="The layers of the best architecture with their shapes and parameters.",
)

# %% [markdown]
# ## If it crashes
#
# Colab disconnects, laptops fall asleep. After each child the search has put everything on disk:
# the records and the trained models. **Call it again and it goes on**: the controller learns again
# from the rewards on disk. The same call returns at once; a larger budget trains what is missing.
# (`nas.read_history("search/amber")` shows the records from another notebook, while it runs.)

# %%
the_same = {
    "train": (X_train, y_train),
    "val": (X_val, y_val),
    **CHILD,
    "working_dir": "search/amber",
    "progress": False,
}
again = nas.search(space, **the_same, max_trials=30)
more = nas.search(space, **the_same, max_trials=31)
print("the same 30 children, from disk:", again.history.equals(result.history))
print("goes on with child", more.history["trial"].iloc[-1], more.history["tokens"].iloc[-1])

# %% [markdown]
# **Takeaway:** a search is a loop of *propose, train, reward, learn*. REINFORCE makes more likely
# what did better than usual, and a recurrent controller lets the choices depend on each other.

# %% [markdown]
# # 4 · Understand the search
#
# **Objective:** read what a search did, what it says about the data, and whether it was worth it.
# **70 minutes**, with Practice 2.
#
# The **history** has a row for each child. The best five, in words:

# %%
CONVOLUTIONS = ["relu 7", "relu 13", "relu 3", "tanh 7", "tanh 13", "tanh 3"]
NAMES = [
    CONVOLUTIONS,
    ["max 4", "average 4", "identity"],
    [*CONVOLUTIONS, "identity"],
    ["Flatten", "GAP", "GMP"],
]


def in_words(table):
    """The operations of each architecture, with its reward and its parameters."""
    words = [
        [names[t] for names, t in zip(NAMES, tokens, strict=True)] for tokens in table["tokens"]
    ]
    columns = ["conv 1", "pool", "conv 2", "reduction"]
    readable = pd.DataFrame(words, columns=columns, index=table.index)
    return readable.assign(
        parameters=table["n_parameters"], reward=table["reward"].astype(float).round(4)
    )


in_words(result.ranking.head(5))

# %%
plot.show(
    plot.search_progress(result, x="trials", target=0.99),
    "A dot for each child, and the best so far.",
    alt="Rewards of 30 children between about 0.6 and 1.0, and a step line of the best so far "
    "near 1.",
)

# %% [markdown]
# The best-so-far line says little. In our run the **very first child**, drawn when all operations
# were equally probable, already passed 0.99: sheer luck. Learning shows in the *average* child. Did
# the children get better once the controller had begun to learn, after step 5?

# %%
halves = result.history.assign(
    part=np.where(result.history["step"] <= 5, "steps 1 to 5", "later steps"),
    GMP=[tokens[3] == 2 for tokens in result.history["tokens"]],
)
halves.groupby("part", sort=False).agg(
    **{
        "children": ("reward", "size"),
        "mean reward": ("reward", "mean"),
        "median reward": ("reward", "median"),
        "share with GMP": ("GMP", "mean"),
    }
).round(3)

# %% [markdown]
# ## What the controller came to prefer
#
# Each panel is a layer. All operations start equally probable (dotted), nothing happens while the
# buffer fills, the first updates are timid, and then the curves part.

# %%
plot.show(
    plot.token_probabilities(result),
    "Probabilities of the operations, step by step.",
    alt="Four panels of probability by step. In the last, global max pooling rises to most of the "
    "probability; the others part less clearly.",
)

# %% [markdown]
# **Entropy** says the same in one number: how many bits of choice are left. log₂ of the number of
# operations is *undecided*, 0 is *settled*.

# %%
plot.show(
    plot.entropy(result),
    "How undecided the controller is, layer by layer.",
    alt="Entropy in bits by step for four layers and their sum; flat at first, then falling.",
)

# %% [markdown]
# And the rewards themselves, sorted by what a child had in each layer:

# %%
plot.show(
    plot.reward_by_operation(result),
    "Every child appears once in each panel; a bar marks the median.",
    alt="Four panels of dots: rewards by operation. In the last panel the rewards with global max "
    "pooling lie far above the others.",
)

# %% [markdown]
# ## What the search says about the data
#
# **The reduction decides.** In this search no child without GMP came above 0.91. A positive holds
# one or two motifs *somewhere* in 200 positions, so the right question is "how good is the best
# match?", a maximum. An average drowns one good match, and Flatten learns places that mean nothing.
# The controller found by itself what you found by hand yesterday. And the one bad child with GMP
# (0.62) has kernels of 3 letters and no second convolution: three letters are not CTCF.
#
# **Read with care.** The controller has also come to avoid `identity` for the pool, and yet the
# best child has it. Twelve children are no proof, and eight of those twelve had Flatten or GAP as
# well, which may be all that held them back. Part of what a search believes after 30 children is
# superstition.
#
# `identity` is the most informative choice of all. **When identity wins, the model was too
# complex** for the data. So ask of the two layers that could vanish: what is the best child with
# the layer, and the best without? All children of three epochs that we have trained so far:

# %%
children = pd.concat([result.history, random_history])[["tokens", "reward", "n_parameters"]]
rows = {}
for layer, name, identity in ((1, "pool", 2), (2, "second convolution", 6)):
    without = np.array([tokens[layer] == identity for tokens in children["tokens"]])
    for label, chosen in ((f"with {name}", ~without), (f"without {name}", without)):
        best = children[chosen].sort_values("reward").iloc[-1]
        rows[label] = {
            "children": int(chosen.sum()),
            "best val AUROC": round(best["reward"], 4),
            "its parameters": int(best["n_parameters"]),
            "its tokens": list(best["tokens"]),
        }
pd.DataFrame(rows).T

# %% [markdown]
# The pool can go, and nothing is lost. The second convolution buys about **one thousandth** of
# AUROC for sixteen times the parameters. So a single layer of 32 kernels, each 13 letters wide, and
# a maximum is nearly all that these data ask for: one kind of motif, anywhere. On data where motifs
# must stand in a certain order or distance, expect `identity` to lose.

# %% [markdown]
# ## Was it worth it?
#
# A fair comparison gives every method the same budget, and the fair currency is **trained epochs**.
# We have AMBER and the die. A third method, **successive halving**, is simple and strong: train
# many children for *one* epoch, let only the best third train on, and again.

# %%
halving = nas.successive_halving(
    space,
    train=(X_train, y_train),
    val=(X_val, y_val),
    n_children=18,
    rungs=(1, 2, 3),  # epochs: 18 children train 1, the best 6 go on to 2, the best 2 to 3
    batch_size=CHILD["batch_size"],
    learning_rate=CHILD["learning_rate"],
    working_dir="search/halving",
)

# %%
halving.history.groupby("total_epochs").agg(
    **{
        "children": ("reward", "size"),
        "epochs trained": ("epochs", "sum"),
        "worst reward": ("reward", "min"),
        "median reward": ("reward", "median"),
        "best reward": ("reward", "max"),
    }
).rename_axis("after epoch").round(4)

# %% [markdown]
# Halving trained 26 epochs, the die 27. So give AMBER 27 epochs as well, its first nine children,
# and put the three side by side:

# %%
searches = {"AMBER": result, "random search": random_history, "successive halving": halving}
rows = {}
for name, one in searches.items():
    table = getattr(one, "history", one)
    table = table[table["epochs"].cumsum() <= 27]
    first_good = table["epochs"].cumsum()[table["reward"] >= 0.99]
    rows[name] = {
        "epochs": table["epochs"].sum(),
        "architectures tried": table["tokens"].nunique(),
        "best val AUROC": round(table["reward"].max(), 4),
        "epochs to 0.99": first_good.iloc[0] if len(first_good) else "not reached",
    }
pd.DataFrame.from_dict(rows, orient="index")

# %%
figure, axes = plt.subplots(1, 2, figsize=(11, 4.6), layout="constrained")
for ax in axes:
    plot.search_progress(searches, x="epochs", target=0.998, ax=ax)
axes[1].set(ylim=(0.99, 1), title="from 0.99 on", ylabel="")
axes[1].get_legend().remove()
plot.show(
    figure,
    "Three searches of one space, by the epochs that they trained. AMBER went on after epoch 27: "
    "only up to there are the budgets equal.",
    alt="Step lines of the best reward so far by trained epochs for AMBER, random search and "
    "successive halving; all three come close to 1, in an order that owes much to luck.",
)

# %% [markdown]
# Does reinforcement learning do better than the die? **One run of each cannot show it.** So we ran
# each method ten times (`python benchmarks/search.py`; a full child trains five epochs, and who has
# trained 150 gives up). Medians of ten seeds:
#
# | method | epochs to 0.99 | epochs to 0.998 | seeds without 0.998 |
# |---|---|---|---|
# | AMBER | 15 | 45 | 0 |
# | random search | 25 | 40 | 1 |
# | successive halving, 9 children a bracket | 11 | 15 | 0 |
# | AMBER with rungs | 6 | 18 | 0 |
# | Optuna's TPE, a Bayesian search | 15 | 47.5 | 0 |
#
# (The first AMBER children are drawn at random, so its lead to 0.99 is the luck of the draw.)
#
# **No: in this space the die is as good.** For its first five steps AMBER *is* a random search, and
# where one architecture in six is good, that is usually enough. What AMBER adds here is a picture
# of its preferences. Expect its advantage in a space with many layers and few good places.
#
# **What saves is not to train the bad children to the end**, whoever proposes them: halving, or
# AMBER with rungs (`nas.search(..., rungs=(1, 2))`), needs less than half of the epochs. And with
# more cores, or a cluster, `executor=` trains the children of a step side by side.

# %% [markdown]
# ## The only honest number
#
# The winner was chosen *because* its val AUROC is high, so that number flatters it a little. First
# we check that the model on disk is the one that earned the reward. Then, for the first time since
# section 0, we look at test.

# %%
best_model = nas.load_model(result)
print(
    "as it was rewarded:",
    np.isclose(evaluation.auroc(y_val, torch_cnn.predict(best_model, X_val)), result.best.reward),
)

best_test = torch_cnn.predict(best_model, X_test)  # (988, 1)
for name, predictions in {"Day 1": day1_test, "best of the search": best_test}.items():
    interval = evaluation.bootstrap_interval(y_test, predictions, n_resamples=200)
    print(
        f"{name:18} test AUROC {interval.estimate:.4f} ({interval.low:.4f} to {interval.high:.4f})"
    )

comparison = evaluation.compare_predictions(y_test, best_test, day1_test, n_resamples=200)
gain = comparison.auroc_difference
print(f"gain {gain.estimate:.3f} ({gain.low:.3f} to {gain.high:.3f})")
comparison.agreement.set_axis(["search right", "search wrong"]).set_axis(
    ["Day 1 right", "Day 1 wrong"], axis=1
)

# %%
figure, axes = plt.subplots(1, 2, figsize=(10, 4.4), layout="constrained")
for name, predictions in {"Day 1": day1_test, "best of the search": best_test}.items():
    plot.roc(y_test, predictions, label=name, ax=axes[0])
    plot.precision_recall(y_test, predictions, label=name, ax=axes[1])
plot.show(
    figure,
    "ROC (left) and precision-recall (right) on the held-out chromosomes.",
    alt="In both panels the curve of the search's best hugs the corner, far above the curve of the "
    "Day-1 model.",
)

# %% [markdown]
# **Yes, we can do better**: from 0.79 to 0.998, on chromosomes that neither model has seen. In our
# run the winner is right about 280 of the 293 test sequences that the Day-1 model got wrong. Its
# test AUROC, 0.9978, is a little below the 0.9983 that it was chosen for, as was to be expected.
#
# One thing this number does not tell: *what* the model looks at. Yesterday a respectable score
# turned out to be a count of G and C. In section 5 we ask the winner.

# %% [markdown]
# ## Practice 2 · two tasks of about 10 minutes
#
# ### 2.P2.1 · Switch the framework
#
# Run the search again with **Keras** children: `keras_result`, with `framework="keras"`, the same
# `CHILD` settings and `random_state=0`, `max_trials=6`, and a `working_dir` of its own. Before you
# run: will the controller propose the same tokens? Will the rewards be the same?

# %% tags=["stub"]
keras_result = None

# %% tags=["solution"]
keras_result = nas.search(
    space,
    train=(X_train, y_train),
    val=(X_val, y_val),
    framework="keras",
    **CHILD,
    max_trials=6,
    random_state=0,
    working_dir="search/keras",
)

# %%
verdict = homework.check("2.P2.1", keras_result, result)
display(verdict)
if verdict.done:
    both = result.history[["trial", "tokens", "reward"]].merge(
        keras_result.history[["trial", "tokens", "reward"]],
        on="trial",
        suffixes=(" (Torch)", " (Keras)"),
    )
    display(both.round(4))

# %% [markdown] tags=["solution"]
# The controller has the same seed, and before its first update it hears no rewards, so it proposes
# the same tokens. Later it does so as long as it hears the same rewards. They agree to about 0.001,
# except for Flatten, where tiny differences have grown to 0.01 or 0.02.

# %% [markdown]
# ### 2.P2.2 · Another reward
#
# `reward=` takes any function of `(y_true, y_score)`, both of shape **(N, 1)**, that returns one
# number to maximise. Write `accuracy_reward`: the share of sequences for which "score at least
# 0.5" agrees with the label. Keep the two arrays in the same shape: (N, 1) compared with (N,)
# silently makes N × N. Which children rank differently under the new reward?


# %% tags=["stub"]
def accuracy_reward(y_true, y_score):
    """Share of right calls at the threshold 0.5."""
    # Your code here.


# %% tags=["solution"]
def accuracy_reward(y_true, y_score):
    """Share of right calls at the threshold 0.5."""
    return np.mean((y_score >= 0.5) == (y_true == 1))


# %%
accuracy_result = None
verdict = homework.check("2.P2.2", accuracy_reward)
display(verdict)
if verdict.passed:
    accuracy_result = nas.search(
        space,
        train=(X_train, y_train),
        val=(X_val, y_val),
        reward=accuracy_reward,
        **CHILD,
        max_trials=9,
        random_state=0,
        working_dir="search/accuracy",  # an edited function is another search: another folder
    )

# %%
if accuracy_result is not None:
    table = accuracy_result.history[["tokens", "reward", "val_auroc"]]
    table = table.rename(columns={"reward": "accuracy (the reward)", "val_auroc": "AUROC"})
    display(table.sort_values("AUROC", ascending=False).round(3))
    figure, ax = plt.subplots(figsize=(5, 3.8), layout="constrained")
    ax.scatter(result.history["val_auroc"], result.history["val_accuracy"], color="#0072B2")
    ax.axhline(max(y_val.mean(), 1 - y_val.mean()), color="grey", linestyle=":", zorder=0)
    ax.set(xlabel="val AUROC", ylabel="val accuracy")
    ax.spines[["top", "right"]].set_visible(False)
    plot.show(
        ax,
        "The 30 children of the first search under both rewards. Dotted: always saying the more "
        "frequent class.",
        alt="Scatter plot of validation accuracy against AUROC; both rise together, with a spread.",
    )

# %% [markdown] tags=["solution"]
# All nine rank the same under both rewards, and over the 30 children the two rise together. Near
# the top they differ in grain: AUROC hardly moves from 0.99 on, where accuracy still runs from 0.94
# to 0.99. But accuracy depends on the threshold: it would punish a model that ranks perfectly and
# says 0.4 for every positive. And where positives are rare, always saying no would win.

# %% [markdown]
# **Takeaway:** a search gives more than a winner. Its history says which choices matter, its
# entropy says which do not, and `identity` says what you can leave out. Compare it with a die at
# an equal budget, and report the winner on data that it was not chosen on.

# %% [markdown]
# # 5 · What does the winner look at?
#
# **Objective:** ask a model which letters made its decision, compare the answer with the truth,
# and know where such answers mislead. **70 minutes**, with Practice 3.
#
# ## Change a letter, ask again
#
# **In-silico mutagenesis** (ISM) is an experiment on the model. Change one letter, predict again,
# and write down the difference. *Saturated* means every other letter at every position, so the
# scores have the shape of the input, 200 × 4. Most of these mutations no population carries; a
# computer can try them all.
#
# We start with one test sequence, chosen by a rule: the first positive that holds two motifs.

# %%
positive, negative = y_test[:, 0] == 1, y_test[:, 0] == 0
X_positive, X_negative = X_test[positive], X_test[negative]  # (496, 200, 4), (492, 200, 4)
motif_starts = data.table["motif_starts"].iloc[split.test[positive]].tolist()

chosen = next(i for i, starts in enumerate(motif_starts) if len(starts) == 2)
x = X_positive[chosen]  # (200, 4)
sites = [(start, start + 19) for start in motif_starts[chosen]]  # the planted motifs, 19 bp each
logit = torch_cnn.predict_logits(best_model, x[None])[0, 0]
print(f"positive {chosen} of {len(X_positive)}: motifs at {sites}, logit {logit:.2f}")

# %% [markdown]
# The experiment in the open. We note *alternative minus reference*: 0 for the letter that is there,
# negative where a change lowers the logit.

# %%
began = time.perf_counter()
by_hand = np.zeros((200, 4), dtype=np.float32)
for position in range(200):
    for base in np.flatnonzero(x[position] == 0):  # the three letters that are not there
        mutant = x.copy()
        mutant[position] = np.eye(4)[base]
        after = torch_cnn.predict_logits(best_model, mutant[None])[0, 0]
        by_hand[position, base] = after - logit  # 0 stays at the letter that is there
seconds_by_hand = time.perf_counter() - began
print(f"{3 * len(x)} mutants, a prediction each: {seconds_by_hand:.2f} s")

# %% [markdown]
# `interpret.saturation_mutagenesis` gives the same numbers. It is faster because a new letter
# touches only a few windows of each layer; these are computed again, and nothing else.

# %%
repeats = []
for _ in range(10):
    began = time.perf_counter()
    library = interpret.saturation_mutagenesis(best_model, x[None])  # (1, 200, 4)
    repeats.append(time.perf_counter() - began)
began = time.perf_counter()
scores = interpret.saturation_mutagenesis(best_model, X_positive, progress=False)  # (496, 200, 4)
seconds_all = time.perf_counter() - began

for what, seconds in (
    ("one sequence alone", np.median(repeats)),
    (f"one of {len(X_positive)} together", seconds_all / len(X_positive)),
):
    print(f"{what:20} {1000 * seconds:4.1f} ms, {seconds_by_hand / seconds:.0f} times faster")
print(f"largest difference from the loop: {np.abs(library[0] - by_hand).max():.1e}")

# %% [markdown]
# (For timings with more care: `python benchmarks/ism.py`.)
#
# We score the **logit**, the output before the sigmoid. The sigmoid flattens: where the model is
# sure, even a strong effect hardly moves the probability.

# %%
for what, value in (("as it is", logit), ("after the worst change", logit + by_hand.min())):
    print(f"{what:23} logit {value:5.2f}, probability {1 / (1 + np.exp(-value)):.3f}")

# %% [markdown]
# ## The map of a sequence
#
# Blue: this change lowers the logit. Red: it raises it. A dot marks the letter that is there.
# Above the map the same scores as letters, tall where any change would hurt.

# %%
plot.show(
    plot.mutagenesis_map(scores[chosen], x, sites=sites),
    "Saturated mutagenesis of the whole sequence. The bars are the planted motifs; nobody told "
    "the model where they are.",
    alt="A heat map of 4 rows and 200 columns, nearly white except for a block of blue cells at "
    "the first planted motif; the letters above it are tall there and nearly absent elsewhere, "
    "also at the second planted motif.",
)

# %% [markdown]
# One region stands out, the **focus region**. Closer, and with the truth below it: the matrix from
# which the motif was drawn.

# %%
ctcf = motifs.load_motif("MA0139.1")
loud = sites[0]
region = slice(loud[0] - 6, loud[1] + 6)  # 31 positions
figure, axes = plt.subplots(
    2, 1, figsize=(9, 5.4), height_ratios=[2.4, 1], layout="constrained", sharex=True
)
plot.mutagenesis_map(
    scores[chosen][region], x[region], start=region.start, sites=[loud], ax=axes[0]
)
plot.logo(ctcf.information_matrix(), start=loud[0], ax=axes[1])
axes[0].set(xlabel="", xlim=(region.start - 0.5, region.stop - 0.5))
axes[1].set_title("the truth: JASPAR MA0139.1", loc="left", fontsize=10.5)
plot.show(
    figure,
    "The focus region (above) and the CTCF motif (below), on one axis.",
    alt="The map and the letters of 31 positions; below them the CTCF logo. Where the logo has its "
    "tallest letters, a C and two G, the columns of the map are dark blue.",
)

# %% [markdown]
# The tall letters of the two agree, and the map agrees in more than that: at positions 29 and 30
# the matrix also accepts A and T, and in the map just these two cells are pale.

# %% [markdown]
# ## From where do we count?
#
# ISM counts from the letter that is there, a gradient from nowhere. A number added to all four
# scores of a position makes no difference to a model of one-hot sequences, since exactly one of the
# four letters is there. So put all methods into one **frame of reference**: subtract the mean over
# A, C, G and T ([Majdandzic 2023](https://doi.org/10.1186/s13059-023-02956-3)). What then stands at
# the letter that is there is the **importance** of this base, and the height of its letter above:
# minus the mean of the four effects.

# %%
importance = interpret.base_importance(scores, X_positive)  # (496, 200)
tallest = importance[chosen].argmax()
both_frames = np.array([scores[chosen][tallest], interpret.zero_mean(scores[chosen])[tallest]])
print(f"position {tallest} has {sequences.ALPHABET[x[tallest].argmax()]};", end=" ")
print(f"its importance is {importance[chosen, tallest]:.2f}")
pd.DataFrame(both_frames, index=["ISM", "zero mean"], columns=list(sequences.ALPHABET)).round(2)

# %% [markdown]
# ## The silent motif
#
# Why is there nothing at the second motif? It is a real one, if a weaker match:

# %%
matches = motifs.scan(X_positive, ctcf, both_strands=False)  # (496, 182), bits
pd.DataFrame(
    {
        "match to the matrix (bits)": [matches[chosen, start] for start, _ in sites],
        "total importance": [importance[chosen, start:end].sum() for start, end in sites],
    },
    index=[f"motif at {start}" for start, _ in sites],
).round(2)

# %% [markdown]
# Perform the experiment that ISM does not: **erase** a whole motif (19 times N, a row of zeros),
# and ask again.

# %%
erased = np.stack([x, x, x, x])
erased[1, slice(*sites[0])] = 0
erased[2, slice(*sites[1])] = 0
erased[3] = np.minimum(erased[1], erased[2])
names = ["as it is", "without the first", "without the second", "without both"]
for name, value in zip(names, torch_cnn.predict_logits(best_model, erased)[:, 0], strict=True):
    print(f"{name:20} logit {value:5.2f}, probability {1 / (1 + np.exp(-value)):.2f}")

figure, axes = plt.subplots(2, 1, figsize=(11, 4.4), layout="constrained", sharex=True, sharey=True)
erased_scores = interpret.saturation_mutagenesis(best_model, erased[:2])
for ax, one, letters, name in zip(axes, erased_scores, erased, names, strict=False):
    label = "planted motif" if ax is axes[0] else None
    plot.score_logo(one, letters, sites=sites, sites_label=label, ax=ax)
    ax.set_title(name, loc="left", fontsize=10.5)
axes[0].set_xlabel("")
plot.show(
    figure,
    "With the first motif gone, the second one speaks.",
    alt="Above, the letters of the whole sequence: tall at the first motif only. Below, with the "
    "first motif replaced by N, the letters at the second motif are tall.",
)

# %% [markdown]
# This is the model, not biology. **Global max pooling** listens to the best match only. While that
# stands, the other one is a silent spare, and ISM, one letter at a time, cannot see it.
# *Unimportant to ISM* does not mean *without a function*. Is it so in all sequences with two
# motifs?

# %%
two = [i for i, starts in enumerate(motif_starts) if len(starts) == 2]
match = np.array([matches[i, list(motif_starts[i])] for i in two])  # (160, 2)
heard = np.array([[importance[i, a : a + 19].sum() for a in motif_starts[i]] for i in two])
share = heard.max(axis=1) / heard.sum(axis=1)
agree = heard.argmax(axis=1) == match.argmax(axis=1)
print(f"{len(two)} sequences; share of the importance that the louder motif holds:", end=" ")
print(f"{np.median(share):.0%} (median)")
print(f"the louder one is the better match in {agree.mean():.0%}")

# %% [markdown]
# ## The motif behind 496 sequences
#
# One sequence may be luck. `motif_from_scores` takes from each sequence the window with the
# highest total importance; such windows are off by a few positions. So each moves to the window
# whose scores agree best with the mean of all, again and again until nothing moves, and the letters
# are counted. No known motif takes part.

# %%
recovered = interpret.motif_from_scores(scores, X_positive, width=19)
agreement = motifs.similarity(ctcf, recovered)
print(f"r = {agreement.correlation:.3f} over {agreement.overlap} aligned columns")
plot.show(
    plot.compare_motifs({"JASPAR MA0139.1": ctcf, "recovered with the model's help": recovered}),
    "The motif that was planted, and the one that the scores lead to.",
    alt="Two CTCF logos one above the other, nearly identical.",
)

# %% [markdown]
# A high *r* says that the model looks at the right **places**. The letters counted there are the
# sequences' own, so it does not say that the model weighs each letter right.

# %% [markdown]
# ## Does it find the planted motifs? Three methods
#
# Now base by base: is a base within a planted motif more important than one outside? That is an
# AUROC over all bases. The outer columns of MA0139.1 carry little information, and second motifs
# are silent, so do not expect 1.
#
# ISM is not alone. **Saliency** is the gradient of the logit: what a tiny step towards each letter
# would change. **Integrated gradients** (IG) averages the gradient on the way from an empty
# sequence (N everywhere) to this one, times the difference. IG asks for more than a hundred
# gradients a sequence, so here all methods get the same 50 sequences. The row before the last asks
# yesterday's model.

# %%
FEW = X_positive[:50]
explainers = {
    "ISM": lambda X: interpret.saturation_mutagenesis(best_model, X),
    "saliency": lambda X: interpret.saliency(best_model, X),
    "integrated gradients": lambda X: interpret.integrated_gradients(best_model, X, steps=128),
    "ISM of the Day-1 model": lambda X: interpret.saturation_mutagenesis(day1_model, X),
}
explanations, rows = {}, {}
for name, explain in explainers.items():
    began = time.perf_counter()
    explanations[name] = explain(FEW)  # (50, 200, 4)
    seconds = time.perf_counter() - began
    one_a_base = interpret.base_importance(explanations[name], FEW)  # (50, 200)
    found = interpret.localisation(one_a_base, motif_starts[: len(FEW)], width=19)
    rows[name] = {"AUROC": found.auroc, "AUPRC": found.auprc, "seconds": seconds}
rows["blind"] = {"AUROC": 0.5, "AUPRC": found.share}
on_all = interpret.localisation(importance, motif_starts, width=19)
print(f"ISM of all {on_all.n_sequences} positives:", end=" ")
print(f"AUROC {on_all.auroc:.3f}, AUPRC {on_all.auprc:.3f}")
pd.DataFrame(rows).T.map(lambda value: "" if np.isnan(value) else f"{value:.3f}")

# %%
figure, axes = plt.subplots(3, 1, figsize=(9, 6), layout="constrained", sharex=True)
for ax, (name, one) in zip(axes, explanations.items(), strict=False):
    plot.score_logo(
        one[chosen][region],
        x[region],
        start=region.start,
        ylabel="",
        sites=[loud],
        sites_label="planted motif" if ax is axes[0] else None,
        ax=ax,
    )
    ax.set_title(name, loc="left", fontsize=10.5)
    ax.set_xlabel("")
axes[-1].set_xlabel("position")
plot.show(
    figure,
    "The same region by three methods, each on its own scale.",
    alt="Three rows of letters for 31 positions; the same C and G are tall in all three, while "
    "some smaller letters differ.",
)

# %% [markdown]
# The methods agree about the tall letters, less about the small ones; yesterday's model hardly
# knows where the motifs are. IG keeps a promise that gradients alone do not, **completeness**: its
# scores sum to the difference between the logits of the sequence and of the empty one. A sum of 128
# steps stands for the integral, so there is a small error; the line above the table says how large.

# %%
empty = torch_cnn.predict_logits(best_model, np.zeros_like(x)[None])[0, 0]
print(f"difference of the logits        {logit - empty:.3f}")
for name in ("integrated gradients", "saliency"):
    at_letters = interpret.project(explanations[name], FEW)[chosen]  # the letters that are there
    print(f"sum of {name:24} {at_letters.sum():.3f}")

# %% [markdown]
# ## What does it see in a negative?
#
# Again by a rule: the negative whose score is the median.

# %%
negative_logits = torch_cnn.predict_logits(best_model, X_negative)[:, 0]
typical = np.argsort(negative_logits)[(len(X_negative) - 1) // 2]
x_typical = X_negative[typical]
typical_scores = interpret.saturation_mutagenesis(best_model, x_typical[None])[0]  # (200, 4)
plot.show(
    plot.mutagenesis_map(typical_scores, x_typical),
    f"A typical negative, logit {negative_logits[typical]:.1f}. The strongest effects are red.",
    alt="A heat map of 4 rows and 200 columns: single red cells, the darkest near position 98, and "
    "pale blue ones around it and at the right end. The letters above are small, some below zero.",
)

# %%
place, letter = np.unravel_index(typical_scores.argmax(), typical_scores.shape)
reddest = x_typical.copy()
reddest[place] = np.eye(4)[letter]
before, after = motifs.scan(np.stack([x_typical, reddest]), ctcf, both_strands=False)
print(f"reddest cell: {sequences.ALPHABET[letter]} at {place}, {typical_scores.max():+.1f}")
print(f"best match of the matrix: {before.max():.1f} bits before;", end=" ")
print(f"{after.max():.1f} bits after, starting at {after.argmax()}")

# %% [markdown]
# No letter is *needed* here, the answer is no already. But there is something to build: the reddest
# cell is a letter that would **create** a better match. Is it so in all negatives? That is yours to
# find out, in 2.6.2.

# %% [markdown]
# ## A real peak
#
# The truth is planted in simulated data only. For a real CTCF peak we have none; the nearest is the
# best hit of the matrix. The model has seen the **forward** strand only, so score both strands and
# explain the one that scores higher.

# %%
real = datasets.load_real_ctcf()
turned = sequences.reverse_complement(real.X)
forward = torch_cnn.predict_logits(best_model, real.X)[:, 0]
reverse = torch_cnn.predict_logits(best_model, turned)[:, 0]
is_forward = forward >= reverse
X_real = np.where(is_forward[:, None, None], real.X, turned)  # (500, 200, 4)
hits = motifs.scan(X_real, ctcf, both_strands=False).argmax(axis=1)  # where the matrix fits best
real_scores = interpret.saturation_mutagenesis(best_model, X_real, progress=False)
print(f"{is_forward.mean():.0%} of the peaks score higher as they are, the others turned around")
print(f"{real.table['name'][0]}: logit {forward[0]:.1f} forward, {reverse[0]:.1f} reverse")

# %%
hit = (hits[0], hits[0] + 19)
plot.show(
    plot.mutagenesis_map(
        real_scores[0], X_real[0], sites=[hit], sites_label="best hit of the matrix"
    ),
    f"The first real peak of the file, {'forward' if is_forward[0] else 'reverse'} strand.",
    alt="A heat map of a real sequence with a block of blue cells and tall letters below the bar "
    "that marks the best hit of the CTCF matrix.",
)

# %% [markdown]
# Is it so in all 500? For each peak we take the 19 bp with the highest total importance, and ask
# whether they overlap the matrix's best hit. *By chance* compares the focus of one peak with the
# hits of the others: peaks are centred on their summit, so any two of them tend to agree.

# %%
real_importance = interpret.base_importance(real_scores, X_real)  # (500, 200)
focus = pd.DataFrame(real_importance.T).rolling(19).sum().idxmax().to_numpy() - 18  # (500,) starts
apart = np.abs(focus[:, None] - hits)  # (500, 500): on the diagonal, a peak with itself
print(f"focus overlaps the best hit: {np.mean(np.diag(apart) < 19):.0%} of the peaks")
print(f"                  by chance: {np.mean(apart < 19):.0%}")

# %% [markdown]
# So the model carries over to real sequence: on strong peaks it looks where the matrix looks. It
# does *not* prove that these letters bind CTCF in the cell. Model and matrix are no independent
# witnesses (the training data were drawn from this very matrix), and where they disagree nobody
# knows which is right.

# %% [markdown]
# ## Pros, cons and cost
#
# | for | against |
# |---|---|
# | simple: an experiment that every biologist knows | cost: 3 *L* predictions for length *L* |
# | asks any model, needs no gradient | one letter at a time: interactions stay hidden |
# | biologically meaningful: a mutation and its effect | a silent spare looks unimportant |
# | a place, a size and a sign for each effect | mutants unlike anything that the model has seen |

# %%
L = X_positive.shape[1]
print(f"3 L = {3 * L} predictions a sequence, {3 * L * len(X_positive):,} for all positives")
print(f"in the open loop about {seconds_by_hand * len(X_positive):.0f} s (extrapolated);", end=" ")
print(f"with the library {seconds_all:.1f} s")
print(f"all pairs of letters: {9 * L * (L - 1) // 2:,} predictions a sequence")

# %% [markdown]
# One more trap: **saturation**. When a model is sure already, no single change makes it doubt much.
# Sort the positives by how well their best motif fits:

# %%
best_match = np.array([m[list(s)].max() for m, s in zip(matches, motif_starts, strict=True)])
positive_logits = torch_cnn.predict_logits(best_model, X_positive)[:, 0]
pd.DataFrame(
    {
        "best planted match (bits)": pd.cut(
            best_match,
            [-np.inf, 12, 16, 20, np.inf],
            labels=["up to 12", "12 to 16", "16 to 20", "above 20"],
        ),
        "logit": positive_logits,
        "total importance": importance.sum(axis=1, dtype=float),
    }
).groupby("best planted match (bits)", observed=True).agg(
    sequences=("logit", "size"),
    **{
        "median logit": ("logit", "median"),
        "median total importance": ("total importance", "median"),
    },
).round(1)

# %% [markdown]
# The best motifs get the *smallest* scores. Compare importance within a sequence; between sequences
# be careful.

# %% [markdown]
# ## Practice 3 · three tasks of about 10 minutes
#
# ### 2.P3.1 · Is the second-best model the same?
#
# Load the second-best model of the search, `second_model = nas.load_model(result, rank=...)`, and
# look at its map of the same sequence. Do two models with nearly equal scores give equal reasons?

# %% tags=["stub"]
second_model = None

# %% tags=["solution"]
second_model = nas.load_model(result, rank=1)

# %%
verdict = homework.check("2.P3.1", second_model, result)
display(verdict)
if verdict.done:
    second_scores = interpret.saturation_mutagenesis(second_model, X_positive, progress=False)
    display(in_words(result.ranking.head(2)))
    plot.show(
        plot.mutagenesis_maps(
            {"the best model": scores[chosen], "the second-best": second_scores[chosen]},
            x,
            sites=sites,
        ),
        "Two models, one sequence, one scale.",
        alt="Two mutagenesis maps one above the other, each with its letters.",
    )
    second_importance = interpret.base_importance(second_scores, X_positive)
    alike = [np.corrcoef(a, b)[0, 1] for a, b in zip(importance, second_importance, strict=True)]
    found = interpret.localisation(second_importance, motif_starts, width=19)
    print(f"importance of the two models, median r over all positives: {np.median(alike):.2f}")
    print(f"localisation AUROC: best {on_all.auroc:.3f}, second {found.auroc:.3f}")

# %% [markdown] tags=["solution"]
# Nearly. Both look at the same motif, neither hears the second one (both end in global max
# pooling), and they differ in the smaller letters. The second-best localises even a little better,
# though its val AUROC is lower: a better score does not promise a better explanation.

# %% [markdown]
# ### 2.P3.2 · Is the focus region the motif?
#
# Write `focus_region(importance, width)` for **one** sequence: `importance` has shape (L,), and the
# function returns the start of the window of `width` positions with the highest total. Below it is
# compared with the nearest planted start in each positive test sequence. Where do the two differ?


# %% tags=["stub"]
def focus_region(importance, width):
    """Start of the window with the highest total importance."""
    # Your code here.


# %% tags=["solution"]
def focus_region(importance, width):
    """Start of the window with the highest total importance."""
    totals = np.convolve(importance, np.ones(width), mode="valid")  # (L - width + 1,)
    return int(totals.argmax())


# %%
verdict = homework.check("2.P3.2", focus_region)
display(verdict)
if verdict.passed:
    offsets = np.array(
        [
            min((focus_region(one, 19) - start for start in starts), key=abs)
            for one, starts in zip(importance, motif_starts, strict=True)
        ]
    )
    print(f"within 3 bp of a planted start: {np.mean(np.abs(offsets) <= 3):.1%}")
    print(f"no overlap with a planted motif: {np.mean(np.abs(offsets) >= 19):.1%}")
    figure, ax = plt.subplots(figsize=(6.5, 3.2), layout="constrained")
    ax.bar(*np.unique(offsets, return_counts=True), color="#0072B2")
    ax.set(xlabel="focus region minus nearest planted start (bp)", ylabel="sequences")
    ax.spines[["top", "right"]].set_visible(False)
    plot.show(
        ax,
        "How far the focus region is off.",
        alt="Bars of counts by offset in bp, the tallest at 0.",
    )

# %% [markdown] tags=["solution"]
# Yes, up to a few positions. The outer columns carry little information, so a window moved by one
# or two has nearly the same total, and the model has no reason to prefer the one that JASPAR cut.

# %% [markdown]
# ### 2.P3.3 · Two letters at once
#
# ISM cannot see interactions, because it changes one letter at a time. Change two. Write
# `score_two(model, x, first, second)`: `x` has shape (200, 4), `first` and `second` are a position
# and a letter such as `(23, "T")`. It returns the change of the logit with **both** letters in
# place. Leave `x` itself as it is.


# %% tags=["stub"]
def score_two(model, x, first, second):
    """Change of the logit when two letters are replaced at once."""
    # Your code here.


# %% tags=["solution"]
def score_two(model, x, first, second):
    """Change of the logit when two letters are replaced at once."""
    mutant = x.copy()
    for position, letter in (first, second):
        mutant[position] = np.eye(4)[sequences.ALPHABET.index(letter)]
    before, after = torch_cnn.predict_logits(model, np.stack([x, mutant]))[:, 0]
    return float(after - before)


# %%
a, b = region.start, region.stop
verdict = homework.check("2.P3.3", score_two)
display(verdict)
if verdict.passed:
    pairs = interpret.pairwise_mutagenesis(best_model, x[None], start=a, end=b)
    rows = []
    for p, q in ((10, 15), (15, 18), (10, 18), (6, 15), (12, 22)):  # counted from a
        i = j = sequences.ALPHABET.index("T")  # there is no T at these places
        rows.append(
            {
                "first": (a + p, "T"),
                "second": (a + q, "T"),
                "sum of the two alone": pairs.single[0, p, i] + pairs.single[0, q, j],
                "both at once": pairs.double[0, p, i, q, j],
                "score_two": score_two(best_model, x, (a + p, "T"), (a + q, "T")),
            }
        )
    table = pd.DataFrame(rows)
    display(table.round(3))
    plot.show(
        plot.interaction_map(pairs.interaction[0], x[region], start=a),
        "What two changes do beyond the sum of each alone. Red: together they hurt less than the "
        "sum (or help more); blue: they hurt more.",
        alt="A square map of pairs of positions with a grey diagonal and coloured cells.",
    )

# %% [markdown] tags=["solution"]
# Mostly red, and strongest where the letters are tallest. A motif that is broken cannot be broken
# again: the second change finds the spare motif in charge. If that is the reason, the map must fade
# where the spare has been erased:

# %% tags=["solution"]
pairs = interpret.pairwise_mutagenesis(best_model, x[None], start=a, end=b)
alone = interpret.pairwise_mutagenesis(best_model, erased[2:3], start=a, end=b)  # no second motif
for name, one in (("with the spare", pairs), ("without it", alone)):
    print(f"{name:15} the worst pair takes {-one.double.min():.1f} from the logit,", end=" ")
    print(f"the largest interaction is {one.interaction.max():.1f}")

# %% [markdown] tags=["solution"]
# It does, by half. The other half has another reason; a tanh that saturates would be one.

# %% [markdown]
# **Takeaway:** mutagenesis turns a score into places and letters, and here they are those of CTCF.
# It explains the model, not the cell: what it calls unimportant may be a spare, and what it calls
# important needs an experiment.

# %% [markdown]
# # 6 · Extended practices
#
# **Objective:** explain a model on your own, and make a search yours. Homework, **10 points** and
# about **30 minutes** each. Write your answers into the variables and functions that each task
# names. `homework.check` gives the points at once, as yesterday.
#
# Your instructor runs the whole notebook from the top, in an empty folder, and asks for the same
# names. So keep the names, and before you hand in: *Runtime → Restart and run all*. A cell may
# take five minutes, the notebook twenty.

# %% [markdown]
# ## 2.6.1 · Importance of every base
#
# Write `score_all(model, X)`: for sequences (N, 200, 4) it returns their importance, shape
# (N, 200), one number a base: **minus the mean effect of its changes on the logit**. The next cell
# makes `positive_importance` with it, for *all* 496 positive test sequences, and looks at them at
# once: do the important letters lie in the motifs? All 496 should take less than two minutes; the
# check allows 10 seconds for 40.
#
# (The 2023 notebook called Keras's `predict` for each mutant. On the software of that year, we
# measured, this homework takes 2.9 hours.)


# %% tags=["stub"]
def score_all(model, X):
    """Importance of each base that is there, shape (N, L)."""
    # Your code here.


# %% tags=["solution"]
def score_all(model, X):
    """Importance of each base that is there, shape (N, L)."""
    effects = interpret.saturation_mutagenesis(model, X, progress=False)  # (N, L, 4)
    zero_mean = effects - effects.mean(axis=2, keepdims=True)
    return (zero_mean * X).sum(axis=2)  # as interpret.base_importance


# %%
positive_importance = score_all(best_model, X_positive)
verdict = homework.check("2.6.1", score_all, positive_importance, best_model)
display(verdict)
if verdict.points >= 7:  # all but fast
    positive_importance = np.asarray(positive_importance)
    found = interpret.localisation(positive_importance, motif_starts, width=19)
    print(f"localisation: AUROC {found.auroc:.3f}, AUPRC {found.auprc:.3f}")
    single = [i for i, starts in enumerate(motif_starts) if len(starts) == 1]
    single.sort(key=lambda i: motif_starts[i][0])
    profile = np.mean([positive_importance[i, motif_starts[i][0] :][:19] for i in single], axis=0)
    figure, axes = plt.subplots(1, 2, figsize=(11, 4), layout="constrained", width_ratios=[1.5, 1])
    picture = axes[0].imshow(
        positive_importance[single], cmap="RdBu_r", vmin=-2, vmax=2, aspect="auto"
    )
    figure.colorbar(picture, ax=axes[0], label="importance", extend="both")
    axes[0].set(xlabel="position", ylabel="sequences with one motif, sorted by its start")
    information = ctcf.information_content()
    axes[1].plot(information, ".-", color="dimgrey", label="information of the matrix (bits)")
    axes[1].plot(profile, ".-", color="#0072B2", label="mean importance")
    axes[1].set(xlabel="column of the motif", xticks=range(0, 19, 3))
    axes[1].set_ylim(0, 1.2 * max(profile.max(), 2))
    axes[1].spines[["top", "right"]].set_visible(False)
    axes[1].legend(frameon=False, loc="upper right")
    plot.show(
        figure,
        f"Left, {len(single)} sequences at once. Right, the mean over their motifs: with the "
        f"information of the columns r = {np.corrcoef(profile, information)[0, 1]:.2f}.",
        alt="Left, a heat map with a red diagonal band on white. Right, two curves over the 19 "
        "columns of the motif with peaks at the same columns.",
    )

# %% [markdown] tags=["solution"]
# The diagonal *is* the list of planted motifs: nobody told the model where they are. And within the
# motif the model cares for the columns in which the matrix holds information.

# %% [markdown]
# ## 2.6.2 · And in the negatives?
#
# Make `negative_importance`, the same for all negative test sequences (`X_negative`). Then fill
# `my_claims_262` with "positives" or "negatives". Take the median over the sequences each time:
#
# - **largest importance**: whose highest value is higher?
# - **most negative importance**: whose lowest value is lower?
# - **more concentrated**: set negative values to 0. Where does the best window of 19 positions hold
#   the larger share of what is left in the sequence?
#
# Explain **why** they differ in two or three sentences, as a string: `my_answer_262`.

# %% tags=["stub"]
negative_importance = None
my_claims_262 = {
    "largest importance": None,
    "most negative importance": None,
    "more concentrated": None,
}
my_answer_262 = ""

# %% tags=["solution"]
negative_importance = score_all(best_model, X_negative)


def summary(importance):
    """The three numbers of each sequence, and their medians."""
    positive = np.clip(importance, 0, None)  # (N, 200)
    windows = np.lib.stride_tricks.sliding_window_view(positive, 19, axis=1).sum(axis=2)
    return {
        "largest importance": np.median(importance.max(axis=1)),
        "most negative importance": -np.median(importance.min(axis=1)),
        "more concentrated": np.median(windows.max(axis=1) / positive.sum(axis=1)),
    }


summaries = pd.DataFrame(
    {"positives": summary(positive_importance), "negatives": summary(negative_importance)}
)
display(summaries.round(2))
my_claims_262 = summaries.idxmax(axis=1).to_dict()
my_answer_262 = (
    "In a positive nearly all importance lies on one motif and is positive: most changes there "
    "lower the logit. In a negative there is no motif to break, so it is spread over many "
    "half-matches, its largest values are small, and many are negative: a letter stands in the way "
    "of a better match, and replacing it raises the logit."
)

# %%
verdict = homework.check("2.6.2", negative_importance, my_claims_262, my_answer_262, best_model)
display(verdict)
if verdict.passed and positive_importance is not None:
    both = {
        "positives": np.asarray(positive_importance),
        "negatives": np.asarray(negative_importance),
    }
    figure, axes = plt.subplots(2, 2, figsize=(11, 5.6), layout="constrained", sharex="row")
    bins = np.linspace(-4, 6, 81)
    for column, (name, one) in enumerate(both.items()):
        picture = axes[0, column].imshow(
            one[:100], cmap="RdBu_r", vmin=-2, vmax=2, aspect="auto", interpolation="nearest"
        )
        axes[0, column].set(title=f"the first 100 {name}", xlabel="position", ylabel="sequence")
        for extreme, colour, label in (("max", "#B2182B", "largest"), ("min", "#2166AC", "lowest")):
            axes[1, column].hist(
                getattr(one, extreme)(axis=1), bins=bins, color=colour, alpha=0.8, label=label
            )
        axes[1, column].set(xlabel=f"importance in each of all {len(one)} {name}", ylabel="count")
        axes[1, column].spines[["top", "right"]].set_visible(False)
        largest, lowest = np.median(one.max(axis=1)), np.median(one.min(axis=1))
        print(f"{name}, medians: largest importance {largest:.2f}, lowest {lowest:.2f}")
    axes[1, 0].legend(frameon=False)
    figure.colorbar(picture, ax=axes[0], label="importance", extend="both")
    plot.show(
        figure,
        "Importance in positives (left) and negatives (right). Above, base by base; below, the "
        "largest and the lowest value of each sequence.",
        alt="Left: a short red block in each row, and large maxima. Right: scattered pale red and "
        "blue cells; the largest values are small, the lowest more negative.",
    )
    print(my_answer_262)

# %% [markdown] tags=["solution"]
# Does the reddest change of a negative really create a better match? The matrix, which knows
# nothing of the model, can say. For comparison a change drawn at random:

# %% tags=["solution"]
negative_scores = interpret.saturation_mutagenesis(best_model, X_negative, progress=False)
rng, rows = np.random.default_rng(0), np.arange(len(X_negative))
reddest = negative_scores.reshape(len(rows), -1).argmax(axis=1)  # 4 x position + base
position = rng.integers(200, size=len(rows))
base = X_negative[rows, position].argmax(axis=1) + rng.integers(1, 4, size=len(rows))
at_random = 4 * position + base % 4  # another letter than the one that is there
before = motifs.scan(X_negative, ctcf, both_strands=False).max(axis=1)
for name, change in (("the reddest change", reddest), ("a random change", at_random)):
    mutants = X_negative.copy()
    mutants[rows, change // 4] = np.eye(4)[change % 4]
    after = motifs.scan(mutants, ctcf, both_strands=False).max(axis=1)
    print(f"{name:18} raises the best match of the matrix in {np.mean(after > before):.0%}")

# %% [markdown]
# ## 2.6.3 · Prune the model space
#
# Make `pruned_space`, a `nas.ModelSpace` with **4 to 189** architectures, at most half of all, that
# keeps the good ones. Section 4 has shown which operations never won. Then search it:
# `pruned_result`, with the settings `CHILD`, `max_trials=9`, `random_state=0` and a `working_dir`
# of its own.
#
# **Target:** at least three of the nine children reach a val AUROC of 0.99. Of all 378
# architectures, trained like this, one in six does: the full search needs about six trials for
# one, yours at most three. What could you lose?

# %% tags=["stub"]
pruned_space = None
pruned_result = None

# %% tags=["solution"]
pruned_space = nas.ModelSpace.from_dict(
    [
        [  # no kernel of 3 letters: it is too short for the first look at a motif of 19
            nas.Operation(
                "conv1d", filters=32, kernel_size=size, activation=activation, padding="same"
            )
            for activation in ("relu", "tanh")
            for size in (7, 13)
        ],
        [nas.Operation("maxpool1d", pool_size=4), nas.Operation("identity")],
        [*convolutions(64), nas.Operation("identity")],
        [nas.Operation("globalmaxpool1d")],
    ]
)
pruned_result = nas.search(
    pruned_space,
    train=(X_train, y_train),
    val=(X_val, y_val),
    **CHILD,
    max_trials=9,
    random_state=0,
    working_dir="search/pruned",
)

# %%
verdict = homework.check("2.6.3", pruned_space, pruned_result)
display(verdict)
if isinstance(pruned_result, nas.SearchResult):
    n_pruned = pruned_space.get_space_size()
    budget = len(pruned_result.history)
    rewards = {
        f"all {space.get_space_size()}": result.history["reward"].head(budget),
        f"pruned to {n_pruned}": pruned_result.history["reward"],
    }
    display(pd.DataFrame(rewards).agg(["min", "median", "max"]).T.round(4))
    figure, ax = plt.subplots(figsize=(7, 3.6), layout="constrained")
    for (name, one), colour in zip(rewards.items(), plot.SERIES_COLOURS, strict=False):
        ax.plot(range(1, budget + 1), one, "o", color=colour, label=name)
        ax.axhline(one.median(), color=colour, linestyle=":", zorder=0)
    ax.set(xlabel="child", ylabel="val AUROC")
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False)
    plot.show(
        ax,
        f"The first {budget} children in each space, and their medians (dotted).",
        alt="Dots of val AUROC by child for the full and the pruned space, with a line at each "
        "median.",
    )

# %% [markdown] tags=["solution"]
# Yes: with GMP only, *every* child is decent, and the median tells it best. The best child of nine
# gains less, because the full space was lucky early. The price: what was pruned cannot be found any
# more. We pruned after 39 children, and a rare combination that none of them had is lost unseen.

# %% [markdown]
# ## 2.6.4 · A reward of your own
#
# AUROC asks for the order of the predictions only. Write `my_reward(y_true, y_score)`, both of
# shape (N, 1): the **negative loss**, minus the mean binary cross-entropy (keep the scores away
# from 0 and 1), or another reward that you can defend, but not AUROC again. It returns one finite
# number, also for scores of exactly 0 and 1, and larger must mean better. Search with it:
# `my_reward_result`, with `CHILD`, `max_trials=9`, `random_state=0` and a new `working_dir`. Which
# children change their rank, and why?


# %% tags=["stub"]
def my_reward(y_true, y_score):
    """One number to maximise."""
    # Your code here.


my_reward_result = None


# %% tags=["solution"]
def my_reward(y_true, y_score):
    """Minus the mean binary cross-entropy."""
    p = np.clip(y_score.astype(float), 1e-7, 1 - 1e-7)
    return float(np.mean(y_true * np.log(p) + (1 - y_true) * np.log(1 - p)))


my_reward_result = nas.search(
    space,
    train=(X_train, y_train),
    val=(X_val, y_val),
    reward=my_reward,
    **CHILD,
    max_trials=9,
    random_state=0,
    working_dir="search/my_reward",
)

# %%
verdict = homework.check("2.6.4", my_reward, my_reward_result)
display(verdict)
if isinstance(my_reward_result, nas.SearchResult):
    table = my_reward_result.history[["tokens", "reward", "val_auroc", "val_accuracy"]]
    table = table.sort_values("reward", ascending=False)
    by_auroc = table["val_auroc"].rank(ascending=False).astype(int)
    display(table.assign(**{"rank by AUROC": by_auroc}).round(4))
    figure, ax = plt.subplots(figsize=(5, 3.8), layout="constrained")
    ax.scatter(table["val_auroc"], table["reward"], color="#0072B2")
    ax.set(xlabel="val AUROC", ylabel="my reward")
    ax.spines[["top", "right"]].set_visible(False)
    plot.show(
        ax,
        "The same children under AUROC and under my reward.",
        alt="A scatter plot of my reward against the val AUROC.",
    )

# %% [markdown] tags=["solution"]
# The ranks stay, the distances do not: the two best differ by less than 0.001 in AUROC, but the
# loss of one is nearly three times that of the other. AUROC asks who stands before whom, the loss
# whether a "0.9" deserves to be one. If you will read the score as a probability, reward the loss.

# %% [markdown]
# ## 2.6.5 · Another explanation
#
# Explain a few positive test sequences with another package: **Captum**'s `IntegratedGradients`, or
# **SHAP**'s `GradientExplainer`. Both take our Torch model and tensors of shape (n, 200, 4) as they
# are: `torch.from_numpy(X_few)`. Keep the scores, a NumPy array (n, 200, 4) for the first three of
# them or more, as `my_explanation`. The check asks for two things. The scores of a sequence add up
# to its logit minus that of the baseline, to within 15 % on average (**completeness**); all zeros,
# or the mean over a background, are fine baselines. (SHAP draws samples: over a background it takes
# `nsamples=2000` to come that close.) And they point to the planted motifs: AUROC over the bases
# above 0.65. Does it tell the same story as ISM? (Import the packages in your own cell, they are
# slow to load. Outside of Colab you may have to `pip install captum shap`.)

# %%
X_few = X_positive[:6]  # (6, 200, 4)

# %% tags=["stub"]
my_explanation = None

# %% tags=["solution"]
import torch
from captum.attr import IntegratedGradients


def captum_ig(model, X):
    """Integrated gradients by Captum, from zeros, 256 steps."""
    scores = IntegratedGradients(model).attribute(
        torch.from_numpy(X), n_steps=256, internal_batch_size=256
    )
    return scores.numpy(force=True)


my_explanation = captum_ig(best_model, X_few)

# %%
verdict = homework.check("2.6.5", my_explanation, X_few, best_model)
display(verdict)
if verdict.passed:
    my_explanation = np.reshape(my_explanation, (-1, 200, 4))
    n = len(my_explanation)
    rows = {}
    for name, one in (("ISM", scores[:n]), ("my explanation", my_explanation)):
        found = interpret.localisation(
            interpret.base_importance(one, X_positive[:n]), motif_starts[:n], width=19
        )
        rows[name] = {"AUROC": found.auroc, "AUPRC": found.auprc}
    display(pd.DataFrame(rows).T.round(3))
    figure, axes = plt.subplots(2, 1, figsize=(9, 4.2), layout="constrained", sharex=True)
    for ax, (name, one) in zip(
        axes, (("ISM", scores[chosen]), ("my explanation", my_explanation[chosen])), strict=True
    ):
        plot.score_logo(
            one[region],
            x[region],
            start=region.start,
            ylabel="",
            sites=[loud],
            sites_label="planted motif" if ax is axes[0] else None,
            ax=ax,
        )
        ax.set_title(name, loc="left", fontsize=10.5)
    axes[0].set_xlabel("")
    plot.show(
        figure,
        "The focus region by ISM and by my explanation.",
        alt="Two rows of letters for 31 positions, one by ISM, one by the other method.",
    )

# %% [markdown] tags=["solution"]
# Is Captum's IG our IG? Both sum gradients over the same way, ours by the trapezoid rule, Captum's
# by that of Gauss and Legendre, so they agree to a small part of the largest score. The gradient
# *jumps* on the way, as when another position becomes the maximum; there both rules err, and the
# completeness gap shows by how much.

# %% tags=["solution"]
rows, our_ig = {}, {}
for name, model in {"Day 1": day1_model, "winner": best_model}.items():
    our_ig[name] = ours = interpret.integrated_gradients(model, X_few, steps=256, progress=False)
    theirs = captum_ig(model, X_few)
    empty = torch_cnn.predict_logits(model, np.zeros_like(X_few[:1]))
    change = (torch_cnn.predict_logits(model, X_few) - empty)[:, 0]
    rows[name] = {
        "largest score": np.abs(ours).max(),
        "largest difference": np.abs(ours - theirs).max(),
        "completeness gap, ours": np.abs(ours.sum(axis=(1, 2)) - change).max(),
        "gap, Captum": np.abs(theirs.sum(axis=(1, 2)) - change).max(),
    }
pd.DataFrame(rows).T.map("{:.1e}".format)

# %% [markdown] tags=["solution"]
# **SHAP**'s `GradientExplainer` averages gradients at *random* points between a background sample
# and the sequence. With one background, all zeros, that is IG by the throw of a die.

# %% tags=["solution"]
import shap

for name, model in {"Day 1": day1_model, "winner": best_model}.items():
    explainer = shap.GradientExplainer(model, torch.zeros(1, 200, 4))
    drawn = explainer.shap_values(torch.from_numpy(X_few), nsamples=200, rseed=0)[..., 0]
    there = X_few == 1
    r = np.corrcoef(drawn[there], our_ig[name][there])[0, 1]
    print(f"{name:6} SHAP and our IG: r = {r:.4f}")

# %% [markdown]
# ## How far are you?

# %%
homework.scoreboard()

# %% tags=["solution"]
import os

# While a grader runs the notebook, checks wait until it has ended, and all points are 0.
assert homework.scoreboard().points == 50 or "WORKSHOP_GRADING" in os.environ

# %% [markdown]
# # 7 · The same on real human chromosomes
#
# **Objective:** train the architecture that the search found on real DNA, and see whether it shows
# you the CTCF motif there, too. **Optional, 15 minutes, in Colab.**
#
# As in the last section of Day 1: real CTCF peaks on three human chromosomes, negatives with the
# same GC, chr9 to train, chr21 for val, chr22 for test. In Colab the next cell downloads 63 MB.
# Elsewhere it takes what `workshop data fetch` has brought before. Where there is nothing, it says
# so, and the other cells of this section do nothing.

# %%
try:
    human = datasets.fetch_ctcf(download=environment.in_colab())
except OSError as reason:
    human = None
    print(f"Skipped: {reason}")

# %% [markdown]
# ## The winner goes to work
#
# A real motif lies on either strand. So each training sequence comes twice, as it is and as its
# reverse complement, and a prediction on test is the higher logit of both strands (val: of one). We
# train two architectures, that of Day 1 and that of the winner. Beside them stand the matrix and
# the winner of the search **as it is**, which has never seen a real chromosome.


# %%
def best_strand(model, X):
    """Logits of a Torch model, the higher one of the two strands, shape (N,)."""
    forward = torch_cnn.predict_logits(model, X)
    reverse = torch_cnn.predict_logits(model, sequences.reverse_complement(X))
    return np.maximum(forward, reverse)[:, 0]


if human:
    human_split = splits.split_by_chromosome(
        human.table["chrom"], val_chroms=["chr21"], test_chroms=["chr22"]
    )
    X_human, y_human = human.X[human_split.train], human.y[human_split.train]
    human_models = {}
    for name, architecture in {
        "Day-1 CNN": DAY1_CNN,
        "winner's architecture": result.best.architecture,
    }.items():
        human_models[name] = torch_cnn.build_cnn(architecture, random_state=0)
        history = torch_cnn.fit(
            human_models[name],
            np.concatenate([X_human, sequences.reverse_complement(X_human)]),
            np.concatenate([y_human, y_human]),
            X_val=human.X[human_split.val],
            y_val=human.y[human_split.val],
            epochs=10,
            batch_size=128,
            learning_rate=0.003,
            progress=False,
        )
        print(f"{name:21} val AUROC, one strand: {history.last['val_auroc']:.3f}")

# %%
if human:
    X_human_test, y_human_test = human.X[human_split.test], human.y[human_split.test, 0]
    human_scores = {
        "CTCF matrix": motifs.scan(X_human_test, ctcf).max(axis=1),
        "winner of the simulation": best_strand(best_model, X_human_test),
    }
    for name, model in human_models.items():
        human_scores[name] = best_strand(model, X_human_test)
    rows = {}
    for name, y_score in human_scores.items():
        interval = evaluation.bootstrap_interval(y_human_test, y_score, n_resamples=200)
        rows[name] = {"test AUROC": interval.estimate, "from": interval.low, "to": interval.high}
    display(pd.DataFrame(rows).T.round(3))

# %% [markdown]
# What was reached elsewhere on CTCF: the matrix alone 0.976 (strong peaks against GC-matched
# negatives), a published CNN, Selene's DeeperDeepSEA, 0.971, DragoNN's tutorial 0.963 (negatives
# from the whole genome). Not on your test set, so a rough guide only; here weak peaks count as
# well. Did the order of the two architectures survive the move to real data? And is what the winner
# had learnt from a simulation worth anything here?

# %% [markdown]
# ## The motif behind real peaks
#
# ISM of the positives of chr22 that the network recognises, then `motif_from_scores`, as in section
# 5. But that reads one strand, and these motifs lie on both. The network cannot turn them: trained
# on both strands, it likes both. So the matrix does. It gives **one bit a peak**, the strand on
# which it fits better. The places are still the network's.
#
# Does that bit smuggle the motif in? Ask an **untrained** network about the same turned peaks. And
# see what becomes of the motif if nobody turns anything.

# %%
if human:
    human_model = human_models["winner's architecture"]
    peaks = X_human_test[(y_human_test == 1) & (human_scores["winner's architecture"] > 0)]
    other_strand = sequences.reverse_complement(peaks)
    fits, fits_other = (
        motifs.scan(X, ctcf, both_strands=False).max(axis=1) for X in (peaks, other_strand)
    )
    turned = np.where((fits >= fits_other)[:, None, None], peaks, other_strand)  # (N, 200, 4)
    untrained = torch_cnn.build_cnn(result.best.architecture, random_state=0)
    human_motifs = {}
    for name, model, X in (
        ("peaks turned", human_model, turned),
        ("peaks as they lie", human_model, peaks),
        ("peaks turned, untrained network", untrained, turned),
    ):
        effects = interpret.saturation_mutagenesis(model, X, progress=False)
        human_motifs[name] = interpret.motif_from_scores(effects, X, width=19)
    figure, axes = plt.subplots(2, 2, figsize=(11, 4.4), layout="constrained", sharey=True)
    for ax, (name, motif) in zip(axes.flat, {"JASPAR": ctcf, **human_motifs}.items(), strict=True):
        r = motifs.similarity(ctcf, motif, min_overlap=15).correlation
        plot.logo(motif.information_matrix(), ax=ax)
        ax.set_title(f"{name} (r = {r:.2f})", loc="left", fontsize=10.5)
    plot.show(
        figure,
        f"The CTCF matrix, and what the scores of {len(peaks)} peaks lead to; r is the agreement "
        "with the matrix, over 15 columns or more.",
        alt="Four sequence logos: the CTCF matrix, and the motifs of turned peaks, of peaks as "
        "they lie, and of an untrained network.",
    )

# %% [markdown]
# If it went well, the second logo is the first one again, the last one has nothing of it, and the
# third is the motif laid over its own reverse complement: a **palindrome** that no protein asked
# for. Beware of symmetric motifs in the output of a program.
#
# One peak in full, chosen by a rule: the one with the median logit.

# %%
if human:
    peak_logits = torch_cnn.predict_logits(human_model, turned)[:, 0]
    middle = np.argsort(peak_logits)[len(turned) // 2]
    peak = turned[middle]  # (200, 4)
    hit = int(motifs.scan(peak[None], ctcf, both_strands=False).argmax())
    plot.show(
        plot.mutagenesis_map(
            interpret.saturation_mutagenesis(human_model, peak[None])[0],
            peak,
            sites=[(hit, hit + 19)],
            sites_label="best hit of the matrix",
        ),
        f"A real peak of chr22 with a typical logit, {peak_logits[middle]:.1f}.",
        alt="A heat map of 4 rows and 200 columns with the letters of the sequence above it and a "
        "bar at the best hit of the CTCF matrix.",
    )

# %% [markdown]
# Do the tall letters stand under the bar? And is anything tall *outside* of it? There the matrix is
# blind and the network may have found something: a weaker second site, another protein, a habit of
# the data. That is where the next experiment begins.
#
# **More to try:** search on the real data. The space is the same, the best child may be another.
#
# ```python
# human_result = nas.search(
#     space,
#     train=(X_human, y_human),
#     val=(human.X[human_split.val], human.y[human_split.val]),
#     **CHILD,
#     max_trials=15,
#     random_state=0,
#     working_dir="search/human",
# )
# ```
#
# **Takeaway:** an architecture moves from a simulation to the genome by training; what it learns
# there must be asked anew. Mind the strand, and ask an untrained network, too.

# %% [markdown]
# # At the end of Day 2

# %% [markdown]
# ## What makes an explanation trustworthy
#
# - **A known answer.** Where the truth is planted, does the method find it? And does it stay blind
#   with a model that has not learnt it, such as yesterday's?
# - **Agreement.** Of methods, of models with equal scores, of both strands. What only one of them
#   says is a question, not an answer.
# - **A test that it could fail.** Erase the motif, plant it elsewhere, and predict. In the end, the
#   bench decides.
#
# ## Where to go on
#
# - Faster mutagenesis: fastISM
#   ([doi:10.1093/bioinformatics/btac135](https://doi.org/10.1093/bioinformatics/btac135)).
# - Many motifs from scores: TF-MoDISco, Shrikumar and colleagues 2018
#   ([arXiv:1811.00416](https://arxiv.org/abs/1811.00416)).
# - Why the mean is subtracted: Majdandzic and colleagues 2023
#   ([doi:10.1186/s13059-023-02956-3](https://doi.org/10.1186/s13059-023-02956-3)).
# - Pitfalls of machine learning in genomics: Whalen and colleagues 2022
#   ([doi:10.1038/s41576-021-00434-9](https://doi.org/10.1038/s41576-021-00434-9)).
#
# **Takeaway:** yesterday you built a network by hand, and it counted letters. Today a program found
# one that reads the motif, and you did not have to believe it: you asked, and checked the answer.
