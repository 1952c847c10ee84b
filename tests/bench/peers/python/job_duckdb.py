"""The job as one would write it for DuckDB: in memory, two threads, the rules as SQL over exact decimals.

`python job_duckdb.py PLUGIN-FOLDER PAYROLL-CSV OUT-FOLDER` writes return.csv and ctr1.csv, the same bytes as the hub, and prints the time.
It keeps no digests, totals, findings or ledger, looks for no duplicate, and stops at the first row that is wrong or doubtful.
"""

import csv
import json
import sys
import time
import tomllib
from datetime import date
from pathlib import Path

import duckdb

PERIOD_END = date(2026, 10, 31)
MONEY = "DECIMAL(11,2)"
TEXTS = ["employer_code", "employment_number", "ni_number", "surname", "forenames", "status", "scheme", "section", "hours_indicator"]
TEXTS += ["reduced_pay_reason", "break_reason"]
DATES = ["date_of_birth", "period_end", "hours_effective", "date_joined", "date_left", "reduced_pay_from", "reduced_pay_to", "break_from", "break_to"]
COLUMNS = (
    "employer_code,employment_number,ni_number,surname,forenames,date_of_birth,period_end,status,scheme,section,hours_indicator,"
    "weekly_hours,hours_effective,date_joined,date_left,annual_pay,fte_final_pay,pay_main,pay_5050,rate_percent,employee_main,"
    "employee_5050,employer_contribution,apc,scapc,avc,reduced_pay_reason,reduced_pay_from,reduced_pay_to,pay_while_reduced,assumed_pay,"
    "break_reason,break_from,break_to"
).split(",")


def bands(plugin):
    """The band table in force, as SQL: number, rate in percent and as a part of one, by annual pay and section."""
    folder = plugin / "tables"
    versions = tomllib.loads((folder / "lgps-bands.toml").read_text())["versions"]
    version = next(version for version in versions if version["effective-from"] <= PERIOD_END <= version["effective-to"])
    with (folder / version["rows"]).open(newline="") as file:
        rows = list(csv.DictReader(file))

    def by_pay(value):
        cases = " ".join(f"WHEN annual_pay < {int(row['upper']) + 1} THEN {value(row)}" for row in rows if row["upper"])
        return f"CASE {cases} ELSE {value(rows[-1])} END"

    number = by_pay(lambda row: row["band"])
    percent = f"CASE WHEN main THEN {by_pay(lambda row: row['rate'])} ELSE {by_pay(lambda row: row['half_rate'])} END"
    return version["version"], number, f"({percent})::DECIMAL(4,2)"


def columns():
    kinds = {name: "VARCHAR" for name in TEXTS} | {name: "DATE" for name in DATES}
    return "{" + ", ".join(f"'{name}': '{kinds.get(name, MONEY)}'" for name in COLUMNS) + "}"


def beyond(given, expected):
    off = f"abs({given} - {expected})"
    return f"({off} > 1 AND {off} > {expected} * 0.01::DECIMAL(3,2))"


# No long IN: DuckDB makes a join of it, which is slower and forgets the order of the rows.
# Refused or doubted by the plugin; one of them stops the program. Reduced pay needs the months before, which no payroll here has.
WRONG = f"""
    (employer_code || employment_number || ni_number || surname || forenames || status || scheme) IS NULL OR period_end IS NULL
    OR (pay + employee_main + employee_5050) IS NULL OR upper(status) NOT IN ('A', 'ACTIVE', 'L', 'LEAVER') OR upper(scheme) <> 'LGPS' OR main IS NULL
    OR NOT regexp_full_match(ni_number, '[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z][0-9]{{6}}[A-D]')
    OR contains('BG GB KN NK NT TN ZZ CR MW NC PP', left(ni_number, 2))
    OR period_end <> last_day(period_end) OR date_trunc('month', period_end) > DATE '2026-11-02'
    OR employer_code NOT IN ('00321', '00322') OR period_end < DATE '2026-04-01'
    OR upper(hours_indicator) NOT IN ('F', 'P', 'C') OR NOT regexp_full_match(break_reason, '(?i)S|C|PL|M|A')
    OR coalesce(reduced_pay_reason, reduced_pay_from::VARCHAR, reduced_pay_to::VARCHAR) IS NOT NULL
    OR coalesce(pay_while_reduced, assumed_pay) IS NOT NULL
    OR least(annual_pay, fte_final_pay, pay_main, pay_5050, employee_main, employee_5050, employer_contribution, apc, scapc, avc) < 0
    OR greatest(annual_pay, fte_final_pay, pay_main, pay_5050, employee_main, employee_5050, employer_contribution, apc, scapc, avc)
        >= 1000000000
    OR CASE WHEN main THEN pay_5050 > 0 OR employee_5050 > 0 ELSE pay_main > 0 OR employee_main > 0 END
    OR annual_pay IS NULL OR date_of_birth >= coalesce(date_joined, period_end) OR date_joined > period_end OR date_left < date_joined
    OR hours_effective > period_end OR break_to < break_from
    OR (upper(status) IN ('L', 'LEAVER') AND date_left IS NULL) OR (break_reason IS NULL) <> (coalesce(break_from, break_to) IS NULL)
    OR (break_reason IS NOT NULL AND break_from IS NULL)
    OR {beyond("CASE WHEN main THEN employee_main ELSE employee_5050 END", "expected")} OR rate_percent <> percent
    OR {beyond("employer_contribution", "employer")} OR fte_final_pay IS NULL OR fte_final_pay < 12000
    OR (date_left < first AND pay > 0)
"""


