"""Samples from weights that Tealight exported, with nothing but numpy and safetensors.

    pip install numpy safetensors
    python load_in_python.py weights.safetensors
    python load_in_python.py weights.safetensors samples.csv

The first form prints a few samples. The second one draws as many as the file holds that was exported along with the
weights, and says how far they are from those: the same seed gives the same noise, so they agree but for rounding.

Covered are the fully connected VAE, GAN, diffusion and flow matching; for the other models and for PyTorch see the
programs that the page offers as code.
"""

import json
import sys

import numpy as np
from safetensors import safe_open

#: How far rounding may take a sample.
TOLERANCE = 1e-4

ACTIVATIONS = {
    "relu": lambda x: np.maximum(x, 0),
    "leakyRelu": lambda x: np.where(x > 0, x, 0.2 * x),
    "tanh": np.tanh,
    "silu": lambda x: x / (1 + np.exp(-x)),
    "gelu": lambda x: 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))),
    "elu": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
    "softplus": lambda x: np.logaddexp(x, 0),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "linear": lambda x: x,
}


def layers(tensors, name, x, between, end="linear"):
    """Fully connected layers, x·Wᵀ + b each."""
    count = sum(key.startswith(f"{name}.") and key.endswith(".weight") for key in tensors)
    for i in range(count):
        x = x @ tensors[f"{name}.{i}.weight"].T + tensors[f"{name}.{i}.bias"]
        x = ACTIVATIONS[end if i + 1 == count else between](x)
    return x


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


def sample_vae(tensors, config, data, n, rng):
    """decode(z) with z ~ N(0, I); points with the decoder's noise, images as their means."""
    shares = data["constants"]["classShares"]
    z = rng.normals(n * config["latentDim"]).reshape(n, -1)
    labels = draw_classes(rng, n, shares)
    end = "sigmoid" if config["decoder"] == "bernoulli" else "linear"
    mean = layers(tensors, "decoder", beside(z, labels, len(shares)), config["activation"], end)
    if data["shape"]["domain"] == "images" or config["decoder"] == "bernoulli":
        return mean
    log_sigma2 = tensors.get("decoder.log_sigma2", np.log(config["sigma2"]))
    return mean + np.exp(0.5 * log_sigma2) * rng.normals(n * data["size"]).reshape(n, -1)


def sample_gan(tensors, config, data, n, rng):
    """generator(z) with z from the prior."""
    shares, count = data["constants"]["classShares"], n * config["latentDim"]
    z = rng.normals(count) if config["prior"] == "normal" else rng.uniforms(count, -1, 1)
    labels = draw_classes(rng, n, shares)
    # Images lie in 0..=1, points anywhere.
    end = "sigmoid" if data["shape"]["domain"] == "images" else "linear"
    return layers(tensors, "generator", beside(z.reshape(n, -1), labels, len(shares)), config["activation"], end)


TIME_FEATURES = 32


