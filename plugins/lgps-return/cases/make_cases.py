"""Writes every case but the boundaries: golden figures, each code that refuses, each that passes over, each that warns.

Run it after a change to the columns: python3 make_cases.py
Each row says which codes it must bring about; figures that were published or worked out by hand stand here as text and are
held against reference.py before anything is written.
"""

import sys

sys.dont_write_bytecode = True

from reference import write_case  # noqa: E402

EMPLOYERS = [{"code": "00321", "rate-percent": "18.9", "from": "2022-04-01"}]
SETTINGS = {"employers": EMPLOYERS}
USUAL = {
    "employer_code": "00321", "ni_number": "JJ123123D", "surname": "Ash", "forenames": "Robin", "period_end": "2026-10-31", "status": "A",
    "scheme": "LGPS", "section": "MAIN", "annual_pay": "24000.00", "fte_final_pay": "24000.00",
    "pay_main": "2000.00", "pay_5050": "0.00", "employee_main": "116.00", "employee_5050": "0.00",
}


def row(number, **changed):
    """A row in order, but for what is changed."""
    return USUAL | {"employment_number": f"E{number:03}"} | {k: str(v) for k, v in changed.items()}


def half(**changed):
    """The same member in the 50/50 section."""
    return {"section": "50/50", "pay_main": "0.00", "employee_main": "0.00", "pay_5050": "2000.00", "employee_5050": "58.00"} | changed


def month(number, end, pay, **changed):
    """One month of `previous`."""
    return {"employment_number": f"E{number:03}", "period_end": end, "pensionable_pay": pay} | {k: str(v) for k, v in changed.items()}


def case(name, about, rows, **rest):
    """`rows`: (row, codes that it must bring about), in order. A row without codes is accepted in silence."""
    settings = SETTINGS | rest.pop("settings", {})
    given = {"about": about, "today": rest.pop("today", "2026-11-19"), "settings": settings, "payroll": [r for r, _ in rows]} | rest
    run = write_case(name, given)
    if not given.get("fails"):
        for place, (_, codes) in enumerate(rows):
            found = [code for port, at, _, _, code in run.findings if port == "payroll" and at == place]
            assert found == list(codes), (name, place, found)
    return run


def figures(run, column, *wanted):
    """Holds figures of the return against those that are known."""
    found = [str(line[column]) for line in run.lines]
    assert found == list(wanted), (column, found)


def golden():
    half_rate = dict(section="5050", pay_main="0.00", employee_main="0.00")
    rows = [
        # Half a penny goes up: 1,930.00 x 2.75% = 53.075 and 2,410.00 x 3.25% = 78.325, which binary fractions and half-even miss.
        row(1, **half_rate, annual_pay="17000.00", pay_5050="1930.00", employee_5050="53.08", rate_percent="2.75"),
        row(2, **half_rate, annual_pay="30000.00", pay_5050="2410.00", employee_5050="78.33", rate_percent="3.25"),
        # Whole pounds count: 28,000.99 is 28,000.
        row(3, period_end="2025-10-31", annual_pay="28000.99", pay_main="2333.42", employee_main="135.34", rate_percent="5.80"),
        # The same pay in two years.
        row(4, period_end="2026-03-31", annual_pay="28500.00", pay_main="2375.00", employee_main="154.38", rate_percent="6.50"),
        row(5, period_end="2026-04-30", annual_pay="28500.00", pay_main="2375.00", employee_main="137.75", rate_percent="5.80"),
        # Band 3 in both sections.
        row(6, annual_pay="29481.36", pay_main="2456.78", employee_main="159.69", rate_percent="6.50"),
        row(7, **half_rate, annual_pay="29481.36", pay_5050="2456.78", employee_5050="79.85", rate_percent="3.25"),
        # A year's pay builds up 1/49 of it, or 1/98.
        row(8, pay_main="24000.00", employee_main="1392.00"),
        row(9, **half_rate, pay_5050="24000.00", employee_5050="696.00"),
        # Term time: 23,000 x 43/52 is the actual pay, and the band is by that.
        row(10, annual_pay="19019.23", fte_final_pay="23000.00", pay_main="1584.94", employee_main="91.93", rate_percent="5.80"),
    ]
    run = case("golden-figures", "Figures that funds published or that were worked out by hand", [(r, []) for r in rows])
    figures(run, "employee_expected", "53.08", "78.33", "135.34", "154.38", "137.75", "159.69", "79.85", "1392.00", "696.00", "91.93")
    figures(run, "rate_percent", "2.75", "3.25", "5.8", "6.5", "5.8", "6.5", "3.25", "5.8", "2.9", "5.8")
    assert [str(run.lines[n]["pension_accrued"]) for n in (7, 8)] == ["489.80", "244.90"]

    # Staffordshire's CARE example 1: 20,000 a year, 50/50 from 1 October 2024 -> 10,000 in either half.
    ends = ["2024-04-30", "2024-05-31", "2024-06-30", "2024-07-31", "2024-08-31", "2024-09-30",
            "2024-10-31", "2024-11-30", "2024-12-31", "2025-01-31", "2025-02-28", "2025-03-31"]
    rows = []
    for place, end in enumerate(ends):
        pay = "1666.65" if place in (5, 11) else "1666.67"
        pays = dict(pay_main=pay, employee_main="96.67") if place < 6 else dict(section="5050", pay_main="0.00", employee_main="0.00", pay_5050=pay, employee_5050="48.33")
        rows.append((row(1, period_end=end, annual_pay="20000.00", fte_final_pay="20000.00", **pays), []))
    run = case("care-example-1", "Staffordshire's CARE example 1: 20,000 a year, to the 50/50 section half way", rows, today="2025-04-10")
    assert sum(line["pay_main"] for line in run.lines) == 10000 == sum(line["pay_5050"] for line in run.lines)


