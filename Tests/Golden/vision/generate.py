"""Writes this folder's golden numbers: outputs of torchvision, lpips, transformers and open_clip, with weights and images by a
formula that the tests repeat, so that only outputs are stored. See README.md."""

import collections
import gzip
import json
import math
import pathlib
import sys

import lpips
import numpy as np
import open_clip
import torch
import torchvision
import transformers
from safetensors.torch import save_file

FOLDER = pathlib.Path(__file__).parent
sys.path.insert(0, str(FOLDER.parent))
from formula import uniform, weight  # noqa: E402


def images(name, *shape):
    return torch.from_numpy(uniform(name, math.prod(shape)).astype(np.float32).reshape(shape))


SHAPES = {}
OUTPUTS = {}


def fill(key, network, ignoring=()):
    """Gives a network the formula's weights."""
    state = network.state_dict()
    names = [
        name
        for name, tensor in state.items()
        if tensor.is_floating_point() and tensor.dim() and not name.startswith(tuple(ignoring))
    ]
    for name in names:
        state[name] = weight(name, tuple(state[name].shape))
    network.load_state_dict(state)
    SHAPES[key] = {name: list(state[name].shape) for name in names}
    return network.eval()


def normalized(x, mean, deviation):
    mean, deviation = (torch.tensor(v).reshape(1, 3, 1, 1) for v in (mean, deviation))
    return ((x + 1) / 2 - mean) / deviation


IMAGENET = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
CIFAR = ([0.4914, 0.4822, 0.4465], [0.2471, 0.2435, 0.2616])
CLIP = ([0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711])


def classifiers():
    x = images("images", 2, 3, 64, 64)
    network = fill("resnet18", torchvision.models.resnet18())
    OUTPUTS["resnet18.logits"] = network(
        normalized(torch.nn.functional.interpolate(x, (224, 224), mode="bilinear"), *IMAGENET)
    )
    stem = torch.nn.Sequential(network.conv1, network.bn1, network.relu, network.maxpool)
    OUTPUTS["resnet18.first"] = stem(normalized(x, *IMAGENET))[:, :8]

    # huyvnphan's CIFAR-10 network is torchvision's with another first convolution.
    network = torchvision.models.resnet18(num_classes=10)
    network.conv1 = torch.nn.Conv2d(3, 64, 3, padding=1, bias=False)
    fill("resnet18.cifar", network)
    small = torch.nn.functional.interpolate(x, (32, 32), mode="nearest")
    OUTPUTS["resnet18.cifar.logits"] = network(normalized(small, *CIFAR))


def vgg():
    x = images("images", 2, 3, 64, 64)
    for name in ["vgg11", "vgg11_bn", "vgg16"]:
        network = fill(name, getattr(torchvision.models, name)(num_classes=2), ["classifier."]).features
        stages, features = [], normalized(x, *IMAGENET)
        OUTPUTS[f"{name}.first"] = network[0](features)[:, :2]
        for layer in network:
            if isinstance(layer, torch.nn.MaxPool2d):
                stages.append(features.mean((2, 3))[:, :64])
            features = layer(features)
        OUTPUTS[f"{name}.stages"] = torch.stack(stages)


def perceptual():
    for net in ["alex", "vgg"]:
        network = lpips.LPIPS(net=net, pretrained=False, pnet_rand=True, verbose=False)
        fill(f"lpips.{net}", network, ["scaling_layer.", "lins."])
        for height, width in [(64, 64), (70, 97), (16, 40)]:
            size = (max(64, height), max(64, width))
            first, second = (
                torch.nn.functional.interpolate(images(f"{name}.{height}", 3, 3, height, width), size, mode="bilinear")
                for name in ["first", "second"]
            )
            # Pairs of unlike and of like images.
            pairs = [network(first, second), network(first, first * 0.9 + second * 0.1)]
            OUTPUTS[f"lpips.{net}.{height}"] = torch.cat(pairs).flatten()
    # As DataParallel's checkpoints are, for the reader of torch.save's format.
    linear = {name: weight(name, shape) for name, shape in SHAPES["lpips.alex"].items() if name.startswith("lin")}
    torch.save(
        {"state_dict": {f"module.{name}": tensor for name, tensor in linear.items()}, "epoch": 3}, FOLDER / "linear.pth"
    )


