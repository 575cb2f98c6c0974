"""The normalising flow that Tealight trained, in PyTorch.

Dinh et al. 2017, https://arxiv.org/abs/1605.08803; Durkan et al. 2019, https://arxiv.org/abs/1906.04032;
Papamakarios et al. 2017, https://arxiv.org/abs/1705.07057

    pip install torch safetensors numpy
    python flow.py weights.safetensors

reads the configuration and the weights that Tealight's page or command line exported, rebuilds the model in PyTorch
and draws the samples that the page shows into samples.csv.
"""

# include parts/imports.py

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


# include parts/networks.py


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


# include parts/common.py
