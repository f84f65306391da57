"""What a model looks at: change letters and see what it says, or ask for its gradient.

All scores are arrays like the sequences, ``(N, L, 4)``, and count in logits, the output before the
activation, unless asked otherwise.

=========================  ====================================================================
`saturation_mutagenesis`   effect of each single substitution; exact and fast
`pairwise_mutagenesis`     effect of two at once, and what they do beyond their sum
`saliency`                 gradient of the output
`integrated_gradients`     gradient collected on the way from a baseline to the sequence
`zero_mean`, `project`     one frame of reference for all of them; the bases that are there
`base_importance`          both of these: one number a base, the height of its letter
`motif_from_scores`        the motif behind the scores of many sequences
`localisation`             do the scores find planted motifs?
`kernel_motifs`            what each kernel of the first convolution looks for
=========================  ====================================================================
"""

from workshop.interpret.gradients import integrated_gradients, saliency
from workshop.interpret.importance import (
    Localisation,
    base_importance,
    localisation,
    project,
    zero_mean,
)
from workshop.interpret.kernels import KernelMotif, kernel_motifs
from workshop.interpret.motif_recovery import motif_from_scores
from workshop.interpret.mutagenesis import (
    PairwiseMutagenesis,
    pairwise_mutagenesis,
    saturation_mutagenesis,
)

__all__ = [
    "KernelMotif",
    "Localisation",
    "PairwiseMutagenesis",
    "base_importance",
    "integrated_gradients",
    "kernel_motifs",
    "localisation",
    "motif_from_scores",
    "pairwise_mutagenesis",
    "project",
    "saliency",
    "saturation_mutagenesis",
    "zero_mean",
]
