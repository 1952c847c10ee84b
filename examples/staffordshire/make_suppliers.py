"""Makes data/suppliers/suppliers-2026-10.jsonl and tables/known-suppliers-2026-10.csv: cases about suppliers and the suppliers
that the partner already has, all of them invented, with the faults that real files have.

Run it in this folder; the same files come out every time.
"""

import csv
import datetime
import json
import random
from pathlib import Path

FOLDER = Path(__file__).parent
CASES_FILE = FOLDER / "data" / "suppliers" / "suppliers-2026-10.jsonl"
KNOWN_FILE = FOLDER / "tables" / "known-suppliers-2026-10.csv"
SEED = 20261019
CASES, KNOWN = 320, 150
DAY = datetime.date(2026, 10, 19)

FIRST = ["Trent", "Moorland", "Hanley", "Tamworth", "Cannock", "Dovedale", "Churnet", "Needwood", "Blythe", "Etruria", "Rudyard", "Shugborough"]
SECOND = ["Fleet", "Tyre", "Catering", "Locksmith", "Uniform", "Radio", "Cleaning", "Grounds", "Bodyshop", "Survey", "Translation", "Archive"]
THIRD = ["Services", "Supplies", "Partners", "Solutions", "Works"]
GIVEN = ["Aisha", "Ben", "Carys", "Daniel", "Elspeth", "Farid", "Grace", "Harjit", "Imogen", "Jack"]
FAMILY = ["Ashworth", "Begum", "Colclough", "Dhillon", "Evans", "Forrester", "Goodwin", "Hassall", "Lovatt", "Mellor"]
POSTCODES = ["ST1 4AB", "ST4 2DF", "ST16 3LG", "ST17 9ZZ", "WS11 1AA", "B79 7XY", "DE14 2ZZ", "ST13 5QQ", "ST18 0YY", "WS13 6AB"]
# Sort codes whose account numbers follow plain modulus 11 with the weights 8 7 6 5 4 3 2 1, so that good numbers are easily made.
SORT_CODES = ["102400", "104512", "105533", "106044", "107999"]
SUBJECTS = ["supplier", "connected-person", "associated-person", "sub-contractor"]


def main() -> None:
    rng = random.Random(SEED)
    known = [supplier(rng, f"S{number:04}") for number in range(1, KNOWN + 1)]
    cases = [case(rng, number, known) for number in range(1, CASES + 1)]
    for number, fault in enumerate(faults(known)):
        cases[7 + 9 * number] |= fault
    lines = [json.dumps({key: value for key, value in one.items() if value is not None}, ensure_ascii=False) for one in cases]
    for number, spoil in enumerate(SPOILS):
        lines[12 + 36 * number] = spoil(lines[12 + 36 * number])
    CASES_FILE.parent.mkdir(parents=True, exist_ok=True)
    CASES_FILE.write_text("\n".join(lines) + "\n", encoding="utf-8")
    with open(KNOWN_FILE, "w", encoding="utf-8", newline="") as file:
        columns = ["supplier_id", "name", "postcode", "vat_number", "company_number", "sort_code", "account_number", "iban"]
        writer = csv.DictWriter(file, columns, lineterminator="\n", extrasaction="ignore", restval="")
        writer.writeheader()
        writer.writerows(known)


def supplier(rng: random.Random, supplier_id: str) -> dict:
    """What is known of a supplier. Company numbers from 99000000 on belong to nobody."""
    place = int(supplier_id[1:])
    name = f"{FIRST[place % 12]} {SECOND[place // 12 % 12]} {THIRD[place % 5]} {rng.choice(['Ltd', 'Limited', 'LLP'])}"
    sort_code, number = account(rng)
    return {"supplier_id": supplier_id, "name": name, "postcode": rng.choice(POSTCODES), "vat_number": vat_number(rng),
            "company_number": str(99_000_000 + place), "sort_code": sort_code, "account_number": number}


def case(rng: random.Random, number: int, known: list[dict]) -> dict:
    """A case with nothing against it: two of three are new, the others known suppliers with a new account."""
    old = rng.choice(known) if number % 3 == 0 else None
    new = dict(old or supplier(rng, f"S{KNOWN + number:04}"))
    if old:
        new["sort_code"], new["account_number"] = account(rng)
    sole = old is None and number % 7 == 0
    if sole:
        new["name"] = f"{rng.choice(GIVEN)} {rng.choice(FAMILY)}"
    checked = DAY - datetime.timedelta(days=rng.randrange(0, 4))
    made = {
        "reference": f"SUP-2026-{number:04}",
        "kind": "bank-change" if old else "new",
        "supplier_id": old["supplier_id"] if old else None,
        "name": new["name"],
        "legal_form": "sole-trader" if sole else "limited-liability-partnership" if "LLP" in new["name"] else "company",
        "company_number": None if sole else new["company_number"],
        "vat": {"status": "not-registered"} if sole else {"status": "registered", "number": new["vat_number"]},
        "utr": utr(rng) if sole else None,
        "address": {"lines": [f"{rng.randrange(1, 99)} Invented Street", "Staffordshire"], "postcode": new["postcode"], "country": "GB"},
        "bank": {"account_name": new["name"], "sort_code": new["sort_code"], "account_number": new["account_number"]},
        "payee_check": {"code": "MATC", "checked_on": checked.isoformat()},
        "connected_persons": [{"name": f"{rng.choice(GIVEN)} {rng.choice(FAMILY)}", "role": "proprietor" if sole else "director"}],
        "exclusions": {"assessed": SUBJECTS, "grounds": []},
    }
    if old:
        asked = checked - datetime.timedelta(days=rng.randrange(3, 9))
        made["bank_change"] = {
            "requested_on": asked.isoformat(),
            "call_back": {"called_on": (asked + datetime.timedelta(days=1)).isoformat(), "number_held_before": True, "answer": "confirmed"},
            "approved_by": ["A Sherratt", "B Mellor"],
        }
    return made


