"""Unique taxpayer references by PyPI `python-stdnum` 2.2, an implementation that shares nothing with ours.

Prints JSON lines {"number", "valid"}.
"""

import json
import random

from stdnum.gb import utr

CASES = 5000
SEED = 20260402
KNOWN = ["1955839661", "1123456789", "2955839661", "K1955839661", "195583966", "19558396611", "0000000000"]


def main() -> None:
    rng = random.Random(SEED)
    for number in KNOWN:
        show(number)
    for _ in range(CASES):
        rest = f"{rng.randrange(1_000_000_000):09}"
        first = utr.calc_check_digit(rest) if rng.randrange(2) else str(rng.randrange(10))
        show(rng.choice(["", "", "K", "k "]) + first + rest)


def show(number: str) -> None:
    print(json.dumps({"number": number, "valid": utr.is_valid(number)}))


if __name__ == "__main__":
    main()
