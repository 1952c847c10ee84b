"""Writes the cases boundaries-2022-23 to boundaries-2026-27: every edge of every band, to the pound and to the penny, both sections.

Run it after a change to the tables or columns: python3 make_boundaries.py
The expected rows come from reference.py, and the edges below are typed in again, so that a slip in a table's CSV file shows here.
"""

import sys

sys.dont_write_bytecode = True

from decimal import Decimal  # noqa: E402

from reference import round_penny, write_case  # noqa: E402

EDGES = {
    2022: [15000, 23600, 38300, 48500, 67900, 96200, 113400, 170100],
    2023: [16500, 25900, 42100, 53300, 74700, 105900, 124800, 187200],
    2024: [17600, 27600, 44900, 56800, 79700, 112900, 133100, 199700],
    2025: [17800, 28000, 45600, 57700, 81000, 114800, 135300, 203000],
    2026: [18400, 29000, 47300, 59800, 84000, 119100, 140400, 210700],
}
RATES = ["5.5", "5.8", "6.5", "6.8", "8.5", "9.9", "10.5", "11.4", "12.5"]
# A pound and a penny either side of the edge, and the last penny that is still rounded down to it.
STEPS = ["-1.00", "-0.01", "0.00", "0.01", "0.99", "1.00"]


def rows(year):
    """One row for each edge, step and section, with the contribution that a right payroll deducts."""
    number = 0
    for place, edge in enumerate(EDGES[year]):
        for step in STEPS:
            annual = Decimal(edge) + Decimal(step)
            band = place + (1 if annual >= edge + 1 else 0)
            for section in ("MAIN", "5050"):
                rate = Decimal(RATES[band]) / (1 if section == "MAIN" else 2)
                pay = round_penny(annual / 12)
                zero, paid, deducted = "0.00", f"{pay:.2f}", f"{round_penny(pay * rate / 100):.2f}"
                main = section == "MAIN"
                number += 1
                # April and March in turn, so that both ends of the year are met.
                month = f"{year}-04-30" if number % 4 < 2 else f"{year + 1}-03-31"
                yield {
                    "employer_code": "00321", "employment_number": f"E{number:04}", "ni_number": "JJ123123D", "surname": "Boundary",
                    "forenames": f"Band {band + 1}", "period_end": month, "status": "A", "scheme": "LGPS", "section": section,
                    "annual_pay": f"{annual:.2f}", "fte_final_pay": f"{annual:.2f}",
                    "pay_main": paid if main else zero, "pay_5050": zero if main else paid,
                    "rate_percent": f"{rate:.2f}",
                    "employee_main": deducted if main else zero, "employee_5050": zero if main else deducted,
                }


for year in EDGES:
    given = list(rows(year))
    run = write_case(
        f"boundaries-{year}-{year % 100 + 1}",
        {
            "about": f"A pound and a penny either side of every band edge of {year}/{year % 100 + 1}",
            "today": f"{year + 1}-04-10",
            "settings": {"employers": [{"code": "00321", "rate-percent": "18.9", "from": "2019-04-01"}]},
            "payroll": given,
        },
    )
    assert not run.findings, run.findings[:3]
    assert all(line["forenames"] == f"Band {line['band']}" for line in run.lines)
