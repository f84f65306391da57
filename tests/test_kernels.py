"""`interpret.kernel_motifs`: counted by hand, by loops, and with a kernel that is a known motif."""

import numpy as np
import pytest

from tests.mutants import sequences
from workshop import datasets, interpret, keras_cnn, motifs, torch_cnn
from workshop.architecture import Architecture, Conv1D, Dense, Flatten, GlobalAvgPool, GlobalMaxPool

CTCF = motifs.load_motif("MA0139.1")


@pytest.fixture(params=[keras_cnn, torch_cnn], ids=["keras", "torch"])
def twin(request):
    return request.param


def test_a_kernel_set_to_the_known_matrix_gives_the_known_motif(twin):
    data = datasets.simulate_ctcf(300, random_state=5)
    layers = Conv1D(3, 19, "relu", "same"), GlobalMaxPool()
    model = twin.build_cnn(Architecture(layers, data.X.shape[1]))
    weights = twin.get_weights(model)
    weights["0.kernel"][:, :, 0] = CTCF.log_odds()
    weights["0.kernel"][:, :, 1] = CTCF.reverse_complement().log_odds()
    weights["0.kernel"][:, :, 2] = 0
    weights["0.bias"][:] = 0, 0, -1  # nothing excites the last
    weights["output.kernel"][:] = [[0.5], [-2], [3]]
    twin.set_weights(model, weights)
    forward, turned, idle = interpret.kernel_motifs(model, data.X[data.y[:, 0] == 1])
    assert motifs.similarity(CTCF, forward.motif)[0] > 0.97
    assert motifs.similarity(CTCF, forward.motif)[1:] == (0, "+", 19)
    np.testing.assert_allclose(forward.weights, CTCF.log_odds(), rtol=1e-6)
    assert forward.n_windows == forward.motif.counts.sum(axis=1)[0] > 100
    assert turned.n_windows < forward.n_windows, "all motifs are planted forward"
    assert (idle.motif, idle.n_windows) == (None, 0)
    assert [one.output_weight for one in (forward, turned, idle)] == [0.5, -2, 3]


def test_counts_are_those_of_a_loop_over_all_windows(twin):
    X = sequences(6, 20, seed=3)
    layers = Conv1D(4, 6, "tanh", "same"), GlobalAvgPool()
    model = twin.build_cnn(Architecture(layers, 20), random_state=1)
    weights = twin.get_weights(model)
    for one in interpret.kernel_motifs(model, X):
        kernel = weights["0.kernel"][:, :, one.kernel]
        windows = [x[p : p + 6] for x in X for p in range(15)]
        active = [np.tanh((window * kernel).sum()) for window in windows]
        strong = [window for window, a in zip(windows, active, strict=True) if a > max(active) / 2]
        assert one.n_windows == len(strong)
        np.testing.assert_allclose(one.motif.counts, np.sum(strong, axis=0))


@pytest.mark.parametrize(
    "layers",
    [
        (Conv1D(4, 3), Conv1D(4, 3), GlobalMaxPool()),
        (Conv1D(4, 3), Flatten()),
        (Conv1D(4, 3), GlobalMaxPool(), Dense(4)),
    ],
)
def test_a_kernel_has_no_output_weight_where_more_lies_between(layers):
    model = torch_cnn.build_cnn(Architecture(layers, 20))
    found = interpret.kernel_motifs(model, sequences(3, 20))
    assert np.isnan([one.output_weight for one in found]).all()


def test_what_has_no_kernels_is_refused():
    X = sequences(3, 20)
    with pytest.raises(TypeError, match=r"model must be of keras_cnn or torch_cnn, .*function"):
        interpret.kernel_motifs(lambda X: X.sum(axis=(1, 2)), X)
    with pytest.raises(ValueError, match=r"must be a Conv1D; it is Flatten"):
        interpret.kernel_motifs(torch_cnn.build_cnn(Architecture((Flatten(),), 20)), X)
