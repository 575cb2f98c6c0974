"""The autoregressive model that Tealight trained, in PyTorch.

p(x) = Π p(xᵢ | x₁ … xᵢ₋₁), as a mixture density network, MADE, PixelCNN, GRU or Transformer.

    pip install torch safetensors numpy
    python autoregressive.py weights.safetensors

reads the configuration and the weights that Tealight's page or command line exported, rebuilds the model in PyTorch
and draws the samples that the page shows into samples.csv.
"""

# include parts/imports.py

MODEL = "autoregressive"


def refuse(config):
    pass


def sizes(config, data):
    """What the cells are made of."""
    shape, heads = data["shape"], config["heads"]
    width = -(-config["width"] // heads) * heads if config["cell"] == "transformer" else config["width"]
    return shape["width"], shape["vocabulary"], width


def expected(config, data):
    cell, hidden, size = config["cell"], config["networkShape"], data["size"]
    length, vocabulary, w = sizes(config, data)
    both = lambda name, after, *before: {f"{name}.weight": (after, *before), f"{name}.bias": (after,)}
    if cell == "mixture":
        shapes = {"first": (1, 3 * config["components"])}
        for i in range(1, size):
            shapes |= linears(f"coordinate{i}", [i, *hidden, 3 * config["components"]])
        return shapes
    if cell == "made":
        return linears("made", [size, *hidden, size])
    if cell == "pixelCnn":
        narrow = max(w // 2, 1)
        shapes = both("first", w, 1, 7, 7)
        for block in range(config["blocks"]):
            shapes |= both(f"blocks.{block}.0", narrow, w, 1, 1) | both(f"blocks.{block}.1", narrow, narrow, 3, 3)
            shapes |= both(f"blocks.{block}.2", w, narrow, 1, 1)
        return shapes | both("head.0", w, w, 1, 1) | both("head.1", 1, w, 1, 1)
    shapes = {"tokens.weight": (vocabulary + 1, w)} | both("head", vocabulary, w)
    if cell == "gru":
        return shapes | both("gru.input", 3 * w, w) | both("gru.state", 3 * w, w)
    shapes |= {"positions.weight": (length, w)} | both("norm", w)
    for block in range(config["blocks"]):
        name = f"blocks.{block}"
        shapes |= both(f"{name}.norm1", w) | both(f"{name}.norm2", w)
        shapes |= both(f"{name}.attention.packed", 3 * w, w) | both(f"{name}.attention.output", w, w)
        shapes |= both(f"{name}.mlp.0", 4 * w, w) | both(f"{name}.mlp.1", w, 4 * w)
    return shapes


# include parts/networks.py


def build(config, data, tensors):
    return {"mixture": mixture, "made": made, "pixelCnn": pixel_cnn, "gru": gru, "transformer": transformer}[
        config["cell"]
    ](config, data, tensors)


def mixture(config, data, tensors):
    """For each coordinate the logits of the weights, the means and the log standard deviations of Gaussians."""
    import torch
    from torch import nn

    model, outputs = nn.Module(), 3 * config["components"]
    model.first = nn.Parameter(torch.zeros(1, outputs))
    for i in range(1, data["size"]):
        model.add_module(f"coordinate{i}", layers([i, *config["networkShape"], outputs], config["activation"]))
    return load(model, tensors)


def made(config, data, tensors):
    """A logit for each pixel from those before it: the weights that would see another are 0."""
    from torch import nn

    size, hidden = data["size"], config["networkShape"]
    degrees = np.arange(1, size + 1)
    for i, width in enumerate([*hidden, size]):
        last = i == len(hidden)
        after = np.arange(1, size + 1) if last else np.arange(width) % max(size - 1, 1) + 1
        mask = after[:, None] >= degrees[None] + last
        tensors[f"made.{i}.weight"], degrees = tensors[f"made.{i}.weight"] * mask.astype(np.float32), after
    model = nn.Module()
    model.made = layers([size, *hidden, size], config["activation"])
    return load(model, tensors)


def pixel_cnn(config, data, tensors):
    """A logit for each pixel from those above and to the left of it: convolutions with the other weights at 0."""
    from torch import nn

    (_, _, w), shape = sizes(config, data), data["shape"]

    class PixelCnn(nn.Module):
        def __init__(self):
            super().__init__()
            narrow = max(w // 2, 1)
            self.first = nn.Conv2d(1, w, 7, padding=3)
            convolutions = lambda: [nn.Conv2d(w, narrow, 1), nn.Conv2d(narrow, narrow, 3, padding=1), nn.Conv2d(narrow, w, 1)]
            self.blocks = nn.ModuleList(nn.ModuleList(convolutions()) for _ in range(config["blocks"]))
            self.head = nn.ModuleList([nn.Conv2d(w, w, 1), nn.Conv2d(w, 1, 1)])

        def forward(self, x):
            x = self.first(x.reshape(-1, 1, shape["height"], shape["width"]))
            for narrow, look, widen in self.blocks:
                x = x + widen(look(narrow(x.relu()).relu()).relu())
            return self.head[1](self.head[0](x.relu()).relu()).flatten(1)

    for name, tensor in tensors.items():
        if name.endswith("weight") and tensor.shape[-1] > 1:
            kernel = tensor.shape[-1]
            # The first layer does not see its own pixel, those after it do.
            mask = np.arange(kernel * kernel) < kernel * kernel // 2 + (name != "first.weight")
            tensors[name] = tensor * mask.reshape(kernel, kernel).astype(np.float32)
    return load(PixelCnn(), tensors)


def gru(config, data, tensors):
    """The logits of the next token from the tokens so far, by a gated recurrent unit."""
    from torch import nn

    _, vocabulary, w = sizes(config, data)

    class Recurrent(nn.Module):
        def __init__(self):
            super().__init__()
            self.tokens, self.head = nn.Embedding(vocabulary + 1, w), nn.Linear(w, vocabulary)
            self.gru = nn.GRU(w, w, batch_first=True)

        def forward(self, ids):
            return self.head(self.gru(self.tokens(ids))[0][:, -1])

    names = {"gru.input": "ih", "gru.state": "hh"}
    for ours, theirs in names.items():
        for part in ("weight", "bias"):
            tensors[f"gru.{part}_{theirs}_l0"] = tensors.pop(f"{ours}.{part}")
    return load(Recurrent(), tensors)


def transformer(config, data, tensors):
    """The logits of the next token from the tokens so far, by blocks of attention and MLP."""
    import torch
    import torch.nn.functional as F
    from torch import nn

    length, vocabulary, w = sizes(config, data)

    class Attention(nn.Module):
        def __init__(self):
            super().__init__()
            self.packed, self.output = nn.Linear(w, 3 * w), nn.Linear(w, w)

        def forward(self, x):
            heads = self.packed(x).unflatten(-1, (3, config["heads"], -1)).permute(2, 0, 3, 1, 4)
            return self.output(F.scaled_dot_product_attention(*heads, is_causal=True).transpose(1, 2).flatten(2))

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm1, self.attention, self.norm2 = nn.LayerNorm(w), Attention(), nn.LayerNorm(w)
            self.mlp = nn.ModuleList([nn.Linear(w, 4 * w), nn.Linear(4 * w, w)])

        def forward(self, x):
            x = x + self.attention(self.norm1(x))
            return x + self.mlp[1](F.gelu(self.mlp[0](self.norm2(x)), approximate="tanh"))

    class Transformer(nn.Module):
        def __init__(self):
            super().__init__()
            self.tokens, self.positions = nn.Embedding(vocabulary + 1, w), nn.Embedding(length, w)
            self.blocks = nn.ModuleList(Block() for _ in range(config["blocks"]))
            self.norm, self.head = nn.LayerNorm(w), nn.Linear(w, vocabulary)

        def forward(self, ids):
            x = self.tokens(ids) + self.positions(torch.arange(ids.shape[1]))
            for block in self.blocks:
                x = block(x)
            return self.head(self.norm(x[:, -1]))

    return load(Transformer(), tensors)


def pick(logits, config, rng):
    """A class for each row from softmax(logits/temperature) over the largest few (0: over all)."""
    logits = logits.astype(np.float64)
    if 0 < config["topK"] < logits.shape[1]:
        order = np.argsort(-logits, axis=1, kind="stable")
        np.put_along_axis(logits, order[:, config["topK"] :], -np.inf, 1)
    weights = np.exp((logits - logits.max(1, keepdims=True)) / config["temperature"])
    u = np.array([rng.uniform_wide() for _ in logits])
    below = (u * weights.sum(1))[:, None] < weights.cumsum(1)
    last = logits.shape[1] - 1 - np.argmax(weights[:, ::-1] > 0, axis=1)
    return np.where(below.any(1), below.argmax(1), last)


def sample(model, config, data, n, rng):
    """Rows drawn value by value."""
    import torch

    size, cell = data["size"], config["cell"]
    rows = np.zeros((n, size), np.float32)
    with torch.no_grad():
        if cell == "mixture":
            least, k = data["constants"]["leastLogStd"], config["components"]
            for i in range(size):
                before = torch.from_numpy(rows[:, :i])
                own = (getattr(model, f"coordinate{i}")(before) if i else model.first.expand(n, -1)).numpy()
                noise = rng.normals(n)
                component = pick(own[:, :k], config, rng)
                mean, log_std = own[np.arange(n), k + component], own[np.arange(n), 2 * k + component]
                width = np.exp(np.maximum(log_std, least[i]).astype(np.float64)) * np.sqrt(config["temperature"])
                rows[:, i] = mean + width.astype(np.float32) * noise
        elif cell in ("made", "pixelCnn"):
            net = model.made if cell == "made" else model
            for i in range(size):
                logits = net(torch.from_numpy(rows))[:, i].numpy().astype(np.float64)
                u = np.array([rng.uniform_wide() for _ in range(n)])
                rows[:, i] = u * (1 + np.exp(-logits / config["temperature"])) < 1
        else:
            # The token that no word holds stands before each; token 0 ends a word.
            ids = np.full((n, 1), data["shape"]["vocabulary"])
            still = np.full(n, True)
            for at in range(size):
                if not still.any():
                    break
                token = pick(model(torch.from_numpy(ids)).numpy(), config, rng)
                rows[:, at] = np.where(still, token, 0)
                still &= token != 0
                ids = np.concatenate([ids, rows[:, at : at + 1].astype(ids.dtype)], 1)
    return rows


# include parts/common.py
