"""Makes data/claims/claims-2026.jsonl: a year of insurance claims, all of them invented, with the faults that real files have.

Run it in this folder; the same file comes out every time.
"""

import datetime
import json
import random
from pathlib import Path

FILE = Path(__file__).parent / "data" / "claims" / "claims-2026.jsonl"
SEED = 20261102
CLAIMS = 400
FIRST, LAST = datetime.date(2025, 11, 3), datetime.date(2026, 10, 30)

CLASSES = {
    "motor-own-damage": 110,
    "motor-third-party": 100,
    "employers-liability": 55,
    "public-liability": 50,
    "property": 40,
    "advice": 25,
    "engineering": 12,
    "fidelity": 8,
}
GIVEN = ["Aisha", "Ben", "Carys", "Daniel", "Elspeth", "Farid", "Grace", "Harjit", "Imogen", "Jack", "Kofi", "Lena", "Maeve", "Nathan"]
FAMILY = ["Ashworth", "Begum", "Colclough", "Dhillon", "Evans", "Forrester", "Goodwin", "Hassall", "Ilyas", "Jukes", "Kowalska", "Lovatt"]
CHANGES = ["partnership", "event", "operation", "business-case", "property-lease", "vehicle-hire", "other"]


def main() -> None:
    rng = random.Random(SEED)
    days = sorted(FIRST + datetime.timedelta(days=rng.randrange((LAST - FIRST).days + 1)) for _ in range(CLAIMS))
    claims = [claim(rng, number, day) for number, day in enumerate(days, start=1)]
    golden(claims)
    spoil(rng, claims)
    FILE.parent.mkdir(parents=True, exist_ok=True)
    FILE.write_text("".join(json.dumps(claim) + "\n" for claim in claims), encoding="utf-8")


def claim(rng: random.Random, number: int, received: datetime.date) -> dict:
    kind = rng.choices(list(CLASSES), list(CLASSES.values()))[0]
    made = {"reference": f"SP-{number:05}", "class": kind, "loss": "0.00", "received_date": received.isoformat()}
    if kind == "advice":
        made["change"] = rng.choice(CHANGES)
        return made
    # Most claims come in within weeks, some after years.
    ago = rng.choices([rng.randrange(0, 30), rng.randrange(30, 400), rng.randrange(400, 1500)], [70, 25, 5])[0]
    made["accident_date"] = (received - datetime.timedelta(days=ago)).isoformat()
    made["loss"] = loss(rng, kind)
    DETAILS[kind](rng, made)
    return made


def loss(rng: random.Random, kind: str) -> str:
    if rng.random() < 0.03:
        return "0.00"
    middle = {"motor-own-damage": 2_400, "motor-third-party": 4_100, "employers-liability": 14_000, "public-liability": 6_500}.get(kind, 9_000)
    pence = int(rng.lognormvariate(0, 1.1) * middle * 100)
    if rng.random() < 0.02:
        pence = rng.randrange(9_000_000, 42_000_000)
    return f"{pence // 100}.{pence % 100:02}"


def person(rng: random.Random, made: dict) -> None:
    made["claimant"] = {"name": f"{rng.choice(GIVEN)} {rng.choice(FAMILY)}"}


def own_damage(rng: random.Random, made: dict) -> None:
    made["vehicle"] = {"registration": registration(rng), "driver_at_fault": rng.random() < 0.45}


def third_party(rng: random.Random, made: dict) -> None:
    person(rng, made)
    own_damage(rng, made)
    if rng.random() < 0.12:
        made["conduct_complaint"] = True
    if rng.random() < 0.55:
        kind = rng.choices(["whiplash", "minor", "fracture", "psychological", "spinal", "death"], [60, 20, 12, 5, 2, 1])[0]
        made["injury"] = {"kind": kind, "damages": f"{int(float(made['loss']) * rng.uniform(0.3, 0.9))}.00"}
        if kind == "whiplash":
            made["injury"]["months"] = rng.randrange(1, 27)
            made["injury"]["psychological"] = rng.random() < 0.3
        if rng.random() < 0.15:
            made["vulnerable_road_user"] = True
        if rng.random() < 0.08:
            made["claimant"]["child"] = True


def employers(rng: random.Random, made: dict) -> None:
    person(rng, made)
    kind = rng.choices(["minor", "fracture", "psychological", "disease", "spinal", "mesothelioma", "other"], [40, 20, 15, 12, 3, 2, 8])[0]
    made["injury"] = {"kind": kind}
    category = rng.choices(["", "over-three-days", "over-seven-days", "specified-injury"], [60, 10, 20, 10])[0]
    if category:
        made["riddor"] = category
    if rng.random() < 0.3:
        progress(rng, made)


def progress(rng: random.Random, made: dict) -> None:
    acknowledged = datetime.date.fromisoformat(made["received_date"]) + datetime.timedelta(days=1)
    made["portal"] = {"acknowledged_date": acknowledged.isoformat()}
    if rng.random() < 0.5:
        made["portal"]["admission_date"] = (acknowledged + datetime.timedelta(days=rng.randrange(10, 40))).isoformat()
    elif rng.random() < 0.5:
        made["portal"]["exited"] = True


def public(rng: random.Random, made: dict) -> None:
    person(rng, made)
    if rng.random() < 0.6:
        made["injury"] = {"kind": rng.choice(["minor", "fracture", "psychological", "other"])}
    if rng.random() < 0.35:
        made["conduct_complaint"] = True


def engineering(rng: random.Random, made: dict) -> None:
    made["equipment"] = rng.choice(["building", "vehicle"])


def nothing(_rng: random.Random, _made: dict) -> None:
    pass


DETAILS = {
    "motor-own-damage": own_damage,
    "motor-third-party": third_party,
    "employers-liability": employers,
    "public-liability": public,
    "property": nothing,
    "fidelity": nothing,
    "engineering": engineering,
}


def registration(rng: random.Random) -> str:
    letters = "ABCDEFGHJKLMNOPRSTUVWXYZ"
    return f"BX{rng.randrange(18, 27)} {''.join(rng.choice(letters) for _ in range(3))}"


def golden(claims: list[dict]) -> None:
    """Three losses that everybody can check by hand."""
    property_claims = [claim for claim in claims if claim["class"] == "property"]
    for claim, amount in zip(property_claims, ["138500.00", "100000.00", "100000.01"]):
        claim["loss"] = amount


def spoil(rng: random.Random, claims: list[dict]) -> None:
    """The faults of hand-typed files: about one line in sixteen."""
    faults = [
        lambda claim: claim.update(loss="12,400.00"),
        lambda claim: claim.update(loss="£950.00"),
        lambda claim: claim.pop("loss"),
        lambda claim: claim.update(loss=-150),
        lambda claim: claim.update({"class": "motor"}),
        lambda claim: claim.update(received_date="14/07/2026"),
        lambda claim: claim.update(received_date="2026-02-30"),
        lambda claim: claim.pop("received_date"),
        lambda claim: claim.update(handler="J. Jukes"),
        lambda claim: claim.update(accident_date=(datetime.date.fromisoformat(claim["received_date"]) + datetime.timedelta(days=9)).isoformat()),
    ]
    insured = [claim for claim in claims if claim["class"] != "advice" and claim["loss"] not in ("138500.00", "100000.00", "100000.01")]
    for place, claim in enumerate(rng.sample(insured, 25)):
        faults[place % len(faults)](claim)


if __name__ == "__main__":
    main()
