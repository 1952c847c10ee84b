"""International bank account numbers by PyPI `python-stdnum` 2.2, an implementation that shares nothing with ours.

Prints JSON lines {"number", "valid"}: numbers of every country that the library knows and of some that it does not know,
right and wrong. The checks that the library makes inside the account numbers of single countries are switched off.

Known difference, which the test that reads this names: the library takes the check digits 00, 01 and 99.
"""

import json
import random
import re
import string

from stdnum import iban, numdb

CASES = 8000
SEED = 20260403
KNOWN = ["GB29NWBK60161331926819", "GB70NWBK08999966374958", "GB29NWBK60161331926818", "GB29 NWBK 6016 1331 9268 19",
         "DE89370400440532013000", "ZZ89370400440532013000", "GB29NWBK6016133192681", "FR1420041010050500013M02606"]
LETTERS = {"n": string.digits, "a": string.ascii_uppercase, "c": string.digits + string.ascii_uppercase}


def main() -> None:
    rng = random.Random(SEED)
    countries = structures()
    for number in KNOWN:
        show(number)
    for _ in range(CASES):
        show(draw(rng, countries))


def structures() -> dict[str, str]:
    found = {}
    for first in string.ascii_uppercase:
        for second in string.ascii_uppercase:
            info = numdb.get("iban").info(first + second)[0][1]
            if info.get("bban"):
                found[first + second] = info["bban"]
    return found


def draw(rng: random.Random, countries: dict[str, str]) -> str:
    country = rng.choice(sorted(countries) + ["GB"] * 20)
    account = ""
    for count, kind in re.findall(r"(\d+)!([nac])", countries[country]):
        account += "".join(rng.choice(LETTERS[kind]) for _ in range(int(count)))
    number = country + iban.calc_check_digits(country + "00" + account) + account
    fault = rng.randrange(8)
    if fault == 0:
        number = number[:2] + f"{rng.randrange(100):02}" + number[4:]
    elif fault == 1:
        place = rng.randrange(4, len(number))
        number = number[:place] + rng.choice(LETTERS["c"]) + number[place + 1:]
    elif fault == 2:
        number = number[:-1] if rng.randrange(2) else number + rng.choice(string.digits)
    elif fault == 3:
        country = rng.choice(["ZZ", "US", "AA", rng.choice(sorted(countries))])
        number = country + iban.calc_check_digits(country + "00" + account) + account
    return number


def show(number: str) -> None:
    print(json.dumps({"number": number, "valid": iban.is_valid(number, check_country=False)}))


if __name__ == "__main__":
    main()
