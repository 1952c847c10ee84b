// A case filled in, mended, decided and saved, by keyboard alone.

import { readFileSync } from 'node:fs';
import { must } from '../console.mjs';
import { judge } from '../judge.mjs';
import { Keyboard } from '../keyboard.mjs';

export default [
  {
    title: 'an operator tries a rule by keyboard',
    async tell(desk) {
      const page = await desk.page('operator');
      const keys = new Keyboard(page);
      await page.goto(desk.path('/rules'));
      await keys.press(page.getByRole('link', { name: 'Insurance claim routing' }));
      await desk.picture(page, 'try-a-rule');
      await keys.write(page.getByLabel('Reference'), 'SP-00777');
      await keys.choose(page.getByLabel('Class of claim'), 'Property');
      await keys.write(page.getByLabel('Loss'), '£125,000');
      // Enter in a field is as good as the button.
      await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
      const faults = page.getByRole('alert').getByRole('link');
      must((await faults.count()) >= 2, 'what is wrong is not told field by field');
      await judge(desk, page, 'a case with faults');
      await keys.to(faults.first());
      await page.keyboard.press('Enter');
      must((await page.evaluate(() => location.hash)).startsWith('#/'), 'a fault does not lead to its field');
      await keys.write(page.getByLabel('Loss'), '125000.00');
      await page.getByLabel('Date received').fill('2/11/2026');
      await page.getByLabel(/Date of accident/).fill('30 October 2026');
      await keys.press(page.getByRole('button', { name: 'Decide' }).last());
      must(await page.getByRole('heading', { name: 'Decision', exact: true }).isVisible(), 'there is no decision');
      await judge(desk, page, 'a decision');
      await desk.picture(page, 'decision');
      const evidence = page.getByRole('table', { name: 'Why' }).getByRole('link').first();
      await keys.to(evidence);
      await page.keyboard.press('Enter');
      must((await page.evaluate(() => location.hash)).startsWith('#/'), 'evidence does not lead to its field');
      await keys.write(page.getByLabel('What the case shows'), 'a large loss');
      const button = page.getByRole('button', { name: 'Download the case' });
      await keys.to(button);
      const [file] = await Promise.all([page.waitForEvent('download'), page.keyboard.press('Enter')]);
      const saved = JSON.parse(readFileSync(await file.path(), 'utf8'));
      must(saved.cases[0].name === 'a large loss' && saved.cases[0].expect.outcome, 'the file is no case');
    },
  },
  {
    title: 'entries are added to a list by keyboard',
    async tell(desk) {
      const page = await desk.page('operator');
      const keys = new Keyboard(page);
      await page.goto(desk.path('/rules/supplier-checks'));
      await keys.press(page.getByRole('button', { name: /Add to directors/i }));
      await judge(desk, page, 'a form with an entry added');
      await keys.write(page.locator('[id="/connected_persons/0/name"]'), 'Ann Example');
      await keys.press(page.getByRole('button', { name: /^Remove/ }).first());
      must((await page.locator('[id="/connected_persons/0/name"]').count()) === 0, 'the entry is still there');
    },
  },
];
