"""The generative adversarial network that Tealight trained, in PyTorch.

Goodfellow et al. 2014, https://arxiv.org/abs/1406.2661

    pip install torch safetensors numpy
    python gan.py weights.safetensors

reads the configuration and the weights that Tealight's page or command line exported, rebuilds the model in PyTorch
and draws the samples that the page shows into samples.csv.
"""

# include parts/imports.py

MODEL = "gan"


def refuse(config):
    if config["net"] != "mlp":
        sys.exit(f"net = {config['net']} is not covered here: only the fully connected GAN (net = mlp) is")


def widths(config, data):
    """Those of the generator and of the discriminator."""
    classes, size = len(data["constants"]["classShares"]), data["size"]
    judged = config["pack"] * (size + classes + config["minibatchStd"])
    return [config["latentDim"] + classes, *config["networkShape"], size], [judged, *config["networkShapeD"], 1]


def expected(config, data):
    generator, discriminator = widths(config, data)
    return linears("generator", generator) | linears("discriminator", discriminator)


# include parts/networks.py


def build(config, data, tensors):
    """generator(z) → x, discriminator(x) → a logit. With spectral normalisation the discriminator divides each weight
    by its largest singular value, which is left to you."""
    from torch import nn

    of_generator, of_discriminator = widths(config, data)
    # Images lie in 0..=1, points anywhere.
    end = "sigmoid" if data["shape"]["domain"] == "images" else "linear"
    model = nn.Module()
    model.generator = layers(of_generator, config["activation"], end)
    model.discriminator = layers(of_discriminator, config["activationD"])
    return load(model, tensors)


def sample(model, config, data, n, rng):
    """generator(z) with z from the prior."""
    import torch

    shares, count = data["constants"]["classShares"], n * config["latentDim"]
    z = rng.normals(count) if config["prior"] == "normal" else rng.uniforms(count, -1, 1)
    labels = draw_classes(rng, n, shares)
    with torch.no_grad():
        return model.generator(torch.from_numpy(beside(z.reshape(n, -1), labels, len(shares)))).numpy()


# include parts/common.py
