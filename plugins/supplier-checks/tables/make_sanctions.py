#!/usr/bin/env python3
"""Turns the UK Sanctions List, as the Foreign, Commonwealth and Development Office publishes it, into a reference table.

    python3 make_sanctions.py UK-Sanctions-List.csv

writes uk-sanctions-<report date>.csv beside the list and prints the block to put under [[versions]] in uk-sanctions.toml.

The first line of the list is `Report Date: dd-Mon-yyyy`, the second has 58 headings, and every further line is one name and
address of a designated person, body or ship, tied together by the Unique ID. What the supplier checks look at is kept, under
the list's own headings; the rest, `Other Information` among it, is left out. One column is added: `words`, the words of the
name in small letters without accents, apart and together where an apostrophe parts them, by which names are looked up.

Give the version before it in uk-sanctions.toml its effective-to, the day before this one begins.
"""

import csv
import datetime
import pathlib
import re
import sys
import unicodedata

KEPT = ["Last Updated", "Unique ID", "Name 6", "Name 1", "Name 2", "Name 3", "Name 4", "Name 5", "Name type", "Alias strength",
        "Regime Name", "Designation Type", "Date Designated", "D.O.B", "Type of entity", "Business registration number (s)"]
NAMES = ["Name 1", "Name 2", "Name 3", "Name 4", "Name 5", "Name 6"]
# Letters that are no plain letter with an accent.
LETTERS = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ð": "d", "æ": "ae", "œ": "oe", "þ": "th", "ß": "ss", "ı": "i"})


def main(path):
    path = pathlib.Path(path)
    with open(path, encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file)
        published = report_date(path, next(reader))
        headings = [heading.strip() for heading in next(reader)]
        missing = [name for name in KEPT if name not in headings]
        if missing:
            sys.exit(f"{path}: the list has no column {', '.join(missing)}: its form has changed")
        places = [headings.index(name) for name in KEPT]
        rows = distinct([row[place].strip() for place in places] for row in reader if any(row))
    if not rows:
        sys.exit(f"{path}: the list has no rows")
    target = path.with_name(f"uk-sanctions-{published}.csv")
    with open(target, "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*KEPT, "words"])
        writer.writerows([*row, words(row)] for row in rows)
    print(f'[[versions]]\nversion = "{published}"\neffective-from = {published}\npublished = {published}')
    print(f'source = "UK Sanctions List, report of {published}"\nrows = "{target.name}"')


def report_date(path, first):
    text = ",".join(first).split(":", 1)
    if len(text) != 2 or text[0].strip() != "Report Date":
        sys.exit(f"{path}: the first line is not a report date")
    return datetime.datetime.strptime(text[1].strip(" ,"), "%d-%b-%Y").date().isoformat()


def words(row):
    name = " ".join(row[KEPT.index(column)] for column in NAMES).lower().translate(LETTERS)
    plain = "".join(c for c in unicodedata.normalize("NFKD", name) if not unicodedata.combining(c))
    apart = re.findall(r"[^\W_]+", plain)
    together = re.findall(r"[^\W_]+", re.sub("['’]", "", plain))
    return " ".join(dict.fromkeys(apart + together))


def distinct(rows):
    """A name with several addresses has several rows, which are the same once the addresses are gone."""
    return list(dict.fromkeys(map(tuple, rows)))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
