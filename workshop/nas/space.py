"""Model spaces: AMBER's lists of operations, and the architecture that a list of tokens selects."""

import functools
import operator
from numbers import Number

import pandas as pd

from workshop import architecture as arch
from workshop.nas.amber import ModelSpace, Operation

# AMBER's names of an operation, in lower case, and what each takes.
_LAYERS = {
    ("conv1d",): (arch.Conv1D, {"filters", "kernel_size", "activation", "padding"}),
    ("maxpool1d", "maxpooling1d"): (arch.MaxPool, {"pool_size"}),
    ("avgpool1d", "avgpooling1d", "averagepooling1d"): (arch.AvgPool, {"pool_size"}),
    ("globalmaxpool1d", "globalmaxpooling1d"): (arch.GlobalMaxPool, set()),
    ("globalavgpool1d", "globalaveragepooling1d"): (arch.GlobalAvgPool, set()),
    ("flatten",): (arch.Flatten, set()),
    ("dense",): (arch.Dense, {"units", "activation"}),
    ("dropout",): (arch.Dropout, {"rate"}),
    ("batchnorm", "batchnormalization"): (arch.BatchNorm, {"momentum", "epsilon"}),
    ("identity",): (arch.Identity, set()),
}
LAYERS = {name: layer for names, layer in _LAYERS.items() for name in names}
_SHORT = {arch.Conv1D: "conv", arch.MaxPool: "max", arch.AvgPool: "average"}
_SHORT |= {arch.GlobalMaxPool: "GMP", arch.GlobalAvgPool: "GAP", arch.BatchNorm: "batchnorm"}

# What AMBER's own examples write on any operation, where it has no effect: a name, and the
# filters of the layer before on a pooling or identity.
_WITHOUT_EFFECT = {"name", "filters"}


def cnn_model_space():
    """Make the course's model space: 6 x 3 x 7 x 3 = 378 architectures.

    Returns
    -------
    amber.architect.ModelSpace
        Layer 0, a convolution of 32 filters: relu or tanh, kernel size 7, 13 or 3. Layer 1: max
        pooling 4, average pooling 4 or identity. Layer 2: the same six convolutions with 64
        filters, or identity. Layer 3: flatten, global average or global max pooling.

    Examples
    --------
    >>> space = cnn_model_space()
    >>> space.get_space_size()
    378
    >>> to_architecture(space, [0, 0, 6, 1]) == arch.DAY1_CNN
    True
    """

    def convolutions(filters):
        return [
            Operation("conv1d", filters=filters, kernel_size=size, activation=name, padding="same")
            for name in ("relu", "tanh")
            for size in (7, 13, 3)
        ]

    pools = [Operation("maxpool1d", pool_size=4), Operation("avgpool1d", pool_size=4)]
    ends = [Operation(name) for name in ("flatten", "globalavgpool1d", "globalmaxpool1d")]
    identity = Operation("identity")
    layers = [convolutions(32), [*pools, identity], [*convolutions(64), identity], ends]
    return ModelSpace.from_dict(layers)


def to_architecture(space, tokens, *, input_length=200, n_outputs=1, task="binary"):
    """Make the `Architecture` that `tokens` select from a model space.

    The output layer is implied, as in every `Architecture`; an identity is left out.

    Parameters
    ----------
    space : amber.architect.ModelSpace
    tokens : sequence of int
        Which operation of each layer, counted from 0.
    input_length : int
        bp.
    n_outputs : int
    task : str
        ``"binary"``, ``"multilabel"``, ``"multiclass"`` or ``"regression"``.

    Raises
    ------
    ValueError
        If the tokens do not belong to the space, an operation is unknown, or the network is
        impossible; the message names the layer.

    Examples
    --------
    >>> to_architecture(cnn_model_space(), [1, 2, 6, 2])
    Architecture(layers=(Conv1D(32, 13, activation='relu', padding='same'), GlobalMaxPool()), \
input_length=200, n_outputs=1, task='binary')
    """
    layers = [
        _to_layer(space[i][token], where=f"layer {i}, token {token}")
        for i, token in enumerate(check_tokens(space, tokens))
    ]
    return join_layers(tuple(layers), input_length, n_outputs, task)


@functools.lru_cache(maxsize=4096)
def join_layers(layers, input_length, n_outputs, task):
    """The architecture of a tuple of layers, one of each layer of a space."""
    ends = {"input_length": input_length, "n_outputs": n_outputs, "task": task}
    arch.Architecture(layers, **ends)  # its errors number the layers as the space does
    return arch.Architecture(
        tuple(layer for layer in layers if not isinstance(layer, arch.Identity)), **ends
    )


def space_table(space):
    """List the operations of a model space.

    Parameters
    ----------
    space : amber.architect.ModelSpace

    Returns
    -------
    DataFrame
        A row an operation: layer and token, counted from 0; the operation as text; short, a name
        with only what differs in its layer, such as relu 7; and shared, what all of its type in
        the layer have in common, such as conv, filters 32.

    Examples
    --------
    >>> space_table(cnn_model_space()).tail(4)
        layer  token        operation     short                        shared
    15      2      6         identity  identity
    16      3      0          flatten   flatten
    17      3      1  globalavgpool1d       GAP
    18      3      2  globalmaxpool1d       GMP
    """
    rows = []
    for layer, size in enumerate(check_space(space)):
        operations = [space[layer][token] for token in range(size)]
        for token, operation in enumerate(operations):
            short, shared = _short_name(operation, operations)
            text = describe(operation)
            rows.append((layer, token, text, short, shared))
    return pd.DataFrame(rows, columns=["layer", "token", "operation", "short", "shared"])


