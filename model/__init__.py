"""Masked Depth Modeling: colour and incomplete depth in, metric depth out."""

import os

# Each frame keeps another number of depth tokens. For every number, torch and oneDNN on a CPU would remember
# how to multiply, in two megabytes, for good: 0.3 GB after a hundred frames. Read at the first product.
os.environ.setdefault("LRU_CACHE_CAPACITY", "32")
os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "64")
