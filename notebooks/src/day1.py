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
# # Day 1 · Build convolutional networks for DNA
#
# Welcome! Today you teach a computer to read DNA: you build a small **convolutional neural
# network** (CNN), train it twice, in Keras and in PyTorch, measure how far to trust it, and find
# out what it has *really* learnt. (It will surprise you.)
#
# **Who this is for.** You need Python's lists and functions. NumPy helps. You need no deep
# learning, and of biology only this: DNA is a text in four letters, A, C, G and T, and a protein
# called **CTCF** sits down on it where it finds a certain word of about 19 letters, its *motif*.

# %% [markdown]
# **Before anything else: *File → Save a copy in Drive*** (on Kaggle: *Copy & Edit*). Colab throws
# this page away when you close it, and you will want your answers again. Then *Edit → Clear all
# outputs*: what you see below the cells are our results, and you will soon have your own.
#
# | section | what you do | minutes |
# |---|---|---|
# | 0 | set up; from logistic regression to a neural network | 25 |
# | 1 | load the data, split it without a leak, **Practice 1** | 65 |
# | 2 | a CNN by hand on paper, then in Keras, **Practice 2** | 75 |
# | 3 | the same CNN in PyTorch and Lightning | 20 |
# | 4 | predict and evaluate, **Practice 4** | 30 |
# | 5 | save, reload, and ask what was learnt, **Practice 3** | 65 |
# | 6 | **Extended practices**: the homework, 10 points each | at home |
# | 7 | optional, in Colab: the same on real human chromosomes | 15 |
#
# Run the cells from the top with *Shift + Enter*. No GPU is needed. A cell that begins with
# **✏️ Your turn** is yours to fill in; the cell below it checks your answer and gives a hint. At
# **Predict first**, stop and guess before you unfold the answer: a wrong guess teaches more than a
# right answer that you only read. Lost? Ask. Someone else is lost at the same place.

# %% [markdown]
# # 0 · Setup, and where we start from
#
# **Objective:** a runtime that works, and logistic regression seen as the smallest neural network.
# **25 minutes.**

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
from sklearn.datasets import load_iris, make_moons
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.inspection import DecisionBoundaryDisplay
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier

# keras_cnn starts TensorFlow without its chatter, so it comes before any `import keras`.
from workshop import (
    datasets,
    evaluation,
    homework,
    interpret,
    keras_cnn,
    motifs,
    plot,
    sequences,
    splits,
)

plot.use_style()

# %% [markdown]
# ## Logistic regression, by hand
#
# Two kinds of iris, *versicolor* and *virginica*, differ in their petals and sepals. Logistic
# regression gives the probability of *virginica*:
#
# $$P(y = 1 \mid x) = \sigma(b_0 + b_1\,\text{petal} + b_2\,\text{sepal}),
# \qquad \sigma(z) = \frac{1}{1 + e^{-z}}$$
#
# The number $z$ in the brackets is the **logit**. It may be any number: 0 means *undecided*, 3 a
# firm yes, −3 a firm no. The **sigmoid** $\sigma$ squeezes it into the range from 0 to 1.

# %%
iris = load_iris(as_frame=True).frame.query("target > 0")  # 50 versicolor, 50 virginica
flowers = iris[["petal length (cm)", "sepal length (cm)"]].to_numpy()
flowers = (flowers - flowers.mean(axis=0)) / flowers.std(axis=0)  # both features on one scale
features = np.column_stack([np.ones(len(flowers)), flowers])  # (100, 3): 1, petal, sepal
is_virginica = (iris["target"] == 2).to_numpy(dtype=float)  # (100,)
features[:3].round(2)

# %% [markdown]
# **Maximum likelihood** asks for the $b$ under which the observed *labels* are most probable, given
# the flowers. The gradient of the log-likelihood says which way is up, and it is surprisingly
# simple. Each flower $x$ with its label $y$ and its prediction $\hat y$ pushes the coefficients by
#
# $$b \leftarrow b + \text{lr} \cdot (y - \hat y) \cdot x$$
#
# *Error times input*, scaled by the **learning rate** lr: how far one step goes.


# %%
def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def gradient_ascent(x, y, *, learning_rate, steps, batch_size=100):
    """Climb the log-likelihood; return the coefficients and the height after each step."""
    rng, b, heights = np.random.default_rng(0), np.zeros(x.shape[1]), []
    for _ in range(steps):
        batch = rng.permutation(len(x))[:batch_size]  # which flowers push in this step
        error = y[batch] - sigmoid(x[batch] @ b)
        b = b + learning_rate * error @ x[batch]  # error times input, summed over the batch
        z = x @ b
        heights.append(np.sum(y * z - np.logaddexp(0, z)))  # log-likelihood of all flowers
    return b, heights


b, _ = gradient_ascent(features, is_virginica, learning_rate=0.1, steps=1000)

# %% [markdown]
# Did we climb to the top? scikit-learn finds the same maximum with a far cleverer method.

# %%
# C = inf: no penalty, maximum likelihood only.
reference = LogisticRegression(C=np.inf, tol=1e-8, max_iter=1000)
reference.fit(flowers, is_virginica)
columns = {
    "our gradient ascent": b,
    "scikit-learn": [*reference.intercept_, *reference.coef_[0]],
}
pd.DataFrame(columns, index=["b0", "b1 (petal)", "b2 (sepal)"]).round(3)

# %% [markdown]
# **Predict first.** What happens if you multiply the learning rate by ten? And if each step asks
# only 10 of the 100 flowers, drawn at random, and lets each push ten times as far?
#
# <details><summary>Answer</summary>
#
# A rate that is too large jumps over the top, again and again; one that is too small creeps. A step
# that asks 10 flowers costs a tenth of the work and goes *roughly* the right way: the path wobbles,
# and still gets near the top.
#
# </details>

# %%
steps = np.arange(1, 201)
rates = {"0.001: creeps": 0.001, "0.1: good": 0.1, "1: jumps around": 1.0}
climbs = {
    name: (steps, gradient_ascent(features, is_virginica, learning_rate=rate, steps=200)[1])
    for name, rate in rates.items()
}
ten = gradient_ascent(features, is_virginica, learning_rate=1.0, steps=200, batch_size=10)[1]
batches = {"all 100 flowers": climbs["0.1: good"], "10 flowers a step": (steps, ten)}
climb = partial(plot.lines, xlabel="step", ylabel="log-likelihood", ylim=(-112, 0))
axes = plot.row(partial(climb, climbs), partial(climb, batches), size=(5.6, 3.4))
plot.show(axes, "The same hill: three learning rates (left), and two sizes of batch (right).")

# %% [markdown]
# Asking a few examples a step is called **stochastic gradient descent** (SGD), and the few are a
# **mini-batch**. With thousands of sequences nobody asks all of them for each step. One pass
# through all of them is an **epoch**. Learning rate, batch size and number of epochs are
# **hyperparameters**: you choose them, training does not.
#
# Statisticians say *regression, coefficients, maximum likelihood*. Deep learning says *neuron,
# weights, minimise the loss*, and the loss is the same log-likelihood with a minus sign.

# %% [markdown]
# ## A hundred logistic regressions make a network
#
# A **multilayer perceptron** (MLP) feeds the same features to many logistic regressions, its
# *hidden neurons*, and puts one more logistic regression on top of their answers.

# %%
rng = np.random.default_rng(0)
W, bias = rng.normal(size=(2, 100)), rng.normal(size=100)  # random: nothing is trained yet
v = rng.normal(size=100) / 10

hidden = sigmoid(flowers @ W + bias)  # (100 flowers, 100 neurons): a whole layer in one line
one_by_one = np.column_stack([sigmoid(flowers @ W[:, j] + bias[j]) for j in range(100)])
print("the layer equals 100 logistic regressions:", np.allclose(hidden, one_by_one))
output = sigmoid(hidden @ v)  # (100,): the last logistic regression
print("weights to learn:", W.size + bias.size + v.size + 1)  # 1: the bias of the last, 0 so far

# %% [markdown]
# What is it good for? Below, no straight line separates the two classes. A logistic regression can
# only draw one line. A hundred, weighed by a last one, bend.

# %%
moons, moon = make_moons(200, noise=0.15, random_state=0)
single = LogisticRegression().fit(moons, moon)
network = MLPClassifier([100], "logistic", solver="lbfgs", alpha=0.01, random_state=0)
network.fit(moons, moon)
for name, model in {"one neuron": single, "a hundred and one": network}.items():
    print(f"{name}: {model.score(moons, moon):.1%} right")


def boundary(model, ax):
    options = {"response_method": "predict", "alpha": 0.2, "cmap": "PuOr_r"}
    DecisionBoundaryDisplay.from_estimator(model, moons, ax=ax, **options)
    plot.points({"class 0": moons[moon == 0].T, "class 1": moons[moon == 1].T}, ax=ax)


axes = plot.row(partial(boundary, single), partial(boundary, network))
plot.show(
    axes,
    "Left: what one neuron can separate. Right: what a trained network of 100 and one can.",
    alt="Two half moons of points. On the left a straight border cuts both; on the right a curved "
    "border runs between them.",
)

# %% [markdown]
# ## How does a hidden neuron know what to change?
#
# The last neuron sees its own error. A hidden neuron has no label of its own: its error is the
# output's error, sent **back** through the weight that connects the two, times the slope of its own
# sigmoid. This is the chain rule of calculus, and the method is called **backpropagation**
# ([Rumelhart 1986](https://doi.org/10.1038/323533a0)). Layer by layer it stays *error times input*.

# %%
error = is_virginica - output  # (100,)
back = error[:, None] * v * hidden * (1 - hidden)  # (100, 100): each neuron's share of the error
gradient = flowers.T @ back  # (2, 100): for W, error times input


def log_likelihood(W):
    z = sigmoid(flowers @ W + bias) @ v
    return np.sum(is_virginica * z - np.logaddexp(0, z))


nudged = W.copy()
nudged[0, 0] += 1e-5  # the slow way: push one weight a little and look
slope = (log_likelihood(nudged) - log_likelihood(W)) / 1e-5
print(f"backpropagation {gradient[0, 0]:.5f}, nudging the weight {slope:.5f}")

# %% [markdown]
# Nudging asks the network once for *each* weight; backpropagation gets all of them at once.
#
# **Takeaway:** a neuron is a logistic regression, a layer is a stack of them. Training follows the
# gradient, batch by batch, and backpropagation brings it to every layer.
#
# ⏸ *A good place for a break.*

# %% [markdown]
# # 1 · Load data and split
#
# **Objective:** turn DNA into numbers, and hold back test data that the model can know nothing
# about. **65 minutes**, with Practice 1.
#
# The data are simulated, so that we know the truth. Of 5,000 sequences of 200 letters, half hold
# one or two copies of the CTCF motif (drawn from
# [JASPAR's MA0139.1](https://doi.org/10.1093/nar/gkad1059)) at a random place. The other half is
# **background** only: letters drawn one by one.

# %%
data = datasets.load_ctcf()
print("X", data.X.shape, "   y", data.y.shape)
data.table.head(4)

# %% [markdown]
# Do not look for these windows in a genome: **the coordinates are invented.** They are there so
# that you can practise what real data need (below).
#
# Here is one positive. Its motif is in capitals. Would you have seen it?

# %%
is_single = data.table["motif_starts"].map(len) == 1
one_positive = data.table.index[is_single][1]
(start,) = data.table["motif_starts"][one_positive]
sequence = sequences.one_hot_decode(data.X[[one_positive]])[0]
print(sequence[:start].lower() + sequence[start : start + 19] + sequence[start + 19 :].lower())

# %% [markdown]
# The next picture shows what to look for: a **logo**. Its heights are in **bits**. Two bits: only
# one letter will do. Zero bits: all four are equally welcome. (Positions count from 0, as in
# Python.)

# %%
ctcf = motifs.load_motif("MA0139.1")
plot.show(
    plot.logo(ctcf.information_matrix()),
    "The CTCF motif: the taller a letter, the more CTCF insists on it.",
    alt="Sequence logo of 19 positions; the tallest letters are CC at positions 3 and 4, AG at 8 "
    "and 9, and G at 12.",
)

