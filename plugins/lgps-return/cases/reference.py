"""The rules of the return once more, in Python's decimal, so that expected output does not come from the code under test.

Used by make_boundaries.py and make_cases.py. Standard library only. It knows nothing of the Rust source beside it.
"""

import calendar
import csv
import io
import re
import tomllib
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

HERE = Path(__file__).resolve().parent
MANIFEST = tomllib.loads((HERE.parent / "plugin.toml").read_text())
PENNY = Decimal("0.01")
DEFAULTS = {
    "tolerance-amount": "1.00",
    "tolerance-percent": "1",
    "final-pay-change-percent": "10",
    "final-pay-minimum": "12000.00",
    "casual-periods": 12,
    "ni-number-suffix": "required",
    "payment-due-day": 22,
}
SECTIONS = {"MAIN": "MAIN", "1": "MAIN", "5050": "5050", "50/50": "5050", "2": "5050"}
STATUSES = {"A": "A", "ACTIVE": "A", "S": "S", "STARTER": "S", "L": "L", "LEAVER": "L"}
SKIPS = {"PPS": "police-pension-scheme", "FPS": "firefighters-pension-scheme", "OPT": "opted-out", "NONE": "not-a-member"}
NINO = re.compile(r"^(?!BG|GB|KN|NK|NT|TN|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]\d{6}[A-D]$")


def port(kind, name):
    """Columns of an input or output as the manifest declares them."""
    return next(p for p in MANIFEST[kind] if p["name"] == name)["columns"]


def tables():
    """The versions of the band table, read from the folder that the plugin ships."""
    folder = HERE.parent / "tables"
    for version in tomllib.loads((folder / "lgps-bands.toml").read_text())["versions"]:
        rows = list(csv.DictReader((folder / version["rows"]).open()))
        yield version, rows


TABLES = list(tables())


class TableMissing(Exception):
    """No version is in force."""


def bands_on(day):
    for version, rows in TABLES:
        if version["effective-from"] <= day <= version["effective-to"]:
            return version["version"], rows
    raise TableMissing(day)


def round_penny(amount):
    """Half up, to the penny."""
    return amount.quantize(PENNY, ROUND_HALF_UP)


def parse(row, columns):
    """Text of a CSV file to values, after the declared types."""
    out = {}
    for column in columns:
        text = row.get(column["name"], "")
        kind = column["type"]
        if text == "":
            out[column["name"]] = None
        elif kind in ("money", "decimal"):
            out[column["name"]] = Decimal(text)
        elif kind == "integer":
            out[column["name"]] = int(text)
        elif kind == "date":
            out[column["name"]] = date.fromisoformat(text)
        else:
            out[column["name"]] = text
    return out


def shown(value, column):
    if value is None:
        return ""
    if column["type"] == "money":
        return f"{value:.2f}"
    if column["type"] == "decimal":
        return f"{value:.{column['scale']}f}"
    return str(value)


def month_end(day):
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


def ni_number_wrong(text, suffix):
    if re.fullmatch(r"\d{2}[A-Z]\d{5}", text):
        return "ni-number-temporary"
    if text[:2] == "QQ":
        return "ni-number-example"
    if text[:2] in ("OO", "CR", "FY", "MW", "NC", "PP"):
        return "ni-number-administrative"
    if NINO.match(text):
        return None
    if NINO.match(text + "A") and len(text) == 8:
        return None if suffix == "optional" else "ni-number-suffix-missing"
    return "ni-number-invalid"


