"""Makes data/apportionment: the 2021/22 budget as cost pools, and the drivers that split them.

What is published: the lines of the budget (Police and Crime Plan 2021-24). They add up to £222.1m net.
What is invented: how each line falls into pools and quarters, every driver, and every share between partners.
Run it in this folder; the same files come out every time.
"""

import csv
import random
from pathlib import Path

FOLDER = Path(__file__).parent / "data" / "apportionment"
SEED = 202122
QUARTER_ENDS = ["2021-06-30", "2021-09-30", "2021-12-31", "2022-03-31"]
POLICE, FIRE, PFCC = "staffordshire-police", "staffordshire-fire", "staffordshire-pfcc"
WEST_MIDLANDS, WARWICKSHIRE, WEST_MERCIA = "west-midlands-police", "warwickshire-police", "west-mercia-police"

# Account numbers are invented; the lines and amounts are the plan's.
BUDGET = [
    ("1000", "Police Officer Pay", 110_400_000_00),
    ("1100", "Police Staff", 51_800_000_00),
    ("1200", "PCSO", 8_300_000_00),
    ("1300", "Other Employee", 5_700_000_00),
    ("2000", "Premises, Transport, Supplies & Services", 45_400_000_00),
    ("3000", "Commissioned", 6_400_000_00),
    ("4000", "Capital Financing", 8_700_000_00),
    ("5000", "Commissioner's Office", 1_800_000_00),
    ("9000", "Income", -16_400_000_00),
]

# (account, service, driver, pence of the year); None takes the rest of the budget line.
POOLS = [
    ("1000", "regional-organised-crime", "rocu-agreed-shares", 4_812_337_41),
    ("1000", "motorway-policing", "motorway-agreed-shares", 2_236_904_18),
    ("1000", "local-policing", "police-only", None),
    ("1100", "human-resources", "headcount-all", 3_148_226_73),
    ("1100", "financial-services", "headcount-all", 2_417_905_09),
    ("1100", "corporate-communications", "communications-agreed-shares", 1_206_441_55),
    ("1100", "occupational-health", "headcount-occupational-health", 913_662_87),
    ("1100", "legal-services", "legal-agreed-shares", 1_102_318_64),
    ("1100", "firearms-licensing", "firearms-licensing-agreed-shares", 654_120_33),
    ("1100", "police-staff", "police-only", None),
    ("1200", "local-policing", "police-only", None),
    ("1300", "training", "headcount-all", 1_318_770_21),
    ("1300", "pensions-and-injury-awards", "police-only", None),
    ("2000", "estates-hanley", "floor-area-hanley", 1_234_567_89),
    ("2000", "estates-tamworth", "floor-area-tamworth", 687_412_36),
    ("2000", "estates-headquarters", "floor-area-headquarters", 6_904_118_02),
    ("2000", "fleet-workshop", "vehicles-all", 5_318_904_77),
    ("2000", "fleet-fuel", "mileage-all", 3_877_206_14),
    ("2000", "supplies-and-logistics", "headcount-all", 2_745_330_98),
    ("2000", "policing-supplies", "police-only", None),
    ("3000", "commissioned-services", "pfcc-only", None),
    ("4000", "capital-financing", "police-only", None),
    ("5000", "commissioners-office", "pfcc-only", None),
    ("9000", "fleet-income", "vehicles-all", -640_215_50),
    ("9000", "estates-income", "floor-area-hanley", -212_406_17),
    ("9000", "grants-and-other-income", "police-only", None),
]