# %% [markdown]
# ## DNA as a matrix
#
# A network needs numbers. **One-hot encoding** makes a matrix of positions × channels, one channel
# each for A, C, G and T, with a single 1 at each position. It claims no order among the letters.
# We draw and print it turned, so that you can read the letters from left to right.

# %%
x = sequences.one_hot_encode(["CCGAT"])
print("shape", x.shape, ": sequences, positions, channels")
pd.DataFrame(x[0].T.astype(int), index=list("ACGT"), columns=list("CCGAT"))

# %%
around = slice(start - 20, start + 39)
ax = plot.one_hot(
    data.X[one_positive, around], start=start - 20, sites=[(start, start + 19)], motif=ctcf
)
plot.show(
    ax,
    "The planted motif, bracketed, with 20 letters on either side.",
    alt="A one-hot matrix of 59 positions; a bracket with the motif's logo marks 19 of them.",
)

# %% [markdown]
# ## Three parts, and why
#
# - **train**: the model learns its weights here.
# - **val** (validation): *you* choose here: epochs, settings, architectures. Each choice fits this
#   part a little.
# - **test**: nothing is ever chosen here, so that its number stays honest.
#
# What we want is a model that **generalises**: that is right about sequences it has never seen. In
# a real genome, neighbouring and overlapping windows share letters, so one holds out **whole
# chromosomes**: here chr8 and chr20 for val; chr1, chr3 and chr6 for test. On our simulated letters
# any split would do. We practise the habit.

# %%
split = splits.split_by_chromosome(
    data.table["chrom"], val_chroms=["chr8", "chr20"], test_chroms=["chr1", "chr3", "chr6"]
)
X_train, y_train = data.X[split.train], data.y[split.train]
X_val, y_val = data.X[split.val], data.y[split.val]
X_test, y_test = data.X[split.test], data.y[split.test]
plot.show(
    plot.split_overview(data.table, split),
    "Each chromosome belongs to one part only.",
    alt="A bar for each chromosome, as high as its number of sequences; the colour is its part.",
)

# %% [markdown]
# **Predict first.** Val holds only 7 % of the sequences, 350. What do we gain and what do we pay
# by keeping it small?
#
# <details><summary>Answer</summary>
#
# More is left for training. But 350 sequences measure coarsely: they tell 0.80 from 0.90, not 0.80
# from 0.81. (Section 4 puts a number to that.) So use val for choices whose effect is large.
#
# </details>

# %% [markdown]
# ## What a leak looks like
#
# Here is an experiment that *must* fail. We cut three overlapping pieces out of each window and
# give every window a **random label**. There is nothing to learn. The "model" just looks up the
# training sequence with the most similar counts of 6-letter words, and repeats its label. We score
# it by **AUROC**, the chance that a positive scores above a negative: 0.5 is guessing, 1 is
# perfect (more in section 4).
#
# **Predict first.** What will its test AUROC be if the pieces are split at random? And by
# chromosome?

# %%
leaky = datasets.simulate_ctcf(3000, crops_per_window=3, random_labels=True)
count_words = CountVectorizer(analyzer="char", ngram_range=(6, 6))
words = count_words.fit_transform(sequences.one_hot_decode(leaky.X))
two_splits = {
    "random split": splits.split_at_random(3000, val_size=0.1, test_size=0.2, random_state=0),
    "chromosome split": splits.split_by_chromosome(leaky.table["chrom"]),
}
leak = pd.DataFrame(index=list(two_splits))
for name, parts in two_splits.items():
    nearest = KNeighborsClassifier(n_neighbors=1).fit(words[parts.train], leaky.y[parts.train, 0])
    overlaps = splits.overlapping_windows(leaky.table, parts)
    both = overlaps.query("part_a == 'train' and part_b == 'test'")
    leak.loc[name, "overlapping pairs, train and test"] = len(both)
    score = evaluation.auroc(leaky.y[parts.test, 0], nearest.predict(words[parts.test]))
    leak.loc[name, "test AUROC"] = score
leak.round(3)

# %%
ax = plot.bars(leak["test AUROC"], xlabel="test AUROC", references={"chance": 0.5}, xlim=(0, 1.1))
plot.show(ax, "Random labels: the random split reports a near-perfect model of nothing.")

# %% [markdown]
# With the random split the model meets its own training windows again, shifted by some letters.
# That is a **leak**: something about the test set reached the training. Real data hide it in many
# ways: [Whalen 2022](https://doi.org/10.1038/s41576-021-00434-9) lists the pitfalls of this field.

# %% [markdown]
# ## Practice 1 · three tasks of about 10 minutes
#
# Each task has a cell for **your turn** and, below it, one line that checks your answer. It says
# what is right, gives a hint for what is not, and draws what there is to see once all is right.
# Nobody counts your attempts: change the answer and run both cells again.
#
# ### 1.P1.1 · Label proportions
#
# - **Do:** compute the share of positives in each part: the mean of `y_train`, `y_val`,
#   `y_test`.
# - **Answer:** three numbers between 0 and 1 in `label_shares`.
# - **Think:** did holding out whole chromosomes unbalance the labels? Which accuracy on val could
#   one reach without reading a letter?

# %% tags=["stub"]
label_shares = {"train": None, "val": None, "test": None}

# %% tags=["solution"]
label_shares = {"train": y_train.mean(), "val": y_val.mean(), "test": y_test.mean()}

# %%
homework.check("1.P1.1", label_shares)

# %% [markdown] tags=["solution"]
# All parts are near one half. Val is at 53 %, so a model that always says "positive" has an
# accuracy of 0.53 there: always know what the lazy model scores.

# %% [markdown]
# ### 1.P1.2 · Base composition
#
# - **Do:** what share of the letters is A, C, G and T? In a one-hot matrix that is a mean over the
#   sequences and the positions, `axis=(0, 1)`.
# - **Answer:** four shares, as an array, for each part of the data, and for the negatives and the
#   positives of the *training* part.
# - **Think:** do the parts differ? Do the labels? Keep the second answer in mind until section 5.

# %% tags=["stub"]
base_shares = {"train": None, "val": None, "test": None}
base_shares_by_label = {"negative": None, "positive": None}  # of the training part

# %% tags=["solution"]
base_shares = {
    part: X.mean(axis=(0, 1)) for part, X in (("train", X_train), ("val", X_val), ("test", X_test))
}
base_shares_by_label = {
    "negative": X_train[y_train[:, 0] == 0].mean(axis=(0, 1)),
    "positive": X_train[y_train[:, 0] == 1].mean(axis=(0, 1)),
}

# %%
homework.check("1.P1.2", base_shares, base_shares_by_label)

# %% [markdown] tags=["solution"]
# The parts agree: about 29 % A and T, 21 % C and G. But **positives are richer in C and G**,
# because the planted motif is. A model can score well above chance by counting letters, without
# ever seeing a motif.

# %% [markdown]
# ### 1.P1.3 · Your own one-hot encoding, both ways
#
# - **Do:** write the two functions. Start with capital letters only; then add the two rules.
#
# | call | returns |
# |---|---|
# | `my_one_hot_encode("ACGT")` | an array of shape (4, 4): one row a letter, columns A, C, G, T |
# | `my_one_hot_encode("acgt")` | the same: lower case counts as upper case |
# | `my_one_hot_encode("N")` | one row of four zeros |
# | `my_one_hot_decode(x)` | the string again, in upper case; a row of zeros is an N |
#
# `"ACGT".index("G")` is 2, which says where the 1 belongs. The check tries random sequences.


# %% tags=["stub"]
def my_one_hot_encode(seq):
    """DNA string of length L -> array of shape (L, 4)."""
    # x = np.zeros((len(seq), 4)); for i, letter in enumerate(seq): which x[i, ...] becomes 1?
    return


def my_one_hot_decode(x):
    """Array of shape (L, 4) -> DNA string of length L, in upper case."""
    # for row in x: row.any() is False for an N; row.argmax() says where the 1 is.
    return


# %% tags=["solution"]
def my_one_hot_encode(seq):
    """DNA string of length L -> array of shape (L, 4)."""
    x = np.zeros((len(seq), 4), dtype=np.float32)
    for i, letter in enumerate(seq.upper()):
        if letter in "ACGT":
            x[i, "ACGT".index(letter)] = 1
    return x


def my_one_hot_decode(x):
    """Array of shape (L, 4) -> DNA string of length L, in upper case."""
    return "".join("ACGT"[row.argmax()] if row.any() else "N" for row in x)


# %%
homework.check("1.P1.3", my_one_hot_encode, my_one_hot_decode)

# %% [markdown]
# **Takeaway:** DNA becomes positions × 4. Split by chromosome, because a model that recognises its
# training data looks just like one that understands it.
#
# ⏸ *A good place for a break.*

# %% [markdown]
# # 2 · A CNN in Keras
#
# **Objective:** follow a convolution with pencil and paper, then build, train and watch a
# convolutional network. **75 minutes**, with Practice 2.
#
# ## Convolution
#
# A **kernel** is a small matrix of weights: a motif that the network learns. It lies on the first
# positions of the sequence, multiplies cell by cell and adds up, then moves on by one. A good
# match gives a high number:
#
# $$\text{output}_p = \sum_{i=0}^{w-1} \sum_{c \in \{A, C, G, T\}} x_{p+i,\,c}\; k_{i,\,c}$$
#
# From an input of length 5 a kernel of width $w = 3$ makes 5 − 3 + 1 = **3** outputs. A **layer**
# is a collection of kernels: 5 × 4 in, two kernels of width 3, 3 × 2 out. **Pooling** then keeps
# the best match of neighbouring positions. Follow the numbers with a finger:

# %%
# Rows A, C, G, T and columns = positions, as in the picture; .T makes positions x channels of it.
kernel_1 = np.array([[-0.5, -0.5, -0.5], [1, 1, -0.5], [-0.5, -0.5, 0.5], [-0.5, -0.5, -0.5]]).T
kernel_2 = np.array([[-0.5, -0.5, -0.5], [-0.5, 0.5, -0.5], [0.5, 1, 0.5], [-0.5, -0.5, -0.5]]).T
kernels = np.stack([kernel_1, kernel_2])  # (2 kernels, 3 positions, 4 channels)
plot.show(
    plot.convolution_walkthrough("CCGAT", kernels),
    "One sequence, two kernels, all the way to the numbers that the last layer reads.",
    alt="Step by step: the one-hot matrix of CCGAT, two kernels at three positions each with "
    "sums 2.5, 0, −1.5 and 0.5, 0, −0.5, then max pooling, flatten and global pooling.",
)

# %% [markdown]
# The same in NumPy:

# %%
x = sequences.one_hot_encode(["CCGAT"])  # (1, 5, 4)
by_hand = np.array([[np.sum(x[0, p : p + 3] * kernel) for kernel in kernels] for p in range(3)])
by_hand  # (3 positions, 2 channels)

# %% [markdown]
# And in Keras, where a convolution is a layer:

# %%
import keras

layer = keras.layers.Conv1D(filters=2, kernel_size=3, use_bias=False)
layer.build(x.shape)
layer.set_weights([kernels.transpose(1, 2, 0)])  # Keras keeps (positions, channels, kernels)
feature_map = layer(x)  # (1, 3, 2)
print("Keras agrees:", np.allclose(by_hand, feature_map[0]))

# %% [markdown]
# ## Pooling
#
# **Max pooling** asks of each window of positions: *was the motif around here?* It shortens the
# positions and leaves the channels alone. Windows of 2, moved by 1:

# %%
pooled = keras.layers.MaxPooling1D(pool_size=2, strides=1)(feature_map)
print("before", tuple(feature_map.shape), " after", tuple(pooled.shape))
print(np.array(pooled[0]))

# %% [markdown]
# In a network, `MaxPooling1D(4)` moves by 4: 200 positions become 50.
#
# ## Flatten, or pool globally, then a dense layer
#
# The last layer is a logistic regression again, and it reads a plain list of numbers. Three ways to
# make one:

