"""Splits by the largest remainder method as PyPI `apportionment` 1.0 makes them, an implementation that shares nothing with ours.

Prints JSON lines {"amount", "weights", "shares"}, all whole numbers: pence and weights.

Where partners tie for the last penny, the library can hand it out before it has served a larger remainder further down the
list (remainders 3, 3, 4 with two pennies left: it serves the two threes). Such a line is recognised by its remainders and
drawn again; who wins a tie is the library's word.
The file is not called `apportionment.py`, because it would then import itself.
"""

import json
import random
from fractions import Fraction

from apportionment import methods

CASES = 3000
SEED = 20210401
KNOWN = [(123456789, [2140, 1365]), (10000, [1, 1, 1]), (2221, [1104, 518, 83, 57, 454, 64, 87, 18])]


def main() -> None:
    rng = random.Random(SEED)
    for amount, weights in KNOWN:
        show(amount, weights, hamilton(amount, weights))
    printed = 0
    while printed < CASES:
        amount, weights = draw(rng)
        shares = hamilton(amount, weights)
        if quota_holds(amount, weights, shares):
            show(amount, weights, shares)
            printed += 1


def draw(rng: random.Random) -> tuple[int, list[int]]:
    partners = rng.randrange(1, 9)
    # Small and equal weights make ties, which is where implementations differ.
    highest = rng.choice([3, 10, 100, 10_000, 100_000, 1_000_000_000])
    weights = [rng.randrange(0, highest + 1) for _ in range(partners)]
    if sum(weights) == 0:
        weights[rng.randrange(partners)] = 1
    return rng.randrange(1, rng.choice([20, 1_000, 100_000, 10_000_000, 10_000_000_000_000])), weights


def hamilton(amount: int, weights: list[int]) -> list[int]:
    return [int(share) for share in methods.compute("hamilton", weights, amount, fractions=True, verbose=False)]


def quota_holds(amount: int, weights: list[int], shares: list[int]) -> bool:
    """Whether the shares add up, none is a penny off, and nobody with a larger remainder was passed over."""
    total = sum(weights)
    exact = [Fraction(amount * weight, total) for weight in weights]
    up = [exact[i] % 1 for i, share in enumerate(shares) if share > exact[i]]
    down = [exact[i] % 1 for i, share in enumerate(shares) if share <= exact[i]]
    within = all(abs(share - fraction) < 1 for share, fraction in zip(shares, exact))
    return sum(shares) == amount and within and (not up or not down or min(up) >= max(down))


def show(amount: int, weights: list[int], shares: list[int]) -> None:
    print(json.dumps({"amount": amount, "weights": weights, "shares": shares}))


if __name__ == "__main__":
    main()
