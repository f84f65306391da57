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

from workshop import contents

__all__, __getattr__, __dir__ = contents(
    __name__,
    {
        "mutagenesis": (
            *("PairwiseMutagenesis", "pairwise_mutagenesis", "saturation_mutagenesis"),
        ),
        "gradients": ("integrated_gradients", "saliency"),
        "importance": ("Localisation", "base_importance", "localisation", "project", "zero_mean"),
        "motif_recovery": ("motif_from_scores",),
        "kernels": ("KernelMotif", "kernel_motifs"),
    },
)