# %%
reductions = {
    "Flatten: every number": keras.layers.Flatten(),
    "Global average pooling (GAP): mean of each kernel": keras.layers.GlobalAveragePooling1D(),
    "Global max pooling (GMP): best match of each kernel": keras.layers.GlobalMaxPooling1D(),
}
for name, reduction in reductions.items():
    print(f"{name:52}", np.array(reduction(pooled))[0])

gap = np.array(keras.layers.GlobalAveragePooling1D()(pooled))[0]  # (2,)
weights = np.array([1.0, -1.0])  # a dense layer of one neuron: one weight a number
print(f"dense layer on GAP: sigmoid(1.25 - 0.25) = {sigmoid(gap @ weights):.3f}")

# %% [markdown]
# Such a layer is called *fully connected*, or dense. Its features are not petals any more but "how
# well did each kernel match?".
#
# Why pool in windows if a global pool follows? Whatever is between the two has a quarter of the
# work. Before GMP it changes nothing else: the largest of the largest is the largest. Before GAP it
# does: of every four positions only the best one counts.
#
# **Predict first.** The sequence is moved: two more letters in front, two fewer at the end. Which
# of the three lists of numbers changes least?
#
# <details><summary>Answer</summary>
#
# The global ones: GMP not at all as long as the best match is still inside, GAP a little at the
# ends. Flatten has a number for every *place*, so all of them move, and the weights of the dense
# layer, which stay where they are, read something else.
#
# </details>

# %% [markdown]
# ## The true motif is already a classifier
#
# Write the CTCF matrix as **log-odds**: how much likelier is each letter at this position of a
# binding site than in the **background**? We take the plainest background, a quarter for each
# letter:
#
# $$k_{i,\,c} = \log_2 \frac{P(\text{letter } c \text{ at position } i \text{ of a site})}{1/4}$$
#
# (JASPAR counts letters in sites. We add 1 to each count, so that a letter that was never seen gets
# a low number, not −∞.) Use these 19 × 4 numbers **as a kernel**. Nothing is trained.
#
# **Predict first.** What test AUROC does the best match along the sequence have?

# %%
log_odds = ctcf.log_odds()  # (19, 4), bits
motif_layer = keras.layers.Conv1D(filters=1, kernel_size=19, use_bias=False)
motif_layer.build((None, 200, 4))
motif_layer.set_weights([log_odds[:, :, None]])  # (19, 4, 1)

match = np.array(motif_layer(X_test))[:, :, 0]  # (988, 182): 200 - 19 + 1 positions
same = np.allclose(match, motifs.scan(X_test, ctcf, both_strands=False), atol=1e-3)
print("a convolution is a motif scan:", same)
print(f"test AUROC of the best match: {evaluation.auroc(y_test[:, 0], match.max(axis=1)):.3f}")

# %%
example = np.flatnonzero(y_test[:, 0])[3]
planted = data.table["motif_starts"][split.test[example]]
axes = plot.row(
    partial(plot.logo, log_odds.clip(min=-2), ylabel="log-odds (bits)"),
    lambda ax: plot.lines(
        {"match": (np.arange(182), match[example])},
        at={f"planted at {p}": p for p in planted},
        xlabel="position of the kernel's left end",
        ylabel="match (bits)",
        ax=ax,
    ),
    columns=1,
    size=(9, 2.6),
)
plot.show(axes, "The CTCF matrix as a kernel (letters cut at −2), and its match along a positive.")

# %% [markdown]
# A peak away from the marks is a *near-miss*: chance has put similar letters there.
#
# DNA has two **strands**, and each tells what the other one is: A faces T, C faces G, and the other
# strand is read backwards. In our simulation every motif lies on the strand that we read, the
# *forward* strand; that is why we scanned one strand only. In a real genome a motif lies on either.
#
# So a network with **one** good kernel and a maximum over the positions could be nearly perfect
# here. A CNN is not given the kernel. It has to find it.

# %% [markdown]
# ## Why convolutions suit DNA
#
# A motif means the same wherever it lies. A kernel that slides has this built in: a **spatial
# inductive bias**. A dense model has to learn each position anew. (You will see both below.) Nobody
# has to design features by hand, and a first-layer kernel on DNA can be drawn as a logo, far easier
# to read than a kernel on pixels. The field in six lines:
#
# | what CNNs learnt to predict from sequence | for example |
# |---|---|
# | protein binding and epigenetic marks | [DeepBind], [DeepSEA] (2015), [Basset] (2016) |
# | splicing, polyadenylation | [SpliceAI], [APARENT] (2019) |
# | gene expression | [Xpresso] (2020), [Enformer] (2021; convolutions, then attention) |
# | enhancer activity | [DeepSTARR] (2022) |
# | 21,907 chromatin profiles at once, sorted into sequence classes | [Sei] (Chen 2022) |
# | outcomes of CRISPR editing, with an architecture found by AutoML | [CROTON] (Li 2021) |
#
# [DeepBind]: https://doi.org/10.1038/nbt.3300
# [DeepSEA]: https://doi.org/10.1038/nmeth.3547
# [Basset]: https://doi.org/10.1101/gr.200535.115
# [SpliceAI]: https://doi.org/10.1016/j.cell.2018.12.015
# [APARENT]: https://doi.org/10.1016/j.cell.2019.04.046
# [Xpresso]: https://doi.org/10.1016/j.celrep.2020.107663
# [Enformer]: https://doi.org/10.1038/s41592-021-01252-x
# [DeepSTARR]: https://doi.org/10.1038/s41588-022-01048-5
# [Sei]: https://doi.org/10.1038/s41588-022-01102-2
# [CROTON]: https://doi.org/10.1093/bioinformatics/btab268
#
# They train **end to end** from letters to measurements, do **many tasks** at once, and let you
# **mutate a sequence on the computer** and read off the effect (Day 2).

# %% [markdown]
# ## Keras: stack, compile, fit
#
# Keras is made for prototyping: a model is a self-contained stack of layers, and many models in the
# [Kipoi zoo](https://kipoi.org/models/) of genomics are written in it. Two words first:
#
# - **ReLU**, $\max(0, z)$: a kernel that does not match says nothing. Without such a bend between
#   them, two layers would be no more than one.
# - **Padding** "same" adds zeros at the ends, so that 200 positions stay 200; "valid" adds none,
#   and a kernel of 7 leaves 194.
#
# This is the Day-1 model, layer by layer. It ends in a **logit**; the sigmoid comes with the loss.

# %%
environment.seed_everything(0)
keras_model = keras.Sequential(
    [
        keras.Input((200, 4)),
        keras.layers.Conv1D(32, kernel_size=7, padding="same", activation="relu", name="conv"),
        keras.layers.MaxPooling1D(4, name="pool"),
        keras.layers.GlobalAveragePooling1D(name="average"),
        keras.layers.Dense(1, name="output"),
    ],
    name="day1_cnn",
)
keras_model.summary()

# %% [markdown]
# **Check the 961:** 32 kernels of 7 × 4 weights and a bias each make 928; the dense layer has 32
# weights and a bias, 33. The same model as a picture:

# %%
from workshop.architecture import DAY1_CNN, Architecture, Conv1D, GlobalMaxPool, MaxPool

ax = plot.architecture(DAY1_CNN)
plot.show(ax, "Positions shrink, channels stay. The sigmoid is the one that comes with the loss.")

# %% [markdown]
# How many letters does one number of the network see? That is its **receptive field**: 7 after the
# convolution. A window of 4 positions sees 7 + 3 = 10. A second convolution on top would see more,
# which is how networks of small kernels read long motifs.

# %%
two_layers = Architecture((Conv1D(8, 3), MaxPool(2), Conv1D(8, 3), GlobalMaxPool()), 40)
ax = plot.receptive_field(two_layers)
plot.show(ax, "Small kernels on top of each other: what one number of each layer sees.")

# %% [markdown]
# **Predict first.** CTCF's motif has 19 letters, our kernels 7. Can this network ever read it?
#
# <details><summary>Answer</summary>
#
# Piece by piece: one kernel for `CCA`, one for `AGGGGGC`, and so on. After the average it no longer
# knows whether the pieces lay side by side. As section 5 shows, pieces go a long way.
#
# </details>

# %% [markdown]
# `compile` says *how* to learn. The **optimiser** turns gradients into steps.
# [**Adam**](https://arxiv.org/abs/1412.6980) is SGD that gives each weight a step size of its own,
# from how large its gradients have been. Its learning rate of 0.001 is Keras's default, and a
# default is all it is. The **loss**, *binary cross-entropy*, is the negative log-likelihood of
# section 0 for one sequence, on average. Metrics are for you to read.

# %%
ax = plot.backpropagation(DAY1_CNN)
plot.show(ax, "One step: numbers go forward through the layers, the error comes back.")

# %%
keras_model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=0.001),
    loss=keras.losses.BinaryCrossentropy(from_logits=True),
    metrics=[
        keras.metrics.BinaryAccuracy(name="accuracy", threshold=0.0),  # a logit above 0 is a yes
        keras.metrics.AUC(name="auroc", from_logits=True),
    ],
)

# %% [markdown]
# **Callbacks** act after each epoch. `TensorBoard` writes the curves to a folder, `ModelCheckpoint`
# keeps the best model on disk, `EarlyStopping` is **early stopping**: it ends the run when val has
# not improved for a while (here: five epochs).

# %%
callbacks = [
    keras.callbacks.TensorBoard("logs/keras"),
    keras.callbacks.ModelCheckpoint(
        "models/keras_best.keras", monitor="val_auroc", mode="max", save_best_only=True
    ),
    keras.callbacks.EarlyStopping(monitor="val_loss", patience=5),
]

# %% [markdown]
# `fit` learns: mini-batches of 64 sequences, a step after each, 20 epochs. What it returns fits
# into a table; `table.plot()` would draw it.

# %%
from workshop.training import History  # a table of epochs that the course's figures draw

fitted = keras_model.fit(
    X_train,
    y_train,
    validation_data=(X_val, y_val),
    batch_size=64,
    epochs=20,
    callbacks=callbacks,
    verbose=0,  # 1 shows a bar for each epoch
)
table = pd.DataFrame(fitted.history)  # a row for each epoch
table["epoch"] = table.index + 1
keras_history = History(table)
table.iloc[[0, -1]].round(3)

# %%
curve = partial(plot.training_history, {"Keras": keras_history})
axes = plot.row(partial(curve, "loss"), partial(curve, "auroc"))
plot.show(axes, "Training in Keras: in the first epochs val is better than training.")

# %% [markdown]
# **Predict first.** Val *better* than train, on sequences that the model has never seen. How?
#
# <details><summary>Answer</summary>
#
# The training numbers are collected *while* the epoch runs, from a model that is still poor at its
# beginning; val is measured once, at its end. After a few epochs a model changes little within one,
# and training is ahead, as you would expect.
#
# </details>

# %% [markdown]
# Now the promise from above. We move one and the same CTCF site through a negative sequence and ask
# two trained models: a *dense* one, a logistic regression on all 200 × 4 numbers, and our CNN.

# %%
dense_model = LogisticRegression(max_iter=1000)
dense_model.fit(X_train.reshape(len(X_train), 800), y_train[:, 0])  # 800 = 200 positions x 4

moved = np.repeat(X_test[y_test[:, 0] == 0][:1], 182, axis=0)  # (182, 200, 4): a negative
for p in range(182):
    moved[p, p : p + 19] = sequences.one_hot_encode([ctcf.consensus])[0]
logits = {
    "dense": dense_model.decision_function(moved.reshape(182, 800)),
    "CNN": keras_model.predict(moved, verbose=0)[:, 0],
}
series = {name: (np.arange(182), z) for name, z in logits.items()}
without = float(keras_model.predict(X_test[y_test[:, 0] == 0][:1], verbose=0)[0, 0])
ax = plot.lines(
    series, xlabel="where the site is", ylabel="logit", references={"CNN, no site": without}
)
plot.show(
    ax,
    "The same site at 182 places: the dense model jumps from place to place, the CNN less.",
    alt="Two zigzag lines over the places: the dense model's has three times the height.",
)