def sections():
    rows = [(row(n, section=word), []) for n, word in enumerate(["MAIN", "main", "1"])]
    rows += [(row(10 + n, **half(section=word)), []) for n, word in enumerate(["5050", "50/50", "2"])]
    rows += [
        (row(20, section=""), ["section-missing"]),
        (row(21, section="3"), ["section-unknown"]),
        (row(22, pay_5050="0.01"), ["pay-in-both-sections"]),
        (row(23, pay_main="0.00", pay_5050="2000.00", employee_main="0.00"), ["pay-in-unused-section"]),
        (row(24, **half(pay_main="2000.00", pay_5050="0.00")), ["pay-in-unused-section"]),
        (row(25, employee_5050="0.01"), ["contribution-in-unused-section"]),
        (row(26, **half(employee_main="116.00")), ["contribution-in-unused-section"]),
        # Nil pay is no pay in a section.
        (row(27, pay_main="0.00", employee_main="0.00"), []),
        # The employer's rate is not halved.
        (row(28, **half(employer_contribution="378.00")), []),
        # Additional contributions stay apart from basic ones.
        (row(29, apc="50.00", scapc="100.00", avc="75.25"), []),
    ]
    run = case("sections", "Main and 50/50: the words for them, never both, nothing in the unused one", rows)
    assert {str(line["employer_contribution"]) for line in run.lines if line["pay_5050"]} == {"378.00"}


def ni_numbers():
    wrong = {
        "ni-number-example": ["QQ123456A"],
        "ni-number-administrative": ["OO123456A", "CR123456A", "FY123456A", "MW123456A", "NC123456A", "PP123456A"],
        "ni-number-temporary": ["11A11111"],
        "ni-number-suffix-missing": ["JJ123123"],
        "ni-number-invalid": [
            *(f"{prefix}123456A" for prefix in ("BG", "GB", "KN", "NK", "NT", "TN", "ZZ", "DA", "FA", "IA", "QA", "UA", "VA", "AD", "AF", "AI", "AO", "AQ", "AU", "AV")),
            "JJ123123E", "JJ12312D", "JJ1231234D", "jj123123d", "JJ 12 31 23 D", "J1123123D", "JÉ123123D", "JJ12312OD",
        ],
    }
    rows = [(row(n, ni_number=text), [code]) for n, (text, code) in enumerate((t, c) for c, ts in wrong.items() for t in ts)]
    rows += [(row(100 + n, ni_number=text), []) for n, text in enumerate(["JJ123123D", "AB123456A", "ZY999999B", "WM000000C"])]
    case("ni-numbers", "National Insurance numbers, with the letter at the end required", rows)
    rows = [(row(1, ni_number="JJ123123"), []), (row(2, ni_number="QQ123456"), ["ni-number-example"]), (row(3, ni_number="JJ12312"), ["ni-number-invalid"])]
    case("ni-number-suffix-optional", "A setting lets the letter at the end be absent", rows, settings={"ni-number-suffix": "optional"})


