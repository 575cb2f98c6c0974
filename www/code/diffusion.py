"""The diffusion model that Tealight trained, in PyTorch.

Ho et al. 2020, https://arxiv.org/abs/2006.11239; DDIM: Song et al. 2021, https://arxiv.org/abs/2010.02502

    pip install torch safetensors numpy
    python diffusion.py weights.safetensors

reads the configuration and the weights that Tealight's page or command line exported, rebuilds the model in PyTorch
and draws the samples that the page shows into samples.csv.
"""

# include parts/imports.py

MODEL = "diffusion"


# include parts/networks.py


# include parts/denoiser.py


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


def sample(model, config, data, n, rng):
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
        output = predict(model, x, time, labels, len(classes), config["guidance"])
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


# include parts/common.py