# %% [markdown]
# **Predict first.** Adding the site is a change of 19 letters. By how much *should* the logit of a
# model that knows CTCF jump? Does the CNN's level look like a firm yes?
#
# <details><summary>Answer</summary>
#
# It should jump from a firm no to a firm yes, wherever the site is. The CNN's rises by about
# one, to a probability of 0.6: hardly more than undecided. And what wobble is left does not come
# from the place: it comes from the letters that the site has overwritten. Why should those matter?
# Keep it in mind until section 5.
#
# </details>

# %% [markdown]
# ## Practice 2 · three tasks of about 10 minutes
#
# ### 1.P2.1 · Change the sizes, watch the shapes
#
# - **Do:** choose other `filters`, `kernel_size` and `pool_size` for `my_variant`. *Before* you run
#   the check, work out on paper how many parameters it has.
# - **Answer:** that number, in `my_n_parameters`.
# - **Think:** which of the three settings does not change it?


# %%
def make_keras_cnn(filters, kernel_size, pool_size):
    return keras.Sequential(
        [
            keras.Input((200, 4)),
            keras.layers.Conv1D(filters, kernel_size, padding="same", activation="relu"),
            keras.layers.MaxPooling1D(pool_size),
            keras.layers.GlobalAveragePooling1D(),
            keras.layers.Dense(1),
        ],
        name="my_variant",
    )


# %% tags=["stub"]
my_variant = make_keras_cnn(filters=32, kernel_size=7, pool_size=4)
my_n_parameters = None

# %% tags=["solution"]
my_variant = make_keras_cnn(filters=16, kernel_size=12, pool_size=10)
my_n_parameters = 16 * (12 * 4 + 1) + 16 + 1  # kernels and their biases, then the dense layer

# %%
if my_n_parameters is not None:
    my_variant.summary()  # the shapes: compare them with your picture of it
homework.check("1.P2.1", my_n_parameters, my_variant)

# %% [markdown] tags=["solution"]
# The pool size changes no parameter: pooling has none. It does change how many positions are left.

# %% [markdown]
# ### 1.P2.2 · Flatten instead of GAP
#
# - **Do:** build the Day-1 model again, with `keras.layers.Flatten()` in place of
#   `GlobalAveragePooling1D`. Change nothing else; there is no need to train it.
# - **Answer:** the model, in `flatten_model`. If it is right, the check trains both for 20 epochs
#   and draws their curves.
# - **Think:** what does Flatten gain, and what does it pay? Look at training *and* val.

# %% tags=["stub"]
flatten_model = None

# %% tags=["solution"]
flatten_model = keras.Sequential(
    [
        keras.Input((200, 4)),
        keras.layers.Conv1D(32, kernel_size=7, padding="same", activation="relu"),
        keras.layers.MaxPooling1D(4),
        keras.layers.Flatten(),
        keras.layers.Dense(1),
    ],
    name="flatten",
)

# %%
homework.check("1.P2.2", flatten_model)

# %% [markdown] tags=["solution"]
# Flatten gives each of the 50 × 32 numbers a weight of its own: 2,529 parameters. It scores
# higher, but training runs away from val: it **overfits**. It has begun to learn *where* the motifs
# of the training sequences lie, and places are random here.

# %% [markdown]
# ### 1.P2.3 · TensorBoard
#
# - **Do:** open TensorBoard with the next cell, set the smoothing to 0, and compare `train` with
#   `validation` under `epoch_loss` and `epoch_auroc`.
# - **Answer:** the epoch with the lowest *validation* loss of the `keras` run, in
#   `lowest_loss_epoch`. TensorBoard counts from 0.
# - **Think:** what does that say about early stopping?

# %%
if "google.colab" in sys.modules:
    print("TensorBoard opens below.")
    # %load_ext tensorboard
    # %tensorboard --logdir logs
else:
    print("In a terminal, in this notebook's folder: tensorboard --logdir logs")
    print("No terminal here? keras_history.table has the numbers, with epochs from 1.")

# %% tags=["stub"]
lowest_loss_epoch = None

# %% tags=["solution"]
lowest_loss_epoch = int(keras_history.table["val_loss"].argmin())  # read off, or computed

# %%
homework.check("1.P2.3", lowest_loss_epoch, keras_history)

# %% [markdown] tags=["solution"]
# The loss was still falling when training ended, so early stopping had nothing to do, and more
# training or a larger learning rate would have helped.

# %% [markdown]
# **Takeaway:** convolution matches motifs, pooling says *around here*, a global pool says
# *anywhere*, and a dense layer decides. In Keras: stack, `compile`, `fit`.
#
# ⏸ *A good place for a break.*

# %% [markdown]
# # 3 · The same CNN in PyTorch and Lightning
#
# **Objective:** write the model as a class, and see that it is the same model. **20 minutes.**
#
# PyTorch gives you control, which is why research likes it: you write the forward pass, and if you
# wish the training loop too. Lightning writes the loop for you, torchmetrics counts the scores.
#
# First **the module**. You *subclass* `nn.Module`, create the operators in `__init__`, and connect
# them in `forward`. One difference to remember: Torch wants channels *before* positions.

# %%
import warnings

import pytorch_lightning as pl  # newer code writes `import lightning as L`: the same library
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset
from torchmetrics import MetricCollection
from torchmetrics.classification import BinaryAccuracy, BinaryAUROC

environment.quiet_logs()  # once more: Lightning turns its log on when it is imported
torch.set_num_threads(1)  # so small a model gains nothing from more
warnings.filterwarnings("ignore", message=".*does not have many workers.*")  # nor from those


# %%
class TorchCNN(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv1d(in_channels=4, out_channels=32, kernel_size=7, padding="same")
        self.pool = nn.MaxPool1d(4)
        self.output = nn.Linear(32, 1)

    def forward(self, x):
        x = x.swapaxes(1, 2)  # channels first
        x = torch.relu(self.conv(x))
        x = self.pool(x)
        x = x.mean(dim=2)  # global average pooling
        return self.output(x)  # logits


environment.seed_everything(0)
torch_model = TorchCNN()
print(sum(p.numel() for p in torch_model.parameters()), "parameters")

# %% [markdown]
# Then **the metrics**, one set for each part. They get probabilities and count them up over the
# batches of an epoch:


# %%
def new_scores(prefix=""):
    return MetricCollection({"accuracy": BinaryAccuracy(), "auroc": BinaryAUROC()}, prefix=prefix)


# %% [markdown]
# Last **the loss and the steps**. Lightning calls `training_step` with each batch, takes the
# gradient of the loss that comes back (backpropagation), and lets the optimiser step.


# %%
class LitCNN(pl.LightningModule):
    def __init__(self, model):
        super().__init__()
        self.model = model
        self.loss = nn.BCEWithLogitsLoss()
        self.train_scores, self.val_scores = new_scores(), new_scores("val_")

    def training_step(self, batch, batch_idx):
        return self.step(batch, "loss", self.train_scores)

    def validation_step(self, batch, batch_idx):
        self.step(batch, "val_loss", self.val_scores)

    def step(self, batch, name, scores):
        x, y = batch
        logits = self.model(x)
        loss = self.loss(logits, y)
        scores.update(torch.sigmoid(logits), y.int())
        self.log_dict({name: loss, **scores}, on_step=False, on_epoch=True)
        return loss

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=0.001)


# %% [markdown]
# Line by line, the two say the same:
#
# | what | Keras | PyTorch and Lightning |
# |---|---|---|
# | input | `Input((200, 4))` | `x.swapaxes(1, 2)`: channels first |
# | convolution | `Conv1D(32, 7, padding="same")` | `nn.Conv1d(4, 32, 7, padding="same")` |
# | ReLU | `activation="relu"` | `torch.relu(...)` in `forward` |
# | pooling | `MaxPooling1D(4)` | `nn.MaxPool1d(4)` |
# | GAP | `GlobalAveragePooling1D()` | `x.mean(dim=2)` |
# | output, a logit | `Dense(1)` | `nn.Linear(32, 1)` |
# | loss | `BinaryCrossentropy(from_logits=True)` | `nn.BCEWithLogitsLoss()` in the step |
# | optimiser | `optimizer=Adam(0.001)` | `configure_optimizers` |
# | metrics | `metrics=[BinaryAccuracy(), AUC()]` | `MetricCollection`, `self.log_dict` |
# | batches | `batch_size=64` in `fit` | `DataLoader(..., batch_size=64)` |
# | training | `model.fit(..., epochs=20)` | `Trainer(max_epochs=20).fit(model, ...)` |
# | logs | `callbacks.TensorBoard` | `TensorBoardLogger`, `CSVLogger` |
#
# Keras infers the 4 input channels; Torch wants them written. Keras *declares*, Torch *executes*:
# a `print(x.shape)` in `forward` just works.

# %%
train_set = TensorDataset(torch.from_numpy(X_train), torch.from_numpy(y_train))
val_set = TensorDataset(torch.from_numpy(X_val), torch.from_numpy(y_val))
trainer = pl.Trainer(
    max_epochs=20,
    accelerator="cuda" if torch.cuda.is_available() else "cpu",
    devices=1,
    logger=pl.loggers.CSVLogger("logs", name="", version="torch"),
    enable_checkpointing=False,
    enable_progress_bar=False,
    enable_model_summary=False,
    num_sanity_val_steps=0,
)
trainer.fit(
    LitCNN(torch_model),
    DataLoader(train_set, batch_size=64, shuffle=True),
    DataLoader(val_set, batch_size=350),
)
table = pd.read_csv("logs/torch/metrics.csv").groupby("epoch", as_index=False).first()
torch_history = History(table.assign(epoch=table["epoch"] + 1))

# %% [markdown]
# **Predict first.** Two frameworks, the same architecture, the same settings. Will the curves be
# equal?

# %%
curve = partial(plot.training_history, {"Keras": keras_history, "Torch": torch_history})
axes = plot.row(partial(curve, "loss"), partial(curve, "auroc"))
plot.show(axes, "Both learn alike, but not identically.")

# %% [markdown]
# <details><summary>Answer</summary>
#
# Nearly. They started from other random weights and saw the batches in another order. A second
# *seed* (the number from which all random draws start) in one framework makes such a difference,
# too: keep it in mind whenever somebody shows you one run.
#
# </details>
#
# ## Is it really the same model?
#
# Copy the weights of the trained Keras model into a fresh Torch model. Keras keeps a kernel as
# (positions, channels, kernels), Torch as (kernels, channels, positions): turn it around.

# %%
conv_kernel, conv_bias = keras_model.get_layer("conv").get_weights()  # (7, 4, 32), (32,)
output_kernel, output_bias = keras_model.get_layer("output").get_weights()  # (32, 1), (1,)

copy = TorchCNN()
with torch.no_grad():
    copy.conv.weight.copy_(torch.tensor(conv_kernel.transpose(2, 1, 0)))  # (32, 4, 7)
    copy.conv.bias.copy_(torch.tensor(conv_bias))
    copy.output.weight.copy_(torch.tensor(output_kernel.T))  # (1, 32)
    copy.output.bias.copy_(torch.tensor(output_bias))
    from_torch = copy(torch.from_numpy(X_val)).numpy()

from_keras = keras_model.predict(X_val, verbose=0)
print("equal logits on 350 sequences:", np.allclose(from_keras, from_torch, atol=1e-4))

# %% [markdown]
# ## One description, two frameworks
#
# You have now written the model twice. For everything that follows, the course's library does it
# from one description, and the same functions exist in both of its *twins*, `keras_cnn` and
# `torch_cnn`: `build_cnn`, `fit`, `predict`, `save`. The same `random_state` gives the same first
# weights and the same batches.

# %%
from workshop import torch_cnn

print(DAY1_CNN)
print("output shapes", DAY1_CNN.output_shapes(), "  parameters", DAY1_CNN.n_parameters())
val = {"X_val": X_val, "y_val": y_val, "progress": False}  # what each training below is given

twins = {}
for name, twin in {"Keras": keras_cnn, "Torch": torch_cnn}.items():
    model = twin.build_cnn(DAY1_CNN, random_state=0)
    twins[name] = twin.fit(model, X_train, y_train, epochs=3, batch_size=64, **val)
pd.DataFrame({name: history.table["val_loss"] for name, history in twins.items()}).round(5)