def faults(known: list[dict]) -> list[dict]:
    """What is wrong with single suppliers: each replaces parts of a case."""
    bank = lambda **changes: {"bank": {"account_name": "Invented Account Ltd", "sort_code": "107999", "account_number": "88837491"} | changes}
    payee = lambda code: {"payee_check": {"code": code, "checked_on": "2026-10-16"}}
    ground = lambda **changes: {"exclusions": {"assessed": SUBJECTS, "grounds": [{"ground": "Fraud", "kind": "mandatory", "person": "supplier"} | changes]}}
    person = lambda **changes: {"connected_persons": [{"name": "Vaskel Tamir Zorinsky", "role": "owner"} | changes]}
    changed = lambda **changes: {"kind": "bank-change", "supplier_id": "S0003", "bank_change": {"requested_on": "2026-10-12"} | changes}
    return [
        {"vat": {"status": "registered", "number": "123456789"}},
        {"vat": {"status": "registered", "number": "123456740"}},
        {"vat": {"status": "registered"}},
        {"vat": {"status": "unknown"}},
        {"utr": "2955839661"},
        {"company_number": "1234567890"},
        bank(account_number="88837493"),
        bank(sort_code="000000"),
        bank(account_number="8883749X"),
        bank(iban="GB29NWBK60161331926818"),
        {"bank": None},
        payee("MBAM"), payee("ANNM"), payee("AC01"), payee("OPTO"), {"payee_check": None},
        {"name": "Quorvane Harbour Trading Ltd"},
        {"trading_names": ["KVH"]},
        person(share_percent="75"), person(share_percent="10"), person(share_percent="75", born="1991-02-14"),
        {"name": "Tamworth \u202eecivreS eriT\u202c Ltd"},
        {"name": "H\u0430nley Radio Works Ltd"},
        {"bank": {"account_name": "M Nobody", "sort_code": known[0]["sort_code"], "account_number": known[0]["account_number"]}},
        {"vat": {"status": "registered", "number": known[1]["vat_number"]}},
        {"name": known[2]["name"], "address": {"lines": ["1 Invented Street"], "postcode": known[2]["postcode"].lower(), "country": "GB"}},
        ground(happened_on="2025-03-01", likely_to_recur="yes"), ground(happened_on="2020-03-01", likely_to_recur="yes"), ground(debarred=True),
        ground(kind="discretionary"), {"exclusions": None},
        changed(), changed(call_back={"called_on": "2026-10-13", "number_held_before": False, "answer": "confirmed"}, approved_by=["A Sherratt"]),
        changed(call_back={"called_on": "2026-10-13", "number_held_before": True, "answer": "denied"}),
    ]


# What is wrong with whole lines, so that they are no cases at all.
SPOILS = [
    lambda line: line[: len(line) // 2],
    lambda line: line.replace('"kind"', '"sort"'),
    lambda line: line.replace('"country": "GB"', '"country": "Great Britain"'),
    lambda line: line.replace('"name"', '"name": "twice", "name"', 1).replace('"vat"', '"VAT"'),
    lambda line: "not JSON",
    lambda line: line.replace('"checked_on": "2026-', '"checked_on": "26-'),
    lambda line: "[" + line + "]",
    lambda line: line.replace('"legal_form"', '"form"'),
]


def vat_number(rng: random.Random) -> str:
    first = rng.randrange(1_000_000, 10_000_000)
    total = sum(int(digit) * weight for digit, weight in zip(str(first), range(8, 1, -1)))
    return f"{first}{(97 - total % 97) % 97:02}"


def utr(rng: random.Random) -> str:
    rest = f"{rng.randrange(10**9):09}"
    total = sum(int(digit) * weight for digit, weight in zip(rest, [6, 7, 8, 9, 10, 5, 4, 3, 2]))
    return "21987654321"[total % 11] + rest


def account(rng: random.Random) -> tuple[str, str]:
    while True:
        first = f"{rng.randrange(10**7):07}"
        last = -sum(int(digit) * weight for digit, weight in zip(first, range(8, 1, -1))) % 11
        if last < 10:
            return rng.choice(SORT_CODES), f"{first}{last}"


if __name__ == "__main__":
    main()
