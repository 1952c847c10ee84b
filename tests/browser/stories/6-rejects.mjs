// Rejected rows mended: judged by the plugin while they are typed, brought back as a run; others assigned and dismissed. By keyboard alone.

import { ended, must } from '../console.mjs';
import { judge } from '../judge.mjs';
import { Keyboard } from '../keyboard.mjs';

const WRONG = '31/02/2026';
const STILL_WRONG = '2026-10-31';
const RIGHT = '31/10/2026';

/** The rejects of one reason. */
async function ofReason(desk, keys, page, reason) {
  await page.goto(desk.path('/rejects'));
  await keys.press(page.getByRole('table', { name: 'Rejects by reason' }).getByRole('link', { name: reason }));
  await keys.tick(page.getByRole('checkbox').first());
}

export default [
  {
    title: 'an operator corrects a row until the plugin takes it, and brings it back, by keyboard',
    async tell(desk) {
      const page = await desk.page('operator');
      const keys = new Keyboard(page);
      await ofReason(desk, keys, page, 'Date not in calendar');
      await keys.press(page.getByRole('button', { name: 'Correct chosen rows' }));
      await judge(desk, page, 'a row to correct');
      const field = page.locator(`input[value="${WRONG}"]`);
      const name = await field.getAttribute('name');
      const fault = page.locator(`[data-field="${name}"] [data-fault]`);
      const verdict = page.locator('[data-verdict]');
      const first = await fault.innerText();
      must(first.length > 0 && (await verdict.innerText()).includes('still reject 1 row'), 'what was wrong is not beside the value');

      // What is wrong otherwise is told otherwise, while it is typed.
      await keys.write(field, STILL_WRONG);
      await page.waitForTimeout(100);
      for (let look = 0; (await fault.innerText()) === first; look += 1) {
        must(look < 100, 'the plugin does not answer while a value is typed');
        await page.waitForTimeout(100);
      }
      await desk.picture(page, 'correct', 'h1');
      await keys.press(page.getByRole('button', { name: 'Check the rows' }));
      const told = page.getByRole('alert').getByRole('link');
      must((await told.count()) === 1, 'there is no summary of what is wrong');
      must((await page.getByRole('button', { name: 'Bring these rows back' }).count()) === 0, 'a wrong row can be brought back');
      await judge(desk, page, 'a row that is still wrong');
      await keys.to(told);
      await page.keyboard.press('Enter');
      must((await page.evaluate(() => location.hash)) === `#${name}`, 'a fault does not lead to its field');

      const again = page.locator(`input[name="${name}"]`);
      await keys.write(again, RIGHT);
      await page.locator('[data-verdict]', { hasText: 'would accept every row' }).waitFor();
      must(!(await fault.isVisible()), 'a value that is right is still called wrong');
      await keys.press(page.getByRole('button', { name: 'Check the rows' }));
      await judge(desk, page, 'the check before rows come back');
      await keys.press(page.getByRole('button', { name: 'Bring these rows back' }));
      await ended(page, 'Closed');
      must(await page.getByText('Corrected rejects').first().isVisible(), 'the run does not say that it brings rows back');
      const origin = page.locator('dl.summary > div', { hasText: 'Does again' }).getByRole('link');
      await keys.press(origin);
      const back = page.locator('dl.summary > div', { hasText: 'Came back corrected' }).locator('dd');
      must((await back.innerText()) === '1', `${await back.innerText()} rows came back, by the run that they are of`);
      must(await page.getByRole('table', { name: 'Runs that came of this one' }).isVisible(), 'the run does not lead to the one that came of it');
    },
  },
  {
    title: 'an operator assigns a reject and dismisses another with a reason, by keyboard',
    async tell(desk) {
      const page = await desk.page('operator');
      const keys = new Keyboard(page);
      await ofReason(desk, keys, page, /Leaving date missing/);
      await keys.press(page.getByRole('button', { name: 'Assign' }));
      await judge(desk, page, 'assigning a reject');
      await keys.write(page.getByLabel('Who sees to them?'), 'Helen, payroll control');
      await keys.press(page.getByRole('button', { name: 'Continue' }));
      await judge(desk, page, 'the check before assigning');
      await keys.press(page.getByRole('button', { name: 'Assign' }));
      must(await page.getByText('Helen, payroll control sees to it').isVisible(), 'it is not said who sees to the reject');

      await ofReason(desk, keys, page, /Employer unknown/);
      await keys.press(page.getByRole('button', { name: 'Dismiss' }));
      await keys.press(page.getByRole('button', { name: 'Continue' }));
      must(await page.getByRole('alert').isVisible(), 'a reason is not asked for');
      await judge(desk, page, 'dismissing without a reason');
      await keys.write(page.getByLabel('Why is nothing more to be done?'), 'A member of another fund, told to their payroll');
      await keys.press(page.getByRole('button', { name: 'Continue' }));
      await judge(desk, page, 'the check before dismissing');
      await keys.press(page.getByRole('button', { name: 'Dismiss' }));
      must(await page.getByText('out of quarantine').isVisible(), 'it is not said that the row is dismissed');
      await page.goto(desk.path('/rejects'));
      const groups = page.getByRole('table', { name: 'Rejects by reason' });
      must((await groups.getByRole('link', { name: /Employer unknown/ }).count()) === 0, 'what is dismissed still waits');
    },
  },
];
