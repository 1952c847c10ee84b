"""Working days of England and Wales by PyPI `holidays` 0.109, an implementation that shares nothing with ours.

Prints JSON lines {"from", "days", "to"}: the day that is `days` working days after `from`.
With --table prints the rows of the table `bank-holidays` as CSV.
"""

import datetime
import json
import random
import sys

import holidays

FIRST_YEAR, LAST_YEAR = 2018, 2028
CASES = 3000
SEED = 20261102


def main() -> None:
    calendar = holidays.country_holidays("GB", subdiv="ENG", years=range(FIRST_YEAR, LAST_YEAR + 1))
    if "--table" in sys.argv[1:]:
        table(calendar)
    else:
        cases(calendar)


def table(calendar: holidays.HolidayBase) -> None:
    print("year,days")
    for year in range(FIRST_YEAR, LAST_YEAR + 1):
        days = " ".join(sorted(day.isoformat() for day in calendar if day.year == year))
        print(f"{year},{days}")


def cases(calendar: holidays.HolidayBase) -> None:
    rng = random.Random(SEED)
    first = datetime.date(FIRST_YEAR, 1, 1)
    # The longest term, 60 working days, must end within the last year.
    last = datetime.date(LAST_YEAR, 9, 1)
    span = (last - first).days
    starts = [first + datetime.timedelta(days=rng.randrange(span)) for _ in range(CASES - 300)]
    # Where mistakes live: Easter, Christmas, New Year and the bank holidays themselves.
    inside = [day for day in sorted(calendar) if day < last]
    starts += [rng.choice(inside) + datetime.timedelta(days=rng.randrange(-4, 5)) for _ in range(300)]
    for start in starts:
        days = rng.choice([1, 1, 2, 5, 10, 15, 20, 30, 40, rng.randrange(1, 61)])
        start = max(start, first)
        print(json.dumps({"from": start.isoformat(), "days": days, "to": calendar.get_nth_working_day(start, days).isoformat()}))


if __name__ == "__main__":
    main()