# %% [markdown]
# Three epochs, 174 steps, and the losses agree in all five decimals: from equal starts the two
# train to the same model.
#
# **Takeaway:** the framework is a way of writing. The mathematics, the weights and the predictions
# are the same.

# %% [markdown]
# # 4 · Inference and evaluation
#
# **Objective:** predict on the test set, and say how good the predictions are, with and without a
# threshold. **30 minutes**, with Practice 4.
#
# No choice so far was made on the test set. Now we ask how our networks do on it. Both give logits;
# the sigmoid makes probabilities of them. Torch needs two more words than Keras: `eval()` switches
# off what belongs to training, `inference_mode()` drops the bookkeeping for gradients.

# %%
keras_predictions = sigmoid(keras_model.predict(X_test, verbose=0))  # (988, 1)

torch_model.eval()
with torch.inference_mode():
    torch_predictions = torch.sigmoid(torch_model(torch.from_numpy(X_test))).numpy()  # (988, 1)

side_by_side = {"truth": y_test, "Keras": keras_predictions, "Torch": torch_predictions}
pd.DataFrame({name: values[:, 0] for name, values in side_by_side.items()}).head(5).round(3)

# %% [markdown]
# ## With a threshold
#
# To decide, take a threshold: whatever reaches it is called positive. Four things can happen: true
# and false positives, true and false negatives (TP, FP, TN, FN). From them:
#
# | score | formula | in words |
# |---|---|---|
# | sensitivity (recall) | TP / (TP + FN) | how many of the positives we find |
# | specificity | TN / (TN + FP) | how many of the negatives we leave alone |
# | precision | TP / (TP + FP) | how many of our findings are true |
# | accuracy | (TP + TN) / all | how often we are right |
# | F1 | 2 TP / (2 TP + FP + FN) | precision and sensitivity in one number |
#
# **Predict first.** We raise the threshold from 0.3 to 0.7. What happens to sensitivity, and what
# to specificity?

# %%
at_threshold = {
    t: evaluation.evaluate(y_test, keras_predictions, threshold=t) for t in (0.3, 0.5, 0.7)
}
draws = [partial(plot.confusion_matrix, scores) for scores in at_threshold.values()]
plot.show(
    plot.row(*draws, size=(4, 3.9)),
    "The Keras model at three thresholds.",
    alt="Three tables of true and false negatives and positives, each with its share of the row.",
)
columns = ["sensitivity", "specificity", "precision", "accuracy", "f1", "auroc", "auprc"]
pd.DataFrame(at_threshold.values(), index=list(at_threshold))[columns].round(3)

# %% [markdown]
# <details><summary>Answer</summary>
#
# A stricter threshold trades false positives for false negatives: specificity rises, sensitivity
# falls. No threshold is right in itself; it depends on what a mistake costs. AUROC and `auprc` do
# not move at all. They need no threshold.
#
# </details>
#
# Try your own: move the slider (outside of Colab, change the number), and run the cell.

# %%
threshold = 0.4  # @param {type:"slider", min:0, max:1, step:0.05}
tried = evaluation.evaluate(y_test, keras_predictions, threshold=threshold)
print(f"sensitivity {tried.sensitivity:.2f}, specificity {tried.specificity:.2f}")

# %% [markdown]
# ## Without a threshold
#
# The **ROC curve** walks through all thresholds. The area under it, **AUROC**, is the chance that
# a random positive scores above a random negative: 1 is perfect, 0.5 is random. The
# **precision-recall curve** asks how pure the findings are; the area under it is the **average
# precision** (`auprc` in the table).
#
# How much of a score is the luck of this test set? Draw 988 sequences from it, with replacement,
# score again, and repeat: the middle 95 % of the scores are the **bootstrap interval**.

# %%
predictions = {"Keras": keras_predictions, "Torch": torch_predictions}
rows = {}
for name, y_score in predictions.items():
    rows[name] = evaluation.bootstrap_interval(y_test, y_score, n_resamples=100)
val_scores = keras_model.predict(X_val, verbose=0)
rows["Keras, val"] = evaluation.bootstrap_interval(y_val, val_scores, n_resamples=100)
compared = evaluation.compare_predictions(y_test, torch_predictions, keras_predictions)
rows["Torch minus Keras"] = compared.auroc_difference
pd.DataFrame(rows.values(), index=list(rows)).round(3)  # AUROC, and its interval of 95 %

# %%
draws = [partial(draw, y_test, predictions) for draw in (plot.roc, plot.precision_recall)]
axes = plot.row(*draws, size=(5, 4.6))
plot.show(axes, "ROC (left) and precision-recall (right) on the test chromosomes.")

# %% [markdown]
# Both models end a little below 0.8, and their two intervals overlap widely. **That says nothing
# about which is better:** both read the *same* sequences and share their luck. What counts is the
# interval of their **difference**, the last row. In our run 0 is outside of it: on these sequences
# *this* Torch model is a little ahead of *this* Keras model. It ranks two runs, not two frameworks,
# since it knows the luck of the test set and not that of the seed; from equal starts the two became
# the same model (section 3).
#
# On the 350 sequences of val the interval is wider by more than half.
#
# ## When positives are rare
#
# Our test set is half positive. In a genome, binding sites are rare. Count every negative 19
# times, so that one sequence in twenty is positive. **Predict first:** which of the two curves
# notices?

# %%
times = np.where(y_test[:, 0] == 1, 1, 19)
y_rare, p_rare = np.repeat(y_test, times, axis=0), np.repeat(keras_predictions, times, axis=0)

truths = {"half positive": y_test, "5 % positive": y_rare}
scores = {"half positive": keras_predictions, "5 % positive": p_rare}
draws = [partial(draw, truths, scores) for draw in (plot.roc, plot.precision_recall)]
plot.show(plot.row(*draws, size=(5, 4.6)), "The same predictions with 5 % and with half positives.")

# %% [markdown]
# <details><summary>Answer</summary>
#
# The ROC curves lie on top of each other: sensitivity looks at positives only, specificity at
# negatives only. Precision mixes the two, and collapses. (The spike at its left end is the luck of
# the first few sequences.) For rare positives report the precision-recall curve, and its chance
# level: the share of positives.
#
# </details>

# %% [markdown]
# ## Practice 4 · one task of about 10 minutes
#
# ### 1.P4.1 · Choose a threshold
#
# You look for binding sites to follow up in the laboratory. A **missed** site costs you five times
# as much as a **false alarm**.
#
# **Do:** try the thresholds 0.01, 0.02 … 0.99 on **val**. What does each cost in all, with 5 for
# each miss and 1 for each false alarm? \
# **Answer:** the cheapest, in `cheapest_threshold`. \
# **Think:** before you compute: will it be above or below 0.5?

# %%
val_probabilities = sigmoid(keras_model.predict(X_val, verbose=0))  # (350, 1), like y_val

# %% tags=["stub"]
cheapest_threshold = None

# %% tags=["solution"]
thresholds = np.arange(0.01, 1, 0.01)
costs = [
    5 * np.sum((y_val == 1) & (val_probabilities < t))
    + np.sum((y_val == 0) & (val_probabilities >= t))
    for t in thresholds
]
cheapest_threshold = thresholds[np.argmin(costs)]

# %%
homework.check("1.P4.1", cheapest_threshold, keras_model)

# %% [markdown] tags=["solution"]
# Far below 0.5. A sequence is worth a look as soon as 5 · P(positive) is more than
# 1 · P(negative): with honest probabilities, at 1/6 and above.

# %% [markdown]
# **Takeaway:** a threshold gives you decisions, curves judge the model. An AUROC of about 0.79
# (over several seeds; our two runs lie close by) is respectable, better than chance by far, and
# much worse than the bare CTCF matrix of section 2. Something is missing. What?
#
# ⏸ *A good place for a break.*

# %% [markdown]
# # 5 · Save, reload, and ask what was learnt
#
# **Objective:** keep a trained model, prove that the reloaded one is the same, and find out what is
# behind its score. **65 minutes**, with Practice 3.
#
# Keras writes one file with architecture and weights. Lightning writes a checkpoint with the
# weights; the class stays in your code.

# %%
keras_model.save("models/day1.keras")
keras_again = keras.saving.load_model("models/day1.keras")
same = np.allclose(sigmoid(keras_again.predict(X_test, verbose=0)), keras_predictions, atol=1e-6)
print("Keras: the reloaded model predicts the same:", same)

trainer.save_checkpoint("models/day1.ckpt", weights_only=True)  # without the optimiser's state
torch_again = LitCNN.load_from_checkpoint(
    "models/day1.ckpt", model=TorchCNN(), map_location="cpu", weights_only=True
).model.eval()
with torch.inference_mode():
    reloaded = torch.sigmoid(torch_again(torch.from_numpy(X_test))).numpy()
print("Torch: the reloaded model predicts the same:", np.allclose(reloaded, torch_predictions))

# %% [markdown]
# `models/keras_best.keras` is there as well: `ModelCheckpoint` wrote it at the epoch with the best
# val AUROC.

# %%
best = keras.saving.load_model("models/keras_best.keras")
best_auroc = evaluation.auroc(y_val, best.predict(X_val, verbose=0))
print(f"val AUROC: checkpoint {best_auroc:.3f}, last epoch {keras_history.last['val_auroc']:.3f}")

# %% [markdown]
# ## What was learnt?
#
# 0.79 is respectable. But a score does not say *what* was learnt. Let us ask.
#
# **Predict first.** In 1.P1.2 you compared the letters of positives and negatives. Which shortcut
# could a lazy network take?


# %%
def count_gc(X):
    return X[:, :, 1:3].sum(axis=(1, 2))  # (N,): how many letters are C or G


gc, positive = count_gc(X_val), y_val[:, 0] == 1
logits = {"Keras": keras_again.predict(X_val, verbose=0)[:, 0]}
with torch.inference_mode():
    logits["Torch"] = torch_again(torch.from_numpy(X_val)).numpy()[:, 0]
for name, logit in logits.items():
    print(f"{name}: correlation of the logit with the count r = {np.corrcoef(gc, logit)[0, 1]:.2f}")
print(f"Val AUROC of the count alone {evaluation.auroc(y_val[:, 0], gc):.3f}")
clouds = {
    "negative": (gc[~positive], logits["Torch"][~positive]),
    "positive": (gc[positive], logits["Torch"][positive]),
}
ax = plot.points(clouds, xlabel="G and C in 200 letters", ylabel="logit of the Torch model")
plot.show(
    ax,
    "Each point is a val sequence: tell me its G and C, and I'll tell you its logit.",
    alt="A narrow cloud that rises from the lower left to the upper right, all labels in one band.",
)

# %% [markdown]
# <details><summary>Answer</summary>
#
# Counting. The planted motif is rich in C and G, so positives hold a few more of them. Our network
# of 32 kernels is, for the most part, a counter of two letters.
#
# </details>
#
# ## Look into the kernels
#
# Take the windows that excite a kernel most, lay them on top of each other, and draw what they
# share as a logo: that is how [DeepBind](https://doi.org/10.1038/nbt.3300) and
# [Basset](https://doi.org/10.1101/gr.200535.115) show what a kernel has learnt. We train the model
# once more, in the library's form, and **watch** it with a callback of our own: after some epochs
# it notes the val AUROC and the correlation *r* with the count.


# %%
class Watch(pl.Callback):
    def __init__(self, *, at=(1, 2, 3, 5, 7, 10, 14, 20)):
        self.at, self.rows = at, []

    def on_train_epoch_end(self, trainer, model):
        epoch = trainer.current_epoch + 1
        if epoch in self.at:
            z = torch_cnn.predict_logits(model, X_val)[:, 0]
            r = np.corrcoef(count_gc(X_val), z)[0, 1]
            auroc = evaluation.auroc(y_val[:, 0], z)
            self.rows.append({"epoch": epoch, "val AUROC": auroc, "r": r})


def train(architecture, *, seed, learning_rate=0.001, epochs=20):
    model, watch = torch_cnn.build_cnn(architecture, random_state=seed), Watch()
    options = {"epochs": epochs, "learning_rate": learning_rate, "random_state": seed}
    torch_cnn.fit(model, X_train, y_train, batch_size=64, callbacks=[watch], **options, **val)
    return model, pd.DataFrame(watch.rows).assign(seed=seed)


