# --- what every program of this kind has in common ---------------------------------------------------------------


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

    def uniform_wide(self):
        """Uniform on [0, 1), 53 bits."""
        high = self.bits() >> 5
        return ((high << 26) | (self.bits() >> 6)) / 2**53

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


def read(path):
    """The configuration, what else there is to know, and the tensors of a file of weights."""
    with safe_open(path, framework="numpy") as file:
        meta = file.metadata() or {}
        if "tealight" not in meta or "tealight.data" not in meta:
            sys.exit(f"{path}: these are no weights that Tealight exported (the metadata lack its entries)")
        config, data = json.loads(meta["tealight"]), json.loads(meta["tealight.data"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}
    if config["model"] != MODEL:
        sys.exit(f"{path}: these are weights of the model {config['model']}; this program is for {MODEL}")
    shape = data["shape"]
    data["size"] = shape["channels"] * shape["height"] * shape["width"]
    return config, data, tensors


def check(path, tensors, expected):
    """Fails unless the file has exactly these tensors."""
    expected = {name: tuple(shape) for name, shape in expected.items()}
    found = {name: tensor.shape for name, tensor in tensors.items()}
    for name in expected.keys() | found.keys():
        if expected.get(name) != found.get(name):
            sys.exit(f"{path}: {name} should be {expected.get(name)}, and is {found.get(name)}")
    return sum(int(np.prod(shape)) for shape in found.values())


def linears(name, widths):
    """The tensors of fully connected layers of these widths."""
    shapes = {}
    for i, (before, after) in enumerate(zip(widths, widths[1:])):
        shapes[f"{name}.{i}.weight"], shapes[f"{name}.{i}.bias"] = (after, before), (after,)
    return shapes


def write(path, data, rows):
    """Rows as CSV; words as lines."""
    if data["shape"]["domain"] == "sequences":
        letters = [""] + list(data["alphabet"])
        lines = ["".join(letters[int(token)] for token in row) for row in rows]
    else:
        name = "pixel" if data["shape"]["domain"] == "images" else "x"
        lines = [",".join(f"{name}{i + 1}" for i in range(data["size"]))]
        lines += [",".join(str(x) for x in row) for row in np.asarray(rows, np.float32)]
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("weights", help="weights.safetensors, as the page and the command line export them")
    parser.add_argument("--n", type=int, help="how many samples (2000 points, 100 of others)")
    parser.add_argument("--out", default="samples.csv", help="the file to write (words: one a line)")
    parser.add_argument("--check", action="store_true", help="only compare the tensors; needs no PyTorch")
    options = parser.parse_args()
    config, data, tensors = read(options.weights)
    refuse(config)
    count = check(options.weights, tensors, expected(config, data))
    if options.check:
        print(f"{options.weights}: {len(tensors)} tensors, {count} numbers, all as they should be")
        return
    n = options.n or (2000 if data["shape"]["domain"] == "points" else 100)
    model = build(config, data, tensors)
    # The page draws its samples from this stream: the same noise gives the same samples.
    rows = sample(model, config, data, n, Rng(config["seed"], "views"))
    write(options.out, data, rows)
    print(f"wrote {n} samples to {options.out}")


if __name__ == "__main__":
    main()
