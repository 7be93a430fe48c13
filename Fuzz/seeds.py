"""Writes Fuzz/Corpus: small valid files as seeds for the fuzzer. Needs only Python's standard library."""

import gzip
import io
import json
import math
import os
import pickle
import struct
import sys
import types
import zipfile
import zlib
from collections import OrderedDict

CORPUS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "Corpus")


def stand_in(path):
    """A class with this full name."""
    module, name = path.rsplit(".", 1)
    parts = module.split(".")
    for count in range(1, len(parts) + 1):
        sys.modules.setdefault(".".join(parts[:count]), types.ModuleType(parts[0]))
    kind = type(name, (), {"__module__": module, "__qualname__": name})
    setattr(sys.modules[module], name, kind)
    return kind


class Call:
    """Pickles as REDUCE and, with a state, BUILD."""

    def __init__(self, function, *arguments, state=None):
        self.parts = (function, arguments) + (() if state is None else (state,))

    def __reduce__(self):
        return self.parts


class Reference:
    """Pickles as a persistent ID."""

    def __init__(self, key, count):
        self.id = ("storage", FLOATS, key, "cpu", count)


class Pickler(pickle.Pickler):
    def persistent_id(self, value):
        return value.id if isinstance(value, Reference) else None


FLOATS = stand_in("torch.FloatStorage")
TENSOR = stand_in("torch._utils._rebuild_tensor_v2")
PARAMETER = stand_in("torch._utils._rebuild_parameter")
LOAD = stand_in("torch.storage._load_from_bytes")
PERSISTENT = stand_in("torch_utils.persistence._reconstruct_persistent_obj")
LAYER = stand_in("sddn.discrete_distribution.DiscreteDistributionOutput")
CONVOLUTION = stand_in("sddn.discrete_distribution.Conv2dMixedPrecision")
STATISTICS = stand_in("sddn.discrete_distribution.SplitableDiscreteDistribution")
RECONSTRUCT = stand_in("numpy.core.multiarray._reconstruct")
FROM_BUFFER = stand_in("numpy._core.numeric._frombuffer")
ARRAY = stand_in("numpy.ndarray")
DTYPE = stand_in("numpy.dtype")
LOSS = stand_in("unknown.losses.Loss")


def dump(value, protocol):
    file = io.BytesIO()
    Pickler(file, protocol).dump(value)
    return file.getvalue()


def tensor(storage, shape):
    strides = tuple(math.prod(shape[place + 1 :]) for place in range(len(shape)))
    return Call(TENSOR, storage, 0, tuple(shape), strides, False, OrderedDict())


def stream(value, numbers, protocol=2):
    """torch.save's legacy format; `numbers` has each storage's element count, all zeros."""
    system = dict(protocol_version=1001, little_endian=True, type_sizes=dict(short=2, int=4, long=4))
    data = b"".join(dump(part, 2) for part in (0x1950A86A20F9469CFC6C, 1001, system, value, sorted(numbers)))
    return data + b"".join(struct.pack("<q", count) + bytes(4 * count) for _, count in sorted(numbers.items()))


def parameter(*shape):
    count = math.prod(shape)
    storage = Call(LOAD, stream(Reference("0", count), {"0": count}))
    return Call(PARAMETER, tensor(storage, shape), False, OrderedDict())


def array(code, shape, data, protocol):
    kind = Call(DTYPE, code, False, True, state=(3, "<", None, None, None, -1, -1, 0))
    if protocol == 5:
        return Call(FROM_BUFFER, bytearray(data), kind, shape, "C")
    return Call(RECONSTRUCT, ARRAY, (0,), b"b", state=(1, shape, kind, False, data))


def module(parameters=None, modules=None, **attributes):
    return dict(
        training=False, _parameters=parameters or {}, _buffers={}, _modules=modules or {}, _hooks=OrderedDict(),
        _non_persistent_buffers_set=set(), **attributes)


def persistent(name, state):
    return Call(PERSISTENT, dict(type="class", version=6, module_src="", class_name=name, state=state))


def instance(kind, state):
    value = kind()
    value.__dict__.update(state)
    return value