MERGES = 160


def corpus_merges(count):
    """A small byte pair encoding of made-up sentences."""
    alphabet = open_clip.tokenizer.bytes_to_unicode()
    sentences = """a smiling person wearing sunglasses; a woman with a hat, isn't she smiling? they're walking in the rain
    the quick brown fox jumps over the lazy dog. we've seen 1234 photos of a café in zürich, they'll say it's the best
    a photo of a cat and a dog; a drawing of the number seven, i'm drawing the sea at night and you'd like it
    日本語 の 写真 фото кошки 😀😀 photograph photographer photography sunglass sun glass glasses""".split()
    words = collections.Counter()
    for word in sentences:
        characters = [alphabet[byte] for byte in word.encode()]
        words[(*characters[:-1], characters[-1] + "</w>")] += 1
    merges = []
    while len(merges) < count:
        pairs = collections.Counter()
        for word, times in words.items():
            for pair in zip(word, word[1:]):
                pairs[pair] += times
        best = max(pairs, key=lambda pair: (pairs[pair], pair))
        merges.append(best)
        merged = collections.Counter()
        for word, times in words.items():
            parts = []
            for part in word:
                if parts and (parts[-1], part) == best:
                    parts[-1] += part
                else:
                    parts.append(part)
            merged[tuple(parts)] += times
        words = merged
    return merges


TEXTS = [
    "a smiling person wearing sunglasses", "", " ", "A  Photo\tof\n a CAT ", "it's they're we've i'm they'll you'd isn't",
    "IT'S THEY'RE", "rock'n'roll 'sup 'tis", "o'clock ''s 's' '", "1234 photos, 5th of 6", "3.14 x10^5 ½ ² ٣ Ⅷ",
    "hat!!! (really?!) --- #1 @home $5.00 100%", "a_b-c/d\\e|f~g`h", "café zürich naïve", "cafe\u0301 de\u0301ja\u0300 vu",
    "фото КОШКИ", "日本語の写真", "한국어 사진", "emoji 😀😀 and 👩‍👩‍👧 🇨🇭", "हिन्दी में", "مرحبا بالعالم", "hello\u00a0world\u2003wide\u3000space",
    "zero\u200bwidth", "ﬁne ﬂuﬀ", "ＦＵＬＬ ｗｉｄｔｈ １２！", "“curly” ‘quotes’ don’t", "en–dash em—dash ellipsis…",
    "a &amp; b &lt;c&gt; &quot;d&quot; &#39;e&#39; &#x41;", "&amp;amp; &nbsp; &eacute; &hellip; &unknown; & ;", "x<|endoftext|>y",
    "<|startoftext|> a <|endoftext|>", "straße ẞ İstanbul ǅ", "ⓒ ™ © ® ° ±", "tab\x07bell\x00nul", "photographphotographer",
    "wearingsunglasses123sunglasses", "a" * 60, "end with space ", "newline\r\nwindows", "क्ष ß ﬃ", "\ufeffmark",
]
# Where transformers differs from the original: it does not repair texts, and knows no entities.
REPAIRED = {text for text in TEXTS if any(c in text for c in "ǅ&“‘’ﬁﬂﬀﬃＦ１\x07\x00\u200b\ufeff\u3000")}


