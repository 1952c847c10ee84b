"""The job as one would write it in Python: csv and decimal of the standard library, half of the file in each of two processes.

`python job_python.py PLUGIN-FOLDER PAYROLL-CSV OUT-FOLDER` writes return.csv and ctr1.csv, the same bytes as the hub, and prints the time.
It keeps no digests, totals, findings or ledger, looks for no duplicate, and stops at the first row that is wrong or doubtful.
"""

import csv
import io
import json
import os
import re
import sys
import time
import tomllib
from concurrent.futures import ProcessPoolExecutor
from datetime import date, timedelta
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from pathlib import Path

TODAY = date(2026, 11, 2)
EMPLOYERS = {"00321": (date(2026, 4, 1), Decimal("0.189")), "00322": (date(2026, 4, 1), Decimal("0.189"))}
PENNY = Decimal("0.01")
ZERO = Decimal("0.00")
TOLERANCE_AMOUNT = Decimal("1.00")
TOLERANCE_PART = Decimal("0.01")
FINAL_PAY_MINIMUM = Decimal("12000.00")
CASUAL_PERIODS = 12
AMOUNT_END = Decimal(1_000_000_000)
PAYMENT_DUE_DAY = timedelta(days=22)
STATUSES = {"A": "A", "ACTIVE": "A", "S": "S", "STARTER": "S", "L": "L", "LEAVER": "L"}
SECTIONS = {"MAIN": "MAIN", "1": "MAIN", "5050": "5050", "50/50": "5050", "2": "5050"}
NI_NUMBER = re.compile(
    r"(?!BG|GB|KN|NK|NT|TN|ZZ|CR|MW|NC|PP)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z][0-9]{6}[A-D]", re.ASCII
).fullmatch
RETURN = (
    "employer_code,employment_number,ni_number,surname,forenames,date_of_birth,period,section,band,rate_percent,pay_main,pay_5050,"
    "employee_main,employee_5050,employee_expected,employer_contribution,apc,scapc,avc,assumed_pay,care_pay,pension_accrued,pay_from,"
    "pay_to,date_joined,date_left,hours_indicator,weekly_hours,hours_effective,fte_final_pay,break_reason,break_from,break_to,table_version"
).split(",")
CTR1 = (
    "employer_code,period,payment_due,members,pay_main,pay_5050,employee_main,employee_5050,employer_contribution,apc,scapc,total_due"
).split(",")


class Wrong(Exception):
    """A row that the hub would refuse or doubt."""


class Bands:
    """A version of the band table."""

    def __init__(self, plugin, day):
        folder = plugin / "tables"
        versions = tomllib.loads((folder / "lgps-bands.toml").read_text())["versions"]
        version = next(version for version in versions if version["effective-from"] <= day <= version["effective-to"])
        self.version = version["version"]
        self.bands = []
        with (folder / version["rows"]).open(newline="") as file:
            for row in csv.DictReader(file):
                upper = int(row["upper"]) if row["upper"] else None
                rates = {section: (Decimal(row[key]).quantize(PENNY), Decimal(row[key]) / 100) for section, key in (("MAIN", "rate"), ("5050", "half_rate"))}
                self.bands.append((upper, row["band"], rates))

    def band(self, annual):
        whole = int(annual)
        for upper, number, rates in self.bands:
            if upper is None or whole <= upper:
                return number, rates
        raise AssertionError("the last band has no upper end")


def penny(amount):
    return amount.quantize(PENNY, ROUND_HALF_UP)


def beyond(given, expected):
    off = abs(given - expected)
    return off > TOLERANCE_AMOUNT and off > (expected * TOLERANCE_PART).quantize(PENNY, ROUND_DOWN)


def day(text):
    return date.fromisoformat(text) if text else None


def amount(text):
    return Decimal(text) if text else None


class Month:
    """What is known of a month."""

    def __init__(self, plugin, end):
        if (end + timedelta(days=1)).day != 1:
            raise Wrong("the period ends with no month")
        self.end = end
        self.first = end.replace(day=1)
        self.name = f"{end:%Y-%m}"
        self.due = str(end + PAYMENT_DUE_DAY)
        self.bands = Bands(plugin, end)
        if self.first > TODAY:
            raise Wrong("the month has not begun")


