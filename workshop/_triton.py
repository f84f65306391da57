"""Triton, which Torch's Linux wheels bring, beside TensorFlow: imported by both twins, first.

Where TensorFlow 2.20 or 2.21 is loaded before Triton 3.7 or newer, Python crashes, for each binds
to the other's LLVM (https://github.com/tensorflow/tensorflow/issues/124205). Torch loads Triton
late, in its optimizers, so that hardly any order of imports is safe by itself.
"""

import contextlib
import sys

if "triton" not in sys.modules:
    if "tensorflow" in sys.modules:
        sys.modules["triton"] = None  # too late: Torch does without it, as with its CPU wheels
    else:
        with contextlib.suppress(ImportError):
            import triton  # noqa: F401