def main():
    plugin, payroll, out = map(Path, sys.argv[1:])
    database = duckdb.connect(config={"threads": 2, "preserve_insertion_order": True})
    version, band, percent = bands(plugin)
    began = time.perf_counter()
    database.execute(f"""
        CREATE TEMP TABLE worked AS
        WITH read AS (
            SELECT *, CASE upper(section) WHEN 'MAIN' THEN true WHEN '1' THEN true WHEN '5050' THEN false WHEN '50/50' THEN false WHEN '2' THEN false
                END AS main, pay_main + pay_5050 AS pay, date_trunc('month', period_end)::DATE AS first
            FROM read_csv('{payroll}', header = true, auto_detect = false, delim = ',', quote = '"', escape = '"',
                dateformat = '%Y-%m-%d', columns = {columns()})
        ), rated AS (
            SELECT *, {band} AS band, {percent} AS percent FROM read
        ), figured AS (
            SELECT *, round(pay::{MONEY} * percent * 0.01::DECIMAL(3,2), 2)::{MONEY} AS expected,
                round(pay::{MONEY} * 0.189::DECIMAL(3,3), 2)::{MONEY} AS employer FROM rated
        )
        SELECT CASE WHEN {WRONG} THEN error('row of ' || employment_number || ' is wrong') ELSE employer_code END AS employer_code,
            employment_number, ni_number, surname, forenames, date_of_birth, strftime(period_end, '%Y-%m') AS period,
            CASE WHEN main THEN 'MAIN' ELSE '5050' END AS section, band, percent AS rate_percent, pay_main, pay_5050, employee_main,
            employee_5050, expected AS employee_expected, employer AS employer_contribution, coalesce(apc, 0)::{MONEY} AS apc,
            coalesce(scapc, 0)::{MONEY} AS scapc, coalesce(avc, 0)::{MONEY} AS avc, 0::{MONEY} AS assumed_pay, pay AS care_pay,
            -- Whole pence, half up: decimals divide into doubles.
            (((pay * 100)::BIGINT * 2 + CASE WHEN main THEN 49 ELSE 98 END) // CASE WHEN main THEN 98 ELSE 196 END)::DECIMAL(13,0)
                * 0.01::DECIMAL(3,2) AS pension_accrued,
            least(greatest(date_joined, first), least(date_left, period_end)) AS pay_from, least(date_left, period_end) AS pay_to,
            date_joined, date_left, upper(hours_indicator) AS hours_indicator, weekly_hours, hours_effective, fte_final_pay,
            upper(break_reason) AS break_reason, break_from, break_to, '{version}' AS table_version
        FROM figured
    """)
    database.execute(f"COPY worked TO '{out / 'return.csv'}' (FORMAT csv, HEADER true)")
    sums = "pay_main, pay_5050, employee_main, employee_5050, employer_contribution, apc, scapc".split(", ")
    database.execute(f"""
        COPY (
            SELECT employer_code, period, (last_day((period || '-01')::DATE) + 22)::DATE AS payment_due, count(*) AS members,
                {", ".join(f"sum({name}) AS {name}" for name in sums)},
                sum(employee_main) + sum(employee_5050) + sum(employer_contribution) + sum(apc) + sum(scapc) AS total_due
            FROM worked GROUP BY employer_code, period ORDER BY employer_code, period
        ) TO '{out / 'ctr1.csv'}' (FORMAT csv, HEADER true)
    """)
    wall_ms = (time.perf_counter() - began) * 1e3
    rows = database.execute("SELECT count(*) FROM worked").fetchone()[0]
    print(json.dumps({"rows": rows, "wall_ms": wall_ms}))


if __name__ == "__main__":
    main()