def not_members():
    rows = [
        (row(1, scheme="PPS", ni_number="x", section=""), ["police-pension-scheme"]),
        (row(2, scheme="FPS"), ["firefighters-pension-scheme"]),
        (row(3, scheme="OPT"), ["opted-out"]),
        (row(4, scheme="none"), ["not-a-member"]),
        (row(5, scheme="lgps"), []),
        (row(6, scheme="NHS"), ["scheme-unknown"]),
    ]
    case("not-members", "Who is not in the LGPS is passed over, and an unknown scheme is refused", rows)


def refused():
    rows = [
        (row(1, status="X"), ["status-unknown"]),
        (row(2, period_end="2026-10-30"), ["period-end-not-month-end"]),
        (row(3, employer_code="00999"), ["employer-unknown"]),
        (row(4, employer_code="00400", period_end="2026-03-31"), ["employer-rate-missing"]),
        (row(5, hours_indicator="X"), ["hours-indicator-unknown"]),
        (row(6, pay_main="-0.01"), ["pay-negative"]),
        (row(7, **half(pay_5050="-1.00")), ["pay-negative"]),
        (row(8, employee_main="-116.00"), ["contribution-negative"]),
        (row(9, employer_contribution="-1.00"), ["contribution-negative"]),
        (row(10, apc="-1.00"), ["additional-contribution-negative"]),
        (row(11, scapc="-1.00"), ["additional-contribution-negative"]),
        (row(12, avc="-1.00"), ["additional-contribution-negative"]),
        (row(13, annual_pay="-1.00"), ["annual-pay-negative"]),
        (row(14, fte_final_pay="-1.00"), ["annual-pay-negative"]),
        (row(15, annual_pay=""), ["annual-pay-missing"]),
        (row(16, annual_pay="1000000000.00"), ["amount-too-large"]),
        (row(17, date_of_birth="2026-10-01", date_joined="2026-10-01"), ["dates-out-of-order"]),
        (row(18, date_of_birth="2026-10-31"), ["dates-out-of-order"]),
        (row(19, date_joined="2026-11-01"), ["dates-out-of-order"]),
        (row(20, date_joined="2026-10-05", date_left="2026-10-04"), ["dates-out-of-order"]),
        (row(21, hours_effective="2026-11-01"), ["dates-out-of-order"]),
        (row(22, break_reason="A", break_from="2026-10-05", break_to="2026-10-04"), ["dates-out-of-order"]),
        (row(23, status="S"), ["joining-date-missing"]),
        (row(24, status="Leaver"), ["leaving-date-missing"]),
        (row(25, break_reason="X", break_from="2026-10-05"), ["break-reason-unknown"]),
        (row(26, break_reason="M"), ["break-date-missing"]),
        (row(27, reduced_pay_reason="HOLIDAY"), ["reduced-pay-reason-unknown"]),
        (row(28, reduced_pay_from="2026-10-05"), ["reduced-pay-reason-missing"]),
        (row(29, reduced_pay_reason="SICK"), ["reduced-pay-date-missing"]),
        (row(30, reduced_pay_reason="SICK", reduced_pay_from="2026-10-05"), ["reduced-pay-split-missing"]),
        (row(31, reduced_pay_reason="SICK", reduced_pay_from="2026-10-05", pay_while_reduced="2000.01"), ["reduced-pay-above-pay"]),
        (row(32, reduced_pay_reason="SICK", reduced_pay_from="2026-11-01", pay_while_reduced="0.00"), ["dates-out-of-order"]),
        (row(33, reduced_pay_reason="SICK", reduced_pay_from="2026-08-05", reduced_pay_to="2026-09-30", pay_while_reduced="0.00"), ["dates-out-of-order"]),
        (row(34, reduced_pay_reason="CHILD", reduced_pay_from="2026-10-01"), ["assumed-pay-unknown"]),
        (row(35, reduced_pay_reason="SICK", reduced_pay_from="2026-10-05", pay_while_reduced="-1.00"), ["pay-negative"]),
        (row(36, reduced_pay_reason="SICK", reduced_pay_from="2026-10-01", assumed_pay="-1.00"), ["pay-negative"]),
        # Everything that is wrong with a row is said at once.
        (row(37, status="?", ni_number="QQ123456A", section="", pay_main="-1.00", date_joined="2026-12-01"),
         ["status-unknown", "ni-number-example", "section-missing", "pay-negative", "dates-out-of-order"]),
        (row(38), []),
    ]
    employers = [*EMPLOYERS, {"code": "00400", "rate-percent": "20", "from": "2026-04-01"}]
    case("refused", "Each code that refuses a row", rows, settings={"employers": employers})


