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