day1_twin, day1_run = train(DAY1_CNN, seed=0)

# %%
day1_kernels = interpret.kernel_motifs(day1_twin, X_train[y_train[:, 0] == 1])
axes = plot.kernel_logos(day1_kernels, reference=ctcf, top=8)
plot.show(axes, "The eight kernels with the largest weight in the output, on one scale of bits.")
prefers_gc = [k.weights[:, 1:3].sum() - k.weights[:, [0, 3]].sum() for k in day1_kernels]
output_weights = [k.output_weight for k in day1_kernels]
r = np.corrcoef(prefers_gc, output_weights)[0, 1]
print(f"G and C against A and T in a kernel, and its weight in the output: r = {r:.2f}")

# %% [markdown]
# Look at the heights: hardly a letter is insisted on. These kernels, with the largest positive
# weights, like G and C, the ones with negative weights (not drawn) like A and T: that is the *r*
# printed below the logos. (The *r* above a logo is its similarity to the CTCF matrix. Over 7
# letters, with 26 ways to lay them, it is high by chance: look at the letters.)
#
# ## Real CTCF peaks
#
# Now a test where counting is of no use: 500 places where CTCF really sits. They are the strongest
# **peaks** of an experiment that pulls CTCF out of cells together with the DNA under it, here of
# GM12878, a line of human cells ([ENCODE](https://www.encodeproject.org/)). For negatives we
# **shuffle** each sequence so that its counts of neighbouring letters, AA, AC, AG ..., stay exactly
# the same. Three readers compete: the reloaded CNN, the bare CTCF matrix, and the count. A real
# motif may lie on either strand, so each reads forward only, and then both strands, keeping the
# higher score.

# %%
real = datasets.load_real_ctcf()
shuffled = sequences.dinucleotide_shuffle(sequences.one_hot_decode(real.X), random_state=0)
X_real = np.concatenate([real.X, sequences.one_hot_encode(shuffled)])  # (1000, 200, 4)
y_real = np.concatenate([real.y, np.zeros_like(real.y)])  # (1000, 1)

readers = {
    "counting G and C": count_gc,
    "Day-1 CNN": lambda X: keras_again.predict(X, verbose=0)[:, 0],
    "CTCF matrix": lambda X: motifs.scan(X, ctcf, both_strands=False).max(axis=1),
}


def both_strands(read, X):
    """The higher of two scores: of each sequence, and of its reverse complement."""
    return np.maximum(read(X), read(sequences.reverse_complement(X)))


rows = {}
for name, read in readers.items():
    rows[name] = {
        "simulated": evaluation.auroc(y_test[:, 0], read(X_test)),
        "forward strand (real peaks)": evaluation.auroc(y_real[:, 0], read(X_real)),
        "both strands (real peaks)": evaluation.auroc(y_real[:, 0], both_strands(read, X_real)),
    }
real_scores = pd.DataFrame.from_dict(rows, orient="index")
chance = {"references": {"chance": 0.5}, "xlim": (0, 1.1), "number": "{:.3f}"}
ax = plot.bars(real_scores, xlabel="AUROC", **chance)
plot.show(ax, "On real peaks against their shuffles the CNN guesses, on one strand or on two.")

# %% [markdown]
# With the counts gone, the model has nothing left. (Nor does the matrix see everything on one
# strand: half of the motifs lie on the other.)
#
# **Do not trust the matrix's 0.98 either.** Shuffled negatives flatter whoever reads motifs. A real
# genome is full of near-misses: weak CTCF sites that stay empty, repeats, sites of other proteins.
# And it has many negatives for each positive. The CTCF tutorial of
# [DragoNN](https://github.com/kundajelab/dragonn) (Tutorial 4) tests on every window of two whole
# chromosomes, 0.6 % of which are positive:
#
# | trained against | AUROC | average precision |
# |---|---|---|
# | shuffled sequences | 0.677 | 0.010 |
# | windows of the genome | 0.963 | 0.592 |
#
# An average precision of 0.592 is a hundred times chance, 0.010 hardly more than it. (One run each,
# so trust the direction, not the digits.) Choose negatives that you will meet.

# %% [markdown]
# ## Why? Two suspects
#
# Either the **training** is to blame (it stopped too early, or its steps were too small), or the
# **architecture** (an average over 50 windows drowns the one that matches). We change one at a time
# and repeat each with three seeds, because one run is an anecdote. Everything is judged on val.
#
# - *training*: the Day-1 model as it is, with twenty times the learning rate and half the epochs;
# - *architecture*: global **max** pooling in place of the average, at the old rate, and only 5
#   epochs.
#
# (Both get *fewer* epochs than before. While the loss is still falling, that only holds them back,
# so it cannot be what helps.)
#
# **Predict first.** Which one is it?

# %%
convolve = Conv1D(32, 7, "relu", padding="same")
gmp_cnn = Architecture((convolve, MaxPool(4), GlobalMaxPool()))

studies = {"Day 1, as it was": [(day1_twin, day1_run)]}
faster = {"learning_rate": 0.02, "epochs": 10}
studies["training: rate 0.02"] = [train(DAY1_CNN, seed=s, **faster) for s in range(3)]
studies["architecture: GMP"] = [train(gmp_cnn, seed=s, epochs=5) for s in range(3)]
study = pd.concat(
    [run.assign(setting=name) for name, trained in studies.items() for _, run in trained]
)
last = study.groupby(["setting", "seed"], sort=False).last()  # the last epoch of each run
by_setting = last.groupby("setting", sort=False)[["val AUROC", "r"]]
by_setting.agg(["size", "min", "max"]).drop(columns=("r", "size")).round(3)

# %% cellView="form"
# @title Draw these runs, epoch by epoch
best_match = motifs.scan(X_val, ctcf, both_strands=False).max(axis=1)
matrix_r = np.corrcoef(count_gc(X_val), best_match)[0, 1]


def by_epoch(column, ax):
    perfect = {"r": {"the CTCF matrix": matrix_r}}
    series = {}
    for name, rows in study.groupby("setting", sort=False):
        seeds = rows.pivot(index="seed", columns="epoch", values=column)
        series[name] = seeds.columns, seeds.to_numpy()
    plot.lines(
        series,
        xlabel="epoch",
        ylabel=column,
        log_x=True,
        markers=True,
        references=perfect.get(column),
        ax=ax,
    )


axes = plot.row(partial(by_epoch, "val AUROC"), partial(by_epoch, "r"), size=(6, 3.6))
plot.show(axes, "The same runs epoch by epoch: thin lines are seeds, r is with G and C.")

# %% [markdown]
# <details><summary>Answer</summary>
#
# Both can mend it, and the training alone goes most of the way. The *same* 961 parameters with
# twenty times the rate reach a val AUROC of about 0.95, in 10 epochs. (The first row is one seed;
# the models of sections 2 and 3 were two more, and ended at the same height.)
#
# </details>
#
# Read the figure from left to right. The average learns **the shortcut first**: in the first epochs
# *r* climbs above 0.9. **The motif comes later**, and with small steps later than we waited. (*r*
# will not fall to 0: positives *are* richer in G and C, so even the matrix, a near-perfect reader,
# has one above 0.4: dotted.) A network takes first the road that is easy *for it*. For an average
# that is counting; for a maximum it is the motif, and its *r* never gets far above the dotted line.
# This is called **simplicity bias** ([Shah 2020](https://arxiv.org/abs/2006.07710)), and where the
# easy road is a trap, **shortcut learning** ([Geirhos 2020](https://arxiv.org/abs/2004.07780)).
#
# What we had is **underfitting**: neither train nor val was good, and the loss was still falling.
# So:
#
# > **Tune the training before you blame the architecture.**
#
# And what does the architecture buy? *Efficiency.* With the maximum a kernel is paid for the single
# best match, and at the old rate 5 epochs do what the average did not do in 20. With patience the
# average arrives, too: at a rate of 0.02 with 20 epochs its test AUROC is about 0.97.
#
# All of these choices were made on val. Now the test set (two runs of its first row you know
# already):

# %%
tests = {
    name: [evaluation.auroc(y_test, torch_cnn.predict(model, X_test)) for model, _ in trained]
    for name, trained in studies.items()
}
tests["Day 1, as it was"] += [evaluation.auroc(y_test, p) for p in predictions.values()]
table = pd.DataFrame.from_dict(tests, orient="index", columns=["run 1", "run 2", "run 3"])
table.assign(mean=table.mean(axis=1)).round(3)

# %% [markdown]
# ## Too much of a good thing
#
# The opposite of underfitting: we train `Flatten`, which has a weight for every *place*, on only
# 300 sequences. **Predict first.** What will the two curves do?

# %%
from workshop.architecture import Flatten

flatten_cnn = Architecture((convolve, MaxPool(4), Flatten()))
memoriser = torch_cnn.build_cnn(flatten_cnn, random_state=0)
few = {"epochs": 60, "learning_rate": 0.003, "batch_size": 64}
overfitted = torch_cnn.fit(memoriser, X_train[:300], y_train[:300], **few, **val)
curve = partial(plot.training_history, overfitted)
axes = plot.row(partial(curve, "loss"), partial(curve, "auroc"))
plot.show(axes, "Trained on 300 sequences.")

# %% [markdown]
# <details><summary>Answer</summary>
#
# They part. The network learns the 300 sequences by heart, places and all, and that is of little
# use elsewhere. (The val AUROC hardly falls: the order of the sequences stays. But the wrong
# answers become ever more certain, and the loss makes them pay for it.)
#
# </details>
#
# This is **overfitting**: the gap between train and val opens, and the val loss rises. (1.P2.2 was
# a mild case.) Whatever holds a network back from it is called **regularisation**:
#
# - **early stopping**: end the run when val no longer improves, and keep its best epoch;
# - **dropout** ([Srivastava 2014](https://jmlr.org/papers/v15/srivastava14a.html)): silence a
#   random share of the numbers in each step, so that no weight can rely on another;
# - **weight decay** (L2): pull all weights a little towards 0;
# - fewer weights, as with a global pool; and more data. Some can be had for nothing:
#
# ## The other strand: data for nothing
#
# A window and its **reverse complement** are the same piece of DNA, read from either strand:
# backwards, with A ↔ T and C ↔ G. Here is the motif both ways:

# %%
turned = ctcf.information_matrix()[::-1, ::-1]  # A C G T backwards is T G C A: the complement
draws = partial(plot.logo, ctcf.information_matrix()), partial(plot.logo, turned)
axes = plot.row(*draws, titles=["forward", "reverse complement"], size=(6, 2.2))
plot.show(axes, "One motif, read from either strand: back to front, A and T, C and G exchanged.")

# %% [markdown]
# So on real data one trains on every sequence **twice**, as it is and turned. Making new examples
# that must have the same label is called **data augmentation**. In code it is one line:
#
# `np.concatenate([X_train, sequences.reverse_complement(X_train)])`
#
# And at prediction one reads both strands, as we did above. Our simulated motifs all lie forward,
# so here it would only make the task harder; section 7, on real chromosomes, needs it.
#
# ## When is a CNN worth it?
#
# Be honest with yourself: on these data the matrix of section 2 has a test AUROC of 0.999, without
# any training. No wonder, the motifs were drawn from it; but on real peaks, too, it left our CNN
# far behind. Where a known motif does it, use the motif. A CNN is worth its trouble when you do
# **not** know the motif; when several motifs, their distances and their surroundings count
# together; when the answer is not yes or no but a measurement in many cells. And even then put the
# matrix beside it.

# %% [markdown]
# ## Practice 3 · three tasks of about 10 minutes
#
# ### 1.P3.1 · Understand the PyTorch model
#
# - **Do:** a batch of 64 sequences goes through `TorchCNN.forward`. Which shape leaves each step?
#   Work it out on paper; no need to run the model.
# - **Answer:** four tuples, such as `(64, 4, 200)` for what goes into the convolution.
# - **Think:** what would the convolution say if you left out `swapaxes`?

# %% tags=["stub"]
torch_shapes = {"conv": None, "pool": None, "mean": None, "output": None}

