#!/usr/bin/env python3
"""Writes src/data/digits.bin, the handwritten digits that Tealight ships.

    pip install scikit-learn
    python3 tools/extract_digits.py            # writes the asset
    python3 tools/extract_digits.py --check    # says whether the asset is what scikit-learn has

One image after the other in the order of `sklearn.datasets.load_digits`: the label 0..9, then 64 values 0..16, row
by row from the top.
They are range coded (Martin 1979; carryless after Subbotin) with the counts so far of each pixel of each digit, which
takes a quarter less than the best that general compression finds. `src/data/digits.rs` decodes them.
`--csv FILE` takes the same 65 numbers a line from a text file instead of from scikit-learn.

Source: Optical Recognition of Handwritten Digits, E. Alpaydin and C. Kaynak, UCI Machine Learning Repository,
https://doi.org/10.24432/C50P49, CC BY 4.0.
"""
import argparse
import csv
import pathlib
import sys

ASSET = pathlib.Path(__file__).resolve().parent.parent / "src" / "data" / "digits.bin"
IMAGES = 1797


# How much more a value is expected where it was seen once.
GAIN = 3
WORD = 0xFFFFFFFF


class Encoder:
    """A range coder of 32 bits without carries."""

    def __init__(self):
        self.low, self.range, self.out = 0, WORD, bytearray()

    def put(self, below, count, total):
        self.range //= total
        self.low = (self.low + below * self.range) & WORD
        self.range *= count
        while True:
            if (self.low ^ (self.low + self.range)) & WORD >= 1 << 24:
                if self.range >= 1 << 16:
                    return
                self.range = -self.low & 0xFFFF
            self.out.append(self.low >> 24)
            self.low = self.low << 8 & WORD
            self.range = self.range << 8 & WORD

    def finish(self):
        for _ in range(4):
            self.out.append(self.low >> 24)
            self.low = self.low << 8 & WORD
        return bytes(self.out)


def rows_of_sklearn():
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        sys.exit("scikit-learn is missing: pip install scikit-learn, or give the numbers with --csv FILE")
    digits = load_digits()
    return [[int(value) for value in image] + [int(label)] for image, label in zip(digits.data, digits.target)]


def rows_of_csv(path):
    with open(path, newline="") as file:
        return [[int(value) for value in line] for line in csv.reader(file)]


def pack(rows):
    if len(rows) != IMAGES:
        sys.exit(f"{len(rows)} images instead of {IMAGES}")
    for number, row in enumerate(rows):
        if len(row) != 65 or not all(0 <= value <= 16 for value in row[:64]) or not 0 <= row[64] <= 9:
            sys.exit(f"image {number} is not 64 values 0..16 and a label 0..9")
    coder = Encoder()
    counts = [[[1] * 17 for _ in range(64)] for _ in range(10)]
    for *image, label in rows:
        coder.put(label, 1, 10)
        for value, seen in zip(image, counts[label]):
            coder.put(sum(seen[:value]), seen[value], sum(seen))
            seen[value] += GAIN
    return coder.finish()


def main():
    parser = argparse.ArgumentParser(description="Writes the handwritten digits that Tealight ships.")
    parser.add_argument("--csv", metavar="FILE", help="read the numbers from this file, not from scikit-learn")
    parser.add_argument("--out", metavar="FILE", type=pathlib.Path, default=ASSET, help=f"default: {ASSET}")
    parser.add_argument("--check", action="store_true", help="compare with the file instead of writing it")
    options = parser.parse_args()
    packed = pack(rows_of_csv(options.csv) if options.csv else rows_of_sklearn())
    if options.check:
        if options.out.read_bytes() != packed:
            sys.exit(f"{options.out} differs")
        print(f"{options.out} is right: {IMAGES} images")
    else:
        options.out.write_bytes(packed)
        print(f"wrote {options.out}: {IMAGES} images, {len(packed)} bytes")


if __name__ == "__main__":
    main()
