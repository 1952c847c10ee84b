// A person whose browser runs no scripts: every main page reads, a job is run and a row is mended all the same.

import { must } from '../console.mjs';

/** Every main page of an operator, and what must stand on it. */
const PAGES = [
  ['', 'Needs somebody'],
  ['/jobs', 'LGPS monthly return'],
  ['/jobs/lgps-monthly-return', 'Next times'],
  ['/runs', 'On request'],
  ['/rejects', 'By what is wrong'],
  ['/plugins', 'lgps-return'],
  ['/rules', 'Insurance claim routing'],
  ['/rules/claim-routing', 'Reference'],
  ['/connections', 'pension-fund'],
];

/** Presses “Refresh” until a run has closed. */
async function refreshed(page) {
  const closed = page.locator('.heading .tag', { hasText: 'Closed' });
  for (let look = 0; (await closed.count()) === 0; look += 1) {
    must(look < 60, `without scripts the run at ${page.url()} does not close`);
    await page.waitForTimeout(500);
    await page.getByRole('link', { name: 'Refresh' }).click();
  }
}

export default [
  {
    title: 'without scripts an operator reads every main page, runs a job dry and mends a row',
    async tell(desk) {
      const page = await desk.page(null, { scripts: false });
      await desk.signIn(page, 'operator');
      for (const [path, words] of PAGES) {
        const response = await page.goto(desk.path(path));
        must(response.status() === 200, `${path} answers ${response.status()}`);
        must(await page.locator('main').getByText(words).first().isVisible(), `${path} does not show “${words}” without scripts`);
      }

      await page.goto(desk.path('/jobs/claim-routing'));
      await page.getByRole('link', { name: 'Dry run' }).click();
      await page.getByRole('button', { name: 'Start the dry run' }).click();
      await refreshed(page);

      await page.goto(desk.path('/rejects?code=date-style'));
      await page.getByRole('checkbox').first().check();
      await page.getByRole('button', { name: 'Correct chosen rows' }).click();
      const wrong = page.locator('.field.wrong input').first();
      const name = await wrong.getAttribute('name');
      const value = page.locator(`input[name="${name}"]`);
      const written = await value.inputValue();
      await page.getByRole('button', { name: 'Check the rows' }).click();
      must((await page.getByRole('alert').getByRole('link').count()) === 1, 'what is wrong is not told without scripts');
      // As the file has dates: the day first.
      const [first, second, third] = written.split(/\D/);
      await value.fill(first.length === 4 ? `${third}/${second}/${first}` : `${second}/${first}/${third}`);
      await page.getByRole('button', { name: 'Check the rows' }).click();
      await page.getByRole('button', { name: 'Bring these rows back' }).click();
      await refreshed(page);
    },
  },
];