# %% tags=["solution"]
torch_shapes = {"conv": (64, 32, 200), "pool": (64, 32, 50), "mean": (64, 32), "output": (64, 1)}

# %%
homework.check("1.P3.1", torch_shapes)

# %% [markdown] tags=["solution"]
# Without `swapaxes` the convolution expects 4 channels, finds 200, and raises an error. Torch
# reads the second axis as the channels.

# %% [markdown]
# ### 1.P3.2 · Improve the model
#
# - **Do:** change **one thing** in the Day-1 *architecture* so that the **val** AUROC rises above
#   0.85, with the training as it was: 20 epochs at 0.001. Layers at hand: `AvgPool(size)`,
#   `GlobalMaxPool()`, `Flatten()`, `Dense(units, "relu")`, `Dropout(rate)`, `BatchNorm()` (it
#   brings each channel to mean 0 and spread 1); import what you need as below.
# - **Answer:** the architecture, in `improved`. The cell after it trains it.
# - **Think:** which operation of section 2 turned the CTCF matrix into a classifier? Does anything
#   else do it?

# %%
from workshop.architecture import (
    Architecture,
    Conv1D,
    Flatten,
    GlobalAvgPool,
    GlobalMaxPool,
    MaxPool,
)

# %% tags=["stub"]
improved = None
# Start from a copy of the Day-1 model and change one thing:
# improved = Architecture((Conv1D(32, 7, "relu", padding="same"), MaxPool(4), GlobalAvgPool()))

# %% tags=["solution"]
improved = Architecture((Conv1D(32, 7, "relu", padding="same"), MaxPool(4), GlobalMaxPool()))

# %%
improved_history = None
if improved is not None:
    improved_model = torch_cnn.build_cnn(improved, random_state=0)
    improved_history = torch_cnn.fit(
        improved_model, X_train, y_train, X_val=X_val, y_val=y_val, epochs=20, progress=False
    )
homework.check("1.P3.2", improved, improved_history)

# %% [markdown] tags=["solution"]
# The same 961 parameters, but the **maximum** over the positions instead of the mean: one good
# match is enough, and 20 epochs are plenty to learn it.

# %% [markdown]
# ### 1.P3.3 · Compare metrics, architectures and settings
#
# - **Do:** add at least three rows to `runs`: another architecture, SGD instead of Adam, another
#   learning rate. Change **one thing at a time**, so that you know what made the difference.
# - **Answer:** `runs`; the cell after it trains each for 10 epochs and prints the scores.
# - **Think:** do accuracy, AUROC and loss agree on the best run?

# %% tags=["stub"]
runs = {
    "Day 1": {"architecture": DAY1_CNN, "optimizer": "adam", "learning_rate": 0.001},
}

# %% tags=["solution"]
runs = {
    "Day 1": {"architecture": DAY1_CNN, "optimizer": "adam", "learning_rate": 0.001},
    "global max": {"architecture": improved, "optimizer": "adam", "learning_rate": 0.001},
    "SGD": {"architecture": DAY1_CNN, "optimizer": "sgd", "learning_rate": 0.001},
    "ten times the rate": {"architecture": DAY1_CNN, "optimizer": "adam", "learning_rate": 0.01},
}


# %%
def val_scores(architecture, *, epochs=10, **settings):
    """Train a fresh model; return its parameters and its last scores on val."""
    model = torch_cnn.build_cnn(architecture, random_state=0)
    history = torch_cnn.fit(
        model, X_train, y_train, X_val=X_val, y_val=y_val, epochs=epochs, progress=False, **settings
    )
    scores = history.last[["val_loss", "val_accuracy", "val_auroc"]]
    return {"parameters": architecture.n_parameters(), **scores}


comparison = pd.DataFrame.from_dict(
    {name: val_scores(**run) for name, run in runs.items()}, orient="index"
)
comparison.round(3)

# %%
homework.check("1.P3.3", runs, comparison)

# %% [markdown] tags=["solution"]
# Both the architecture and the training matter: with ten times the learning rate the Day-1 model
# gets much further in as many epochs. SGD at 0.001 has barely moved: its loss is still near that of
# guessing, log 2 = 0.693. Here the three metrics agree on the best run.

# %% [markdown]
# **Takeaway:** saving is one line, and worth a check. A score does not say what was learnt: look at
# shortcuts, at kernels, at data from elsewhere. Then change one thing at a time, over several
# seeds, and the training first.

# %% [markdown]
# # 6 · Extended practices
#
# **Objective:** work on your own with what you have built. Homework: five tasks, **10 points** and
# about **30 minutes** each. Take them in any order; you have all that you need.
#
# - Write your answers into the variables and functions that each task names, and keep the names.
# - `homework.check` gives the points at once, as often as you like. It tests what an answer
#   *means*, so any correct way of doing it counts. The scoreboard at the end adds up.
# - Your instructor runs the whole notebook from the top, in an empty folder, with the same checks.
#   So before you hand in: *Runtime → Restart and run all*. A cell may take five minutes, the
#   notebook twenty.

# %% [markdown]
# ## 1.6.1 · Finish the evaluation of the Torch model
#
# A first screen may miss at most one positive in ten, because its follow-up is cheap and a miss is
# not. Which threshold does that, and what does it cost?
#
# 1. `torch_scores`: what `evaluation.evaluate` says of `torch_predictions` on test at 0.5.
# 2. `sensitive_threshold`: the **largest** threshold with a sensitivity of at least 0.9 on **val**,
#    to within 0.01. (`torch_model` gives logits; a threshold is a probability.)
# 3. `sensitive_scores`: the scores on test at this threshold.
#
# **Check:** all three are computed again from `torch_model`. **Think:** does the threshold keep its
# promise on test? What do you pay in specificity?

# %% tags=["stub"]
torch_scores = None
sensitive_threshold = None
sensitive_scores = None

# %% tags=["solution"]
torch_scores = evaluation.evaluate(y_test, torch_predictions, threshold=0.5)

with torch.inference_mode():
    torch_val_predictions = torch.sigmoid(torch_model(torch.from_numpy(X_val))).numpy()  # (350, 1)
# A threshold at a positive's own score finds it: try these, from the strictest on.
sensitive_threshold = next(
    float(threshold)
    for threshold in np.sort(torch_val_predictions[y_val == 1])[::-1]
    if evaluation.evaluate(y_val, torch_val_predictions, threshold=threshold).sensitivity >= 0.9
)
sensitive_scores = evaluation.evaluate(y_test, torch_predictions, threshold=sensitive_threshold)

# %%
homework.check("1.6.1", torch_scores, sensitive_threshold, sensitive_scores, torch_model)

# %% [markdown] tags=["solution"]
# A threshold chosen on 350 sequences keeps its promise on test only roughly. The price is a false
# alarm for about half of the negatives.

# %% [markdown]
# ## 1.6.2 · Do the two models fail on the same sequences?
#
# Write `compare_models(y_true, score_a, score_b)`. All three have shape (N, 1), and a score of at
# least 0.5 means positive. Return two things:
#
# 1. an **agreement table**: a DataFrame of counts with the rows `a right`, `a wrong` and the
#    columns `b right`, `b wrong`; always two rows and two columns, whatever is in them;
# 2. the **shared mistakes**: the row numbers, from 0, of the sequences that both get wrong.
#
# **Check:** your function meets models and numbers of sequences that are new to it. Once it is
# right, you see your two models. **Think:** do they share more mistakes than two unrelated models
# would? Do the missed positives hold one motif or two
# (`data.table["motif_starts"].iloc[split.test]`)?


# %% tags=["stub"]
def compare_models(y_true, score_a, score_b):
    """Return the agreement table and the row numbers of the shared mistakes."""
    return None, None


# %% tags=["solution"]
def compare_models(y_true, score_a, score_b):
    """Return the agreement table and the row numbers of the shared mistakes."""
    truth = np.ravel(y_true) == 1  # (N,)
    wrong_a = (np.ravel(score_a) >= 0.5) != truth
    wrong_b = (np.ravel(score_b) >= 0.5) != truth
    agreement = pd.DataFrame(
        [
            [np.sum(~wrong_a & ~wrong_b), np.sum(~wrong_a & wrong_b)],
            [np.sum(wrong_a & ~wrong_b), np.sum(wrong_a & wrong_b)],
        ],
        index=["a right", "a wrong"],
        columns=["b right", "b wrong"],
    )
    return agreement, np.flatnonzero(wrong_a & wrong_b)


# %%
homework.check("1.6.2", compare_models, keras_predictions, torch_predictions)

# %% tags=["solution"]
_, shared_mistakes = compare_models(y_test, keras_predictions, torch_predictions)
n_motifs = data.table["motif_starts"].iloc[split.test].map(len).to_numpy()
missed = np.isin(np.arange(len(y_test)), shared_mistakes) & (y_test[:, 0] == 1)
pd.DataFrame(
    {
        "positives": [int(np.sum(n_motifs == k)) for k in (1, 2)],
        "missed by both": [int(np.sum(missed & (n_motifs == k))) for k in (1, 2)],
    },
    index=["one motif", "two motifs"],
)

# %% [markdown] tags=["solution"]
# They fail together: the models are two copies of one idea, a count of G and C. Positives with one
# motif are missed far more often than those with two, which carry twice the extra G and C.

# %% [markdown]
# ## 1.6.3 · Callbacks and metrics
#
# Train a model that **overfits**, and stop it in time. `Flatten` in place of `GlobalAvgPool` will
# do (you saw it in 1.P2.2), in the framework of your choice, starting at a learning rate between
# 0.003 and 0.006 (at a larger one the loss may stand still at first), for at most 40 epochs, with
# three helpers at once:
#
# | helper | for example |
# |---|---|
# | early stopping, patience 2 or more | `EarlyStopping(monitor="val_loss", patience=4)` |
# | a checkpoint of the best epoch | `ModelCheckpoint(...)`, by the val loss or a metric of val |
# | a schedule for the learning rate | `learning_rate=lambda epoch: ...`, or `ReduceLROnPlateau` |
#
# The twins' `fit` takes `callbacks=[...]`, which see `loss`, `val_loss`, `val_accuracy` and
# `val_auroc` after each epoch. Keep three things:
#
# 1. `history_callbacks`: exactly what `fit` returned, no copy and no part of it;
# 2. `checkpoint_path`: the file, a `.keras` or a `.ckpt` of `torch_cnn.fit`;
# 3. `checkpoint_scores`: load it (`keras_cnn.load(path)`, `torch_cnn.load(path)`), predict **val**,
#    and take `evaluation.evaluate`.
#
# **Check:** it loads your checkpoint and computes its val scores again, and looks for its epoch in
# the history. **Think:** which epoch was the best, and how many did early stopping save you?

# %% tags=["stub"]
history_callbacks = None
checkpoint_path = None
checkpoint_scores = None

# %% tags=["solution"]
flatten_cnn = Architecture((Conv1D(32, 7, "relu", padding="same"), MaxPool(4), Flatten()))
checkpoint_path = "models/callbacks_best.keras"
model_callbacks = keras_cnn.build_cnn(flatten_cnn, random_state=0)
history_callbacks = keras_cnn.fit(
    model_callbacks,
    X_train,
    y_train,
    X_val=X_val,
    y_val=y_val,
    epochs=40,
    learning_rate=lambda epoch: 0.005 * 0.9**epoch,  # a tenth less each epoch
    callbacks=[
        keras.callbacks.EarlyStopping(monitor="val_loss", patience=4),
        keras.callbacks.ModelCheckpoint(checkpoint_path, monitor="val_loss", save_best_only=True),
    ],
    progress=False,
)
reloaded = keras_cnn.load(checkpoint_path)
checkpoint_scores = evaluation.evaluate(y_val, keras_cnn.predict(reloaded, X_val))

# %%
homework.check("1.6.3", history_callbacks, checkpoint_path, checkpoint_scores)

