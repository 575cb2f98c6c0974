"""The flow-matching model that Tealight trained, in PyTorch.

Lipman et al. 2023, https://arxiv.org/abs/2210.02747

    pip install torch safetensors numpy
    python flow-matching.py weights.safetensors

reads the configuration and the weights that Tealight's page or command line exported, rebuilds the model in PyTorch
and draws the samples that the page shows into samples.csv.
"""

import argparse
import json
import sys

import numpy as np
from safetensors import safe_open

MODEL = "flow-matching"


def refuse(config):
    if config["net"] != "mlp":
        sys.exit(f"net = {config['net']} is not covered here: only the fully connected network (net = mlp) is")


TIME_FEATURES = 32


def widths(config, data):
    inputs = data["size"] + TIME_FEATURES + len(data["constants"]["classShares"])
    return [inputs, *config["networkShape"], data["size"]]


def expected(config, data):
    # The network, and the moving average of its weights, with which samples are drawn.
    return linears("net", widths(config, data)) | linears("average", widths(config, data))


def activation(name):
    """The nonlinearity of this name, as a function of a tensor."""
    import torch.nn.functional as F

    return {
        "relu": F.relu,
        "leakyRelu": lambda x: F.leaky_relu(x, 0.2),
        "tanh": lambda x: x.tanh(),
        "silu": F.silu,
        "gelu": lambda x: F.gelu(x, approximate="tanh"),
        "elu": F.elu,
        "softplus": F.softplus,
        "sigmoid": lambda x: x.sigmoid(),
        "linear": lambda x: x,
    }[name]


def layers(widths, between, end="linear"):
    """Fully connected layers, named by their number."""
    from torch import nn

    class Layers(nn.Module):
        def __init__(self):
            super().__init__()
            for i, (before, after) in enumerate(zip(widths, widths[1:])):
                self.add_module(str(i), nn.Linear(before, after))

        def forward(self, x):
            last = len(widths) - 2
            for i in range(last + 1):
                x = activation(end if i == last else between)(getattr(self, str(i))(x))
            return x

    return Layers()


def load(model, tensors):
    """The model with the file's weights."""
    import torch

    model.load_state_dict({name: torch.from_numpy(tensor.copy()) for name, tensor in tensors.items()}, strict=True)
    return model.eval()


def build(config, data, tensors):
    from torch import nn

    model = nn.Module()
    model.net = layers(widths(config, data), config["activation"])
    model.average = layers(widths(config, data), config["activation"])
    return load(model, tensors)


