"""Every figure of the course: functions that draw on `ax`, or on a new one, and return it.

That holds for each that takes an `ax`, matplotlib's Axes. None of them shows anything: in a
notebook, `show` displays a figure with its caption and its description for people who cannot see
it. Rows of a sequence picture are A C G T from the top.
"""

from workshop import contents

__all__, __getattr__, __dir__ = contents(
    __name__,
    {
        "canvas": ("BASE_COLOURS", "COLOURS", "use_style"),
        "charts": ("bars", "histogram", "lines", "points", "row", "strips"),
        "comparisons": (
            *("compare_motifs", "importance_diagonal", "interaction_map", "kernel_logos"),
        ),
        "convolution": ("convolution_walkthrough",),
        "curves": (
            *("confusion_matrix", "precision_recall", "roc", "split_overview", "training_history"),
        ),
        "diagrams": (
            *("architecture", "backpropagation", "controller_unrolled", "model_space"),
            "receptive_field",
        ),
        "display": ("show",),
        "letters": ("logo", "map_above_motif", "mutagenesis_map", "one_hot", "score_logo"),
        "searches": ("reward_by_operation", "search_distributions", "token_probabilities"),
    },
)