class Reference:
    """One run."""

    def __init__(self, settings, today, previous=None):
        self.settings = DEFAULTS | settings
        self.today = today
        self.previous = None
        self.findings = []
        self.lines = []
        if previous is not None:
            self.previous = {}
            for number, row in enumerate(previous):
                self.take_previous(number, row)

    def take_previous(self, number, row):
        row = parse(row, port("inputs", "previous"))
        wrong = []
        if row["period_end"] != month_end(row["period_end"]):
            wrong.append(("period_end", "period-end-not-month-end"))
        if (row["status"] or "A").upper() not in STATUSES:
            wrong.append(("status", "status-unknown"))
        for column in ("pensionable_pay", "reduction_ignored"):
            value = row[column] or Decimal(0)
            if value < 0:
                wrong.append((column, "pay-negative"))
            elif value >= 1_000_000_000:
                wrong.append((column, "amount-too-large"))
        for column, code in wrong:
            self.found("previous", number, "reject", column, code)
        if not wrong:
            row["number"] = number
            self.previous.setdefault(row["employment_number"], {})[row["period_end"]] = row

    def found(self, port_name, number, effect, column, code):
        self.findings.append((port_name, number, effect, column, code))

    def run(self, payroll):
        seen = set()
        for number, text in enumerate(payroll):
            row = parse(text, port("inputs", "payroll"))
            seen.add(row["employment_number"])
            self.line(number, row)
        if self.previous:
            last = max(max(months) for months in self.previous.values())
            gone = [m[last]["number"] for who, m in self.previous.items() if who not in seen and last in m and STATUSES[(m[last]["status"] or "A").upper()] != "L"]
            for number in sorted(gone):
                self.found("previous", number, "warn", "employment_number", "leaver-undeclared")

    def line(self, number, r):
        scheme = r["scheme"].upper()
        if scheme in SKIPS:
            return self.found("payroll", number, "skip", "scheme", SKIPS[scheme])
        if scheme != "LGPS":
            return self.found("payroll", number, "reject", "scheme", "scheme-unknown")
        wrong = list(self.refusals(r))
        app = None
        if not wrong:
            app = self.assumed(r)
            if app == "unknown":
                wrong.append(("assumed_pay", "assumed-pay-unknown"))
        if wrong:
            for column, code in wrong:
                self.found("payroll", number, "reject", column, code)
            return None
        line = self.work_out(r, app)
        for column, code in self.doubts(r, line, app):
            self.found("payroll", number, "warn", column, code)
        self.lines.append(line)
        return None

    def employer_rate(self, r):
        spans = [e for e in self.settings["employers"] if e["code"] == r["employer_code"]]
        if not spans:
            return None, "employer-unknown"
        for e in spans:
            if date.fromisoformat(e["from"]) <= r["period_end"] <= date.fromisoformat(e.get("to", "9999-12-31")):
                return Decimal(e["rate-percent"]), None
        return None, "employer-rate-missing"

    def refusals(self, r):
        status = STATUSES.get(r["status"].upper())
        end = r["period_end"]
        if status is None:
            yield "status", "status-unknown"
        wrong = ni_number_wrong(r["ni_number"], self.settings["ni-number-suffix"])
        if wrong:
            yield "ni_number", wrong
        if end != month_end(end):
            yield "period_end", "period-end-not-month-end"
        _, wrong = self.employer_rate(r)
        if wrong:
            yield "employer_code", wrong
        section = None
        if r["section"] is None:
            yield "section", "section-missing"
        else:
            section = SECTIONS.get(r["section"].upper())
            if section is None:
                yield "section", "section-unknown"
        if (r["hours_indicator"] or "F").upper() not in ("F", "P", "C"):
            yield "hours_indicator", "hours-indicator-unknown"
        yield from self.amounts(r, section)
        yield from self.dates(r, status)
        yield from self.absences(r)

    def amounts(self, r, section):
        kinds = {
            "pay-negative": ("pay_main", "pay_5050", "pay_while_reduced", "assumed_pay"),
            "contribution-negative": ("employee_main", "employee_5050", "employer_contribution"),
            "additional-contribution-negative": ("apc", "scapc", "avc"),
            "annual-pay-negative": ("annual_pay", "fte_final_pay"),
        }
        for code, columns in kinds.items():
            for column in columns:
                value = r[column] or Decimal(0)
                if value < 0:
                    yield column, code
                elif value >= 1_000_000_000:
                    yield column, "amount-too-large"
        if r["pay_main"] > 0 and r["pay_5050"] > 0:
            yield "pay_5050", "pay-in-both-sections"
        elif section:
            unused = "pay_5050" if section == "MAIN" else "pay_main"
            if r[unused] > 0:
                yield unused, "pay-in-unused-section"
        if section:
            unused = "employee_5050" if section == "MAIN" else "employee_main"
            if r[unused] > 0:
                yield unused, "contribution-in-unused-section"
        if (r["hours_indicator"] or "F").upper() != "C" and r["annual_pay"] is None:
            yield "annual_pay", "annual-pay-missing"

    def dates(self, r, status):
        end = r["period_end"]
        born, joined, left = r["date_of_birth"], r["date_joined"], r["date_left"]
        if born and born >= (joined or end):
            yield "date_of_birth", "dates-out-of-order"
        if joined and joined > end:
            yield "date_joined", "dates-out-of-order"
        if joined and left and left < joined:
            yield "date_left", "dates-out-of-order"
        if r["hours_effective"] and r["hours_effective"] > end:
            yield "hours_effective", "dates-out-of-order"
        if r["break_from"] and r["break_to"] and r["break_to"] < r["break_from"]:
            yield "break_to", "dates-out-of-order"
        since, until = r["reduced_pay_from"], r["reduced_pay_to"]
        if since and since > end:
            yield "reduced_pay_from", "dates-out-of-order"
        if until and (until < end.replace(day=1) or (since and until < since)):
            yield "reduced_pay_to", "dates-out-of-order"
        if status == "S" and not joined:
            yield "date_joined", "joining-date-missing"
        if status == "L" and not left:
            yield "date_left", "leaving-date-missing"

    def absences(self, r):
        if r["break_reason"]:
            if r["break_reason"].upper() not in ("S", "C", "PL", "M", "A"):
                yield "break_reason", "break-reason-unknown"
            if not r["break_from"]:
                yield "break_from", "break-date-missing"
        reason = (r["reduced_pay_reason"] or "").upper()
        if not reason:
            if r["reduced_pay_from"] or r["reduced_pay_to"]:
                yield "reduced_pay_reason", "reduced-pay-reason-missing"
        elif reason not in ("SICK", "CHILD", "TRADE", "PERMITTED"):
            yield "reduced_pay_reason", "reduced-pay-reason-unknown"
        elif reason in ("SICK", "CHILD"):
            if not r["reduced_pay_from"]:
                yield "reduced_pay_from", "reduced-pay-date-missing"
            elif r["pay_while_reduced"] is None:
                if not self.whole_month(r):
                    yield "pay_while_reduced", "reduced-pay-split-missing"
            elif r["pay_while_reduced"] > r["pay_main"] + r["pay_5050"]:
                yield "pay_while_reduced", "reduced-pay-above-pay"

    def whole_month(self, r):
        end = r["period_end"]
        return r["reduced_pay_from"] <= end.replace(day=1) and (r["reduced_pay_to"] is None or r["reduced_pay_to"] >= end)

    def assumed(self, r):
        """None where there is none, "unknown", or (amount, what to say of payroll's figure)."""
        if (r["reduced_pay_reason"] or "").upper() not in ("SICK", "CHILD"):
            return None
        end, since = r["period_end"], r["reduced_pay_from"]
        months, day = [], since.replace(day=1)
        for _ in range(3):
            day -= timedelta(days=1)
            months.append((self.previous or {}).get(r["employment_number"], {}).get(day))
            day = day.replace(day=1)
        if None in months:
            return "unknown" if r["assumed_pay"] is None else (r["assumed_pay"], "assumed-pay-not-checked")
        average = round_penny(sum(m["pensionable_pay"] + (m["reduction_ignored"] or 0) for m in months) / 3)
        first = max(since, end.replace(day=1))
        last = min(r["reduced_pay_to"] or end, end)
        amount = round_penny(average * ((last - first).days + 1) / end.day)
        differs = r["assumed_pay"] is not None and self.differs(r["assumed_pay"], amount)
        return amount, "assumed-pay-differs" if differs else None

    def differs(self, given, expected):
        off = abs(given - expected)
        return off > Decimal(self.settings["tolerance-amount"]) and off > expected * Decimal(self.settings["tolerance-percent"]) / 100

    def work_out(self, r, app):
        section = SECTIONS[r["section"].upper()]
        end, pay = r["period_end"], r["pay_main"] + r["pay_5050"]
        care = pay
        if app:
            care = app[0] + (0 if self.whole_month(r) else pay - r["pay_while_reduced"])
        annual = care * self.settings["casual-periods"] if r["annual_pay"] is None else r["annual_pay"]
        version, rows = bands_on(end)
        whole = int(annual)
        band = next(b for b in rows if b["upper"] == "" or whole <= int(b["upper"]))
        rate = Decimal(band["rate"]) if section == "MAIN" else Decimal(band["half_rate"])
        first, last = end.replace(day=1), end
        if r["date_joined"]:
            first = max(first, r["date_joined"])
        if r["date_left"]:
            last = min(last, r["date_left"])
        first = min(first, last)
        due = end + timedelta(days=self.settings["payment-due-day"])
        passed = {c["name"]: r[c["name"]] for c in port("outputs", "return") if c["name"] in r}
        for column in ("apc", "scapc", "avc"):
            passed[column] = r[column] or Decimal(0)
        for column in ("hours_indicator", "break_reason"):
            passed[column] = r[column].upper() if r[column] else None
        return passed | {
            "period": f"{end:%Y-%m}", "section": section, "band": int(band["band"]), "rate_percent": rate,
            "employee_expected": round_penny(pay * rate / 100),
            "employer_contribution": round_penny(care * self.employer_rate(r)[0] / 100),
            "assumed_pay": app[0] if app else Decimal(0), "care_pay": care,
            "pension_accrued": round_penny(care / (49 if section == "MAIN" else 98)),
            "pay_from": first, "pay_to": last, "table_version": version, "payment_due": due,
            "legal": [Decimal(b[k]) for b in rows for k in ("rate", "half_rate")],
        }

    def doubts(self, r, line, app):
        end = r["period_end"]
        first = end.replace(day=1)
        if first > self.today:
            yield "period_end", "period-in-future"
        column = "employee_main" if line["section"] == "MAIN" else "employee_5050"
        if self.differs(r[column], line["employee_expected"]):
            yield column, "contribution-differs"
        if r["rate_percent"] is not None and r["rate_percent"] != line["rate_percent"]:
            yield "rate_percent", "rate-not-of-band" if r["rate_percent"] in line["legal"] else "rate-not-legal"
        if r["employer_contribution"] is not None and self.differs(r["employer_contribution"], line["employer_contribution"]):
            yield "employer_contribution", "employer-contribution-differs"
        if r["annual_pay"] is None:
            yield "annual_pay", "casual-pay-estimated"
        final = r["fte_final_pay"]
        if final is None:
            yield "fte_final_pay", "final-pay-missing"
        elif final < Decimal(self.settings["final-pay-minimum"]):
            yield "fte_final_pay", "final-pay-low"
        if app and app[1]:
            yield "assumed_pay", app[1]
        if not r["break_reason"] and (r["break_from"] or r["break_to"]):
            yield "break_reason", "break-without-reason"
        if r["date_left"] and r["date_left"] < first and r["pay_main"] + r["pay_5050"] > 0:
            yield "date_left", "pay-after-leaving"
        starter = STATUSES[r["status"].upper()] == "S"
        if self.previous is None:
            if starter:
                yield "status", "cannot-check-without-previous"
            return
        months = {day: m for day, m in self.previous.get(r["employment_number"], {}).items() if day < first}
        if not months:
            if not starter and not (r["date_joined"] and r["date_joined"] >= first):
                yield "status", "starter-undeclared"
            return
        before = months[max(months)]
        if starter:
            yield "status", "starter-seen-before"
        old = before["fte_final_pay"]
        if final is not None and old is not None and abs(final - old) * 100 > old * Decimal(self.settings["final-pay-change-percent"]):
            yield "fte_final_pay", "final-pay-changed"
        hours = r["weekly_hours"], before["weekly_hours"]
        if None not in hours and hours[0] != hours[1] and r["hours_effective"] is None:
            yield "hours_effective", "hours-changed-without-date"

    def ctr1(self):
        sums = {}
        money = [c["name"] for c in port("outputs", "ctr1") if c["type"] == "money" and c["name"] != "total_due"]
        for line in self.lines:
            key = (line["employer_code"], line["period"], line["payment_due"])
            group = sums.setdefault(key, dict.fromkeys(money, Decimal(0)) | {"members": 0, "total_due": Decimal(0)})
            group["members"] += 1
            for column in money:
                group[column] += line[column]
                if not column.startswith("pay"):
                    group["total_due"] += line[column]
        for key in sorted(sums):
            yield dict(zip(("employer_code", "period", "payment_due"), key)) | sums[key]