# %% [markdown]
# ## 1.6.4 · Optimisation
#
# Train the **Day-1 model** with each combination of Adam and SGD, learning rates 0.1, 0.01 and
# 0.001, and at least two batch sizes between 16 and 512: 12 runs or more, **5 epochs** each, every
# run with a fresh model from `build_cnn` of either twin. Leave `random_state` at 0: then the check
# trains the same, to within 0.01.
#
# 1. `optimisation_table`: a DataFrame with the columns `optimizer`, `learning_rate`, `batch_size`
#    and `val_auroc`, one row a run;
# 2. `best_setting`: its row with the highest val AUROC.
#
# **Check:** it trains your settings again and compares each number. That takes as long as your own
# runs did. **Think:** do the two want the same learning rate? What does 0.1 do to Adam?

# %% tags=["stub"]
optimisation_table = None
best_setting = None

# %% tags=["solution"]
from itertools import product

rows = []
for optimizer, learning_rate, batch_size in product(("adam", "sgd"), (0.1, 0.01, 0.001), (64, 256)):
    setting = {"optimizer": optimizer, "learning_rate": learning_rate, "batch_size": batch_size}
    model = torch_cnn.build_cnn(DAY1_CNN)
    history = torch_cnn.fit(
        model, X_train, y_train, X_val=X_val, y_val=y_val, epochs=5, progress=False, **setting
    )
    rows.append({**setting, "val_auroc": history.last["val_auroc"]})
optimisation_table = pd.DataFrame(rows)
best_setting = optimisation_table.loc[optimisation_table["val_auroc"].idxmax()]

# %%
homework.check("1.6.4", optimisation_table, best_setting)

# %% [markdown] tags=["solution"]
# Adam scales every step to about the size of the rate: here 0.1 throws the weights so far that no
# ReLU answers any more, and the AUROC is 0.5. SGD multiplies the rate with small gradients and
# likes 0.1. Larger batches mean fewer updates in five epochs, so they end lower.

# %% [markdown]
# ## 1.6.5 · Architecture
#
# Find an architecture with a **test AUROC above 0.95**; the Day-1 model had about 0.79. Vary the
# sizes of convolution and pooling, add a layer or take one away. Choose on **val**, train on train
# only, and look at test once. It takes less than ten minutes.
#
# 1. `my_architecture`: the winner, neither the Day-1 model nor `gmp_cnn` of section 5;
# 2. `my_model`: the model of it that you trained, from either twin's `build_cnn`.
#
# **Check:** your model on test and on sequences that nobody has seen. For half of the points the
# check **trains `my_architecture` anew**, on train only, for up to 24 epochs at a rate of 0.003: a
# good architecture gets above 0.93 again.

# %% tags=["stub"]
my_architecture = None
my_model = None

# %% tags=["solution"]
candidates = {
    "wider kernels": (Conv1D(32, 19, "relu", padding="same"), MaxPool(4), GlobalAvgPool()),
    "global max": (Conv1D(32, 11, "relu", padding="same"), MaxPool(4), GlobalMaxPool()),
    "both": (Conv1D(32, 19, "relu", padding="same"), MaxPool(4), GlobalMaxPool()),
    "both, no pooling": (Conv1D(32, 19, "relu", padding="same"), GlobalMaxPool()),
}
models, rows = {}, {}
for name, layers in candidates.items():
    models[name] = torch_cnn.build_cnn(Architecture(layers), random_state=0)
    history = torch_cnn.fit(
        models[name], X_train, y_train, X_val=X_val, y_val=y_val, epochs=10, progress=False
    )
    rows[name] = {
        "parameters": models[name].architecture.n_parameters(),
        "train AUROC": history.last["auroc"],
        "val AUROC": history.last["val_auroc"],
    }
architectures = pd.DataFrame.from_dict(rows, orient="index")
my_model = models[architectures["val AUROC"].idxmax()]
my_architecture = my_model.architecture
architectures.round(3)

# %%
homework.check("1.6.5", my_architecture, my_model)

# %% [markdown] tags=["solution"]
# At this rate and in ten epochs the global *maximum* makes the difference, and kernels as wide as
# the motif help. And on real peaks? The simulated motifs all lie on the forward strand, real ones
# on either, so read both strands and keep the higher score:

# %% tags=["solution"]
forward = torch_cnn.predict_logits(my_model, X_real)
reverse = torch_cnn.predict_logits(my_model, sequences.reverse_complement(X_real))
for name, score in (("forward strand", forward), ("both strands", np.maximum(forward, reverse))):
    print(f"real peaks against their shuffles, {name}: AUROC {evaluation.auroc(y_real, score):.3f}")

# %% [markdown]
# ## How far are you?

# %%
homework.scoreboard()

# %% tags=["solution"]
# While a grader runs the notebook, checks wait until it has ended, and all points are 0.
assert homework.scoreboard().points == 50 or "WORKSHOP_GRADING" in os.environ

# %% [markdown]
# # 7 · The same on real human chromosomes
#
# **Objective:** train on real DNA, where a motif may lie on either strand and counting G and C is
# of no use, and judge the networks beside a matrix that needs no training. **Optional, 15 minutes,
# in Colab.**
#
# Three human chromosomes (chr9, chr21 and chr22 of GRCh38, from UCSC), and the places on them where
# CTCF was found in GM12878 cells (ENCODE,
# [ENCFF796WRU](https://www.encodeproject.org/files/ENCFF796WRU/)). In Colab the next cell downloads
# 63 MB. Elsewhere it takes what `workshop data fetch` has brought before; where there is nothing,
# it says *Skipped*, and the other cells of this section show nothing.

# %%
try:
    human = datasets.fetch_ctcf(download=environment.in_colab())
except OSError as reason:
    human = None
    print(f"Skipped: {reason}")

# %% [markdown]
# ## Negatives that you will meet
#
# A positive is 200 bp (base pairs: letters) around the summit of a peak. For each there is a
# negative from the same chromosome, away from all peaks and **with the same GC**: the shortcut of
# 1.P1.2 is closed. Train on chr9, watch on chr21, test on chr22.

# %%
if human:
    chroms = human.table["chrom"]
    human_split = splits.split_by_chromosome(chroms, val_chroms=["chr21"], test_chroms=["chr22"])
    label = np.where(human.y[:, 0] == 1, "positive", "negative")
    gc = pd.Series(count_gc(human.X) / 200)
    display(gc.groupby([chroms.to_numpy(), label]).agg(["size", "mean"]).round(3))
    shares = {name: gc[label == name] for name in ("negative", "positive")}
    axes = plot.row(
        partial(plot.split_overview, human.table, human_split),
        partial(plot.histogram, shares, xlabel="share of G and C", bins=np.arange(0, 1.02, 0.02)),
    )
    plot.show(axes, "Left, what is held out. Right, matched: the two outlines coincide.")

# %% [markdown]
# ## Two strands
#
# CTCF binds its motif on either strand (which of them matters later, for the loops that it
# anchors), and a peak does not tell. So
#
# - **training** gets every sequence twice, as it is and as its reverse complement;
# - **prediction** on test reads both strands and keeps the higher score; val is read on one.
#
# Three networks: the Day-1 CNN; one with global *max* pooling and kernels as wide as the motif; and
# yours from 1.6.5, if there is one that says yes or no to 200 bp.


# %%
def best_strand(model, X):
    """Logits of a Torch model, the higher of the two strands, shape (N,)."""
    forward = torch_cnn.predict_logits(model, X)
    reverse = torch_cnn.predict_logits(model, sequences.reverse_complement(X))
    return np.maximum(forward, reverse)[:, 0]


wide = Conv1D(32, 19, "relu", padding="same")
human_architectures = {
    "Day-1 CNN": DAY1_CNN,
    "GMP, 19 bp": Architecture((wide, MaxPool(4), GlobalMaxPool())),
}
mine = globals().get("my_architecture")  # homework: perhaps not done yet
if isinstance(mine, Architecture) and (mine.input_length, mine.task) == (200, "binary"):
    human_architectures["mine"] = mine

# %%
if human:
    X_human, y_human = human.X[human_split.train], human.y[human_split.train]
    X_twice = np.concatenate([X_human, sequences.reverse_complement(X_human)])
    y_twice = np.concatenate([y_human, y_human])
    X_watch, y_watch = human.X[human_split.val], human.y[human_split.val]
    options = {"epochs": 10, "batch_size": 128, "learning_rate": 0.003, "progress": False}
    human_models = {}
    for name, architecture in human_architectures.items():
        model = torch_cnn.build_cnn(architecture, random_state=0)
        history = torch_cnn.fit(model, X_twice, y_twice, X_val=X_watch, y_val=y_watch, **options)
        print(f"{name:10} val AUROC, one strand: {history.last['val_auroc']:.3f}")
        human_models[name] = model

# %% [markdown]
# On test they meet three that need no training here: a count of G and C; the CTCF matrix, which
# JASPAR counted in 913 human sites, some of them perhaps on this chromosome; and the Day-1 CNN of
# section 5, trained on the simulation. All read both strands.
# **Predict first:** in which order will they come?

# %%
if human:
    X_human_test, y_human_test = human.X[human_split.test], human.y[human_split.test, 0]
    turned_test = sequences.reverse_complement(X_human_test)
    day1_reads = readers["Day-1 CNN"]
    human_scores = {
        "counting G and C": count_gc(X_human_test),
        "Day-1 CNN, simulation": np.maximum(day1_reads(X_human_test), day1_reads(turned_test)),
        "CTCF matrix": motifs.scan(X_human_test, ctcf).max(axis=1),
    }
    for name, model in human_models.items():
        human_scores[name] = best_strand(model, X_human_test)
    rows = {}
    for name, y_score in human_scores.items():
        rows[name] = evaluation.bootstrap_interval(y_human_test, y_score, n_resamples=200)._asdict()
        rows[name]["average precision"] = evaluation.auprc(y_human_test, y_score)
    human_table = pd.DataFrame.from_dict(rows, orient="index").round(3)
    display(human_table)

# %%
if human:
    compared = evaluation.compare_predictions(
        y_human_test, human_scores["GMP, 19 bp"], human_scores["CTCF matrix"], n_resamples=200
    )
    gain = compared.auroc_difference
    print(f"AUROC, GMP minus matrix: {gain.estimate:+.3f} ({gain.low:+.3f} to {gain.high:+.3f})")
    intervals = human_table[["low", "high"]].T.to_dict("list")
    ax = plot.bars(human_table["estimate"], intervals=intervals, xlabel="AUROC on chr22")
    plot.show(ax, "All readers on chr22, which no network has seen, with intervals of 95 %.")

# %% [markdown]
# ## What to expect
#
# Run this section in Colab to see numbers of your own. On another test set these were reached:
#
# | reader | AUROC | average precision |
# |---|---|---|
# | a CNN on CTCF, DeeperDeepSEA in the quickstart tutorial of [Selene] | 0.971 | 0.499 |
# | [DragoNN]'s CTCF tutorial, trained on negatives from the whole genome | 0.963 | 0.592 |
#
# [Selene]: https://github.com/FunctionLab/selene
# [DragoNN]: https://github.com/kundajelab/dragonn
#
# **Compare AUROC with care:** other peaks, other negatives. **Do not compare average precision at
# all:** a guess scores the *share of positives*, one half here and 0.006 in DragoNN's tutorial
# (section 4).
#
# Ask of your table: does the count of G and C stay at 0.5, as the matching promises? Which networks
# come close to the matrix, or pass it? Two readers of the same sequences share their luck, so look
# at the interval of their *difference*, printed for one pair: is 0 in it?
#
# **Takeaway:** on real DNA read both strands, take negatives from the genome, and put two readers
# beside every network: a count of letters and a matrix.

# %% [markdown]
# # At the end of Day 1
#
# **Takeaway:** you can build, train, evaluate and save a CNN in two frameworks, you know what its
# score does not say, and you have tuned it, from 0.79 to about 0.95, without touching its
# architecture. Well done! **Can a program find a better architecture?** Day 2 lets one search among
# 378, and then asks the winner what it looks at.
#
# **Where to go on:**
#
# - [Dive into Deep Learning](https://d2l.ai): all that we hurried through, with code in both
#   frameworks;
# - [Eraslan 2019](https://doi.org/10.1038/s41576-019-0122-6): deep learning for genomics, a review
#   to begin with;
# - [Borzoi](https://doi.org/10.1038/s41588-024-02053-6): how far such networks have come, from
#   200 letters to half a million.
