"""The benchmark's workloads in PyTorch, eager, on one thread.

Reads commands, a line each, and answers each with a line, as tests/bench/tealight/src/main.rs does.
"""

import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

torch.set_num_threads(1)


def mlp(*sizes):
    layers = []
    for inputs, outputs in zip(sizes, sizes[1:]):
        layers += [nn.Linear(inputs, outputs), nn.ReLU()]
    return nn.Sequential(*layers[:-1])


def batch(data, n):
    return data[torch.randint(len(data), (n,))]


def squared_error(xs, ys):
    return (xs - ys).square().sum() / len(xs)


def cross_entropy(logits, targets):
    return F.binary_cross_entropy_with_logits(logits, targets, reduction="sum") / len(logits)


def gaussian_kl(mean, log_std):
    return 0.5 * ((2 * log_std).exp() + mean.square() - 1 - 2 * log_std).sum() / len(mean)


def sample(mean, log_std):
    return mean + log_std.exp() * torch.randn_like(mean)


def adam(*networks):
    return torch.optim.Adam([p for network in networks for p in network.parameters()], lr=1e-3)


def update(optimizer, loss):
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


def vae(size, hidden, latent, n, error):
    first, last = hidden
    encoder, decoder = nn.Sequential(mlp(size, first, last), nn.ReLU()), mlp(latent, last, first, size)
    mean_of, log_std_of = nn.Linear(last, latent), nn.Linear(last, latent)
    optimizer = adam(encoder, decoder, mean_of, log_std_of)

    def step(data):
        xs = batch(data, n)
        features = encoder(xs)
        mean, log_std = mean_of(features), log_std_of(features)
        return update(optimizer, error(decoder(sample(mean, log_std)), xs) + gaussian_kl(mean, log_std))

    return size, step


def gan(n):
    g, d = mlp(2, 64, 64, 2), mlp(2, 64, 64, 1)
    optimizer_g, optimizer_d = adam(g), adam(d)

    def step(data):
        with torch.no_grad():
            fake = g(torch.randn(n, 2))
        real = F.softplus(-d(batch(data, n))).mean()
        value = update(optimizer_d, real + F.softplus(d(fake)).mean())
        d.requires_grad_(False)
        update(optimizer_g, F.softplus(-d(g(torch.randn(n, 2)))).mean())
        d.requires_grad_(True)
        return value

    return 2, step


def ddpm(n, steps=100, width=32):
    kept = torch.cumprod(1 - torch.linspace(1e-4, 0.2, steps, dtype=torch.float64), 0)[:, None]
    signal, spread = kept.sqrt().float(), (1 - kept).sqrt().float()
    angles = torch.arange(steps)[:, None] * 10_000.0 ** (-torch.arange(width // 2) / (width // 2))
    embedding = torch.cat([angles.sin(), angles.cos()], 1)
    network = mlp(2 + width, 128, 128, 128, 2)
    optimizer = adam(network)

    def step(data):
        at, eps = torch.randint(steps, (n,)), torch.randn(n, 2)
        noisy = signal[at] * batch(data, n) + spread[at] * eps
        return update(optimizer, squared_error(network(torch.cat([noisy, embedding[at]], 1)), eps))

    return 2, step


def convolutional(n, latent):
    inner = 32 * 7 * 7
    down = nn.Sequential(nn.Conv2d(1, 16, 3, 2, 1), nn.ReLU(), nn.Conv2d(16, 32, 3, 2, 1), nn.ReLU(), nn.Flatten())
    mean_of, log_std_of = nn.Linear(inner, latent), nn.Linear(inner, latent)
    up = nn.Sequential(
        nn.Linear(latent, inner), nn.ReLU(), nn.Unflatten(1, (32, 7, 7)),
        nn.Upsample(scale_factor=2), nn.Conv2d(32, 16, 3, 1, 1), nn.ReLU(),
        nn.Upsample(scale_factor=2), nn.Conv2d(16, 1, 3, 1, 1), nn.Flatten(),
    )
    optimizer = adam(down, mean_of, log_std_of, up)

    def step(data):
        xs = batch(data, n)
        features = down(xs.view(n, 1, 28, 28))
        mean, log_std = mean_of(features), log_std_of(features)
        return update(optimizer, cross_entropy(up(sample(mean, log_std)), xs) + gaussian_kl(mean, log_std))

    return 784, step


workloads = {
    "w1": lambda: vae(2, [64, 64], 2, 256, squared_error),
    "w2": lambda: gan(256),
    "w3": lambda: vae(64, [128, 128], 8, 64, cross_entropy),
    "w4": lambda: vae(784, [256, 256], 16, 64, cross_entropy),
    "w5": lambda: ddpm(256),
    "w6": lambda: convolutional(32, 16),
}

for line in sys.stdin:
    command, *rest = line.split()
    if command == "open":
        size, step = workloads[rest[0]]()
        with open(rest[1], "rb") as file:
            data = torch.frombuffer(bytearray(file.read()), dtype=torch.float32).view(-1, size)
        print("ok", flush=True)
    else:
        since, loss = time.perf_counter(), float("nan")
        for _ in range(int(rest[0])):
            loss = step(data)
        print((time.perf_counter() - since) * 1e3, loss, flush=True)
