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
# Welcome back! **First of all, save your own copy:** in Colab, *File → Save a copy in Drive*. What
# you write is lost otherwise.
#
# Yesterday you chose every layer yourself. Today you write down *what could be chosen*, and a
# program chooses: **automated machine learning**, AutoML for short. You will see how it learns to
# choose, whether it really learns, what it finds, and what the network that it found looks at.
#
# **You need** Python lists and functions, a little NumPy, and the ideas of Day 1: convolution,
# training, AUROC. You need no experience with AutoML. If you get lost, run the cells up to where
# you are (*Runtime → Run before*) and read on: every section starts with its objective and ends
# with a takeaway.
#
# | section | what you do | minutes |
# |---|---|---|
# | 0 | set up; two numbers to beat | 15 |
# | 1 | describe 378 architectures in one model space, a short practice | 35 |
# | 2 | build any of them, in Keras and in PyTorch, **Practice 1** | 50 |
# | 3 | search: at random, with a bandit, with a controller that learns, a short practice | 65 |
# | 4 | understand what the search found, **Practice 2** | 70 |
# | 5 | ask the winner what it looks at, **Practice 3** | 95 |
# | 6 | **Extended practices**: the homework, 10 points each | at home |
# | 7 | optional, in Colab: the same on real human chromosomes | 15 |
#
# Run the cells from the top with *Shift + Enter*. No GPU is needed. Where you read **Predict
# first**, say your answer before you unfold ours.

# %% [markdown]
# # 0 · Setup, and two numbers to beat
#
# **Objective:** a runtime that works, the data split as yesterday, and an honest score of the
# Day-1 model: as it was, and *tuned*. **15 minutes.**

# %% cellView="form"
# @title Install the course's package, in Colab and on Kaggle
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
from functools import partial

import numpy as np
import pandas as pd
from IPython.display import display
from scipy.stats import fisher_exact, mannwhitneyu

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
plot.use_style()

# %% [markdown]
# The same 5,000 simulated sequences, the same chromosomes held out. (As yesterday: the coordinates
# are invented, and we practise the habit that real data need.) Today the difference between **val**
# and **test** matters even more: a program is about to look at val dozens of times. It never sees
# test.

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
# ## The first number: Day 1 as it was. The second: Day 1, tuned
#
# A search will train its networks with settings that suit them. It would be unfair to compare them
# with a model whose settings nobody has tried to improve, and it is the most common sin of the
# field: an **untuned baseline**. Yesterday you saw that the learning rate alone moves the Day-1
# model a long way. So let us tune that one **hyperparameter** (a setting that training does not
# learn) on val, and nothing else: same architecture, same 961 parameters, same 20 epochs.
#
# **Predict first.** The rate was 0.001. Which is best: 0.001, 0.01, 0.03 or 0.1?
#
# <details><summary>Answer</summary>
#
# 0.03, as the next cells show for three seeds. At 0.1 the steps are so large that, of
# five seeds, most never left an AUROC of 0.5: too fast can be worse than too slow.
#
# </details>


# %%
def train_day1(learning_rate, random_state):
    """The Day-1 model after 20 epochs, and its history."""
    model = torch_cnn.build_cnn(DAY1_CNN, random_state=random_state)
    history = torch_cnn.fit(
        model,
        X_train,
        y_train,
        X_val=X_val,
        y_val=y_val,
        epochs=20,
        learning_rate=learning_rate,
        random_state=random_state,
        progress=False,
    )
    return model, history


settings = [(0.001, 0), (0.01, 0), (0.03, 0), (0.03, 1), (0.03, 2)]  # learning rate, seed
runs = {one: train_day1(*one) for one in settings}
day1_model, day1_history = runs[0.001, 0]

# %%
curves = {}
for (rate, _), (_, history) in runs.items():
    curves.setdefault(f"rate {rate}", []).append(history.table["val_auroc"])
curves = {name: (np.arange(1, 21), np.array(one)) for name, one in curves.items()}
picture = plot.lines(curves, xlabel="epoch", ylabel="val AUROC", ylim=(0.5, 1))
plot.show(picture, "One architecture, three learning rates; three seeds for the best of them.")

# %%
rows = []
for (rate, seed), (model, history) in runs.items():
    test_auroc = evaluation.auroc(y_test, torch_cnn.predict(model, X_test))
    rows.append((rate, seed, history.last["val_auroc"], test_auroc))
tuning = pd.DataFrame(rows, columns=["learning rate", "seed", "val AUROC", "test AUROC"])
best_rate = tuning.sort_values("val AUROC")["learning rate"].iloc[-1]  # chosen on val
tuned_rows = tuning[tuning["learning rate"] == best_rate]
tuned_seed = tuned_rows.sort_values("val AUROC")["seed"].iloc[-1]
tuned_model, _ = runs[best_rate, tuned_seed]
display(tuning.round(3))
print(f"tuned, mean test AUROC of {len(tuned_rows)} seeds: {tuned_rows['test AUROC'].mean():.3f}")

# %% [markdown]
# From about 0.79 to about **0.97**, without touching the architecture. `tuned_model` is the run
# that val likes best, which is also how a search chooses its winner. How sure are these numbers? A
# **bootstrap interval** draws the test sequences again and again, with replacement, and reports
# where the middle 95 % of the AUROCs fall.

# %%
baselines = {"Day 1": day1_model, "Day 1, tuned": tuned_model}
baseline_tests = {name: torch_cnn.predict(model, X_test) for name, model in baselines.items()}
for name, predictions in baseline_tests.items():
    interval = evaluation.bootstrap_interval(y_test, predictions, n_resamples=200)
    print(f"{name:13} test AUROC {interval.estimate:.3f} ({interval.low:.3f}, {interval.high:.3f})")

# %% [markdown]
# **Takeaway:** *tune the training before you blame the architecture.* There are two numbers to
# beat, and the second is hard to beat. What can a better architecture still buy? Above all
# **efficiency**: the Day-1 model needs 20 epochs for its 0.97. In today's search no network gets
# more than **three**. Which one gets furthest?

# %% [markdown]
# # 1 · A space of models
#
# **Objective:** say in a few lines of code which networks you are willing to consider. **35
# minutes.**
#
# An **architecture** is *operators* (convolution, pooling, flatten, fully connected) and the
# *wiring* between them. Much of the progress in deep learning was a new architecture for an old
# task:
#
# | network | what was new |
# |---|---|
# | [U-Net] (2015) | skip connections from the narrowing half to the widening half |
# | [Inception] (2015) | kernels of several widths side by side |
# | [ResNet] (2016) | each block adds to its input, so a hundred layers still learn |
# | [CRISPR-Net] (2020) | Inception-like convolutions, then a recurrent layer, for off-targets |
# | [Enformer] (2021) | convolutions, then attention over 200,000 bases, for expression |
# | [Sei] (2022) | a linear and a nonlinear path in parallel, for chromatin profiles |
#
# [U-Net]: https://arxiv.org/abs/1505.04597
# [Inception]: https://arxiv.org/abs/1409.4842
# [ResNet]: https://arxiv.org/abs/1512.03385
# [CRISPR-Net]: https://doi.org/10.1002/advs.201903562
# [Enformer]: https://doi.org/10.1038/s41592-021-01252-x
# [Sei]: https://doi.org/10.1038/s41588-022-01102-2
#
# **Performance relies on architecture and on training.** Either can hold a model back, as you have
# just seen. The architecture decides what a network can express, what it learns *first*, and how
# much training and data it needs for that.
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
# a chain. The activations are **ReLU**, max(0, *z*), and **tanh**, which squeezes *z* into the
# range from −1 to 1.


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
# architecture: a path from left to right. (GAP and GMP are yesterday's global average and global
# max pooling.)

# %%
picture = plot.model_space(nas.space_table(space), tokens=[0, 0, 6, 1])
plot.show(
    picture, "The course's model space. The tokens [0, 0, 6, 1] choose one operation in each layer."
)

# %% [markdown]
# ## Identity removes a layer
#
# `identity` hands its input on unchanged. With it as a choice, a search can decide not only *what*
# a layer does but *whether* it is there. In the picture above, the path goes through one of them.
#
# **Predict first.** Which network do the tokens `[1, 2, 6, 2]` make?
#
# <details><summary>Answer</summary>
#
# A ReLU convolution with kernels of 13 letters, then the global maximum: pool and second
# convolution are `identity`, so they vanish.
#
# </details>

# %%
nas.to_architecture(space, [1, 2, 6, 2]).layers

# %% [markdown]
# Why offer a second convolution at all? Because of the **receptive field**: the number of letters
# that one number in the network can see.
#
# **Predict first.** After a first kernel of 3 letters it is 3, far less than the 19 letters of a
# CTCF motif. Pool by 4 and put a second kernel of 7 on top: how many now?
#
# <details><summary>Answer</summary>
#
# A pooled number sees 3 + 3 = 6 letters. The seven of them that the second kernel spans start 4
# letters apart, so together they see 6 + 6 · 4 = 30.
#
# </details>

# %%
small = nas.to_architecture(space, [2, 0, 0, 2], input_length=40)
plot.show(plot.receptive_field(small), "What one number of each layer can see.")

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
# **Multi-label or multi-class?** Both have several outputs. What differs is the activation of the
# **logits** $z_i$, the numbers before it, and with it the loss:
#
# $$\text{sigmoid}(z_i) = \frac{1}{1 + e^{-z_i}} \qquad
# \text{softmax}(z)_i = \frac{e^{z_i}}{\sum_j e^{z_j}}$$
#
# **Predict first.** Of three logits 2, 0.5 and −1, what do the sigmoids sum to, and the softmax?
#
# <details><summary>Answer</summary>
#
# Each sigmoid is a probability of its own, so their sum may be anything from 0 to 3 (here 1.77). A
# softmax shares out one whole, so its sum is always 1.
#
# </details>

# %%
logits = np.array([2.0, 0.5, -1.0])
sigmoid = 1 / (1 + np.exp(-logits))  # each output for itself
share = np.exp(logits) / np.exp(logits).sum()  # softmax: the outputs share one whole
proteins = dict(zip(["CTCF", "RAD21", "SP1"], sigmoid, strict=True))
places = dict(zip(["promoter", "enhancer", "neither"], share, strict=True))
print(f"sums: sigmoid {sigmoid.sum():.2f}, softmax {share.sum():.2f}")
picture = plot.row(
    partial(plot.bars, proteins, xlabel="sigmoid", references={"threshold": 0.5}),
    partial(plot.bars, places, xlabel="softmax"),
    titles=["multi-label: three yes-or-no questions", "multi-class: one question"],
)
plot.show(
    picture, "Equal logits, two readings: CTCF and RAD21 bind (left); it is a promoter (right)."
)

# %% [markdown]
# Several proteins can bind one place; a place has one class only. In our library one word decides:

# %%
for task in ("multilabel", "multiclass"):
    three = Architecture(
        (Conv1D(32, 7, "relu", padding="same"), GlobalMaxPool()), n_outputs=3, task=task
    )
    outputs = torch_cnn.predict(torch_cnn.build_cnn(three, random_state=0), X_val[:3])
    print(f"{task:11} sums of three sequences:", outputs.sum(axis=1).round(3))