def in_words(space, tokens):
    """Name the operations that `tokens` select, as `space_table` has them short.

    >>> in_words(cnn_model_space(), [0, 0, 6, 1])
    'relu 7, max 4, identity, GAP'
    """
    names = space_table(space).set_index(["layer", "token"])["short"]
    return ", ".join(names[place] for place in enumerate(check_tokens(space, tokens)))


def layers_of(space):
    """Layers of an `Architecture` that the space offers: a list for each layer, as its tokens.

    ValueError for an operation that no network could have.
    """
    return [
        [_to_layer(space[i][t], where=f"layer {i}, token {t}") for t in range(size)]
        for i, size in enumerate(check_space(space))
    ]


def describe(operation):
    """Write an operation as text, such as ``conv1d(filters=32, kernel_size=7)``."""
    settings = ", ".join(f"{key}={value}" for key, value in operation.Layer_attributes.items())
    return f"{operation.Layer_type}({settings})" if settings else operation.Layer_type


def _short_name(operation, layer):
    """What tells an operation from the others of its layer, and what those of its type share.

    >>> seven, thirteen = (Operation("conv1d", filters=32, kernel_size=k) for k in (7, 13))
    >>> _short_name(seven, [seven, thirteen])
    ('conv 7', 'conv, filters 32')
    """
    kinds = [_kind(other) for other in layer]
    kind, settings = _kind(operation), operation.Layer_attributes
    alike = [o.Layer_attributes for o, k in zip(layer, kinds, strict=True) if k == kind]
    if len(alike) == 1:  # its type alone tells it from the others
        return " ".join([kind, *(_values(settings) if len(settings) < 3 else [])]), ""
    same = {k: v for k, v in settings.items() if all(o.get(k) == v for o in alike)}
    shared = ", ".join([kind, *(f"{k.replace('_', ' ')} {v}" for k, v in same.items())])
    values = _values({k: v for k, v in settings.items() if k not in same})
    only = all(kinds.count(k) == 1 for k in kinds if k != kind)
    if not (only and values and values[0].isalpha()):  # relu 7 needs no conv: shared says it
        values = [kind, *values]
    return " ".join(values), shared


def _kind(operation):
    layer, _ = LAYERS.get(operation.Layer_type, (None, None))
    return _SHORT.get(layer, operation.Layer_type)


def _values(settings):
    """Words such as relu, then numbers: one as it is, several with the initials of their names."""
    numbers = {name: value for name, value in settings.items() if isinstance(value, Number)}
    words = [str(value) for name, value in settings.items() if name not in numbers]
    if len(numbers) == 1:
        return [*words, *map(str, numbers.values())]
    return [*words, *(f"{name[0]}{value}" for name, value in numbers.items())]


def check_space(space):
    """Check a model space; return how many operations each layer offers."""
    if not isinstance(space, ModelSpace):
        raise TypeError(f"space must be a ModelSpace of AMBER; got {type(space).__name__}.")
    if sorted(space.state_space) != list(range(len(space))) or len(space) == 0:
        raise ValueError(f"space must have layers 0, 1, 2, ...; got {sorted(space.state_space)}.")
    for i in range(len(space)):
        if len(space[i]) == 0:
            raise ValueError(f"Layer {i} of the space must offer an operation; it has none.")
        for operation in space[i]:
            if not isinstance(operation, Operation):
                raise TypeError(f"Layer {i} must hold nas.Operation(...); got {operation!r}.")
    return [len(space[i]) for i in range(len(space))]


def check_tokens(space, tokens):
    """Check tokens against a space; return them as a tuple of int."""
    sizes = check_space(space)
    try:
        found = tuple(operator.index(token) for token in tokens)
    except TypeError:
        raise ValueError(f"tokens must be whole numbers, one a layer; got {tokens!r}.") from None
    if len(found) != len(sizes):
        raise ValueError(f"tokens must be {len(sizes)} numbers, one a layer; got {list(found)}.")
    for i, (token, size) in enumerate(zip(found, sizes, strict=True)):
        if not 0 <= token < size:
            raise ValueError(f"tokens[{i}] must be from 0 to {size - 1}; got {token}.")
    return found


def _to_layer(operation, *, where):
    """Make the layer of an `Architecture` that an operation describes."""
    if (name := operation.Layer_type) not in LAYERS:
        known = ", ".join(names[0] for names in _LAYERS)
        raise ValueError(f"{where}: operation {name!r} is none that the twins build: {known}.")
    kind, known = LAYERS[name]
    settings = {
        key: value
        for key, value in operation.Layer_attributes.items()
        if key in known or key not in _WITHOUT_EFFECT
    }
    if settings.get("activation", "") is None:  # as Keras writes: none
        del settings["activation"]
    if unknown := set(settings) - known:
        raise ValueError(f"{where} takes {sorted(known)}; got {sorted(unknown)}.")
    if kind in (arch.MaxPool, arch.AvgPool):
        settings.setdefault("pool_size", 2)  # as in AMBER and in Keras
    try:
        return kind(**settings)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{where}, {describe(operation)}: {error}") from error