class Job:
    """Rows of one part of the file."""

    def __init__(self, plugin):
        self.plugin = plugin
        self.months = {}
        self.owed = {}

    def month(self, end):
        month = self.months.get(end)
        if month is None:
            month = self.months[end] = Month(self.plugin, date.fromisoformat(end))
        return month

    def line(self, row):
        (
            employer_code, employment_number, ni_number, surname, forenames, date_of_birth, period_end, status, scheme, section,
            hours_indicator, weekly_hours, hours_effective, date_joined, date_left, annual_pay, fte_final_pay, pay_main, pay_5050,
            rate_percent, employee_main, employee_5050, employer_given, apc, scapc, avc, reduced_reason, reduced_from, reduced_to,
            pay_while_reduced, assumed_pay, break_reason, break_from, break_to,
        ) = row  # fmt: skip
        month = self.month(period_end)
        status, section = STATUSES[status.upper()], SECTIONS[section.upper()]
        if scheme.upper() != "LGPS" or not NI_NUMBER(ni_number):
            raise Wrong("scheme or NI number")
        since, employer_rate = EMPLOYERS[employer_code]
        hours_indicator, break_reason = hours_indicator.upper(), break_reason.upper()
        if since > month.end or hours_indicator not in ("", "F", "P", "C") or break_reason not in ("", "S", "C", "PL", "M", "A"):
            raise Wrong("employer, hours or break")
        if reduced_reason or reduced_from or reduced_to or pay_while_reduced or assumed_pay:
            raise Wrong("reduced pay is worked out from the months before, which no payroll of this comparison has")
        annual, final_pay, hours = amount(annual_pay), amount(fte_final_pay), amount(weekly_hours)
        main, half, given = Decimal(pay_main), Decimal(pay_5050), amount(employer_given)
        by_main, by_half = Decimal(employee_main), Decimal(employee_5050)
        apc, scapc, avc = amount(apc) or ZERO, amount(scapc) or ZERO, amount(avc) or ZERO
        for value in (annual, final_pay, main, half, given, by_main, by_half, apc, scapc, avc):
            if value is not None and not 0 <= value < AMOUNT_END:
                raise Wrong("an amount is negative or too large")
        unused_pay, unused = (half, by_half) if section == "MAIN" else (main, by_main)
        if unused_pay > 0 or unused > 0:
            raise Wrong("the other section's columns are not empty")
        pay = main + half
        joined, left, from_day = self.dates(month, status, (date_of_birth, hours_effective, date_joined, date_left, break_from, break_to))
        if annual is None:
            raise Wrong("the band would rest on an estimate")
        number, rates = month.bands.band(annual)
        percent, of_one = rates[section]
        expected, employer = penny(pay * of_one), penny(pay * employer_rate)
        if beyond(by_main if section == "MAIN" else by_half, expected) or (rate_percent and Decimal(rate_percent) != percent):
            raise Wrong("contribution or rate")
        if (given is not None and beyond(given, employer)) or final_pay is None or final_pay < FINAL_PAY_MINIMUM:
            raise Wrong("employer's contribution or final pay")
        if (not break_reason and from_day) or (break_reason and not break_from) or status == "S":
            raise Wrong("a break without its reason or day, or a starter without the months before")
        if left and left < month.first and pay > 0:
            raise Wrong("pay after leaving")
        first = max(joined, month.first) if joined else month.first
        last = min(left, month.end) if left else month.end
        self.owe(employer_code, month, (main, half, by_main, by_half, employer, apc, scapc))
        return (
            employer_code, employment_number, ni_number, surname, forenames, date_of_birth, month.name, section, number, percent,
            f"{main:.2f}", f"{half:.2f}", f"{by_main:.2f}", f"{by_half:.2f}", expected, employer, f"{apc:.2f}", f"{scapc:.2f}",
            f"{avc:.2f}", ZERO, f"{pay:.2f}", penny(pay / (49 if section == "MAIN" else 98)), min(first, last), last, date_joined,
            date_left, hours_indicator, "" if hours is None else f"{hours:.2f}", hours_effective, f"{final_pay:.2f}", break_reason,
            break_from, break_to, month.bands.version,
        )  # fmt: skip

    def dates(self, month, status, texts):
        born, effective, joined, left, break_from, break_to = map(day, texts)
        end = month.end
        if (born and born >= (joined or end)) or (joined and joined > end) or (effective and effective > end):
            raise Wrong("dates out of order")
        if (joined and left and left < joined) or (break_from and break_to and break_to < break_from):
            raise Wrong("dates out of order")
        if (status == "S" and not joined) or (status == "L" and not left):
            raise Wrong("a starter or leaver without the day")
        return joined, left, break_from or break_to

    def owe(self, employer_code, month, amounts):
        owed = self.owed.get((employer_code, month.name, month.due))
        if owed is None:
            owed = self.owed[employer_code, month.name, month.due] = [0, *(ZERO for _ in amounts)]
        owed[0] += 1
        for place, value in enumerate(amounts, 1):
            owed[place] += value


def part(plugin, payroll, span, to):
    """Works through the lines that begin in a span of bytes; what is owed for them."""
    job = Job(plugin)
    with payroll.open("rb") as file, to.open("w", newline="", buffering=1 << 20) as out:
        file.seek(span[0])
        lines = io.TextIOWrapper(io.BytesIO(file.read(span[1] - span[0])), encoding="utf-8", newline="")
        csv.writer(out, lineterminator="\n").writerows(map(job.line, csv.reader(lines)))
    return job.owed


def spans(payroll):
    """Two halves of the file's lines, after the first. No value of a payroll holds a line break."""
    with payroll.open("rb") as file:
        start = len(file.readline())
        file.seek((start + (end := os.path.getsize(payroll))) // 2)
        file.readline()
        middle = min(file.tell(), end)
    return (start, middle), (middle, end)


def write_return(to, parts):
    with to.open("wb") as out:
        out.write((",".join(RETURN) + "\n").encode())
        for path in parts:
            with path.open("rb") as file:
                while block := file.read(1 << 20):
                    out.write(block)
            path.unlink()


def write_ctr1(to, all_owed):
    sums = {}
    for owed in all_owed:
        for key, values in owed.items():
            sums[key] = [a + b for a, b in zip(sums[key], values)] if key in sums else values
    with to.open("w", newline="") as out:
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(CTR1)
        for key in sorted(sums):
            writer.writerow([*key, *sums[key], sum(sums[key][3:])])


def main():
    plugin, payroll, out = map(Path, sys.argv[1:])
    began = time.perf_counter()
    parts = [out / f"part-{number}.csv" for number in range(2)]
    with ProcessPoolExecutor(2) as pool:
        owed = list(pool.map(part, [plugin] * 2, [payroll] * 2, spans(payroll), parts))
    write_return(out / "return.csv", parts)
    write_ctr1(out / "ctr1.csv", owed)
    print(json.dumps({"rows": sum(values[0] for part in owed for values in part.values()), "wall_ms": (time.perf_counter() - began) * 1e3}))


if __name__ == "__main__":
    main()
