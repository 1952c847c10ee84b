"""Writes data/payroll: one month of police staff payroll as an HR system would print it, the months before, and what is wrong with it.

python3 make_payroll.py — standard library only, seeded: the same bytes every time. Every person, number and amount is invented.
"""

import csv
import io
import random
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from pathlib import Path

HERE = Path(__file__).resolve().parent
FOLDER = HERE / "data" / "payroll"
BANDS = HERE.parent.parent / "plugins" / "lgps-return" / "tables" / "lgps-bands-2026-27.csv"
PEOPLE = 1500
FIRST, LAST = date(2026, 10, 1), date(2026, 10, 31)
BEFORE = [date(2026, 7, 31), date(2026, 8, 31), date(2026, 9, 30)]
EMPLOYER_RATE = Decimal("18.9")
FULL_TIME_HOURS = Decimal(37)
ZERO = Decimal(0)

HEADINGS = [
    "Assignment No", "NI Number", "Surname", "Forename(s)", "Date of Birth", "Post Title", "Cost Centre", "Employer Code", "Period End",
    "Status", "Pension Scheme", "Section", "Hours Ind", "Contract Hrs", "Hrs Eff Date", "Joined Scheme", "Date Left", "Annual Pens Pay",
    "FTE Final Pay", "Pens Pay Main", "Pens Pay 50/50", "EE Rate %", "EE Conts Main", "EE Conts 50/50", "ER Conts", "APC", "SCAPC ER", "AVC",
    "Reduced Pay", "Reduced From", "Reduced To", "Pay While Reduced", "APP", "Break Reason", "Break From", "Break To",
]
PREVIOUS_HEADINGS = ["Assignment No", "Period End", "Status", "Pens Pay", "Reduction Ignored", "FTE Final Pay", "Contract Hrs"]

POSTS = [  # title, full-time salaries, weight
    ("Contact Centre Operator", (26_900, 31_400), 22), ("PCSO", (27_800, 31_200), 20), ("Detention Officer", (28_300, 32_900), 10),
    ("Crime Scene Investigator", (31_900, 38_500), 6), ("Administrator", (24_200, 27_300), 12), ("Vehicle Technician", (30_100, 35_600), 4),
    ("Intelligence Analyst", (33_500, 41_700), 8), ("Payroll Officer", (27_500, 33_100), 3), ("Estates Surveyor", (40_200, 47_900), 2),
    ("ICT Engineer", (36_800, 46_200), 6), ("Solicitor", (52_300, 63_400), 2), ("Finance Business Partner", (44_600, 56_900), 3),
    ("Head of Service", (66_800, 83_500), 2), ("Director", (98_000, 121_500), 1), ("Cleaner", (23_700, 24_100), 5),
]
SURNAMES = (
    "Adams Ahmed Bagnall Baker Begum Birch Boulton Brindley Brough Brown Carter Clewlow Colclough Cooper Davies Edwards Evans Fallows Farrell "
    "Green Hall Hammersley Harris Heath Hughes Hussain Iqbal Jackson James Jones Kaur Khan Leese Lewis Lovatt Machin Malkin Mason Mellor "
    "Moore Morgan Mountford Myatt Nixon Oakes Patel Pointon Price Proctor Rhodes Roberts Rowley Salt Shaw Sherratt Singh Smith Steele "
    "Stevenson Taylor Thomas Tunnicliffe Turner Underwood Walker Walley Watkin Wedgwood Whittaker Williams Wood Wright Yates "
    "O\u2019Neill Brontë Núñez Müller Fitz-Hugh Søndergård"
).split()
FORENAMES = (
    "Aaliyah Adam Aisha Alan Amy Andrew Angela Ben Bethan Caroline Charlotte Chloë Christopher Claire Daniel David Deborah Emma Fatima Gareth "
    "Hannah Harpreet Helen Ian Imran Jack James Jane Jason Joanne John Karen Kevin Laura Lee Linda Lucy Mark Mary Michael Mohammed Nicola "
    "Olivia Paul Peter Priya Rachel Rebecca Renée Richard Robert Sarah Siân Simon Sophie Stephen Susan Thomas Tracey Victoria Zoë"
).split()


def pence(amount):
    """Half up, to the penny."""
    return Decimal(amount).quantize(Decimal("0.01"), ROUND_HALF_UP)


def bands():
    with BANDS.open() as file:
        return [(Decimal(r["upper"] or "Infinity"), Decimal(r["rate"]), Decimal(r["half_rate"])) for r in csv.DictReader(file)]