def snapshot(protocol):
    def norm():
        return persistent("GroupNorm", module(dict(weight=parameter(4), bias=parameter(4)), num_groups=1, eps=1e-6))

    def convolution():
        return persistent("Conv2d", module(dict(weight=parameter(4, 4, 3, 3), bias=parameter(4)), up=False))

    zeros = struct.pack("<2d", 1, 2)
    counters = instance(STATISTICS, dict(
        k=2, iter=3, batchn=1, idx_max=1, split_iters=[1], count=array("f8", (2,), zeros, protocol),
        near2=array("f8", (2, 2), zeros * 2, protocol), loss_acc=array("f8", (2,), zeros, protocol),
        i_to_idx=array("i8", (2,), struct.pack("<2q", 0, 1), protocol)))
    nodes = instance(CONVOLUTION, module(dict(weight=parameter(6, 2, 1, 1), bias=None)))
    layer = instance(LAYER, module(
        modules=dict(multi_out_conv1x1=nodes), k=2, leak_choice=True, sdd=counters, loss_func=None, distance_func=None))
    block = persistent("UNetBlockWoEmb", module(
        modules=dict(norm0=norm(), conv0=convolution(), norm1=norm(), conv1=convolution()), num_heads=0,
        skip_scale=0.5 ** 0.5))
    level = persistent("DiscreteDistributionBlock", module(modules=dict(block=block, ddo=layer)))
    pyramid = persistent("PHDDNHandsDense", module(
        modules=dict(block_1x1_0=level), condition_type="class10", scalis=range(0, 1), refiner_repeatn=0))
    unused = {} if protocol < 5 else dict(loss_fn=instance(LOSS, dict(weight=1)))
    return dict(ema=persistent("DDNPrecond", module(modules=dict(model=pyramid))), augment_pipe=None, **unused)


def archive(method=zipfile.ZIP_STORED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as zip_file:
        state = OrderedDict(a=tensor(Reference("0", 6), (2, 3)), b=tensor(Reference("1", 1), ()))
        for name, data in [
            ("data.pkl", dump(state, 2)), ("byteorder", b"little"), ("data/0", bytes(24)), ("data/1", bytes(4))]:
            zip_file.writestr(zipfile.ZipInfo("net/" + name), data, method)
    return file.getvalue()


def safetensors(header, count):
    text = json.dumps(header, separators=(",", ":")).encode()
    return struct.pack("<Q", len(text)) + text + bytes(count)


def idx(sizes):
    count = math.prod(sizes)
    return struct.pack(">%dI" % (1 + len(sizes)), 0x800 + len(sizes), *sizes) + bytes(count)


def codes(flags, payload, count=None):
    """A .ddn file; its fingerprint is 1."""
    data = bytes([0xDD, 0x4E, 0x10 | flags]) + struct.pack(">Q", 1)
    data += (b"" if count is None else bytes([count])) + bytes([len(payload)]) + payload
    return data + struct.pack(">I", zlib.crc32(data))


def main():
    state = OrderedDict(a=tensor(Reference("0", 6), (2, 3)), b=tensor(Reference("1", 1), ()))
    values = [1, -1, 300, 1 << 20, 1 << 40, 0.5, "text", b"bytes", (1,), (1, 2), (1, 2, 3), {"a": {1, 2}}, None, True]
    seeds = dict(
        pickle={"values-2": dump(values, 2), "values-4": dump(values, 4), "state": dump(state, 2)},
        snapshot={
            "snapshot-2.pkl": dump(snapshot(2), 2), "snapshot-4.pkl": dump(snapshot(4), 4),
            "snapshot-5.pkl": dump(snapshot(5), 5),
            "stream.pt": stream(state, {"0": 6, "1": 1}), "archive.pt": archive()},
        safetensors={
            "two": safetensors({
                "__metadata__": {"format": "pt", "crc32": "0"},
                "a": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]},
                "b \\u00e9": {"dtype": "U8", "shape": [], "data_offsets": [24, 25]}}, 25),
            "none": safetensors({}, 0)},
        idx={"images": idx([2, 3, 3]), "labels": idx([4]), "gzip": gzip.compress(idx([2, 3, 3]), mtime=0)},
        zip={"stored.zip": archive(), "deflated.zip": archive(zipfile.ZIP_DEFLATED)},
        codes={
            "one.ddn": codes(0, bytes([40, 80, 160, 7, 9])), "many.ddn": codes(14, bytes(range(40)), 5),
            "codes.txt": b"a.png 0.3.1-0-2-1.7 4\n0.3\n", "original.pt": archive()})
    for reader, files in seeds.items():
        os.makedirs(os.path.join(CORPUS, reader), exist_ok=True)
        for name, data in files.items():
            with open(os.path.join(CORPUS, reader, name), "wb") as file:
                file.write(data)


main()