# (driver, basis, first day, last day, shares in the order in which ties are decided)
DRIVERS = [
    ("police-only", "fixed-share", "2021-04-01", "", [(POLICE, "100")]),
    ("pfcc-only", "fixed-share", "2021-04-01", "", [(PFCC, "100")]),
    ("headcount-all", "headcount", "2021-04-01", "", [(POLICE, "3512"), (FIRE, "842"), (PFCC, "27")]),
    ("headcount-occupational-health", "headcount", "2021-04-01", "", [(POLICE, "3498"), (FIRE, "806")]),
    ("vehicles-all", "vehicles", "2021-04-01", "", [(POLICE, "612"), (FIRE, "118")]),
    ("mileage-all", "mileage", "2021-04-01", "2021-09-30", [(POLICE, "4206180.5"), (FIRE, "602114.25")]),
    ("mileage-all", "mileage", "2021-10-01", "", [(POLICE, "4318022.75"), (FIRE, "571908")]),
    ("floor-area-hanley", "floor-area", "2021-04-01", "2021-09-30", [(POLICE, "2140"), (FIRE, "1365")]),
    ("floor-area-hanley", "floor-area", "2021-10-01", "", [(POLICE, "2060"), (FIRE, "1445")]),
    ("floor-area-tamworth", "floor-area", "2021-04-01", "", [(POLICE, "980.5"), (FIRE, "1210.25")]),
    ("floor-area-headquarters", "floor-area", "2021-04-01", "", [(POLICE, "18420"), (FIRE, "3105"), (PFCC, "412")]),
    ("communications-agreed-shares", "fixed-share", "2021-04-01", "", [(POLICE, "72.5"), (FIRE, "22.5"), (PFCC, "5")]),
    ("rocu-agreed-shares", "fixed-share", "2021-04-01", "",
     [(POLICE, "19.4"), (WEST_MIDLANDS, "50.1"), (WARWICKSHIRE, "9.2"), (WEST_MERCIA, "21.3")]),
    ("motorway-agreed-shares", "fixed-share", "2021-04-01", "", [(POLICE, "33.3333"), (WEST_MIDLANDS, "66.6667")]),
    ("legal-agreed-shares", "fixed-share", "2021-04-01", "", [(POLICE, "31.25"), (WEST_MIDLANDS, "68.75")]),
    ("firearms-licensing-agreed-shares", "fixed-share", "2021-04-01", "", [(POLICE, "41.8"), (WEST_MIDLANDS, "58.2")]),
]


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    write("budget-2021-22.csv", ["account", "line", "amount"], [(account, line, pounds(amount)) for account, line, amount in BUDGET])
    write(
        "drivers-2021-22.csv",
        ["driver", "basis", "partner", "quantity", "partners", "effective_from", "effective_to"],
        [
            (driver, basis, partner, quantity, len(shares), first, last)
            for driver, basis, first, last, shares in DRIVERS
            for partner, quantity in shares
        ],
    )
    write("pools-2021-22.csv", ["pool", "service", "driver", "on", "provider", "account", "amount"], pools())


def pools() -> list[tuple]:
    rng = random.Random(SEED)
    lines = {account: amount for account, _, amount in BUDGET}
    rows = []
    for number, (account, service, driver, amount) in enumerate(POOLS, start=1):
        if amount is None:
            amount = lines[account] - sum(other for a, _, _, other in POOLS if a == account and other is not None)
        for quarter, (on, part) in enumerate(zip(QUARTER_ENDS, quarters(rng, amount)), start=1):
            rows.append((f"P{number:03}-Q{quarter}", service, driver, on, POLICE, account, pounds(part)))
    return sorted(rows, key=lambda row: (row[3], row[0]))


def quarters(rng: random.Random, year: int) -> list[int]:
    """Four uneven quarters that add up to the year."""
    sign = -1 if year < 0 else 1
    parts = [abs(year) * rng.randrange(230, 270) // 1000 for _ in range(3)]
    return [sign * part for part in [*parts, abs(year) - sum(parts)]]


def pounds(pence: int) -> str:
    sign = "-" if pence < 0 else ""
    return f"{sign}{abs(pence) // 100}.{abs(pence) % 100:02}"


def write(name: str, heading: list[str], rows: list[tuple]) -> None:
    with (FOLDER / name).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(heading)
        writer.writerows(rows)


if __name__ == "__main__":
    main()
