"""Prefers images whose left half mirrors the right one.

    ddn guide --network faces.safetensors --guide "program:python3 Examples/guides/symmetry.py" --samples 8 --outdir mirror

Together with a mask of one half, the guides complete the other half:

    ddn guide --network faces.safetensors --image face.png --outdir half --guide mask:left \\
      --guide "program:python3 Examples/guides/symmetry.py,weight=0.5"
"""

import ddn_guide


def score(images, batch, level):
    return -((images - images[..., ::-1]) ** 2).mean(axis=(2, 3, 4))


ddn_guide.serve(score)
