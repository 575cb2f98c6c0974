"""The flow-matching model that Tealight trained, in PyTorch.

Lipman et al. 2023, https://arxiv.org/abs/2210.02747

    pip install torch safetensors numpy
    python flow-matching.py weights.safetensors

reads the configuration and the weights that Tealight's page or command line exported, rebuilds the model in PyTorch
and draws the samples that the page shows into samples.csv.
"""

# include parts/imports.py

MODEL = "flow-matching"


# include parts/networks.py


# include parts/denoiser.py


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


# include parts/common.py