def waves(time):
    """What the network is told of a time in 0..1: sines, then cosines, from half a turn to 30 turns."""
    frequencies = (0.5 * (30 / 0.5) ** (np.arange(TIME_FEATURES // 2) / (TIME_FEATURES // 2 - 1))).astype(np.float32)
    turns = np.float32(time) * frequencies
    angle = 2 * np.pi * (turns - np.floor(turns)).astype(np.float64)
    return np.concatenate([np.sin(angle), np.cos(angle)]).astype(np.float32)


def predict(model, x, time, labels, classes, guidance):
    """The averaged network at rows x and a time, guided towards the rows' classes."""
    import torch

    def at(labels):
        told = np.zeros((len(x), TIME_FEATURES + classes), np.float32)
        told[:, :TIME_FEATURES] = waves(time)
        if labels:
            told[np.arange(len(labels)), TIME_FEATURES + np.array(labels)] = 1
        with torch.no_grad():
            return model.average(torch.from_numpy(np.concatenate([x, told], 1))).numpy()

    conditional = at(labels)
    if not labels or guidance == 0:
        return conditional
    return np.float32(1 + guidance) * conditional - np.float32(guidance) * at([])


def outward(x, data):
    """From the model's −1..1 to the data's 0..1, where the data have that range."""
    return np.clip(0.5 * x + 0.5, 0, 1) if data["constants"]["range"] else x


#: For each stage of a solver: how far along the step it looks, and the weight of its slope.
STAGES = {
    "euler": [(0, 1)],
    "midpoint": [(0, 0), (0.5, 1)],
    "heun": [(0, 0.5), (1, 0.5)],
    "rk4": [(0, 1 / 6), (0.5, 1 / 3), (0.5, 1 / 3), (1, 1 / 6)],
}


def sample(model, config, data, n, rng):
    """dx/dt = v(x, t) from noise at t = 0 to data at t = 1."""
    classes = data["constants"]["classShares"]
    x = rng.normals(n * data["size"]).reshape(n, -1)
    labels = draw_classes(rng, n, classes)
    h = 1 / config["samplingSteps"]
    for step in range(config["samplingSteps"]):
        end, slope = x, None
        for ahead, weight in STAGES[config["solver"]]:
            at = x if ahead == 0 else x + np.float32(h * ahead) * slope
            slope = predict(model, at, h * step + h * ahead, labels, len(classes), config["guidance"])
            end = end + np.float32(h * weight) * slope
        x = end
    return outward(x, data)


# --- what every program of this kind has in common ---------------------------------------------------------------


class Rng:
    """The page's generator: xoshiro128++ (Blackman & Vigna 2021), one stream for each purpose."""

    def __init__(self, seed, label):
        # FNV-1a keeps the labels apart, splitmix64 spreads the sum over the state.
        mix = 0xCBF29CE484222325
        for byte in label.encode():
            mix = ((mix ^ byte) * 0x100000001B3) & M64
        mix ^= (seed * 0x9E3779B97F4A7C15) & M64
        words = []
        for _ in range(2):
            mix = (mix + 0x9E3779B97F4A7C15) & M64
            z = ((mix ^ (mix >> 30)) * 0xBF58476D1CE4E5B9) & M64
            z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & M64
            z ^= z >> 31
            words += [z & M32, z >> 32]
        words[0] |= 1
        self.state = words

    def bits(self):
        """The next 32 random bits."""
        a, b, c, d = self.state
        out = (a + d) & M32
        out = (((out << 7) | (out >> 25)) + a) & M32
        c, d = c ^ a, d ^ b
        b, a = b ^ c, a ^ d
        self.state = [a, b, c ^ ((self.state[1] << 9) & M32), ((d << 11) | (d >> 21)) & M32]
        return out

    def uniform(self):
        """Uniform on [0, 1), 24 bits."""
        return (self.bits() >> 8) / 2**24

    def uniform_wide(self):
        """Uniform on [0, 1), 53 bits."""
        high = self.bits() >> 5
        return ((high << 26) | (self.bits() >> 6)) / 2**53

    def uniforms(self, n, low, high):
        """n draws uniform on [low, high)."""
        return np.array([low + (high - low) * self.uniform() for _ in range(n)], np.float32)

    def normals(self, n):
        """n standard normal draws (Box-Muller, both halves)."""
        pairs = np.array([(1 - self.uniform(), self.uniform()) for _ in range((n + 1) // 2)]).reshape(-1, 2)
        radius = np.sqrt(-2 * np.log(np.maximum(pairs[:, 0], 1.1754944e-38)))
        angle = 2 * np.pi * pairs[:, 1]
        both = np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1)
        return both.reshape(-1)[:n].astype(np.float32)


M32, M64 = 2**32 - 1, 2**64 - 1


def draw_classes(rng, n, shares):
    """A class for each of n samples, as often as among the training rows; none where the model is told none."""
    labels = []
    for _ in range(n if shares else 0):
        rest, label = np.float32(rng.uniform()), len(shares) - 1
        for i, share in enumerate(shares):
            rest = np.float32(rest - np.float32(share))
            if rest < 0:
                label = i
                break
        labels.append(label)
    return labels


def beside(rows, labels, classes):
    """Rows with their class beside them: 1 in the class's place, 0 in the others."""
    if classes == 0:
        return rows
    places = np.zeros((len(rows), classes), np.float32)
    places[np.arange(len(labels)), labels] = 1
    return np.concatenate([rows, places], 1)


def read(path):
    """The configuration, what else there is to know, and the tensors of a file of weights."""
    with safe_open(path, framework="numpy") as file:
        meta = file.metadata() or {}
        if "tealight" not in meta or "tealight.data" not in meta:
            sys.exit(f"{path}: these are no weights that Tealight exported (the metadata lack its entries)")
        config, data = json.loads(meta["tealight"]), json.loads(meta["tealight.data"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}
    if config["model"] != MODEL:
        sys.exit(f"{path}: these are weights of the model {config['model']}; this program is for {MODEL}")
    shape = data["shape"]
    data["size"] = shape["channels"] * shape["height"] * shape["width"]
    return config, data, tensors


def check(path, tensors, expected):
    """Fails unless the file has exactly these tensors."""
    expected = {name: tuple(shape) for name, shape in expected.items()}
    found = {name: tensor.shape for name, tensor in tensors.items()}
    for name in expected.keys() | found.keys():
        if expected.get(name) != found.get(name):
            sys.exit(f"{path}: {name} should be {expected.get(name)}, and is {found.get(name)}")
    return sum(int(np.prod(shape)) for shape in found.values())


def linears(name, widths):
    """The tensors of fully connected layers of these widths."""
    shapes = {}
    for i, (before, after) in enumerate(zip(widths, widths[1:])):
        shapes[f"{name}.{i}.weight"], shapes[f"{name}.{i}.bias"] = (after, before), (after,)
    return shapes


def write(path, data, rows):
    """Rows as CSV; words as lines."""
    if data["shape"]["domain"] == "sequences":
        letters = [""] + list(data["alphabet"])
        lines = ["".join(letters[int(token)] for token in row) for row in rows]
    else:
        name = "pixel" if data["shape"]["domain"] == "images" else "x"
        lines = [",".join(f"{name}{i + 1}" for i in range(data["size"]))]
        lines += [",".join(str(x) for x in row) for row in np.asarray(rows, np.float32)]
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("weights", help="weights.safetensors, as the page and the command line export them")
    parser.add_argument("--n", type=int, help="how many samples (2000 points, 100 of others)")
    parser.add_argument("--out", default="samples.csv", help="the file to write (words: one a line)")
    parser.add_argument("--check", action="store_true", help="only compare the tensors; needs no PyTorch")
    options = parser.parse_args()
    config, data, tensors = read(options.weights)
    refuse(config)
    count = check(options.weights, tensors, expected(config, data))
    if options.check:
        print(f"{options.weights}: {len(tensors)} tensors, {count} numbers, all as they should be")
        return
    n = options.n or (2000 if data["shape"]["domain"] == "points" else 100)
    model = build(config, data, tensors)
    # The page draws its samples from this stream: the same noise gives the same samples.
    rows = sample(model, config, data, n, Rng(config["seed"], "views"))
    write(options.out, data, rows)
    print(f"wrote {n} samples to {options.out}")


if __name__ == "__main__":
    main()