def waves(time):
    """What the network is told of a time in 0..1: sines, then cosines, from half a turn to 30 turns."""
    frequencies = (0.5 * (30 / 0.5) ** (np.arange(TIME_FEATURES // 2) / (TIME_FEATURES // 2 - 1))).astype(np.float32)
    turns = np.float32(time) * frequencies
    angle = 2 * np.pi * (turns - np.floor(turns)).astype(np.float64)
    return np.concatenate([np.sin(angle), np.cos(angle)]).astype(np.float32)


def predict(tensors, config, x, time, labels, classes):
    """The averaged network at rows x and a time, guided towards the rows' classes."""

    def at(labels):
        told = np.zeros((len(x), TIME_FEATURES + classes), np.float32)
        told[:, :TIME_FEATURES] = waves(time)
        if labels:
            told[np.arange(len(labels)), TIME_FEATURES + np.array(labels)] = 1
        return layers(tensors, "average", np.concatenate([x, told], 1), config["activation"])

    conditional, guidance = at(labels), config["guidance"]
    if not labels or guidance == 0:
        return conditional
    return np.float32(1 + guidance) * conditional - np.float32(guidance) * at([])


def outward(x, data):
    """From the model's −1..1 to the data's 0..1, where the data have that range."""
    return np.clip(0.5 * x + 0.5, 0, 1) if data["constants"]["range"] else x


def shares_left(config):
    """ᾱ of each level: the share of the data's variance that is left."""
    levels = config["levels"]
    i = np.arange(levels, dtype=np.float64)
    if config["schedule"] == "cosine":
        f = lambda u: np.cos((u + 0.008) / 1.008 * np.pi / 2) ** 2
        beta = 1 - f((i + 1) / levels) / f(i / levels)
    else:
        beta = (0.1 + 19.9 * i / max(levels - 1, 1)) / levels
    return np.cumprod(1 - np.minimum(beta, 0.999))


def sample_diffusion(tensors, config, data, n, rng):
    """From noise down the levels, by DDIM or DDPM."""
    alpha_bar, classes = shares_left(config), data["constants"]["classShares"]
    x = rng.normals(n * data["size"]).reshape(n, -1)
    labels = draw_classes(rng, n, classes)
    top, count = config["levels"] - 1, min(config["samplingSteps"], config["levels"])
    stops = [round(i * top / (count - 1)) for i in reversed(range(count))] if count > 1 else [top]
    for place, level in enumerate(stops):
        share = alpha_bar[level]
        after = alpha_bar[stops[place + 1]] if place + 1 < count else 1.0
        alpha, sigma = np.sqrt(share), np.sqrt(1 - share)
        time = (level + 1) / config["levels"]
        output = predict(tensors, config, x, time, labels, len(classes))
        if config["prediction"] == "noise":
            # The network gives v; the noise is σ x + α v.
            noise = np.float32(sigma) * x + np.float32(alpha) * output
            start = np.float32(1 / alpha) * x - np.float32(sigma / alpha) * noise
        elif config["prediction"] == "velocity":
            start = np.float32(alpha) * x - np.float32(sigma) * output
        else:
            start = output
        if data["constants"]["range"]:
            start = np.clip(start, -1, 1)
        if config["sampler"] == "ddim":
            b = np.sqrt(1 - after) / sigma
            a, spread = np.sqrt(after) - alpha * b, 0.0
        else:
            beta = 1 - share / after
            a, b = np.sqrt(after) * beta / (1 - share), np.sqrt(1 - beta) * (1 - after) / (1 - share)
            small = config["samplerVariance"] == "small"
            spread = np.sqrt(beta * (1 - after) / (1 - share) if small else beta) if place + 1 < count else 0.0
        x = np.float32(a) * start + np.float32(b) * x
        if spread > 0:
            x = x + np.float32(spread) * rng.normals(x.size).reshape(x.shape)
    return outward(x, data)


#: For each stage of a solver: how far along the step it looks, and the weight of its slope.
STAGES = {
    "euler": [(0, 1)],
    "midpoint": [(0, 0), (0.5, 1)],
    "heun": [(0, 0.5), (1, 0.5)],
    "rk4": [(0, 1 / 6), (0.5, 1 / 3), (0.5, 1 / 3), (1, 1 / 6)],
}


def sample_flow_matching(tensors, config, data, n, rng):
    """dx/dt = v(x, t) from noise at t = 0 to data at t = 1."""
    classes = data["constants"]["classShares"]
    x = rng.normals(n * data["size"]).reshape(n, -1)
    labels = draw_classes(rng, n, classes)
    h = 1 / config["samplingSteps"]
    for step in range(config["samplingSteps"]):
        end, slope = x, None
        for ahead, weight in STAGES[config["solver"]]:
            at = x if ahead == 0 else x + np.float32(h * ahead) * slope
            slope = predict(tensors, config, at, h * step + h * ahead, labels, len(classes))
            end = end + np.float32(h * weight) * slope
        x = end
    return outward(x, data)


SAMPLERS = {
    "vae": sample_vae,
    "gan": sample_gan,
    "diffusion": sample_diffusion,
    "flow-matching": sample_flow_matching,
}


def load(path):
    """The configuration, what else there is to know, and the tensors of a file of weights."""
    with safe_open(path, framework="numpy") as file:
        meta = file.metadata() or {}
        if "tealight" not in meta or "tealight.data" not in meta:
            sys.exit(f"{path}: these are no weights that Tealight exported (the metadata lack its entries)")
        config, data = json.loads(meta["tealight"]), json.loads(meta["tealight.data"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}
    if config["model"] not in SAMPLERS or config["net"] != "mlp":
        covered = ", ".join(SAMPLERS)
        sys.exit(f"{path}: this program samples {covered} with net = mlp; these are {config['model']}'s weights")
    shape = data["shape"]
    data["size"] = shape["channels"] * shape["height"] * shape["width"]
    return config, data, tensors


def main():
    if not 2 <= len(sys.argv) <= 3:
        sys.exit(__doc__)
    config, data, tensors = load(sys.argv[1])
    exported = None
    if len(sys.argv) == 3:
        exported = np.loadtxt(sys.argv[2], delimiter=",", skiprows=1, ndmin=2)
    n = 5 if exported is None else len(exported)
    # The page draws its samples from this stream: the same noise gives the same samples.
    rows = SAMPLERS[config["model"]](tensors, config, data, n, Rng(config["seed"], "views"))
    if exported is None:
        print(np.array2string(rows, precision=4))
        return
    distance = float(np.abs(rows - exported).max())
    print(f"{config['model']} on {config['dataset']}: {n} samples, at most {distance:.1e} from the exported ones")
    if not distance <= TOLERANCE:
        sys.exit(f"that is more than {TOLERANCE}")


if __name__ == "__main__":
    main()