def as_csv(columns, rows):
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow([c["name"] for c in columns])
    for row in rows:
        writer.writerow([shown(row[c["name"]], c) for c in columns])
    return out.getvalue()


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, newline="")


def write_case(name, case):
    """`case`: about, today, settings, payroll, and optionally previous, fails. Returns the reference run."""
    folder = HERE / name
    employers = "".join(
        "{ " + ", ".join(f'{k} = "{v}"' for k, v in e.items()) + " }, " for e in case["settings"]["employers"]
    ).rstrip(", ")
    head = f'about = "{case["about"]}"\ntoday = {case["today"]}\n'
    if case.get("fails"):
        head += f'expect-failure = "{case["fails"]}"\n'
    body = f"\n[settings]\nemployers = [{employers}]\n"
    for key, value in case["settings"].items():
        if key != "employers":
            body += f"{key} = {value!r}\n".replace("'", '"')
    write(folder / "case.toml", head + body)
    for name_in in ("previous", "payroll"):
        if case.get(name_in) is not None:
            columns = port("inputs", name_in)
            lines = [[row.get(c["name"], "") for c in columns] for row in case[name_in]]
            out = io.StringIO()
            csv.writer(out, lineterminator="\n").writerows([[c["name"] for c in columns], *lines])
            write(folder / "in" / f"{name_in}.csv", out.getvalue())
    run = Reference(case["settings"], date.fromisoformat(case["today"]), case.get("previous"))
    try:
        run.run(case["payroll"])
    except TableMissing:
        assert case.get("fails") == "table-missing", name
        return run
    if case.get("fails"):
        assert case["fails"] == "settings-unusable", name
        return run
    write(folder / "expected" / "return.csv", as_csv(port("outputs", "return"), run.lines))
    write(folder / "expected" / "ctr1.csv", as_csv(port("outputs", "ctr1"), run.ctr1()))
    findings = "".join(",".join(map(str, f)) + "\n" for f in run.findings)
    write(folder / "expected" / "findings.csv", "input,row,effect,column,code\n" + findings)
    return run