def casuals():
    rows = [
        # Twelve times the month's pay: 1,500.00 -> 18,000, band 1; 1,533.34 -> 18,400.08, which is 18,400; 1,533.42 -> 18,401.04.
        (row(1, hours_indicator="C", annual_pay="", pay_main="1500.00", employee_main="82.50"), ["casual-pay-estimated"]),
        (row(2, hours_indicator="C", annual_pay="", pay_main="1533.34", employee_main="84.33"), ["casual-pay-estimated"]),
        (row(3, hours_indicator="C", annual_pay="", pay_main="1533.42", employee_main="88.94"), ["casual-pay-estimated"]),
        # What the employer assessed comes before an estimate.
        (row(4, hours_indicator="C", annual_pay="10000.00", pay_main="2000.00", employee_main="110.00"), []),
        (row(5, hours_indicator="c", annual_pay="", pay_main="0.00", employee_main="0.00"), ["casual-pay-estimated"]),
    ]
    run = case("casuals", "Casual employees: annual pay is estimated where the employer gives none, and the row says so", rows)
    figures(run, "band", "1", "1", "2", "1", "1")
    rows = [(row(1, hours_indicator="C", annual_pay="", pay_main="1840.00", employee_main="101.20"), ["casual-pay-estimated"])]
    run = case("casuals-ten-periods", "A setting says by how many periods a casual employee's pay is multiplied", rows, settings={"casual-periods": 10})
    figures(run, "band", "1")


def contributions():
    rows = [
        # 116.00 is expected; a pound and one per cent (1.16) are both let pass, 1.16 is the wider here.
        (row(1, employee_main="117.16"), []),
        (row(2, employee_main="117.17"), ["contribution-differs"]),
        (row(3, employee_main="114.84"), []),
        (row(4, employee_main="114.83"), ["contribution-differs"]),
        # 5.80 is expected: a pound is the wider.
        (row(5, pay_main="100.00", employee_main="6.80"), []),
        (row(6, pay_main="100.00", employee_main="6.81"), ["contribution-differs"]),
        (row(7, **half(employee_5050="116.00")), ["contribution-differs"]),
        (row(8, rate_percent="5.80"), []),
        (row(9, rate_percent="6.50"), ["rate-not-of-band"]),
        (row(10, rate_percent="2.90"), ["rate-not-of-band"]),
        (row(11, rate_percent="6.00"), ["rate-not-legal"]),
        (row(12, employer_contribution="378.00"), []),
        (row(13, employer_contribution="381.78"), []),
        (row(14, employer_contribution="381.79"), ["employer-contribution-differs"]),
        # What was deducted is returned as it was deducted, right or wrong.
        (row(15, employee_main="0.00"), ["contribution-differs"]),
    ]
    run = case("contributions", "Payroll's contributions and rate against those worked out", rows)
    assert str(run.lines[-1]["employee_main"]) == "0.00" and str(run.lines[-1]["employee_expected"]) == "116.00"
    rows = [(row(1, employee_main="116.01"), ["contribution-differs"]), (row(2), [])]
    case("contributions-to-the-penny", "Tolerances are settings: none at all", rows, settings={"tolerance-amount": "0", "tolerance-percent": "0"})


def doubtful():
    rows = [
        (row(1, fte_final_pay=""), ["final-pay-missing"]),
        (row(2, fte_final_pay="11999.99"), ["final-pay-low"]),
        (row(3, fte_final_pay="12000.00"), []),
        (row(4, break_from="2026-10-05"), ["break-without-reason"]),
        (row(5, break_to="2026-10-05"), ["break-without-reason"]),
        (row(6, date_left="2026-09-30"), ["pay-after-leaving"]),
        (row(7, status="L", date_left="2026-09-30", pay_main="0.00", employee_main="0.00"), []),
        (row(8, period_end="2026-12-31"), ["period-in-future"]),
        (row(9, period_end="2026-11-30"), []),
        # Several doubts about one row are all told.
        (row(10, employee_main="0.00", fte_final_pay="1.00", date_left="2026-09-30"), ["contribution-differs", "final-pay-low", "pay-after-leaving"]),
    ]
    case("doubtful", "Each code that warns of a row by itself", rows)


