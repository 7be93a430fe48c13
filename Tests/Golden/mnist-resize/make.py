"""Makes digits-28.bin and digits-32.bin with Pillow: python3 make.py path/to/t10k-images-idx3-ubyte.gz"""
import gzip, pathlib, sys
from PIL import Image

here = pathlib.Path(__file__).parent
pixels = gzip.open(sys.argv[1]).read()[16:]
sources = [pixels[start:start + 784] for start in range(0, 20 * 784, 784)]
# The last is no digit but noise, which has every value beside every other.
state = 1
noise = bytearray()
for _ in range(784):
    state = state * 1103515245 + 12345 & 0x7fffffff
    noise.append(state >> 16 & 255)
sources.append(bytes(noise))
resized = [Image.frombytes("L", (28, 28), s).resize((32, 32), Image.BILINEAR).tobytes() for s in sources]
(here / "digits-28.bin").write_bytes(b"".join(sources))
(here / "digits-32.bin").write_bytes(b"".join(resized))