# %% [markdown]
# Our own task stays *binary*: one output, sigmoid.

# %% [markdown]
# ## Practice 4 · one task of about 10 minutes
#
# ### 2.P4.1 · Count a space
#
# Spaces grow fast, and it pays to count before you search. Write two functions of a list of lists
# such as `layers`: `count_space(layers)` returns how many architectures it holds, and
# `list_tokens(layers)` lists the tokens of all of them, as tuples such as `(0, 0, 6, 1)`, each
# once, in any order. (`itertools.product` may help.)


# %% tags=["stub"]
def count_space(layers):
    """Number of architectures."""
    # Your code here.


def list_tokens(layers):
    """Tokens of all architectures, a list of tuples."""
    # Your code here.


# %% tags=["solution"]
from itertools import product


def count_space(layers):
    """Number of architectures."""
    return int(np.prod([len(choices) for choices in layers]))


def list_tokens(layers):
    """Tokens of all architectures, a list of tuples."""
    return list(product(*(range(len(choices)) for choices in layers)))


# %%
homework.check("2.P4.1", count_space, list_tokens)

# %% [markdown] tags=["solution"]
# Each layer multiplies. A second pair of convolution and pool would make 6 · 3 · 7 · 3 · 7 · 3 =
# 7,938 architectures: at five minutes each by hand, four weeks without sleep.

# %% [markdown]
# **Takeaway:** a model space is a list of lists, an architecture is a list of tokens, `identity`
# lets a layer vanish, and input and output are given by data and task.
#
# ⏸ *A good moment for a break.*

# %% [markdown]
# # 2 · Build networks from tokens
#
# **Objective:** turn any tokens into a model, in either framework, and know that it is the same
# model. **50 minutes**, with Practice 1.
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
picture = plot.architecture(nas.to_architecture(space, [0, 0, 0, 2]))
plot.show(picture, "Tokens [0, 0, 0, 2]: nearly all of its weights are in the second convolution.")

# %% [markdown]
# **Predict first.** Where do the 14,400 parameters of the second convolution come from?
#
# <details><summary>Answer</summary>
#
# Each of its 64 kernels spans 7 positions of all 32 channels below: 7 · 32 · 64 = 14,336 weights,
# and 64 biases.
#
# </details>
#
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
# Add at least three rows to `my_runs`. Change **one thing at a time**: each row differs from one
# above it in a single token, or in a single *compile* setting (`optimizer` "adam" or "sgd",
# `learning_rate`, `batch_size`). Try at least one of each kind, and write down your guess before
# you run. Which helped most in five epochs: a token or a setting?

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
homework.check("2.P1.1", my_runs)

# %% [markdown] tags=["solution"]
# In five epochs the token from *average* to *maximum* helps most, and a ten times larger learning
# rate helps, too. Large batches mean fewer updates, and SGD at 0.001 has hardly moved. Five epochs
# are a short race, though: they tell what learns *fast*. Section 4 comes back to that.

# %% [markdown]
# ### 2.P1.2 · Switch the framework
#
# Below, a *child* (that is what a search calls the networks that it tries) is trained in PyTorch,
# for three epochs, as the search will do later. Carry it over to Keras: `keras_child`, the same
# tokens **with the trained weights**, and no training of its own. Section 2 has shown how weights
# travel. How far apart will the predictions be?

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
keras_child = keras_cnn.build_cnn(nas.to_architecture(space, my_tokens))
keras_cnn.set_weights(keras_child, torch_cnn.get_weights(torch_child))

# %%
homework.check("2.P1.2", keras_child, torch_child)

# %% [markdown] tags=["solution"]
# They differ by rounding only, around the sixth decimal. So you may search in one framework and
# hand the winner over in the other.

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
homework.check("2.P1.3", deeper_space, deeper_tokens)

# %% [markdown] tags=["solution"]
# Twice as many architectures, and the tokens need a fifth number: one for each layer. The old four
# no longer say what to do, and the library tells us so. With `identity` as fifth choice all old
# architectures are still in the space.

# %% tags=["solution"]
try:
    nas.to_architecture(deeper_space, [0, 0, 6, 1])
except ValueError as error:
    print(error)

# %% [markdown]
# **Takeaway:** tokens are a complete recipe. Whoever can write four numbers, a person, a random
# generator or a neural network, can design a CNN.

# %% [markdown]
# # 3 · Automated search
#
# **Objective:** search at random, then with a controller that learns from its rewards; understand
# how it learns, and check *that* it learns. **65 minutes**, with a short practice.
#
# ## Random search is a for-loop
#
# Draw an architecture, train it for three epochs, write down its val AUROC. Repeat. There is
# nothing more to it, and every cleverer search has to beat it.

# %%
rng = np.random.default_rng(0)
for _ in range(4):
    tokens = [int(rng.integers(size)) for size in sizes]  # one operation for each layer
    child = torch_cnn.build_cnn(nas.to_architecture(space, tokens), random_state=0)
    torch_cnn.fit(child, X_train, y_train, **CHILD, progress=False)
    reward = evaluation.auroc(y_val, torch_cnn.predict(child, X_val))
    print(tokens, nas.in_words(space, tokens), f"val AUROC {reward:.3f}", sep="   ")

# %% [markdown]
# (`nas.random_search` does the same and survives a crash.) How many tries does it take? If a share
# $p$ of the space is good, $n$ tries find a good one with the probability
#
# $$1 - (1 - p)^n$$
#
# Of our space we know $p$, because somebody has trained *all* 378 architectures, for 20 epochs
# each, and noted the val AUROC after every epoch. The field calls such a table a **tabular
# benchmark** ([NAS-Bench-101](https://arxiv.org/abs/1902.09635) was the first): looking a child up
# costs a millisecond, so one can compare ways to search over a hundred seeds instead of telling one
# anecdote. Ours is in the course's data (`make benchmark-table` trains it again).
#
# **Predict first.** What share of the 378 reaches a val AUROC of 0.99 after three epochs at our
# learning rate?
#
# <details><summary>Answer</summary>
#
# About one in six; the cell prints it. So six tries at random find a good one more often than
# not, and 30 tries nearly always.
#
# </details>

# %%
bench = nas.load_benchmark()
rows = bench.table.query("learning_rate == 0.003")
runs = rows.pivot_table(index="tokens", columns="epoch", values="val_auroc")  # mean of the seeds
p = np.mean(runs[3] >= 0.99)
print(f"{len(runs)} architectures; after 3 epochs {p:.0%} reach 0.99")
tries = np.array([1, 6, 15, 30])
shares = {"as here": p, "1 good in 100": 1 / 100, "1 good in 10,000": 1 / 10_000}
chances = {name: 1 - (1 - p) ** tries for name, p in shares.items()}
pd.DataFrame(chances, index=pd.Index(tries, name="tries")).map("{:.1%}".format)

# %% [markdown]
# **In a space this small and this kind, random search is hard to beat.** In a large one with few
# good places it is hopeless, and there a search had better *learn* from the children that it has
# seen.
#
# ## Are three epochs enough?
#
# A search trains each child briefly and hopes that what is ahead after 3 epochs is ahead in the
# end. Such a cheap stand-in for what one really wants is a **proxy**. Is ours any good? Here is
# each of the 378, its rank after 3 epochs against its rank after 20 (1 is the best):

# %%
ranks = runs[[3, 20]].rank(ascending=False)
reductions = {"Flatten": 0, "GAP": 1, "GMP": 2}
clouds = {}
for name, token in reductions.items():
    chosen = [tokens[3] == token for tokens in ranks.index]
    clouds[name] = (ranks[3][chosen], ranks[20][chosen])
print(f"rank correlation {runs[3].corr(runs[20], method='spearman'):.2f}")
picture = plot.points(clouds, xlabel="rank after 3 epochs", ylabel="rank after 20", diagonal=True)
plot.show(
    picture, "What three epochs say of twenty. Below the diagonal: slow starters that catch up."
)

# %%
slow = [(0, 0, 0, 1), (1, 0, 0, 1)]  # a global average after two convolutions
examples = runs.loc[[*slow, (0, 0, 6, 2), (1, 0, 6, 2)], [3, 20]].round(3)
examples.assign(words=[nas.in_words(space, tokens) for tokens in examples.index])

# %% [markdown]
# Three epochs tell *fast* from *slow* learners. The first two networks here, which average after
# two convolutions, look poor after 3 epochs and have caught up after 20. (We picked them for that:
# most that average do not.) So the search below answers the question that we asked, "which network
# gets furthest in three epochs?", and not "which is best in the end?".

# %% [markdown]
# ## Learning from rewards: REINFORCE
#
# Shrink the problem to one layer: three operations with unknown rewards, as on a *bandit*, a slot
# machine with three arms. The **policy** is nothing but a softmax over three numbers $\theta$. It
# draws an operation $a$ and gets a reward $R$. Which $\theta$ earns most on average? **REINFORCE**
# climbs with the gradient
#
# $$\frac{1}{n} \sum_{i=1}^{n} \nabla_\theta \log P_\theta(a_i)\,(R_i - b)$$
#
# In words: make what you did **more likely if it was better than usual**, less likely if it was
# worse. *Usual* is the **baseline** $b$, a moving average of the rewards. (Another meaning of the
# word than the baseline model above; both are what one compares with.) For a softmax the gradient
# of $\log P(a)$ is $\text{onehot}(a) - P$.

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
# true rewards: the exact gradient is $P(a)\,(R(a) - \text{mean reward})$.
#
# **Predict first.** Will leaving out $b$ change the mean of the terms? Their spread?
#
# <details><summary>Answer</summary>
#
# Not the mean: $\text{onehot}(a) - P$ is 0 on average, so any constant $b$ drops out. But the
# spread of a single term shrinks by a factor of about ten, and a search trains three children a
# step, not 200,000.
#
# </details>

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


steps, draws = np.arange(1, 201), []
for title, use_baseline in {"without b": False, "with b": True}.items():
    gmp = np.array([learn(use_baseline, seed=seed)[:, 2] for seed in range(40)])  # (40, steps)
    lost = gmp[:, -1] < 0.1
    print(f"{title}: {lost.sum()} of 40 runs have nearly given up GMP, the best operation")
    curves = {"40 runs": (steps, gmp)}
    if lost.any():
        curves["lost runs"] = (steps, gmp[lost])
    draws.append(partial(plot.lines, curves, xlabel="step", ylabel="P(GMP)", ylim=(0, 1)))
picture = plot.row(*draws, titles=["without b", "with b"], sharey=True)
plot.show(
    picture, "Probability of GMP in 40 runs (mean, and the middle 80 %), and the runs that lose it."
)

# %% [markdown]
# Without the baseline every reward is positive, so *whatever* was drawn becomes more likely. Some
# runs talk themselves into the wrong operation, and hardly ever draw another one to find out.