def breaks():
    rows = [(row(n, break_reason=reason, break_from="2026-10-05", break_to="2026-10-09"), []) for n, reason in enumerate(["S", "C", "PL", "M", "A", "pl"])]
    rows += [(row(10, break_reason="C", break_from="2026-10-05"), [])]
    case("breaks", "Breaks in service: strike, career, paternity, maternity, authorised", rows)


def starters_and_leavers():
    months = [month(n, "2026-09-30", "2000.00", fte_final_pay="24000.00", weekly_hours="37.00") for n in (1, 3, 5, 6, 7, 8, 9, 10, 11)]
    months += [
        month(20, "2026-09-30", "2000.00", status="Leaver"), month(21, "2026-08-31", "2000.00"), month(22, "2026-09-30", "2000.00", status="A"),
        month(23, "2026-09-29", "2000.00"), month(24, "2026-09-30", "2000.00", status="X"),
        month(25, "2026-09-30", "-0.01", reduction_ignored="1000000000.00"),
    ]
    rows = [
        (row(1), []),
        (row(2, status="S", date_joined="2026-10-12"), []),
        (row(3, status="S", date_joined="2026-10-12"), ["starter-seen-before"]),
        (row(4), ["starter-undeclared"]),
        (row(12, status="L", date_joined="2026-10-05", date_left="2026-10-16"), []),
        (row(5, status="L", date_left="2026-10-16"), []),
        (row(6, weekly_hours="18.50"), ["hours-changed-without-date"]),
        (row(7, weekly_hours="18.50", hours_effective="2026-10-01"), []),
        (row(8, fte_final_pay="26400.00"), []),
        (row(9, fte_final_pay="26400.01"), ["final-pay-changed"]),
        (row(10, fte_final_pay="21599.99"), ["final-pay-changed"]),
        # A row that is refused was there all the same, so nobody asks for its leaving date.
        (row(11, ni_number="QQ123456A"), ["ni-number-example"]),
    ]
    run = case("starters-and-leavers", "Against the month before: who came, who went, whose hours or final pay changed", rows, previous=months)
    assert [f[1:] for f in run.findings if f[0] == "previous"] == [
        (12, "reject", "period_end", "period-end-not-month-end"), (13, "reject", "status", "status-unknown"),
        (14, "reject", "pensionable_pay", "pay-negative"), (14, "reject", "reduction_ignored", "amount-too-large"),
        (11, "warn", "employment_number", "leaver-undeclared"),
    ], run.findings
    assert [str(run.lines[n][c]) for n, c in ((1, "pay_from"), (4, "pay_from"), (4, "pay_to"))] == ["2026-10-12", "2026-10-05", "2026-10-16"]
    rows = [(row(1), []), (row(2, status="S", date_joined="2026-10-12"), ["cannot-check-without-previous"])]
    case("previous-absent", "Without the months before, what cannot be checked is said", rows)
    rows = [(row(1), ["starter-undeclared"]), (row(2, status="S", date_joined="2026-10-12"), [])]
    case("previous-empty", "A file of the months before that holds nothing is not the same as none", rows, previous=[])


