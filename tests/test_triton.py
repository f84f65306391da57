"""`workshop._triton`: Torch's compiler is never loaded after TensorFlow, where it would crash."""

import subprocess
import sys

import pytest

# It stands for Triton and says whether TensorFlow was there first.
STAND_IN = 'import sys; print("late" if "tensorflow" in sys.modules else "in time")'


@pytest.mark.slow
@pytest.mark.parametrize(
    ("imports", "said"),
    [
        ("from workshop import keras_cnn", "in time"),
        ("import keras; from workshop import keras_cnn", ""),
        ("import keras; from workshop import torch_cnn; import torch._dynamo", ""),
    ],
)
def test_triton_comes_before_tensorflow_or_not_at_all(tmp_path, imports, said):
    (tmp_path / "triton.py").write_text(STAND_IN)
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {imports}"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (run.returncode, run.stdout.strip()) == (0, said), run.stderr