# %% [markdown]
# ## Practice 5 · one task of about 10 minutes
#
# ### 2.P5.1 · The bandit's baseline and learning rate
#
# Write one step of REINFORCE for the bandit: `reinforce_step(theta, action, reward, baseline,
# learning_rate)` returns the *new* `theta`, an array, after one operation was drawn and rewarded.
# It climbs along
#
# $$ (R - b)\,\nabla_\theta \log P(a), \qquad \nabla_\theta \log P(a) = \text{one-hot}(a) - P $$
#
# The cell after the check repeats the experiment above with three learning rates. **Guess first:**
# at which of them will bandits give up GMP, with the baseline and without?


# %% tags=["stub"]
def reinforce_step(theta, action, reward, baseline, learning_rate):
    """The new theta after one action."""
    # Your code here.


# %% tags=["solution"]
def reinforce_step(theta, action, reward, baseline, learning_rate):
    """The new theta after one action."""
    p = np.exp(theta - theta.max()) / np.exp(theta - theta.max()).sum()
    return theta + learning_rate * (reward - baseline) * (np.eye(len(theta))[action] - p)


# %%
homework.check("2.P5.1", reinforce_step)

# %%
gave_up = {}
for name, use_baseline in {"with b": True, "without b": False}.items():
    for rate in (0.1, 1.0, 10.0):
        many = [learn(use_baseline, seed=i, learning_rate=rate, steps=100) for i in range(20)]
        share = np.mean([path[-1, 2] < 0.1 for path in many])
        gave_up.setdefault(name, {})[f"learning rate {rate:g}"] = f"{share:.0%}"
pd.DataFrame(gave_up)

# %% [markdown] tags=["solution"]
# Without a baseline whatever is drawn becomes more likely, and bandits settle on a wrong arm
# before they have tried the right one, the sooner the larger the rate. With the baseline none of
# these does, even at a rate of 10.

# %% [markdown]
# ## A controller for many layers
#
# With four layers the choices belong together: a first kernel of 3 letters badly needs a second
# convolution, one of 13 letters hardly does. AMBER's **controller** is an **LSTM**, a *recurrent*
# network: one cell that is used again at every step and carries a memory from step to step. It
# chooses layer after layer. Each choice is fed back before the next one as an **embedding**, a
# short list of numbers that the network learns for each token (before the first choice, a learned
# start vector). So the probability of four tokens is a product:
#
# $$P(a_1, a_2, a_3, a_4) = P(a_1)\, P(a_2 \mid a_1)\, P(a_3 \mid a_1, a_2)\,
# P(a_4 \mid a_1, a_2, a_3)$$
#
# REINFORCE stays as it was: $\log P$ is now a sum over the layers. Three proposals of an untrained
# controller:

# %%
controller = nas.Controller(space, random_state=0)
first_proposals = controller.propose()
for proposal in first_proposals:
    likely = np.prod([p[t] for p, t in zip(proposal.probabilities, proposal.tokens, strict=True)])
    print(proposal.tokens, f" P(tokens) = {likely:.5f}")
print(f"uniform would be         1 / 378 = {1 / 378:.5f}")

# %%
table = nas.space_table(space)
first = first_proposals[0]
picture = plot.controller_unrolled(table, first.tokens, first.probabilities)
plot.show(
    picture, "The controller at the first proposal. It is one and the same cell, drawn four times."
)

# %% [markdown]
# ## The whole search in ten lines
#
# To see the loop at work without waiting for training, we make up a reward: **+1** for a child with
# global max pooling (GMP), **−1** for any other. The controller does not know the rule. It hears
# rewards only. It keeps the children of its last steps in a **buffer**, and each update learns from
# all that is in it.

# %%
STEERED = nas.ControllerSettings(
    buffering_steps=1,  # learn after the first step (otherwise: after five)
    tanh_constant=2.5,  # a limit on the logits: no operation's probability reaches 0 or 1
    lstm_size=256,  # a wider cell in one layer, which one update moves further
    lstm_num_layers=1,
    buffer_size=6,  # steps to look back at
)


def drive(sign, *, random_state, settings=STEERED):
    """Sixty proposals; GMP earns `sign`, all else minus `sign`."""
    controller, proposals = nas.Controller(space, settings, random_state=random_state), []
    for _ in range(20):
        children = controller.propose()  # three
        rewards = [sign if child.tokens[3] == 2 else -sign for child in children]  # no training
        controller.update(rewards)  # REINFORCE
        proposals += children
    return proposals


rewarded = drive(+1, random_state=0)

# %%
last = rewarded[-1]
picture = plot.controller_unrolled(table, last.tokens, last.probabilities)
plot.show(picture, "The same cell at its last proposal. Only the last layer was ever rewarded.")

# %% [markdown]
# In the last layer GMP has most of the probability. But look at the other three. The reward says
# *nothing* about them, and yet the controller may have come to prefer something there, too: what
# happened to be drawn together with GMP got the praise. Keep that in mind when you read what a
# search prefers.
#
# ## Is it steered?
#
# The honest test of any method that claims to learn: **turn the reward around.** If the proposals
# stay the same, the rewards did not steer them.
#
# **Predict first.** The same controller with the same seed hears the opposite reward, −1 for GMP.
# How many of its first proposals will be the same as before? And of the last 30, how many have GMP?
#
# <details><summary>Answer</summary>
#
# The first three are the same for sure: nothing has been heard yet. After one or two updates the
# two controllers part, and in the second half nearly all have GMP in one search and nearly none in
# the other.
#
# </details>

# %%
punished = drive(-1, random_state=0)
pairs = zip(rewarded, punished, strict=True)
same = [a.tokens == b.tokens for a, b in pairs]
print(f"identical from the start: the first {same.index(False)} of {len(same)} proposals")
drives = {"GMP earns +1": rewarded, "GMP earns −1": punished}
has_gmp = {name: np.array([one.tokens[3] == 2 for one in all60]) for name, all60 in drives.items()}
for name, gmp in has_gmp.items():
    print(f"{name}: share of GMP among children 31 to 60: {gmp[30:].mean():.2f}")
shares = {name: (np.arange(1, 21), gmp.reshape(20, 3).mean(1)) for name, gmp in has_gmp.items()}
picture = plot.lines(
    shares, xlabel="step of three children", ylabel="share of GMP", ylim=(-0.03, 1.03)
)
plot.show(picture, "Opposite rewards, opposite preferences: this controller is steered.")

# %% [markdown]
# This is not a matter of course. With the library's default settings (five steps of buffering, a
# smaller cell, a larger buffer) the two searches are identical for the first 20 children or so. **A
# search of nine children would then be random search**, whatever its name.
#
# Why does a controller *draw* at all, instead of always proposing its favourite? Because it would
# never learn what it has not tried. And there is a price for learning fast. A controller that
# learns from three children also believes three children. It soon proposes the same few
# architectures over and over: it *exploits*, and hardly *explores*. How undecided it is can be
# counted in bits, as **entropy**, $-\sum_a P(a) \log_2 P(a)$: at the start
# $\log_2 378 = 8.6$ bits of choice are open, 0 means settled.

# %%
for name, child in {"first proposal": rewarded[0], "last proposal": rewarded[-1]}.items():
    bits = [-(p * np.log2(p)).sum() for p in child.probabilities]
    print(f"{name}: {np.round(bits, 2)} bits by layer, {sum(bits):.1f} in all")
distinct = len({child.tokens for child in rewarded})
print(f"{distinct} different architectures among 60 proposals")

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
# AMBER's words for the parts:
#
# | part | job | in the loop above |
# |---|---|---|
# | **controller** | proposes tokens, learns from rewards | `controller.propose`, `.update` |
# | **manager** | evaluates a proposal | the line `rewards = ...` |
# | ... its **builder** | tokens to a network, training | here the twins: `build_cnn`, `fit` |
# | ... its **reward** | one number from the val data | val AUROC |
# | **search environment** | runs the loop, keeps the records | the `for` |

# %% [markdown]
# ## Search!
#
# Now with real children: three a step, 30 in all, each trained for three epochs, five minutes at
# most. It takes about one on a free machine. (`patience=15` would end it after 15 children without
# a new best. We leave that out, to see the controller learn.)
#
# **Predict first.** Which of the reductions will the controller come to prefer: Flatten, GAP or
# GMP?
#
# <details><summary>Answer</summary>
#
# GMP. Section 4 looks at how sure one can be of that.
#
# </details>

# %%
result = nas.search(
    space,
    train=(X_train, y_train),
    val=(X_val, y_val),
    framework="torch",
    reward="auroc",
    **CHILD,
    controller=STEERED,
    max_trials=30,
    time_budget="00:05:00",
    random_state=0,
    working_dir="search/amber",
)

# %%
print("best tokens:", list(result.best.tokens), f"  val AUROC {result.best.reward:.4f}")
print("above 0.99 in less than five minutes:", result.best.reward > 0.99 and result.seconds < 300)

# %% [markdown]
# **If it crashes** (Colab disconnects, laptops fall asleep): after each child the search has put
# everything on disk. Run the same cell again and it goes on where it was; `nas.read_history(
# "search/amber")` shows the records from another notebook while it runs.
#
# **Takeaway:** a search is a loop of *propose, train, reward, learn*. REINFORCE makes more likely
# what did better than usual, a recurrent controller lets the choices depend on each other, and
# turning the reward around shows whether it listens.
#
# ⏸ *A good moment for a break.*

# %% [markdown]
# # 4 · Understand the search
#
# **Objective:** read what a search did, what it says about the data, and whether it was worth it.
# **70 minutes**, with Practice 2.
#
# The **history** has a row for each child, the **ranking** the best child of each architecture. The
# best five, in words:

# %%
in_words = partial(nas.in_words, space)
best_five = result.ranking.head(5)
words = best_five["tokens"].map(in_words).rename("in words")
pd.concat([words, best_five[["n_parameters", "reward"]].round(3)], axis=1)

# %% [markdown]
# ## Did it learn?
#
# The best child may be luck. Learning shows in the *average* child: more and more of what is
# rewarded. GMP is drawn in one child of three at first. Compare the first third of the children
# with the last:

# %%
history = result.history.assign(GMP=[tokens[3] == 2 for tokens in result.history["tokens"]])
third = len(history) // 3
first, last = history.head(third), history.tail(third)
p_value = fisher_exact(
    [
        [last["GMP"].sum(), third - last["GMP"].sum()],
        [first["GMP"].sum(), third - first["GMP"].sum()],
    ],
    alternative="greater",  # we ask whether GMP becomes more frequent, not whether it changes
).pvalue
for name, part in {"first third": first, "last third": last}.items():
    print(f"{name}: GMP {part['GMP'].mean():.0%}, mean reward {part['reward'].mean():.3f}")
print(f"Fisher's exact test: p = {p_value:.4f}")

# %%
by_step = history.groupby("step")[["reward", "GMP"]].mean()
picture = plot.lines(
    {
        "mean reward": (by_step.index, by_step["reward"]),
        "share of GMP": (by_step.index, by_step["GMP"]),
    },
    xlabel="step",
    ylabel="mean of three children",
    ylim=(0, 1.03),
)
plot.show(picture, "The mean reward of the children of each step, and the share of GMP in them.")

# %% [markdown]
# (**Fisher's exact test** asks how often chance alone would set two groups of ten so far apart, in
# this direction.) But this is one search, with one seed. How often does a search of this length
# pass the test? The benchmark holds a hundred of AMBER's searches with the same settings:


