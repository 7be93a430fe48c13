"""Prefers dark images.

    ddn guide --network faces.safetensors --guide "program:python3 Examples/guides/darkest.py" --samples 8 --outdir dark
"""

import ddn_guide


def score(images, batch, level):
    return -images.mean(axis=(2, 3, 4))


ddn_guide.serve(score)