def assumed_pay():
    def three(number, *pays, **changed):
        return [month(number, end, pay, **changed) for end, pay in zip(("2026-07-31", "2026-08-31", "2026-09-30"), pays)]

    months = [row for n in (1, 2, 3, 4, 5, 8, 9, 11, 12, 13) for row in three(n, "2000.00", "2100.00", "2200.00")]
    months += [month(6, "2026-08-31", "2100.00"), month(6, "2026-09-30", "2200.00")]
    months += three(7, "2000.00", "1900.00", "2200.00")[:1] + [month(7, "2026-08-31", "1900.00", reduction_ignored="200.00"), month(7, "2026-09-30", "2200.00")]
    months += three(10, "2000.00", "2000.00", "2000.01")
    sick = dict(reduced_pay_reason="SICK", reduced_pay_from="2026-10-01")
    low = dict(pay_main="1000.00", employee_main="58.00")
    rows = [
        (row(1, **sick, **low), []),
        (row(2, reduced_pay_reason="child", reduced_pay_from="2026-10-01", pay_main="0.00", employee_main="0.00"), []),
        (row(3, **sick, **half(pay_5050="1000.00", employee_5050="29.00")), []),
        # Payroll's own figure is compared, and the one worked out is returned.
        (row(4, **sick, **low, assumed_pay="2100.00"), []),
        (row(5, **sick, **low, assumed_pay="2000.00"), ["assumed-pay-differs"]),
        # Two months are not three: payroll's figure stands in, or the row is refused.
        (row(6, **sick, **low, assumed_pay="2150.00"), ["assumed-pay-not-checked"]),
        (row(6, period_end="2026-11-30", reduced_pay_reason="SICK", reduced_pay_from="2026-10-01", **low), ["assumed-pay-unknown"]),
        # What a strike took in August is taken no account of.
        (row(7, **sick, **low), []),
        # From 16 October: 16 of 31 days of 2,100.00 are 1,083.87, and 400.00 of the 1,400.00 was sick pay.
        (row(8, reduced_pay_reason="SICK", reduced_pay_from="2026-10-16", pay_main="1400.00", pay_while_reduced="400.00", employee_main="81.20"), []),
        # From before October until the 10th.
        (row(9, reduced_pay_reason="SICK", reduced_pay_from="2026-10-01", reduced_pay_to="2026-10-10", pay_main="1700.00", pay_while_reduced="300.00", employee_main="98.60"), []),
        # 6,000.01 / 3 = 2,000.003...
        (row(10, **sick, **low), []),
        # A trade dispute and permitted absence bring no assumed pay.
        (row(11, reduced_pay_reason="TRADE", reduced_pay_from="2026-10-01", **low), []),
        (row(12, reduced_pay_reason="PERMITTED", **low), []),
        # A casual employee's annual pay is estimated as if pay had not been reduced: 12 x 2,100.00 = 25,200.
        (row(13, **sick, **low, hours_indicator="C", annual_pay=""), ["casual-pay-estimated"]),
    ]
    run = case("assumed-pay", "Assumed pensionable pay: the average of the three months before pay was reduced", rows, previous=months)
    figures(run, "assumed_pay", "2100.00", "2100.00", "2100.00", "2100.00", "2100.00", "2150.00", "2100.00", "1083.87", "677.42", "2000.00", "0", "0", "2100.00")
    figures(run, "care_pay", "2100.00", "2100.00", "2100.00", "2100.00", "2100.00", "2150.00", "2100.00", "2083.87", "2077.42", "2000.00", "1000.00", "1000.00", "2100.00")
    # The member pays on pay received, the employer on assumed pay.
    assert str(run.lines[0]["employee_expected"]) == "58.00" and str(run.lines[0]["employer_contribution"]) == "396.90"
    rows = [(row(1, **sick, **low, assumed_pay="2100.00"), ["assumed-pay-not-checked"]), (row(2, **sick, **low), ["assumed-pay-unknown"])]
    case("assumed-pay-previous-absent", "Assumed pensionable pay without the months before", rows)


def employers():
    spans = [
        {"code": "00321", "rate-percent": "20.1", "from": "2023-04-01", "to": "2026-03-31"},
        {"code": "00321", "rate-percent": "18.9", "from": "2026-04-01"},
        {"code": "00322", "rate-percent": "17.35", "from": "2023-04-01"},
    ]
    rows = [
        (row(1, period_end="2026-03-31"), []), (row(2, period_end="2026-04-30"), []), (row(3, employer_code="00322"), []), (row(4, employer_code="00322", **half()), []),
        # Half a penny of the employer's goes up as well: 10.00 x 17.35% = 1.735.
        (row(5, employer_code="00322", pay_main="10.00", employee_main="0.58"), []),
    ]
    run = case("employers", "Two employers, one of them with a new rate from a valuation", rows, settings={"employers": spans, "payment-due-day": 19})
    figures(run, "employer_contribution", "402.00", "378.00", "347.00", "347.00", "1.74")


def failures():
    case("table-missing-2021-22", "A month before the first table fails the run: no rate is guessed", [(row(1, period_end="2022-03-31"), [])],
         today="2026-11-19", fails="table-missing", settings={"employers": [{"code": "00321", "rate-percent": "18.9", "from": "2019-04-01"}]})
    case("table-missing-2027-28", "A month after the last table fails the run: no rate is guessed", [(row(1, period_end="2027-04-30"), [])],
         today="2027-05-19", fails="table-missing")
    overlapping = [*EMPLOYERS, {"code": "00321", "rate-percent": "20", "from": "2026-04-01"}]
    case("settings-overlap", "Two rates of one employer for the same day make no sense", [(row(1), [])], fails="settings-unusable", settings={"employers": overlapping})


for write in (golden, sections, ni_numbers, not_members, refused, casuals, contributions, doubtful, breaks, starters_and_leavers, assumed_pay, employers, failures):
    write()
