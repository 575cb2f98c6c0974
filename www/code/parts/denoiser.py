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
