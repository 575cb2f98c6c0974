"""The normalising flow that Tealight trained, in PyTorch.

Dinh et al. 2017, https://arxiv.org/abs/1605.08803; Durkan et al. 2019, https://arxiv.org/abs/1906.04032;
Papamakarios et al. 2017, https://arxiv.org/abs/1705.07057

    pip install torch safetensors numpy
    python flow.py weights.safetensors

reads the configuration and the weights that Tealight's page or command line exported, rebuilds the model in PyTorch
and draws the samples that the page shows into samples.csv.
"""

import argparse
import json
import sys

import numpy as np
from safetensors import safe_open

MODEL = "flow"


#: No share of a spline's bin and no slope is below this.
SMALLEST = 1e-3


def refuse(config):
    pass


def moved(config, size, index):
    """The coordinates that layer `index` moves: two layers go by each bit of the coordinates' numbers."""
    bit = (index // 2) % max(size - 1, 1).bit_length()
    return [c for c in range(size) if ((c >> bit & 1) == 1) == (index % 2 == 0)]


def widths(config, size, index):
    """Those of layer `index`'s network."""
    if config["transform"] == "autoregressive":
        return [size, *config["networkShape"], 2 * size]
    active = len(moved(config, size, index))
    each = 2 if config["transform"] == "affine" else 3 * config["bins"] - 1
    return [size - active, *config["networkShape"], each * active]


def expected(config, data):
    shapes = {}
    for index in range(config["flowLayers"]):
        shapes |= linears(f"layer{index}", widths(config, data["size"], index))
    return shapes


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
    for index in range(config["flowLayers"]):
        model.add_module(f"layer{index}", layers(widths(config, data["size"], index), config["activation"]))
    return load(model, masked(config, data["size"], tensors))


def masked(config, size, tensors):
    """A masked autoregressive layer sees with each coordinate only those before it: the other weights are 0."""
    for index in range(config["flowLayers"] if config["transform"] == "autoregressive" else 0):
        degrees, last = np.arange(1, size + 1), len(config["networkShape"])
        for i, width in enumerate([*config["networkShape"], 2 * size]):
            if i == last:
                after = np.tile(np.arange(1, size + 1), 2)
                mask = degrees[None] < after[:, None]
            else:
                after = 1 + np.arange(width) % max(size - 1, 1)
                mask = degrees[None] <= after[:, None]
            name = f"layer{index}.{i}.weight"
            tensors[name], degrees = tensors[name] * mask.astype(np.float32), after
    return tensors


def unsquash(y, o, t):
    """The inverse of y = x·eˢ + t with s = 2·tanh(o/2)."""
    return (y - t) * (-2 * (0.5 * o).tanh()).exp()


def unbend(y, parameters, bins, bound):
    """The inverse of a rational-quadratic spline of each value, which maps −bound..bound to itself (Durkan et al. 2019)."""
    import torch
    import torch.nn.functional as F

    wide = parameters.double()
    sizes = lambda u: 2 * bound * (SMALLEST + (1 - SMALLEST * bins) * u.softmax(-1))
    edges = lambda sizes: F.pad(sizes.cumsum(-1), (1, 0)) - bound
    w, h = sizes(wide[..., :bins]), sizes(wide[..., bins : 2 * bins])
    slopes = F.pad(SMALLEST + F.softplus(wide[..., 2 * bins :]), (1, 1), value=1.0)
    inside = (y > -bound) & (y < bound)
    y = y.double()
    k = ((y.unsqueeze(-1) >= edges(h)[..., :-1]).sum(-1) - 1).clamp(0, bins - 1).unsqueeze(-1)
    pick = lambda values, k: values.gather(-1, k).squeeze(-1)
    x0, y0, dx, dy = pick(edges(w), k), pick(edges(h), k), pick(w, k), pick(h, k)
    left, right, slope, rise = pick(slopes, k), pick(slopes, k + 1), dy / dx, y - y0
    bend = rise * (left + right - 2 * slope)
    a, b, c = bend + dy * (slope - left), dy * left - bend, -slope * rise
    theta = 2 * c / (-b - (b * b - 4 * a * c).clamp_min(0).sqrt())
    return torch.where(inside, x0 + theta * dx, y).float()


def sample(model, config, data, n, rng):
    """The layers' inverses of noise, from the base's side to the data's."""
    import torch

    size, kind = data["size"], config["transform"]
    x = torch.from_numpy(rng.normals(n * size).reshape(n, size))
    with torch.no_grad():
        for index in reversed(range(config["flowLayers"])):
            net = getattr(model, f"layer{index}")
            if kind == "autoregressive":
                order = list(range(size)) if index % 2 == 0 else list(reversed(range(size)))
                for place, column in enumerate(order):
                    out = net(x[:, order])
                    x[:, column] = unsquash(x[:, column], out[:, place], out[:, size + place])
                continue
            active = moved(config, size, index)
            passive = [c for c in range(size) if c not in active]
            out = net(x[:, passive])
            if kind == "affine":
                x[:, active] = unsquash(x[:, active], *out.chunk(2, 1))
            else:
                x[:, active] = unbend(x[:, active], out.reshape(n, len(active), -1), config["bins"], config["tailBound"])
    constants = {name: np.array(values, np.float32) for name, values in data["constants"].items()}
    y = constants["mean"] + x.numpy() * constants["deviation"]
    if len(constants["levels"]) == 0:
        return y
    # Grey values are rounded down to their level: the flow models them with uniform noise of one level.
    levels = constants["levels"][0]
    v = (1 / (1 + np.exp(-y)) - 0.05) / 0.9 * levels
    return np.clip(np.floor(v), 0, levels - 1) / (levels - 1)


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
