"""The variational auto-encoder that Tealight trained, in PyTorch.

Kingma & Welling 2014, https://arxiv.org/abs/1312.6114

    pip install torch safetensors numpy
    python vae.py weights.safetensors

reads the configuration and the weights that Tealight's page or command line exported, rebuilds the model in PyTorch
and draws the samples that the page shows into samples.csv.
"""

# include parts/imports.py

MODEL = "vae"


def refuse(config):
    if config["net"] != "mlp":
        sys.exit(f"net = {config['net']} is not covered here: only the fully connected VAE (net = mlp) is")


def widths(config, data):
    """Those of the encoder without its heads, and of the decoder."""
    hidden, classes = config["networkShape"], len(data["constants"]["classShares"])
    return [data["size"] + classes, *hidden], [config["latentDim"] + classes, *reversed(hidden), data["size"]]


def expected(config, data):
    encoder, decoder = widths(config, data)
    shapes = linears("encoder", encoder) | linears("decoder", decoder)
    for head in ("mean", "log_std"):
        shapes[f"encoder.{head}.weight"] = (config["latentDim"], encoder[-1])
        shapes[f"encoder.{head}.bias"] = (config["latentDim"],)
    if config["decoder"] == "gaussian" and config["variance"] == "learned":
        shapes["decoder.log_sigma2"] = ()
    return shapes


# include parts/networks.py


def build(config, data, tensors):
    """encoder(x) → features, encoder.mean and encoder.log_std of these; decoder(z) → p(x|z)'s mean, or its logits."""
    import torch
    from torch import nn

    of_encoder, of_decoder = widths(config, data)
    model = nn.Module()
    model.encoder = layers(of_encoder, config["activation"], config["activation"])
    model.encoder.mean = nn.Linear(of_encoder[-1], config["latentDim"])
    model.encoder.log_std = nn.Linear(of_encoder[-1], config["latentDim"])
    model.decoder = layers(of_decoder, config["activation"])
    if "decoder.log_sigma2" in tensors:
        model.decoder.log_sigma2 = nn.Parameter(torch.zeros(()))
    return load(model, tensors)


def sample(model, config, data, n, rng):
    """decode(z) with z ~ N(0, I); points with the decoder's noise, images as their means."""
    import torch

    shares = data["constants"]["classShares"]
    z = rng.normals(n * config["latentDim"]).reshape(n, -1)
    labels = draw_classes(rng, n, shares)
    with torch.no_grad():
        mean = model.decoder(torch.from_numpy(beside(z, labels, len(shares))))
        if config["decoder"] == "bernoulli":
            return mean.sigmoid().numpy()
        if data["shape"]["domain"] == "images":
            return mean.numpy()
        learned = getattr(model.decoder, "log_sigma2", None)
        sigma = np.sqrt(config["sigma2"]) if learned is None else np.exp(0.5 * learned.item())
        return mean.numpy() + np.float32(sigma) * rng.normals(n * data["size"]).reshape(n, -1)


# include parts/common.py