# %%
def rises(tokens, n=30):
    """P value: is GMP more frequent in the last third of the first n children?"""
    gmp = np.array([one[3] == 2 for one in tokens[:n]])
    a, b, size = gmp[: n // 3].sum(), gmp[-(n // 3) :].sum(), n // 3
    return fisher_exact([[b, size - b], [a, size - a]], alternative="greater").pvalue


by_seed = bench.searches.groupby(["method", "random_state"])["tokens"].agg(list)
for method in by_seed.index.unique("method"):
    passed = np.mean([rises(tokens) < 0.05 for tokens in by_seed[method]])
    print(f"{method}: {passed:.0%} of {len(by_seed[method])} searches pass")

# %% [markdown]
# A method that ignored its rewards would pass in 5 % at most. Those of AMBER's searches that do not
# pass have often drawn GMP frequently from the start, so there was little to rise.
#
# ## What the controller came to prefer
#
# Each panel is a layer. All operations start equally probable (dotted), and then the curves part.

# %%
plot.show(plot.token_probabilities(result), "Probabilities of the operations, step by step.")

# %% [markdown]
# And the rewards themselves, sorted by what a child had in each layer:

# %%
picture = plot.reward_by_operation(result)
plot.show(
    picture,
    "Every child appears once in each panel. A bar is a median, in brackets: of how many.",
    alt="A panel a layer, a row an operation, a dot a child at its reward, a bar the median.",
)

# %% [markdown]
# **Predict first.** The controller has come to prefer something in the first three layers, too. Has
# it learnt something about them?
#
# <details><summary>Answer</summary>
#
# Not necessarily. Once it has settled on one combination, the other operations have hardly been
# tried, and what was drawn with GMP shares its praise. Part of what a search believes after 30
# children is superstition. The benchmark, which has tried everything, can tell.
#
# </details>
#
# ## What it says about the data, and how sure that is
#
# First the reduction. The benchmark has trained all of them: of each, the middle of its 126
# networks and the best, after 3 epochs and after 20.

# %%
reduction = pd.Series([tokens[3] for tokens in runs.index], index=runs.index).map(
    {0: "Flatten", 1: "GAP", 2: "GMP"}
)
runs[[3, 20]].groupby(reduction).agg(["median", "max"]).round(3)

# %% [markdown]
# A positive holds one or two motifs *somewhere* in 200 positions, so "how good is the best match?",
# a maximum, gets there **first**. An average can learn it, too, with more training. Flatten has a
# weight of its own for every place, and must learn at each of them anew that a match there counts.
#
# Now the other three layers, among the 126 networks with GMP: the median after 3 epochs of those
# with each operation. Hold it against the four panels above: what did the controller *know*?

# %%
gmp_runs = runs[[tokens[3] == 2 for tokens in runs.index]][[3, 20]]
operation = nas.space_table(space).set_index(["layer", "token"])["short"]
medians = {}
for layer in range(3):
    names = [operation[layer, tokens[layer]] for tokens in gmp_runs.index]
    medians[f"layer {layer}"] = gmp_runs[3].groupby(names).median()
pd.DataFrame(medians).map("{:.3f}".format).replace("nan", "")

# %% [markdown]
# <details><summary>Answer</summary>
#
# That the *first* kernel should have 13 letters. That the average pool is good, which it liked in
# our run, was superstition: of the three it is the slowest. And so was half of its taste in layer
# 2: kernels of 3 are behind those of 7, which it had given up.
#
# </details>
#
# Then `identity`, the most informative choice of all. **When identity replaces a convolution and
# wins, the model was too complex** for the data. It would be wrong to compare the search's best
# child with a layer and its best without: one is the best of thirty, the other perhaps of three,
# and the best of many is high by luck alone (**selection**). In the benchmark one can ask fairly,
# by **pairs** of networks that differ in that layer alone. Here are those with GMP:


# %%
def ahead(gains):
    """Share of the pairs in which the network with the layer is ahead."""
    return np.mean(gains > 0)


pairs = {}
for name, layer, identity in (("second convolution", 2, 6), ("pool", 1, 2)):
    those_with = [tokens for tokens in gmp_runs.index if tokens[layer] != identity]
    without = [(*tokens[:layer], identity, *tokens[layer + 1 :]) for tokens in those_with]
    gains = gmp_runs.loc[those_with] - gmp_runs.loc[without].to_numpy()
    first_kernel = [(7, 13, 3)[tokens[0] % 3] for tokens in those_with]
    pairs[name] = gains.groupby(first_kernel).agg(["median", ahead])
pd.concat(pairs, names=["gain by a", "first kernel"]).round(3)

# %% [markdown]
# After three epochs a second convolution is ahead in nearly every pair: with it, a network learns
# *faster*. After twenty it depends on the first kernel: one of 3 letters cannot do without, one of
# 13 no longer gains. A pool costs a little in most pairs. So one *long* convolution and a maximum
# are nearly all that these data ask for in the end: one kind of motif, anywhere. On data where
# motifs must stand in a certain order or distance, expect `identity` to lose.

# %% [markdown]
# And how exact is a val AUROC at all? There are only 350 val sequences (**noise**):

# %%
rewarded_best = nas.load_model(result)
noise = evaluation.bootstrap_interval(
    y_val, torch_cnn.predict(rewarded_best, X_val), n_resamples=200
)
print(
    f"the best child: val AUROC {noise.estimate:.4f}, interval {noise.low:.4f} to {noise.high:.4f}"
)
near = result.ranking[result.ranking["reward"] >= noise.low]
print(f"{len(near)} of {len(result.ranking)} architectures tried lie within it")

# %% [markdown]
# So val cannot tell these children apart, and it would be superstition to insist on the first of
# them. (A quick rule, and a generous one. All children are scored on the same val sequences, so a
# *paired* interval, as at the end of this section, would tell more.) A good rule for such a case:
# **of those that you cannot tell from the best, take the simplest.** (Breiman's *one-standard-error
# rule* is a relative of it.) Ours:

# %%
simplest = near.sort_values("n_parameters").iloc[0]
winner = nas.to_architecture(space, simplest["tokens"])
print(list(simplest["tokens"]), in_words(simplest["tokens"]))
plot.show(plot.architecture(winner), "The winner: the simplest of the best.")

# %% [markdown]
# ## Was it worth it? A hundred seeds
#
# A fair comparison gives every method the same budget, in the fair currency, **trained epochs**.
# And it asks many seeds, because one run of each shows luck. On the benchmark that takes seconds.
# Beside random search and AMBER (`STEERED`, and with the library's default settings) stand
#
# - **successive halving**: train many children for *one* epoch, let only the best third train on,
#   and again;
# - **TPE**, a Bayesian search from [Optuna](https://arxiv.org/abs/1907.10902): it models which
#   tokens good children have and bad ones do not.
#
# Random search and halving run here, a hundred seeds each. AMBER and TPE, which take longer, come
# from a table; three of AMBER's searches, of 21 children, run beside it.
#
# **Predict first.** Which one needs the fewest trained epochs until a child reaches 0.99?
#
# <details><summary>Answer</summary>
#
# Successive halving, on average. But in a single run luck decides: over all pairs of seeds it gets
# there before random search in about six of ten. The others can hardly be told from random search.
#
# </details>

# %%
on_table = {"benchmark": bench, "learning_rate": 0.003, "progress": False}
seeds = range(100)
randoms = [
    nas.random_search(space, **on_table, epochs=3, max_trials=60, random_state=seed)
    for seed in seeds
]
halvings = [
    nas.successive_halving(
        space, **on_table, n_children=9, rungs=(1, 2, 3), max_trials=180, random_state=seed
    )
    for seed in seeds
]
on_table |= {"epochs": 3, "max_trials": 21, "controller": STEERED}
live = [nas.search(space, **on_table, random_state=seed) for seed in range(3)]
print("AMBER live, three seeds, best of 21:", [round(one.best.reward, 4) for one in live])

# %%
methods = {"random search": randoms, "successive halving": halvings}
methods |= dict(list(bench.searches.groupby("method")))
picture = plot.search_distributions(methods, target=0.99)
plot.show(
    picture,
    "A hundred seeds of each method: best so far (the median; one search in ten is above the upper "
    "dashed line, one in ten below the lower), and epochs until 0.99.",
)


# %%
def epochs_to(history, target):
    """Epochs trained until a child reaches the target; infinite if none does."""
    reached = history["epochs"].cumsum()[history["val_auroc"] >= target]
    return reached.iloc[0] if len(reached) else np.inf


histories = {
    "random search": [one.history for one in randoms],
    "successive halving": [one.history for one in halvings],
}
for name, rows in bench.searches.groupby("method"):
    histories[name] = [one for _, one in rows.groupby("random_state")]


# %%
def race(target):
    """How soon each method gets there, and how often before random search: all pairs of seeds."""
    spent = {
        name: np.array([epochs_to(one, target) for one in many]) for name, many in histories.items()
    }
    rows, at_random = {}, spent["random search"]
    for name, epochs in spent.items():
        first, tie = epochs[:, None] < at_random, epochs[:, None] == at_random
        rows[name] = {
            "median": np.quantile(epochs, 0.5, method="nearest"),
            "never": np.mean(np.isinf(epochs)),
            "before random": np.mean(first) + np.mean(tie) / 2,
            "p": mannwhitneyu(epochs, at_random).pvalue,
        }
    digits = {"never": 2, "before random": 2, "p": 4}
    return pd.DataFrame.from_dict(rows, orient="index").round(digits)


pd.concat({f"epochs to {target}": race(target) for target in (0.99, 0.998)}, axis=1)

# %% [markdown]
# *Before random* is a share of all pairs of seeds, 0.5 for equals, and *p* (of the **Mann-Whitney
# test**) says how often chance alone would put a hundred seeds so far ahead or behind. **The
# distributions overlap widely.** On the way to 0.99 successive halving is clearly ahead, and it
# alone. On the way to 0.998, which 350 val sequences can hardly tell from 0.997, not even that is
# sure. In this small space, where about one architecture in six is good, nothing is far ahead of
# random search.
#
# An eager controller such as `STEERED` is quick when its first good children are the right ones.
# When they are merely good, it proposes them again and again, and *never* counts the searches that
# did not get there at all. What AMBER adds here is a picture of its preferences. Expect its
# advantage in a space with many layers and few good places.
#
# **What saves epochs is to stop the bad children early**, whoever proposes them. Compare random
# search with successive halving, which draws at random as well, and lets two of three children go
# after one epoch. AMBER can do the same (`nas.search(..., rungs=(1, 2))`). And with more cores, or
# a cluster, `executor=` trains the children of a step side by side.

# %% [markdown]
# ## The only honest number
#
# The children were trained for three epochs. The winner now gets what the baseline had: **20
# epochs**, from new weights. Then, for the first time since section 0, we look at test. Both models
# read the same test sequences, so we draw the *pairs* of predictions again and again: a **paired
# interval** of the difference.

# %%
best_model = torch_cnn.build_cnn(winner, random_state=0)
_ = torch_cnn.fit(
    best_model, X_train, y_train, **CHILD | {"epochs": 20}, random_state=0, progress=False
)
tests = baseline_tests | {"winner": torch_cnn.predict(best_model, X_test)}
for name, predictions in tests.items():
    interval = evaluation.bootstrap_interval(y_test, predictions, n_resamples=200)
    print(f"{name:13} test AUROC {interval.estimate:.4f} ({interval.low:.4f}, {interval.high:.4f})")
for name in baselines:
    compared = evaluation.compare_predictions(y_test, tests["winner"], tests[name])
    gain = compared.auroc_difference
    print(f"winner minus {name}: {gain.estimate:.3f} ({gain.low:.3f} to {gain.high:.3f})")

# %%
picture = plot.row(
    partial(plot.roc, y_test, tests),
    partial(plot.precision_recall, y_test, tests),
)
plot.show(picture, "ROC (left) and precision-recall (right) on the held-out chromosomes.")

# %% [markdown]
# Can we do better than a tuned Day-1 model? **Yes, by about 0.02**, and the paired interval stays
# clear of zero. But the step from the untuned to the tuned baseline was far larger. Most of the way
# was training; the rest, and the speed, is architecture. (A fair doubt: did we tune the baseline
# hard enough? More epochs would bring it closer still. One can only say what was compared.)
#
# One thing this number does not tell: *what* the model looks at. Yesterday a respectable score
# turned out to be a count of G and C. In section 5 we ask the winner.

# %% [markdown]
# ## Practice 2 · two tasks of about 10 minutes
#
# ### 2.P2.1 · Switch the framework
#
# Run the same search with **Keras** children: `keras_result`, with the very settings of `result`
# above, but `framework="keras"`, `max_trials=6` and a `working_dir` of its own. Before you run:
# will the controller propose the same tokens? Will the rewards be the same?

# %% tags=["stub"]
keras_result = None

# %% tags=["solution"]
keras_result = nas.search(
    space,
    train=(X_train, y_train),
    val=(X_val, y_val),
    framework="keras",
    reward="auroc",
    **CHILD,
    controller=STEERED,
    max_trials=6,
    random_state=0,
    working_dir="search/keras",
)

# %%
homework.check("2.P2.1", keras_result, result)

# %% [markdown] tags=["solution"]
# The controller has the same seed, and before its first update it hears no rewards, so its first
# proposals are the same. Later it goes on alike as long as it hears nearly the same rewards, and
# the rewards of a network agree but for rounding that three epochs of training have magnified.

# %% [markdown]
# ### 2.P2.2 · Another reward
#
# Is a network of 60,000 parameters worth the last thousandth? Let size have a price. `reward=`
# takes any function of `(y_true, y_score)`, both of shape **(N, 1)**, that returns one number to
# maximise; with a third parameter it also gets the child's `architecture`, which knows its
# `.n_parameters()`. Write `frugal_reward`:
#
# $$ R = \text{AUROC} - 0.05\,\log_{10}(\text{number of parameters}) $$
#
# `evaluation.auroc` is yours to use. When it is right, the finished search is ranked again by it.
# Who wins now?


# %% tags=["stub"]
def frugal_reward(y_true, y_score, architecture):
    """AUROC, minus 0.05 for each factor of ten in parameters."""
    # Your code here.


# %% tags=["solution"]
def frugal_reward(y_true, y_score, architecture):
    """AUROC, minus 0.05 for each factor of ten in parameters."""
    return evaluation.auroc(y_true, y_score) - 0.05 * np.log10(architecture.n_parameters())


# %%
homework.check("2.P2.2", frugal_reward, result)

# %% [markdown] tags=["solution"]
# Ranks change a lot: among many children with nearly the same AUROC the smallest wins. The price,
# 0.05, is a choice that no data can make for you. How much accuracy would *you* give for a network
# that runs in a browser?

# %% [markdown]
# **Takeaway:** a search gives more than a winner. Its history says what was tried and what was
# rewarded; whether that is knowledge or luck, say opposite rewards, many seeds and an interval.
# Compare with random search at an equal budget and with a tuned baseline, and report the winner on
# data that it was not chosen on.
#
# ⏸ *A good moment for a break.*

# %% [markdown]
# # 5 · What does the winner look at?
#
# **Objective:** ask a model which letters made its decision, compare the answer with the truth,
# and know where such answers mislead. **95 minutes**, with Practice 3. What is marked *if time
# allows* can wait.
#
# ## Its kernels, beside yesterday's
#
# The first question costs nothing: what excites the kernels of the first layer? `kernel_motifs`
# takes the windows that excite a kernel most and counts their letters, as
# [DeepBind](https://doi.org/10.1038/nbt.3300) and [Basset](https://doi.org/10.1101/gr.200535.115)
# did. Yesterday's model (as it was) first. A logo is as tall as its letters are sure, up to 2
# bits.
#
# **Predict first.** What will the winner's kernels look like, and why do many look alike?
#
# <details><summary>Answer</summary>
#
# The best have (pieces of) the CTCF motif, shifted against each other. Nothing tells two kernels to
# differ: each lowers the loss by finding the only motif that there is. Yesterday's kernels, trained
# too slowly to get there, sort letters into G or C against A or T.
#
# </details>

# %%
positive, negative = y_test[:, 0] == 1, y_test[:, 0] == 0
X_positive, X_negative = X_test[positive], X_test[negative]  # (496, 200, 4), (492, 200, 4)
ctcf = motifs.load_motif("MA0139.1")
day1_kernels = interpret.kernel_motifs(day1_model, X_test)
picture = plot.kernel_logos(day1_kernels)
plot.show(picture, "Day 1: the kernels with the largest weight in the output.")
gc = [one.weights[:, 1:3].sum() - one.weights[:, [0, 3]].sum() for one in day1_kernels]
r = np.corrcoef(gc, [one.output_weight for one in day1_kernels])[0, 1]
print(f"how much a kernel prefers G and C, and its weight in the output: r = {r:.2f}")

# %% [markdown]
# Low letters, mostly G and C: the more a kernel counts G and C, the more it speaks for CTCF. Now
# the winner; *r* is the agreement of a kernel with the true CTCF matrix, MA0139.1. (Of kernels as
# short as yesterday's an *r* would say little: seven columns find something similar in any motif.)

# %%
kernels = interpret.kernel_motifs(best_model, X_test)
picture = plot.kernel_logos(kernels, reference=ctcf)
plot.show(picture, "The winner: the eight of its 32 kernels that agree best with the matrix.")

# %% [markdown]
# Kernels show what a model *can* notice. Which letters of *this* sequence made it decide? For that
# we need an experiment.
#
# ## Change a letter, ask again
#
# **In-silico mutagenesis** (ISM) is an experiment on the model. Change one letter, predict again,
# and write down the difference. *Saturated* means every other letter at every position, so the
# scores have the shape of the input, 200 × 4. No population carries most of these mutations; a
# computer can try them all.
#
# We start with one test sequence, chosen by a rule: the first positive that holds two motifs.

# %%
motif_starts = data.table["motif_starts"].iloc[split.test[positive]].tolist()
two = [i for i, starts in enumerate(motif_starts) if len(starts) == 2]
chosen = two[0]
x = X_positive[chosen]  # (200, 4)
sites = [(start, start + 19) for start in motif_starts[chosen]]  # the planted motifs, 19 bp each
logit = torch_cnn.predict_logits(best_model, x[None])[0, 0]
print(f"positive {chosen} of {len(X_positive)}: motifs at {sites}, logit {logit:.2f}")

# %% [markdown]
# The whole experiment in eight lines. We note *alternative minus reference*: 0 for the letter that
# is there, negative where a change lowers the logit.

# %%
by_hand = np.zeros((200, 4), dtype=np.float32)
for position in range(200):
    for base in np.flatnonzero(x[position] == 0):  # the three letters that are not there
        mutant = x.copy()
        mutant[position] = np.eye(4)[base]
        after = torch_cnn.predict_logits(best_model, mutant[None])[0, 0]
        by_hand[position, base] = after - logit  # 0 stays at the letter that is there
print(f"{3 * len(x)} mutants, a prediction each; the worst change: {by_hand.min():.2f}")

# %% [markdown]
# `interpret.saturation_mutagenesis` gives the same numbers, much faster: a new letter touches only
# a few windows of each layer, and only these are computed again. So we can ask for all positives:

# %%
scores = interpret.saturation_mutagenesis(best_model, X_positive, progress=False)  # (496, 200, 4)
print(f"largest difference from the loop: {np.abs(scores[chosen] - by_hand).max():.1e}")

# %% [markdown]
# We score the **logit**, the output before the sigmoid. The sigmoid flattens: where the model is
# sure, even a strong effect hardly moves the probability.
#
# ## The map of a sequence
#
# Blue: this change lowers the logit. Red: it raises it. Above the map the same scores as letters:
# the height of a letter is its **importance**, minus the mean of the four effects at this place
# (the letter's own is 0). It is tall where any change would hurt. Black bars mark the planted
# motifs.

# %%
picture = plot.mutagenesis_map(scores[chosen], x, sites=sites)
plot.show(
    picture,
    "Saturated mutagenesis. Nobody told the model where the motifs are.",
    alt="A heat map of 4 rows and 200 columns, white but for a block of blue cells at the "
    "first bar, with tall letters above it.",
)

# %% [markdown]
# One region stands out, the **focus region**. Closer (a dot marks the letter that is there), and
# with the truth below it: the matrix from which the motif was drawn.

# %%
loud = sites[0]
region = slice(loud[0] - 6, loud[1] + 6)  # 31 positions
picture = plot.map_above_motif(scores[chosen], x, ctcf, site=loud, margin=6)
plot.show(
    picture,
    "The focus region (above) and the CTCF motif (below), on one axis.",
    alt="The letters and the map of 31 positions; below them the CTCF logo, whose tall "
    "letters stand under the tall ones above.",
)

# %% [markdown]
# The tall letters of the two agree, and the map agrees in more than that: at position 29 the matrix
# also accepts A, at 30 also T, and in the map just these two cells of the tall columns are pale.
#
# ## From where do we count?
#
# ISM counts from the letter that is there; a gradient has no such zero. A number added to all four
# scores of a position makes no difference to a model of one-hot sequences, since exactly one of the
# four letters is there. So put all methods into one **frame of reference**: subtract the mean over
# A, C, G and T ([Majdandzic 2023](https://doi.org/10.1186/s13059-023-02956-3)). What then stands at
# the letter that is there is the importance of this base, the height of its letter above.

# %%
importance = interpret.base_importance(scores, X_positive)  # (496, 200)
tallest = importance[chosen].argmax()
both_frames = np.array([scores[chosen][tallest], interpret.zero_mean(scores[chosen])[tallest]])
print(f"position {tallest} has {sequences.ALPHABET[x[tallest].argmax()]};", end=" ")
print(f"its importance is {importance[chosen, tallest]:.2f}")
pd.DataFrame(both_frames, index=["ISM", "zero mean"], columns=list(sequences.ALPHABET)).round(2)

# %% [markdown]
# ## All sequences at once
#
# The importance of every base of all positives with one motif, a row a sequence. We sort the rows
# by where the motif was **planted**, which the model does not know.
#
# **Predict first.** What will the picture look like if the model finds the motifs?
#
# <details><summary>Answer</summary>
#
# A diagonal: one short band in each row, where the motif of that row starts.
#
# </details>

# %%
picture = plot.importance_diagonal(importance, motif_starts, ctcf)
plot.show(
    picture,
    "Left, all positives with one motif. Right, the mean over their motifs.",
    alt="A heat map, a row a sequence: red from the upper left to the lower right. Two "
    "curves over the columns of the motif, with peaks at the same columns.",
)

# %% [markdown]
# The diagonal *is* the list of planted motifs. (The few bands beside it are matches that arose by
# chance.) And within the motif the model cares for the columns in which the matrix holds
# information.
#
# ## The silent motif
#
# Why is there nothing at the second motif of our sequence? It is a real one, if a weaker match:

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
#
# **Predict first.** Which of the two erasures will lower the logit, and how far?
#
# <details><summary>Answer</summary>
#
# Without the louder motif the logit falls, but it stays positive: the other one takes over. Without
# the silent one nothing happens. Without both it falls further.
#
# </details>

# %%
erased = np.stack([x, x, x, x])
erased[1, slice(*sites[0])] = 0
erased[2, slice(*sites[1])] = 0
erased[3] = np.minimum(erased[1], erased[2])
names = ["as it is", "without the first", "without the second", "without both"]
for name, value in zip(names, torch_cnn.predict_logits(best_model, erased)[:, 0], strict=True):
    print(f"{name:20} logit {value:5.2f}, probability {1 / (1 + np.exp(-value)):.2f}")
rng, drawn = np.random.default_rng(0), np.stack([x] * 20)
for start, end in sites:
    drawn[:, start:end] = np.eye(4)[rng.integers(4, size=(20, end - start))]
instead = np.median(torch_cnn.predict_logits(best_model, drawn))
print(f"random letters instead of both: logit {instead:5.2f} (median of 20 draws)")

# %%
erased_scores = interpret.saturation_mutagenesis(best_model, erased[:2])
logo_of = partial(plot.score_logo, sites=sites)
picture = plot.row(
    partial(logo_of, erased_scores[0], x),
    partial(logo_of, erased_scores[1], erased[1], sites=sites[1:], sites_label=None),
    titles=names[:2],
    size=(11, 2.2),
    columns=1,
    sharex=True,
    sharey=True,
)
plot.show(picture, "With the first motif gone (hatched), the second one speaks.")

# %% [markdown]
# And without both? No motif is left. Yet with N in their place the logit is far above that of a
# negative; it falls there only if the two are replaced by random letters. The figure, of the first
# erasure, shows why: right of the hole, letters have become important that were not before. To a
# network that has never seen N, a fragment of a motif next to a hole looks like half a motif. **An
# erasure has side effects, too**, so try more than one kind.
#
# This is the model, not biology. **Global max pooling** keeps one number of each kernel of the last
# convolution: its own best match. While a better one stands, the other motif is a spare, and ISM,
# one letter at a time, cannot see it. *Unimportant to ISM* does not mean *without a function*. It
# is so per kernel: different kernels may well listen to different motifs. How unequal are the two,
# as a rule?

# %%
match = np.array([matches[i, list(motif_starts[i])] for i in two])  # (160, 2)
heard = np.array([[importance[i, a : a + 19].sum() for a in motif_starts[i]] for i in two])
louder = heard.max(axis=1) / heard.sum(axis=1)
agree = heard.argmax(axis=1) == match.argmax(axis=1)
print(f"{len(two)} sequences with two motifs; the louder one holds", end=" ")
print(f"{np.median(louder):.0%} of the importance of both (median)")
print(f"the louder one is the better match in {agree.mean():.0%}")

# %% [markdown]
# ## The motif behind 496 sequences
#
# `motif_from_scores` takes from each sequence the window with the highest total importance, shifts
# the windows until they agree best with their mean, and counts the letters. No known motif takes
# part.

# %%
recovered = interpret.motif_from_scores(scores, X_positive, width=19)
agreement = motifs.similarity(ctcf, recovered)
print(f"r = {agreement.correlation:.3f} over {agreement.overlap} aligned columns")
picture = plot.compare_motifs(
    {"JASPAR MA0139.1": ctcf, "recovered with the model's help": recovered}
)
plot.show(picture, "The motif that was planted, and the one that the scores lead to.")

# %% [markdown]
# A high *r* says that the model looks at the right **places**. The letters counted there are the
# sequences' own, so it does not say that the model weighs each letter right.
#
# ## Other explanations (if time allows)
#
# ISM is not alone. **Saliency** is the gradient of the logit: what a tiny step towards each letter
# would change. **Integrated gradients** (IG) averages the gradient $\nabla f$ on the way from an
# empty sequence $x_0$ (N everywhere) to this one, times the difference:
#
# $$\text{IG}(x) = (x - x_0) \int_0^1 \nabla f\big(x_0 + t\,(x - x_0)\big)\, dt$$
#
# How well do they find the planted motifs, base by base? That is an AUROC over all bases, and an
# average precision, the same 30 sequences for each. Second motifs are silent and outer columns
# carry little, so do not expect 1.

# %%
FEW = X_positive[:30]
explanations = {
    "ISM": scores[:30],
    "saliency": interpret.saliency(best_model, FEW),
    "integrated gradients": interpret.integrated_gradients(best_model, FEW, steps=128),
    "ISM of Day 1": interpret.saturation_mutagenesis(day1_model, FEW),
}
rows = {}
for name, one in explanations.items():
    one_a_base = interpret.base_importance(one, FEW)  # (30, 200)
    found = interpret.localisation(one_a_base, motif_starts[:30], width=19)
    rows[name] = {"AUROC": found.auroc, "average precision": found.auprc}
rows["blind"] = {"AUROC": 0.5, "average precision": found.share}
pd.DataFrame.from_dict(rows, orient="index").round(3)

# %%
three = list(explanations)[:3]
logo_of = partial(plot.score_logo, sites=[loud])
picture = plot.row(
    *(
        partial(logo_of, explanations[name][chosen][region], x[region], start=region.start)
        for name in three
    ),
    titles=three,
    size=(9, 1.9),
    columns=1,
    sharex=True,
)
plot.show(picture, "The same region by three methods, each on its own scale.")

# %%
by_method = [interpret.base_importance(explanations[name], FEW)[chosen] for name in three]
letters = {place: f"{sequences.ALPHABET[x[place].argmax()]} at {place}" for place in (26, 29, 30)}
some = pd.DataFrame(by_method, index=three)[list(letters)].rename(columns=letters)
some.assign(tallest=np.max(by_method, axis=1)).round(2)

# %% [markdown]
# The methods agree on where to look. They do not agree on *how much*. IG gives a strong negative
# value to the A at 26 and little to the G at 29 and at 30. ISM gives little to the A, and far more
# to both G. Which one is right? ISM *did* the experiment: without that A hardly anything changes.
# IG asks about half-empty sequences on the way, unlike anything that the model has seen. In
# exchange it keeps a promise that the others do not, **completeness**: its scores, before any mean
# is subtracted, sum to the difference between the logits of the sequence and of the empty one (our
# sum of 128 steps is off by a little).

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
picture = plot.mutagenesis_map(typical_scores, x_typical)
plot.show(
    picture,
    f"A typical negative, logit {negative_logits[typical]:.1f}. The strongest effects are red.",
    alt="A heat map with a few red cells and hardly any blue ones; letters that point down.",
)

# %%
place, letter = np.unravel_index(typical_scores.argmax(), (200, 4))
reddest = x_typical.copy()
reddest[place] = np.eye(4)[letter]
before, after = motifs.scan(np.stack([x_typical, reddest]), ctcf, both_strands=False)
print(f"reddest cell: {sequences.ALPHABET[letter]} at {place}, {typical_scores.max():+.1f}")
print(f"best match of the matrix: {before.max():.1f} bits before;", end=" ")
print(f"{after.max():.1f} bits after, starting at {after.argmax()}")

# %% [markdown]
# Hardly a letter speaks *for* CTCF here. But some stand in the way of a motif: the reddest cell is
# a letter that would **create** a better match. Is it so in all negatives? The cell above, asked of
# each of them, can tell.
#
# ## A site that the window cuts off
#
# Now the negative in which the *last ten* letters matter most. What is going on at its right end?

# %%
end_scores = interpret.saturation_mutagenesis(best_model, X_negative, start=190, progress=False)
end_importance = interpret.base_importance(end_scores, X_negative[:, 190:])  # (492, 10)
at_end = np.clip(end_importance, 0, None).sum(axis=1)
edge = int(at_end.argmax())
print(f"negative {edge}: logit {negative_logits[edge]:.1f};", end=" ")
print("it ends in", sequences.one_hot_decode(X_negative[edge : edge + 1])[0][-20:])
edge_scores = interpret.saturation_mutagenesis(best_model, X_negative[edge : edge + 1])[0]
tail = slice(160, 200)
picture = plot.mutagenesis_map(edge_scores[tail], X_negative[edge][tail], start=160)
plot.show(
    picture,
    "The last 40 letters of that negative.",
    alt="A heat map of 40 columns, white but for the last ten, with tall letters above these.",
)

# %%
longer = np.concatenate([X_negative[edge], np.zeros((19, 4), np.float32)])[None]  # 19 N: unknown
for name, one in {"within the window": longer[:, :200], "also over its end": longer}.items():
    bits = motifs.scan(one, ctcf, both_strands=False)[0]
    print(f"best match {name}: {bits.max():.1f} bits, starting at {bits.argmax()}")

# %% [markdown]
# Something like a CTCF site begins there, and the window ends before it does. It arose by chance
# (this is a negative: nothing was planted). The matrix, which wants all 19 letters, passes it over;
# the network, whose input is padded with zeros, matches the part that is there, and its logit is
# far above that of a typical negative. On real data such half sites are no accident: windows cut
# through sites. **Look at the edges of your windows**, and centre what you can.
#
# ## Saturation (if time allows)
#
# One more trap before we turn to real peaks. Sort the positives by how well their best motif fits:

# %%
best_match = [bits[list(starts)].max() for bits, starts in zip(matches, motif_starts, strict=True)]
limits, labels = [-np.inf, 12, 16, 20, np.inf], ["up to 12", "12 to 16", "16 to 20", "above 20"]
by_match = pd.DataFrame(
    {
        "best planted match (bits)": pd.cut(best_match, limits, labels=labels),
        "logit": torch_cnn.predict_logits(best_model, X_positive)[:, 0],
        "total importance": importance.sum(axis=1, dtype=float),
    }
)
by_match.groupby("best planted match (bits)", observed=True).median().round(1)

# %% [markdown]
# **Predict first**, before you read on: why do the best motifs get the *smallest* scores here?
#
# <details><summary>Answer</summary>
#
# Our winner has tanh units, and a tanh that is at its limit hardly notices one letter more or less:
# it **saturates**. (A network of ReLUs would not, or less.) So compare importance within a
# sequence; between sequences be careful, and expect small numbers (look at the colour bar) where
# the motif is strong, as in the real peaks below.
#
# </details>
#
# ## A real peak, on two strands
#
# The truth is planted in simulated data only. For a real CTCF peak we have none; the nearest is the
# best hit of the matrix. And a real motif may lie on **either strand**, while all motifs of the
# simulation are on the forward one.
#
# **Predict first.** The winner reads the test sequences backwards, as their reverse complement.
# What will its AUROC be? And with the higher score of both strands?
#
# <details><summary>Answer</summary>
#
# Much lower: it has never seen the motif from this side. The higher score of both strands is nearly
# as good as the forward strand alone; it costs a little, because every negative has two chances to
# look like a positive.
#
# </details>


# %%
def both_strands(model, X):
    """Logits of the sequences as they are and of their reverse complements, (N,) each."""
    turned = sequences.reverse_complement(X)
    return [torch_cnn.predict_logits(model, one)[:, 0] for one in (X, turned)]


forward, reverse = both_strands(best_model, X_test)
strands = {"forward": forward, "reverse": reverse, "higher": np.maximum(forward, reverse)}
for name, one in strands.items():
    print(f"{name:8} test AUROC {evaluation.auroc(y_test[:, 0], one):.3f}")

# %% [markdown]
# There are two remedies. Score both strands and keep the higher (or mean) score, as here. Or train
# on both, which is **data augmentation**: each training sequence comes twice, also as its reverse
# complement, with the same label (section 7 does). Now the real peaks: score both strands, and
# explain the one that scores higher.

# %%
real = datasets.load_real_ctcf()
forward, reverse = both_strands(best_model, real.X)
is_forward = forward >= reverse
X_real = np.where(is_forward[:, None, None], real.X, sequences.reverse_complement(real.X))
hits = motifs.scan(X_real, ctcf, both_strands=False).argmax(axis=1)  # where the matrix fits best
real_scores = interpret.saturation_mutagenesis(best_model, X_real, progress=False)
print(f"{is_forward.mean():.0%} of the peaks score higher as they are, the others turned around")
print(f"{real.table['name'][0]}: logit {forward[0]:.1f} forward, {reverse[0]:.1f} reverse")
hit = (hits[0], hits[0] + 19)
picture = plot.mutagenesis_map(
    real_scores[0], X_real[0], sites=[hit], sites_label="best hit of the matrix"
)
plot.show(
    picture,
    f"The first real peak of the file, {'forward' if is_forward[0] else 'reverse'} strand.",
    alt="A heat map with blue cells and tall letters below the bar at the best hit of the matrix.",
)

# %% [markdown]
# Is it so in all 500? For each peak we take the 19 bp with the highest total importance, and ask
# whether they overlap the matrix's best hit on that strand. *By chance* compares the focus of one
# peak with the hits of the others: peaks are centred on their summit, so any two of them tend to
# agree.

# %%
real_importance = interpret.base_importance(real_scores, X_real)  # (500, 200)
windows = np.lib.stride_tricks.sliding_window_view(real_importance, 19, axis=1).sum(axis=2)
apart = np.abs(windows.argmax(axis=1)[:, None] - hits)  # (500, 500); diagonal: a peak with itself
print(f"focus overlaps the best hit: {np.mean(np.diag(apart) < 19):.0%} of the peaks")
print(f"                  by chance: {np.mean(apart < 19):.0%}")

# %% [markdown]
# So the model carries over to real sequence: on strong peaks it looks where the matrix looks. It
# does *not* prove that these letters bind CTCF in the cell. Model and matrix are not independent
# witnesses (the training data were drawn from this very matrix), and where they disagree nobody
# knows which is right. An assay that sees single bases, such as ChIP-exo, could tell.
#
# ## What would a variant do?
#
# This is the question that ISM is asked most often, **variant effect prediction**: a person carries
# another letter than the reference genome. Does it break a site? A **regulatory variant** is scored
# as the logit of the *alternative* allele minus that of the *reference* allele, each on both
# strands, because the variant may lie in a site on either. Here on the first peak. We made the two
# variants up (one in the site, one outside of it). A real one would come from a VCF file, the usual
# table of variants, whose REF and ALT letters are those of the forward strand: turn them if you
# have turned the peak.

# %%
inside = int(real_importance[0].argmax())  # the most important letter
outside = (inside + 100) % 200  # far from the site
rows = []
for place in (inside, outside):
    alternative = X_real[0].copy()
    alternative[place] = np.roll(alternative[place], 2)  # A to G, C to T and back: a transition
    alleles = np.stack([X_real[0], alternative])
    ref, alt = np.max(both_strands(best_model, alleles), axis=0)  # the higher strand of each
    letters = [sequences.ALPHABET[one[place].argmax()] for one in alleles]
    rows.append((place, ">".join(letters), ref, alt, alt - ref))
pd.DataFrame(rows, columns=["position", "variant", "reference", "alternative", "effect"]).round(2)

# %% [markdown]
# The most important letter costs a part of the logit, less than the map above says: without it the
# *other* strand scores higher, and a maximum hides a loss behind a spare, over strands as over
# positions. The model would still say yes. The letter outside takes nothing.
#
# On real variants such predictions are checked against allele-specific binding, where one person's
# two copies of a chromosome differ by that letter and only one of them is bound.
#
# ## Pros and cons
#
# | for | against |
# |---|---|
# | simple: an experiment that every biologist knows | cost: 3 *L* predictions for length *L* |
# | asks any model, needs no gradient | one letter at a time: interactions stay hidden |
# | biologically meaningful: a mutation and its effect | a silent spare looks unimportant |
# | a place, a size and a sign for each effect | mutants unlike anything that the model has seen |
#
# **Could we have done all this with the matrix?** On these data, yes: it is the truth that they
# were drawn from, and it scores 0.999 without any training. A network earns its keep where nobody
# has the matrix, where several motifs work together, or where their distance matters.

# %% [markdown]
# ## Practice 3 · three tasks of about 10 minutes
#
# ### 2.P3.1 · Is the second-best model the same?
#
# Load the second-best model of the search, `second_model = nas.load_model(result, rank=...)`. The
# check draws its map of the same sequence. Do two models with nearly equal scores give equal
# reasons?

# %% tags=["stub"]
second_model = None

# %% tags=["solution"]
second_model = nas.load_model(result, rank=1)

# %%
homework.check("2.P3.1", second_model, result, x, sites)

# %% [markdown] tags=["solution"]
# Both look at the planted motif, and they differ in the smaller letters. Nearly equal scores do not
# promise equal reasons, so look at more than one model before you believe an explanation.

# %% [markdown]
# ### 2.P3.2 · Is the focus region the motif?
#
# Write `focus_region(importance, width)` for **one** sequence: `importance` has shape (L,), and the
# function returns the start of the window of `width` positions with the highest total. The check
# compares it with the nearest planted start in each positive test sequence. Where will the two
# differ?


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
homework.check("2.P3.2", focus_region, importance, motif_starts)

# %% [markdown] tags=["solution"]
# Mostly it is, up to a few positions. The outer columns carry little information, so a window moved
# by one or two has nearly the same total, and the model has no reason to prefer the one that JASPAR
# cut.

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
homework.check("2.P3.3", score_two, best_model, x, region)

# %% [markdown] tags=["solution"]
# Where two changes together hurt less than the sum, one reason is plain: a motif that is broken
# cannot be broken again. The second change finds the spare motif in charge, or a unit that is
# silent already.

# %% [markdown]
# **Takeaway:** mutagenesis turns a score into places and letters, and here they are those of CTCF.
# It explains the model, not the cell: what it calls unimportant may be a spare, and what it calls
# important needs an experiment.

# %% [markdown]
# # 6 · Extended practices
#
# **Objective:** explain a model on your own, and make a search yours. Homework, **10 points** and
# about **30 minutes** each. Take your time, and enjoy them: by now you know all that they need.
#
# Write your answers into the variables and functions that each task names. `homework.check` gives
# the points at once, as yesterday, and draws what there is to see once you are right. Stuck? After
# three tries it gives a last hint.
#
# Your instructor runs the whole notebook from the top, in an empty folder, and asks for the same
# names. So keep the names, and before you hand in: *Runtime → Restart and run all*. A cell may
# take five minutes, the notebook twenty.

# %% [markdown]
# ## 2.6.1 · Importance on both strands
#
# CTCF can bind either strand, so a careful map reads both. Write `score_all(model, X)`: for
# sequences (N, 200, 4) it returns the importance of each base, shape (N, 200): **minus the mean
# effect of its changes on the logit**, computed for `X` and for its reverse complement, and then
# averaged, base by base, **in the order of `X`**. The next cell makes `positive_importance` with
# it, for *all* 496 positive test sequences. The check allows 10 seconds for 40 of a small network.


# %% tags=["stub"]
def score_all(model, X):
    """Importance of each base, a mean over both strands, shape (N, L)."""
    # Your code here.


# %% tags=["solution"]
def score_all(model, X):
    """Importance of each base, a mean over both strands, shape (N, L)."""
    forward, reverse = (
        interpret.base_importance(
            interpret.saturation_mutagenesis(model, strand, progress=False), strand
        )
        for strand in (X, sequences.reverse_complement(X))
    )
    return (forward + reverse[:, ::-1]) / 2  # position i is L - 1 - i on the other strand


# %%
positive_importance = score_all(best_model, X_positive.copy())
homework.check("2.6.1", score_all, positive_importance, best_model, motif_starts)

# %% [markdown] tags=["solution"]
# The columns in which the matrix holds information are those that the model cares for. How much
# does the other strand add? In these data every motif was planted on the strand that we read, so
# little more than noise. In a genome it would be half of the sites.

# %% [markdown]
# ## 2.6.2 · And in the negatives?
#
# Make `negative_importance`, the same for all negative test sequences (`X_negative`). Then measure
# how the two kinds differ. Take one number a sequence, its median over the positives and over the
# negatives, and write the **difference, positives minus negatives**, into `my_claims_262`:
#
# - **largest importance**: the highest value of the sequence;
# - **lowest importance**: the lowest one;
# - **share of the best window**: set negative values to 0. What share of what is left does the best
#   window of 19 positions hold?
#
# And **why** do they differ? Two or three sentences, as a string: `my_answer_262`. They earn no
# points by themselves; your instructor reads them.

# %% tags=["stub"]
negative_importance = None
my_claims_262 = {
    "largest importance": None,
    "lowest importance": None,
    "share of the best window": None,
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
        "lowest importance": np.median(importance.min(axis=1)),
        "share of the best window": np.median(windows.max(axis=1) / positive.sum(axis=1)),
    }


in_positives, in_negatives = summary(positive_importance), summary(negative_importance)
my_claims_262 = {name: in_positives[name] - in_negatives[name] for name in in_positives}
my_answer_262 = (
    "In a positive nearly all importance lies on one motif and is positive: most changes there "
    "lower the logit. In a negative there is no motif to break, so it is spread over many "
    "half-matches, and where it is negative a letter stands in the way of a better match."
)
pd.DataFrame({"positives": in_positives, "negatives": in_negatives}).round(3)

# %%
homework.check(
    "2.6.2", negative_importance, my_claims_262, my_answer_262, best_model, positive_importance
)

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
# Make `pruned_space`, a `nas.ModelSpace` that only **leaves out** operations of ours: **4 to 189**
# architectures, at most half of all, and the good ones among them. Section 4 has shown which
# operations never won. Then search it: `pruned_result`, with `nas.search`, `train=(X_train,
# y_train)`, `val=(X_val, y_val)`, the settings `CHILD`, `max_trials=9`, `random_state=0` and a
# `working_dir` of its own.
#
# **Target:** at least five of the nine children reach a val AUROC of 0.95 (of the full space about
# one in three does, after three epochs). Nine children are too few for the controller's default
# settings to learn from (section 3), so it is your space that does it. What could you lose by
# pruning?

# %% tags=["stub"]
pruned_space = None
pruned_result = None

# %% tags=["solution"]
pruned_space = nas.ModelSpace.from_dict([*layers[:3], [nas.Operation("globalmaxpool1d")]])
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
homework.check("2.6.3", pruned_space, pruned_result, result)

# %% [markdown] tags=["solution"]
# One choice, made for a reason, is worth more than a clever search. The price: what was pruned
# cannot be found any more. After 20 epochs instead of three, networks with an average come up as
# well, and we would never know.

# %% [markdown]
# ## 2.6.4 · A reward of your own
#
# What would *you* want of a network? Write `my_reward(y_true, y_score, architecture)`, one number
# to maximise, and search with it: `my_reward_result`, in the course's `space`, with the same data,
# `CHILD`, `max_trials=9`, `random_state=0` and a new `working_dir`. Some that people defend: the
# negative loss; the accuracy, or Youden's J (sensitivity + specificity − 1) at the best threshold;
# any of them, or AUROC, **minus a price for parameters**. But not AUROC alone.
#
# Better predictions must earn more, and the reward must be finite, also for scores of exactly 0 and
# 1. `y_true` and `y_score` have shape (N, 1). (With nine children and the default settings a reward
# ranks, and does not steer yet.) Which children change their rank, and why?


# %% tags=["stub"]
def my_reward(y_true, y_score, architecture):
    """One number to maximise."""
    # Your code here.


my_reward_result = None


# %% tags=["solution"]
def my_reward(y_true, y_score, architecture):
    """Minus the mean binary cross-entropy, minus a price for each factor of ten in size."""
    p = np.clip(y_score.astype(float), 1e-7, 1 - 1e-7)
    loss = -np.mean(y_true * np.log(p) + (1 - y_true) * np.log(1 - p))
    return float(-loss - 0.1 * np.log10(architecture.n_parameters()))


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
homework.check("2.6.4", my_reward, my_reward_result)

# %% [markdown] tags=["solution"]
# AUROC asks who stands before whom, the loss whether a "0.9" deserves to be one, and the price who
# needs how much for it. Children that AUROC can hardly tell apart are told apart now.

# %% [markdown]
# ## 2.6.5 · Another explanation
#
# Explain a network with another package: **Captum**'s `IntegratedGradients`, or **SHAP**'s
# `GradientExplainer`. Write `explain(model, X)`: a Torch model and sequences (n, 200, 4) go in, a
# NumPy array (n, 200, 4) of scores comes out. In Captum it takes three lines; fill in the dots:
#
# ```python
# method = IntegratedGradients(...)  # our Torch model emits one logit: no target is needed
# scores = method.attribute(torch.from_numpy(...), n_steps=...)  # the baseline: zeros, the default
# return scores.numpy(force=True)
# ```
#
# The check tries `explain` on networks and sequences of its own. In *each* sequence the scores must
# add up to the logit minus that of all zeros (**completeness**), and agree with exact integrated
# gradients from zeros. How many steps does that take? (SHAP draws samples: pass
# `torch.zeros(1, 200, 4)` as background and `nsamples=1000`.) Does it tell the same story as ISM?
# Import the packages in your own cell, they are slow to load. Outside of Colab you may have to
# `pip install captum shap`.


# %% tags=["stub"]
def explain(model, X):
    """Scores of each cell, shape (n, 200, 4)."""
    # Your code here.


# %% tags=["solution"]
import torch
from captum.attr import IntegratedGradients


def explain(model, X):
    """Integrated gradients by Captum, from zeros, 256 steps."""
    method = IntegratedGradients(model)
    scores = method.attribute(torch.from_numpy(X), n_steps=256, internal_batch_size=256)
    return scores.numpy(force=True)


# %%
homework.check("2.6.5", explain, best_model, X_positive, motif_starts)

# %% [markdown] tags=["solution"]
# **SHAP**'s `GradientExplainer` averages gradients at *random* points between a background sample
# and the sequence. With one background, all zeros, that is integrated gradients by chance: a
# thousand samples are about as good as fifty steps.

# %% tags=["solution"]
import shap

X_few = X_positive[:6]
explainer = shap.GradientExplainer(best_model, torch.zeros(1, 200, 4))
drawn = explainer.shap_values(torch.from_numpy(X_few), nsamples=200, rseed=0)[..., 0]
r = np.corrcoef(drawn[X_few == 1], explain(best_model, X_few)[X_few == 1])[0, 1]
print(f"SHAP and integrated gradients: r = {r:.4f}")

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
# Elsewhere it takes what `workshop data fetch` has brought before. **If it says "Skipped", there
# are no data here:** the other cells of this section then do nothing, and you see no numbers below.
# Open the notebook in Colab to get them.

# %%
try:
    human = datasets.fetch_ctcf(download=environment.in_colab())
except OSError as reason:
    human = None
    print(f"Skipped: {reason}")

# %% [markdown]
# ## The winner goes to work
#
# A real motif lies on either strand. So training is **augmented**: each sequence comes twice, as it
# is and as its reverse complement, and a prediction on test is the higher logit of both strands (on
# val, of one strand only). We train two architectures, that of Day 1 and that of the winner, both
# with the winner's settings.


# %%
def train_on_both_strands(architecture, X, y, X_val, y_val):
    """A model trained for ten epochs on each sequence and its reverse complement."""
    model = torch_cnn.build_cnn(architecture, random_state=0)
    history = torch_cnn.fit(
        model,
        np.concatenate([X, sequences.reverse_complement(X)]),
        np.concatenate([y, y]),
        X_val=X_val,
        y_val=y_val,
        **CHILD | {"epochs": 10},
        progress=False,
    )
    print(f"val AUROC, one strand: {history.last['val_auroc']:.3f}")
    return model


if human:
    human_split = splits.split_by_chromosome(
        human.table["chrom"], val_chroms=["chr21"], test_chroms=["chr22"]
    )
    parts = [human.X[human_split.train], human.y[human_split.train]]
    parts += [human.X[human_split.val], human.y[human_split.val]]
    human_models = {
        "Day-1 architecture": train_on_both_strands(DAY1_CNN, *parts),
        "winner's architecture": train_on_both_strands(winner, *parts),
    }

# %% [markdown]
# Beside them stand the matrix, and the winner **as it is**, which has never seen a real chromosome:

# %%
if human:
    X_human_test, y_human_test = human.X[human_split.test], human.y[human_split.test, 0]
    human_scores = {"CTCF matrix": motifs.scan(X_human_test, ctcf).max(axis=1)}
    for name, model in {"winner of the simulation": best_model, **human_models}.items():
        human_scores[name] = np.max(both_strands(model, X_human_test), axis=0)
    rows = {}
    for name, y_score in human_scores.items():
        interval = evaluation.bootstrap_interval(y_human_test, y_score, n_resamples=200)
        rows[name] = {"test AUROC": interval.estimate, "from": interval.low, "to": interval.high}
    display(pd.DataFrame.from_dict(rows, orient="index").round(3))

# %% [markdown]
# For comparison, a published CNN for CTCF, the DeeperDeepSEA in the quickstart tutorial of
# [Selene](https://github.com/FunctionLab/selene), reports an AUROC of 0.971. Its test set was
# another, so this is a rough guide only. With your numbers: did the order of the two architectures
# survive the move to real data? And is what the winner had learnt from a simulation worth anything
# there?
#
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
    untrained = torch_cnn.build_cnn(winner, random_state=0)
    asked = {
        "peaks turned": (human_model, turned),
        "peaks as they lie": (human_model, peaks),
        "peaks turned, untrained network": (untrained, turned),
    }
    found = {"JASPAR MA0139.1": ctcf}
    for name, (model, X) in asked.items():
        effects = interpret.saturation_mutagenesis(model, X, progress=False)
        found[name] = interpret.motif_from_scores(effects, X, width=19)
    picture = plot.compare_motifs(found, min_overlap=15)
    plot.show(picture, f"The CTCF matrix, and what the scores of {len(peaks)} peaks lead to.")

# %% [markdown]
# What to look for: the motif of the turned peaks should be the matrix again, and the untrained
# network should have nothing of it. From peaks as they lie one gets the motif laid over its own
# reverse complement: a **palindrome** that no protein asked for. Beware of symmetric motifs in the
# output of a program.
#
# One peak in full, chosen by a rule: the one with the median logit.

# %%
if human:
    peak_logits = torch_cnn.predict_logits(human_model, turned)[:, 0]
    peak = turned[np.argsort(peak_logits)[len(turned) // 2]]  # (200, 4)
    hit = int(motifs.scan(peak[None], ctcf, both_strands=False).argmax())
    effects = interpret.saturation_mutagenesis(human_model, peak[None])[0]
    sites_of_peak = {"sites": [(hit, hit + 19)], "sites_label": "best hit of the matrix"}
    picture = plot.mutagenesis_map(effects, peak, **sites_of_peak)
    plot.show(picture, f"A real peak of chr22 with a typical logit, {np.median(peak_logits):.1f}.")

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
#     train=(parts[0], parts[1]),
#     val=(parts[2], parts[3]),
#     **CHILD,
#     controller=STEERED,
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
# ## Your own data
#
# You have a FASTA file of a genome and a BED file of peaks? `datasets.read_windows(fasta, bed)`
# cuts the windows and `splits.split_by_chromosome` splits them; you need negatives too (matched for
# GC, or your model will count G and C), and from there everything is as today. Begin with the
# Day-1 model and tune its learning rate. Then search.
#
# ## Where the field stands
#
# The largest models of today read half a million letters or more and predict thousands of
# experiments at once: [Borzoi](https://doi.org/10.1038/s41588-024-02053-6) from DNA to RNA-seq
# coverage, [AlphaGenome](https://doi.org/10.1038/s41586-025-10014-0) from up to a million letters.
# **Genomic language models** learn from genomes alone, without any labels, by guessing letters that
# are hidden or come next. Nobody searches for the architecture of such a model on a laptop. So when
# do you need what you learned today?
#
# - **Fine-tune** (train a large model a little further on your data) when your question resembles
#   what it was trained on: human or mouse, a common assay.
# - **Train a small network, and search for it,** when your data are unlike that: another organism,
#   short constructs, guide RNAs, your own assay; or when you want to *understand* what it learned.
# - **Use the matrix** when one known motif is all there is.
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
# **Takeaway:** yesterday you built a network by hand, and it counted letters. Training it better
# was most of the way to the motif; a search found a network that gets there faster and a little
# further. And you did not have to believe it: you asked, and checked the answer. Well done!
