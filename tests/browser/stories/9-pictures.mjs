// Pictures: those in the pages say what the tables beside them say, and those for the README begin with what they are pictures of.

import { must } from '../console.mjs';

/** A number as pages write it. */
const number = (text) => Number(text.replaceAll(',', ''));
const written = (count) => count.toLocaleString('en-GB');
const sum = (rows, column) => rows.reduce((sum, row) => sum + number(row[column]), 0);

/** The cells of a table, row by row. */
function cells(table) {
  return table.locator('tbody tr').evaluateAll((rows) => rows.map((row) => [...row.cells].map((cell) => cell.innerText.trim())));
}

export default [
  {
    title: 'the picture of a run says what its control totals say',
    async tell(desk) {
      const page = await desk.page('viewer');
      await page.goto(desk.path(`/runs/${desk.site.runs['lgps-monthly-return closed']}`));
      const picture = page.getByRole('img', { name: 'Where the rows went' });
      const told = await picture.locator('desc').textContent();
      const rows = await cells(page.getByRole('table', { name: 'Control totals' }));
      const of = (side) => rows.filter(([name]) => name.endsWith(`\n${side}`)).map(([name, ...rest]) => [name.split('\n')[0], ...rest]);
      const [inputs, outputs] = [of('read'), of('written')];
      must(inputs.length === 2 && outputs.length === 2, `the table has not two inputs and two outputs: ${JSON.stringify(rows)}`);
      const wanted = [
        ...inputs.map(([name, read]) => `${name}: ${read} row`),
        ...outputs.map(([name, , accepted]) => `${name}: ${accepted} row`),
        `Accepted: ${written(sum(inputs, 2))} row`,
        `Rejected: ${written(sum(inputs, 3))} row`,
      ];
      for (const words of wanted) must(told.includes(words), `the picture does not say “${words}”: ${told}`);
      const sums = rows.map((row) => row[5]).join(' ');
      for (const [pounds] of told.matchAll(/£[\d,.]+\d/g)) must(sums.includes(pounds), `${pounds} of the picture is not in the table`);
      for (const drawn of await picture.locator('text').allTextContents()) {
        must(told.includes(drawn.replace(/…$/, '')), `what is drawn is not read out: ${drawn}`);
      }
    },
  },
  {
    title: 'the charts of a job say what the table of its runs says',
    async tell(desk) {
      const page = await desk.page('viewer');
      await page.goto(desk.path('/jobs/claim-routing'));
      await page.getByText('The same as a table').click();
      const runs = await cells(page.getByRole('table', { name: 'Last runs' }));
      must(runs.length > 1, 'there is no history to draw');
      const most = Math.max(...runs.map((run) => number(run[2])));
      const rows = page.getByRole('img', { name: `Rows of ${runs.length} runs, ${written(most)} at most in one, ${written(sum(runs, 3))} rejected in all` });
      must(await rows.isVisible(), `the chart of rows is named otherwise than its table: ${JSON.stringify(runs)}`);
      const duration = await page.getByRole('img', { name: `Duration of ${runs.length} runs` }).getAttribute('aria-label');
      must(runs.some((run) => run[4] !== '' && duration.endsWith(`${run[4]} at most`)), `no run took as long as the chart says: ${duration}`);
      const drawn = await rows.locator('rect').evaluateAll((bars) => new Set(bars.map((bar) => bar.getAttribute('x'))).size);
      must(drawn === runs.filter((run) => number(run[2]) > 0).length, `${drawn} columns stand for ${runs.length} runs`);
    },
  },
  {
    title: 'pictures of the first pages',
    async tell(desk) {
      const page = await desk.page('everything');
      await page.goto(desk.path(''));
      await desk.picture(page, 'overview');
      await page.goto(desk.path('/jobs/claim-routing'));
      await desk.picture(page, 'job');
      await page.goto(desk.path(`/runs/${desk.site.runs['lgps-monthly-return closed']}`));
      await desk.picture(page, 'run', '#totals');
      await page.goto(desk.path('/rejects'));
      await desk.picture(page, 'rejects');
      await page.setViewportSize({ width: 390, height: 844 });
      await page.goto(desk.path(''));
      await desk.picture(page, 'overview-phone');
    },
  },
];
