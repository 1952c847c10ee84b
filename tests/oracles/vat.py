"""British VAT numbers by PyPI `python-stdnum` 2.2, an implementation that shares nothing with ours.

Prints JSON lines {"number", "valid", "residue"}; the residue is of the first nine digits, null where there are none.

Known differences, which the test that reads this names: the library also takes numbers that leave 55, and the number
that is all noughts.
"""

import json
import random

from stdnum.gb import vat

CASES = 6000
SEED = 20260401
KNOWN = """980780684 123456782 434031494 107328000 340804329 100190874 562235987 123456727 123456789 802311781 911920066
123456740 012345620 950000087 999000103 000000000 980780684001 GB980780684 XI980780684 GD000 GD499 GD500 HA499 HA500 HA999
GD888812326 GD888812327 HA888860018 GD888849911 98078068 9807806844""".split()


def main() -> None:
    rng = random.Random(SEED)
    for number in KNOWN:
        show(number)
    for _ in range(CASES):
        show(draw(rng))


def draw(rng: random.Random) -> str:
    kind = rng.randrange(10)
    if kind == 0:
        return rng.choice(["GD", "HA"]) + f"{rng.randrange(1000):03}"
    if kind == 1:
        name = rng.randrange(1000)
        remainder = name % 97 if rng.randrange(2) else rng.randrange(100)
        return rng.choice(["GD8888", "HA8888"]) + f"{name:03}{remainder:02}"
    first = rng.choice([f"{rng.randrange(10_000_000):07}", f"{rng.randrange(1_200_000):07}"])
    # Two of three numbers get check digits that leave 0, 42 or 55; the others get any.
    wanted = rng.choice([0, 42, 55])
    number = next((first + f"{pair:02}" for pair in range(97) if vat.checksum(first + f"{pair:02}") == wanted), first + "00")
    if kind < 4:
        number = first + f"{rng.randrange(100):02}"
    prefix = rng.choice(["", "", "GB", "GB ", "XI"])
    return prefix + number + rng.choice(["", "", "", f"{rng.randrange(1000):03}"])


def show(number: str) -> None:
    plain = vat.compact(number)
    residue = vat.checksum(plain[:9]) if plain.isdigit() and len(plain) in (9, 12) else None
    print(json.dumps({"number": number, "valid": vat.is_valid(number), "residue": residue}))


if __name__ == "__main__":
    main()