RATES = bands()


def rate(annual, section):
    """Percent for an annual pay, rounded down to whole pounds."""
    whole = annual.quantize(Decimal(1), ROUND_DOWN)
    _, main, half = next(band for band in RATES if whole <= band[0])
    return main if section == "MAIN" else half


@dataclass
class Line:
    """One employment in the month, before it is printed."""

    number: str
    cells: dict
    months: list = field(default_factory=list)
    expect: list = field(default_factory=list)


def ni_number(rng):
    while True:
        first, second = rng.choice("ABCEGHJKLMNOPRSTWXYZ"), rng.choice("ABCEGHJKLMNPRSTWXYZ")
        if first + second not in ("BG", "GB", "KN", "NK", "NT", "TN", "ZZ", "CR", "FY", "MW", "NC", "PP"):
            return f"{first}{second}{rng.randrange(1_000_000):06}{rng.choice('ABCD')}"


def line(rng, place):
    """A member in order: full or part time, main or 50/50."""
    title, (low, high), _ = rng.choices(POSTS, [weight for *_, weight in POSTS])[0]
    full_time = Decimal(rng.randrange(low // 50, high // 50 + 1) * 50)
    part = rng.random() < 0.27
    hours = Decimal(rng.choice([15, 18.5, 22.2, 25, 29.6, 30])) if part else FULL_TIME_HOURS
    annual = pence(full_time * hours / FULL_TIME_HOURS)
    section = "50/50" if rng.random() < 0.04 else "MAIN"
    cells = {
        "Assignment No": f"{40_000_000 + place * 37}", "NI Number": ni_number(rng), "Surname": rng.choice(SURNAMES), "Forename(s)": rng.choice(FORENAMES),
        "Date of Birth": date(1961, 1, 1) + timedelta(days=rng.randrange(16_000)), "Post Title": title, "Cost Centre": f"SP{rng.randrange(100, 190)}",
        "Employer Code": "00322" if rng.random() < 0.02 else "00321", "Period End": LAST, "Status": "Active", "Pension Scheme": "LGPS",
        "Section": section, "Hours Ind": "P" if part else "F", "Contract Hrs": hours, "Annual Pens Pay": annual, "FTE Final Pay": pence(full_time),
    }
    made = Line(cells["Assignment No"], cells)
    pay = annual / 12
    made.months = [(day, pence(pay / Decimal("1.032") if day < date(2026, 9, 1) else pay), pence(full_time / (Decimal("1.032") if day < date(2026, 9, 1) else 1)), hours) for day in BEFORE]
    overtime = Decimal(rng.randrange(2_000, 38_000)) / 100 if rng.random() < 0.18 else ZERO
    pay_line(made, pence(pay) + overtime)
    return made


def pay_line(made, pay, care=None):
    """Puts pay, and the contributions that belong to it, in the columns of the section."""
    cells = made.cells
    main = cells["Section"] == "MAIN"
    percent = rate(cells["Annual Pens Pay"], cells["Section"])
    used, unused = ("Main", "50/50") if main else ("50/50", "Main")
    cells |= {
        f"Pens Pay {used}": pay, f"Pens Pay {unused}": ZERO, "EE Rate %": percent,
        f"EE Conts {used}": pence(pay * percent / 100), f"EE Conts {unused}": ZERO,
        "ER Conts": pence((pay if care is None else care) * EMPLOYER_RATE / 100),
    }


def pay_of(made):
    return made.cells["Pens Pay Main"] + made.cells["Pens Pay 50/50"]


# ── what happens to people in a month ───────────────────────────────────────


def starter(rng, made):
    joined = FIRST + timedelta(days=rng.randrange(0, 24))
    pay_line(made, pence(made.cells["Annual Pens Pay"] / 12 * ((LAST - joined).days + 1) / 31))
    made.cells |= {"Status": "Starter", "Joined Scheme": joined}
    made.months = []


def leaver(rng, made):
    left = FIRST + timedelta(days=rng.randrange(4, 31))
    pay_line(made, pence(made.cells["Annual Pens Pay"] / 12 * ((left - FIRST).days + 1) / 31))
    made.cells |= {"Status": "Leaver", "Date Left": left}


def casual(rng, made):
    hours = rng.randrange(20, 110)
    made.cells |= {"Hours Ind": "C", "Contract Hrs": None}
    made.months = [(day, pence(pay * hours / 160), full, None) for day, pay, full, _ in made.months]
    given = rng.random() < 0.6
    made.cells["Annual Pens Pay"] = pence(Decimal(hours) * Decimal("13.86")) * 12
    pay_line(made, pence(Decimal(hours) * Decimal("13.86")))
    if not given:
        made.cells["Annual Pens Pay"] = None
        made.expect.append(("warn", "casual-pay-estimated", "casual, and payroll gives no annual pay"))


def average(made):
    return pence(sum(pay for _, pay, *_ in made.months) / 3)


def long_absence(rng, made):
    """Half pay or none for the whole month, since the first of it."""
    reason, share = rng.choice([("SICK", Decimal("0.5")), ("CHILD", Decimal("0.5")), ("CHILD", ZERO)])
    app = average(made)
    pay_line(made, pence(made.cells["Annual Pens Pay"] / 12 * share), app)
    made.cells |= {"Reduced Pay": reason, "Reduced From": FIRST, "APP": app}


def short_absence(rng, made):
    """Half pay for some days of the month."""
    first = FIRST + timedelta(days=rng.randrange(3, 12))
    last = first + timedelta(days=rng.randrange(5, 15))
    days = Decimal((last - first).days + 1)
    month = made.cells["Annual Pens Pay"] / 12
    reduced = pence(month * days / 31 / 2)
    full = pence(month * (31 - days) / 31)
    app = pence(average(made) * days / 31)
    pay_line(made, full + reduced, full + app)
    made.cells |= {"Reduced Pay": "SICK", "Reduced From": first, "Reduced To": last, "Pay While Reduced": reduced, "APP": app}


def break_in_service(rng, made):
    first = FIRST + timedelta(days=rng.randrange(0, 20))
    reason = rng.choice(["S", "C", "PL", "A"])
    last = first + timedelta(days=rng.randrange(0, 8))
    days = (last - first).days + 1
    pay_line(made, pence(made.cells["Annual Pens Pay"] / 12 * (31 - days) / 31))
    made.cells |= {"Break Reason": reason, "Break From": first, "Break To": last}


def new_hours(rng, made):
    old = made.cells["Contract Hrs"]
    made.months = [(day, pay, full, Decimal(20) if old != 20 else Decimal(25)) for day, pay, full, _ in made.months]
    made.cells["Hrs Eff Date"] = FIRST


def additional(rng, made):
    made.cells[rng.choice(["APC", "AVC", "AVC"])] = Decimal(rng.randrange(2_000, 30_000)) / 100


def shared_cost(rng, made):
    cost = Decimal(rng.randrange(3_000, 9_000)) / 100
    made.cells |= {"APC": cost, "SCAPC ER": cost * 2}


def other_scheme(rng, made):
    scheme, code = rng.choice([("PPS", "police-pension-scheme"), ("PPS", "police-pension-scheme"), ("OPT", "opted-out"), ("NONE", "not-a-member")])
    for heading in list(made.cells):
        if heading in ("Section", "EE Rate %", "FTE Final Pay", "Annual Pens Pay", "ER Conts"):
            made.cells[heading] = None
        elif heading.startswith(("Pens Pay", "EE Conts")):
            made.cells[heading] = ZERO
    made.cells |= {"Pension Scheme": scheme, "Post Title": "Police Officer" if scheme == "PPS" else made.cells["Post Title"]}
    made.months = []
    made.expect.append(("skip", code, "not in the LGPS"))


EVENTS = [(starter, 14), (leaver, 12), (casual, 20), (long_absence, 14), (short_absence, 8), (break_in_service, 9), (new_hours, 9), (additional, 110), (shared_cost, 12), (other_scheme, 24)]


# ── what goes wrong ─────────────────────────────────────────────────────────


def put(effect, code, why, **cells):
    """A fault that puts other values in some columns."""

    def fault(made):
        for name, value in cells.items():
            made.cells[COLUMN[name]] = value(made) if callable(value) else value
        made.expect.append((effect, code, why))

    return fault


COLUMN = {
    "ni": "NI Number", "end": "Period End", "status": "Status", "scheme": "Pension Scheme", "section": "Section", "hours_ind": "Hours Ind", "hours": "Contract Hrs",
    "joined": "Joined Scheme", "left": "Date Left", "annual": "Annual Pens Pay", "final": "FTE Final Pay", "main": "Pens Pay Main", "half": "Pens Pay 50/50",
    "rate": "EE Rate %", "ee_main": "EE Conts Main", "ee_half": "EE Conts 50/50", "er": "ER Conts", "employer": "Employer Code",
    "break_reason": "Break Reason", "break_from": "Break From", "reduced": "Reduced Pay", "reduced_from": "Reduced From", "app": "APP",
}


def forget(made):
    """Drops the months before, so that the member seems to come from nowhere."""
    made.months = []
    made.expect.append(("warn", "starter-undeclared", "paid for the first time, but Active and without the day of joining"))


def month_for_year(made):
    made.cells["FTE Final Pay"] = Decimal("2310.00")
    made.expect += [("warn", code, "a month's pay where a year's belongs") for code in ("final-pay-low", "final-pay-changed")]


def too_low_sick_pay(made):
    app = average(made)
    pay_line(made, pence(made.cells["Annual Pens Pay"] / 24), app)
    made.cells |= {"Reduced Pay": "SICK", "Reduced From": FIRST, "APP": app - 150}
    made.expect.append(("warn", "assumed-pay-differs", "assumed pensionable pay 150.00 below the average of three months"))


FAULTS = [
    put("reject", "ni-number-example", "the NI number of the leaflets", ni="QQ123456A"),
    put("reject", "ni-number-administrative", "a number that offices use among themselves", ni="PP482913C"),
    put("reject", "ni-number-temporary", "a temporary reference number", ni="29F18304"),
    put("reject", "ni-number-suffix-missing", "the letter at the end is lost", ni=lambda m: m.cells["NI Number"][:8]),
    put("reject", "ni-number-invalid", "a letter O for a nought", ni="JH4O8172B"),
    put("reject", "ni-number-invalid", "spaces, as on the card", ni="JM 38 21 90 A"),
    put("reject", "value-missing", "no NI number at all", ni=""),
    put("reject", "date-not-in-calendar", "there is no 31 February", end="31/02/2026"),
    put("reject", "date-style", "a date the other way round", end="2026-10-31"),
    put("reject", "period-end-not-month-end", "the day of payment, not the end of the month", end=date(2026, 10, 23)),
    put("reject", "number-currency-sign", "a pound sign before the amount", main=lambda m: f"£{m.cells['Pens Pay Main']:.2f}"),
    put("reject", "number-thousands-comma", "a comma in the amount", main=lambda m: f"{m.cells['Pens Pay Main']:,.2f}"),
    put("reject", "number-invalid", "a word where an amount belongs", main="nil"),
    put("reject", "pay-in-both-sections", "paid in both sections in one month", half=Decimal("812.40"), main=Decimal("1311.06")),
    put("reject", "pay-in-unused-section", "MAIN, but all pay in the 50/50 column", half=lambda m: m.cells["Pens Pay Main"], main=ZERO),
    put("reject", "contribution-in-unused-section", "a 50/50 contribution of a member in the main section", ee_half=Decimal("33.10")),
    put("reject", "section-missing", "a member of no section", section=""),
    put("reject", "pay-negative", "an overpayment taken back as negative pay", main=Decimal("-214.60")),
    put("reject", "leaving-date-missing", "a leaver without a leaving date", status="Leaver"),
    put("reject", "joining-date-missing", "a starter without a joining date", status="Starter"),
    put("reject", "dates-out-of-order", "left before joining", status="Leaver", joined=date(2026, 10, 20), left=date(2026, 10, 9)),
    put("reject", "employer-unknown", "the code of another fund", employer="ST0321"),
    put("reject", "scheme-unknown", "a slip of the pen", scheme="LPGS"),
    put("reject", "break-reason-unknown", "no such reason", break_reason="X", break_from=date(2026, 10, 5)),
    put("reject", "reduced-pay-split-missing", "sick since the 12th, and no word of what was paid since", reduced="SICK", reduced_from=date(2026, 10, 12)),
    put("warn", "contribution-differs", "two figures of the contribution changed places", ee_main=lambda m: m.cells["EE Conts Main"] + Decimal("18.00")),
    put("warn", "contribution-differs", "nothing deducted", ee_main=ZERO),
    put("warn", "rate-not-legal", "no band has this rate", rate=Decimal("6.00")),
    put("warn", "rate-not-of-band", "the rate of another band", rate=Decimal("9.90")),
    put("warn", "employer-contribution-differs", "the employer's rate of the last valuation", er=lambda m: pence(pay_of(m) * Decimal("21.2") / 100)),
    month_for_year,
    put("warn", "break-without-reason", "a break with no reason", break_from=date(2026, 10, 19)),
    put("warn", "pay-after-leaving", "left in August, still paid", left=date(2026, 8, 28)),
    put("warn", "hours-changed-without-date", "other hours than last month, no word since when", hours=Decimal("33.30")),
    forget,
    too_low_sick_pay,
]


# ── printing ────────────────────────────────────────────────────────────────


def shown(value):
    if value is None:
        return ""
    if isinstance(value, date):
        return f"{value:%d/%m/%Y}"
    return f"{value:.2f}" if isinstance(value, Decimal) else value


def printed(headings, rows):
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(headings)
    writer.writerows(rows)
    return out.getvalue().encode("cp1252")


def people(rng):
    made = [line(rng, place) for place in range(PEOPLE)]
    for place in range(40, PEOPLE, 75):  # a second post of the person before
        for heading in ("NI Number", "Surname", "Forename(s)", "Date of Birth", "Employer Code"):
            made[place].cells[heading] = made[place - 1].cells[heading]
    plain = [m for m in made if m.cells["Section"] == "MAIN" and m.cells["Hours Ind"] == "F"]
    rng.shuffle(plain)
    for fault in FAULTS:
        fault(plain.pop())
    for event, times in EVENTS:
        for _ in range(times):
            event(rng, plain.pop())
    return made


def listed(made):
    """The records of the file, the months before, and what is expected of each line."""
    records, months, expect = [], [], []
    for place, m in enumerate(made):
        records.append([shown(m.cells.get(heading)) for heading in HEADINGS])
        expect += [(len(records) + 1, *e) for e in m.expect]
        if place == 700:
            records.append(list(records[-1]))
            expect.append((len(records) + 1, "reject", "duplicate-row", "the line above once more"))
        if place == 901:
            records[-1].append("see note")
            expect.append((len(records) + 1, "reject", "record-too-many-values", "a value too many, typed in by hand"))
        months += [[m.number, shown(day), "Active", shown(pay), "", shown(full), shown(hours)] for day, pay, full, hours in m.months]
    for number in ("40099001", "40099038"):  # paid until September, and never heard of again
        months += [[number, shown(day), "Active", "2140.00", "", "25680.00", "37.00"] for day in BEFORE]
    months += [["40099075", shown(BEFORE[-1]), "Leaver", "1020.00", "", "25680.00", "37.00"]]
    return records, months, expect


def gone(records, months, expect):
    """Lines of the months before whose employment has no line this month that could be read."""
    unread = {line for line, _, code, _ in expect if code in UNREAD}
    seen = {record[0] for line, record in enumerate(records, 2) if line not in unread}
    return [line for line, row in enumerate(months, 2) if row[1] == shown(BEFORE[-1]) and row[2] != "Leaver" and row[0] not in seen]


UNREAD = {"value-missing", "date-not-in-calendar", "date-style", "number-currency-sign", "number-thousands-comma", "number-invalid", "record-too-many-values"}


def readme(records, months, expect):
    def table(effects):
        rows = [f"| {line} | `{code}` | {why} |" for line, effect, code, why in expect if effect in effects]
        return "\n".join(["| line | code | what is wrong |", "|---|---|---|", *rows])

    missing = "\n".join(f"| {line} | `leaver-undeclared` | {months[line - 2][0]} was paid in September |" for line in gone(records, months, expect))
    count = {effect: len({line for line, e, *_ in expect if e == effect}) for effect in ("reject", "skip", "warn")}
    return f"""# Payroll of October 2026

Invented by `../../make_payroll.py`; change that, not these files.
Lines are counted from 1, which is the headings.

`payroll-2026-10.csv` is Windows-1252 with dates as dd/mm/yyyy, and has {len(records):,} records.
`previous-2026-10.csv` is the three months before, {len(months):,} records, for starters, leavers and assumed pensionable pay.

## Refused: {count["reject"]} lines

{table({"reject"})}

## Passed over: {count["skip"]} lines

{table({"skip"})}

## Accepted with a warning: {count["warn"]} lines

{table({"warn"})}

## Warned about in `previous-2026-10.csv`

Somebody who was paid in September has no line in October that could be read, and no leaving date.
For all but two of them the reason is a line above that the hub itself refused.

| line | code | who |
|---|---|---|
{missing}
"""


def main():
    records, months, expect = listed(people(random.Random(20261019)))
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "payroll-2026-10.csv").write_bytes(printed(HEADINGS, records))
    (FOLDER / "previous-2026-10.csv").write_bytes(printed(PREVIOUS_HEADINGS, months))
    (FOLDER / "README.md").write_text(readme(records, months, expect))


if __name__ == "__main__":
    main()