def tokenizer():
    merges = corpus_merges(MERGES)
    lines = "#version: 0.2\n" + "".join(f"{first} {second}\n" for first, second in merges)
    (FOLDER / "merges.txt").write_text(lines)
    # More merges than the vocabulary has, as OpenAI's list; mtime makes the file the same every time.
    extra = "".join(f"{first} {second}\n" for first, second in corpus_merges(MERGES + 20)[MERGES:])
    (FOLDER / "list.txt.gz").write_bytes(gzip.compress((lines + extra).encode(), mtime=0))
    characters = list(open_clip.tokenizer.bytes_to_unicode().values())
    tokens = characters + [c + "</w>" for c in characters] + ["".join(pair) for pair in merges]
    vocabulary = {token: number for number, token in enumerate(tokens + ["<|startoftext|>", "<|endoftext|>"])}
    (FOLDER / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False, separators=(",", ":")) + "\n")

    exact = FOLDER / "exact.txt.gz"
    exact.write_bytes(gzip.compress(lines.rstrip("\n").encode()))
    original = open_clip.SimpleTokenizer(str(exact))
    exact.unlink()
    face = transformers.CLIPTokenizer(vocab=vocabulary, merges=merges)
    records = []
    for text in TEXTS:
        named = text.replace("<|startoftext|>", "<start_of_text>").replace("<|endoftext|>", "<end_of_text>")
        ids = [original.sot_token_id, *original.encode(named), original.eot_token_id]
        other = face(text)["input_ids"]
        if ids != other and text not in REPAIRED:
            print(f"transformers differs: {text!r}\n  {ids}\n  {other}")
        records.append({"text": text, "tokens": ids})
    (FOLDER / "texts.json").write_text("[\n" + ",\n".join(map(json.dumps, records)) + "\n]\n")
    return vocabulary, {record["text"]: record["tokens"] for record in records}


def clip(vocabulary, tokens):
    texts = [TEXTS[0], TEXTS[4], TEXTS[8]]
    x = images("images", 2, 3, 64, 64)
    x = torch.nn.functional.interpolate(normalized(x, *CLIP), (32, 32), mode="bicubic", align_corners=False)
    end = vocabulary["<|endoftext|>"]

    configuration = transformers.CLIPConfig(
        text_config=dict(
            vocab_size=len(vocabulary), hidden_size=128, intermediate_size=256, num_hidden_layers=3,
            num_attention_heads=2, bos_token_id=end - 1, eos_token_id=end,
        ),
        vision_config=dict(
            hidden_size=192, intermediate_size=384, num_hidden_layers=2, num_attention_heads=3, image_size=32, patch_size=8
        ),
        projection_dim=48,
    )
    gelu = transformers.CLIPConfig(**configuration.to_dict())
    gelu.text_config.hidden_act = gelu.vision_config.hidden_act = "gelu"
    network = fill("clip.huggingface", transformers.CLIPModel(gelu))
    OUTPUTS["clip.gelu.images"] = torch.nn.functional.normalize(network.get_image_features(x).pooler_output)
    network = fill("clip.huggingface", transformers.CLIPModel(configuration))
    padded = torch.full((len(texts), 77), end)
    for row, text in zip(padded, texts):
        row[: len(tokens[text])] = torch.tensor(tokens[text])
    output = network(input_ids=padded, pixel_values=x)
    OUTPUTS["clip.huggingface.images"] = output.image_embeds
    OUTPUTS["clip.huggingface.texts"] = output.text_embeds

    network = open_clip.model.CLIP(
        48,
        open_clip.CLIPVisionCfg(layers=2, width=192, head_width=64, patch_size=8, image_size=32, mlp_ratio=2),
        open_clip.CLIPTextCfg(vocab_size=len(vocabulary), width=128, heads=2, layers=3),
        quick_gelu=True,
    )
    fill("clip.openai", network)
    padded[padded == end] = 0
    for row, text in zip(padded, texts):
        row[len(tokens[text]) - 1] = end
    OUTPUTS["clip.openai.images"] = network.encode_image(x, normalize=True)
    OUTPUTS["clip.openai.texts"] = network.encode_text(padded, normalize=True)


if __name__ == "__main__":
    torch.set_num_threads(1)
    with torch.no_grad():
        classifiers()
        vgg()
        perceptual()
        clip(*tokenizer())
    save_file({name: tensor.contiguous() for name, tensor in OUTPUTS.items()}, FOLDER / "outputs.safetensors")
    (FOLDER / "shapes.json").write_text(json.dumps(SHAPES, separators=(",", ":")) + "\n")
