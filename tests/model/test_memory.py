import os
import subprocess
import sys

import pytest

PRODUCTS = """
import ctypes
import model
import torch

class Info(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in "abcdefghij"]

info = ctypes.CDLL(None).mallinfo2
info.restype = Info
torch.set_num_threads(1)
layers = [torch.nn.Linear(192, 768).bfloat16() for _ in range(4)]
used = []
with torch.inference_mode():
    for tokens in range(40, 140):
        for layer in layers:
            layer(torch.ones(1, tokens, 192, dtype=torch.bfloat16))
        used.append(info().h)
print(used[-1] - used[40])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc says how much is in use")
def test_products_of_ever_other_sizes_are_not_remembered_for_good():
    def grown(**more):
        said = subprocess.run(
            [sys.executable, "-c", PRODUCTS],
            env=os.environ | more,
            capture_output=True,
            text=True,
            check=True,
        )
        return int(said.stdout) / 2**20

    remembering = {"LRU_CACHE_CAPACITY": "1024", "ONEDNN_PRIMITIVE_CACHE_CAPACITY": "1024"}
    assert grown() < 0.4 * grown(**remembering)
