"""Architecture search with AMBER, and the baselines that it has to beat.

A search is a loop: a strategy proposes tokens, they are built into a child network, the child is
trained for a few epochs and earns a reward on the validation data, and the strategy hears of it.

======================  ====================================================================
`search`                AMBER's controller, a recurrent network trained by REINFORCE
`random_search`         the baseline: architectures at random
`successive_halving`    the other one: many children a little, the best of them on
`cnn_model_space`       the course's model space; `space_table` shows it
`to_architecture`       from tokens to an `Architecture`; `in_words` names their operations
`SearchResult`          what a search returns; `load_model`, `read_history`
`load_benchmark`        all networks of the course's space, trained before: a search in a blink
======================  ====================================================================

All three searches survive being killed: the same call goes on where the last one ended. Each name
is imported when it is first used: a worker process that trains children loads no AMBER.
"""

from workshop import contents

__all__, __getattr__, __dir__ = contents(
    __name__,
    {
        "methods": ("random_search", "search", "successive_halving"),
        "space": ("cnn_model_space", "in_words", "space_table", "to_architecture"),
        "amber": ("ModelSpace", "Operation"),
        "controller": ("Controller", "ControllerSettings", "Proposal"),
        "results": ("SearchResult", "load_model", "read_history"),
        "trial": ("Trial",),
        "benchmark": ("Benchmark", "load_benchmark"),
    },
)
