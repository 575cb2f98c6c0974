#!/usr/bin/env python3
"""Writes src/data/digits.bin, the handwritten digits that Tealight ships.

    pip install scikit-learn
    python3 tools/extract_digits.py            # writes the asset
    python3 tools/extract_digits.py --check    # says whether the asset is what scikit-learn has

One image after the other in the order of `sklearn.datasets.load_digits`, 65 bytes each: 64 values 0..16, row by
row from the top, then the label 0..9.
One byte a value compresses better than bits packed tightly, and the asset only ever travels compressed.
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
    return bytes(value for row in rows for value in row)


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
