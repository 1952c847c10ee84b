// A job from its page to what comes of it: run and watched, run dry, replayed and compared, backfilled, paused and resumed.

import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ended, must, noted, watched } from '../console.mjs';
import { judge } from '../judge.mjs';
import { Keyboard } from '../keyboard.mjs';

const JOB = '/jobs/claim-routing';

/** Claims enough that a run of them is seen while it goes on. */
const MANY = 6_000;

/** Puts a file of claims where the job takes them from. */
function handedIn(desk, name, number) {
  const claim = (place) => ({ reference: `${name}-${place}`, class: 'property', loss: '1200.00', received_date: '2026-11-02', accident_date: '2026-10-30' });
  const lines = Array.from({ length: number }, (_, place) => JSON.stringify(claim(place)));
  writeFileSync(join(desk.site.claims, `claims-${name}.jsonl`), `${lines.join('\n')}\n`);
}

/** Takes away what was delivered, as its receiver does: the hub overwrites nothing. */
function collected(desk) {
  const folder = join(dirname(desk.site.procurement), 'insurance');
  for (const file of readdirSync(folder)) rmSync(join(folder, file));
}

/** What a summary list says of something. */
async function told(page, name) {
  return page.locator('dl.summary > div', { has: page.locator('dt', { hasText: new RegExp(`^${name}$`) }) }).locator('dd').first().innerText();
}

export default [
  {
    title: 'an operator has a job run dry, runs it, watches it to its end, replays and compares it, by keyboard',
    async tell(desk) {
      handedIn(desk, 'A2028', MANY);
      const page = await desk.page('operator');
      const keys = new Keyboard(page);
      await watched(page);
      await page.goto(desk.path('/jobs'));
      await keys.press(page.getByRole('link', { name: 'Insurance claim routing' }));
      await keys.press(page.getByRole('link', { name: 'Dry run' }));
      await judge(desk, page, 'the check before a dry run');
      await keys.press(page.getByRole('button', { name: 'Start the dry run' }));
      await ended(page, 'Closed');
      must((await told(page, 'Why it ran')).includes('as a dry run'), 'a dry run is not told as one');
      must((await page.getByRole('table', { name: 'Deliveries' }).innerText()).includes('Not delivered'), 'a dry run delivers');

      collected(desk);
      await page.goto(desk.path(JOB));
      await keys.press(page.getByRole('link', { name: 'Run now' }));
      await judge(desk, page, 'the check before a run');
      await page.evaluate(() => sessionStorage.clear());
      await keys.press(page.getByRole('button', { name: 'Run now' }));
      if (await page.locator('[data-live]').count()) await judge(desk, page, 'a run while it goes on');
      await ended(page, 'Closed');
      const { rows, step } = await noted(page);
      const counts = rows.map((text) => Number(text.replaceAll(',', '')));
      must(counts.some((count) => count > 0), `no row was counted while it ran: ${rows}`);
      must(counts.every((count, place) => place === 0 || count >= counts[place - 1]), `the rows counted went down: ${rows}`);
      must(step.some((text) => text.includes('took it up')), `it was not said what happened while it ran: ${step}`);
      must((await page.locator('[data-live]').count()) === 0, 'a run that has closed is still watched');
      const deliveries = page.getByRole('table', { name: 'Deliveries' });
      must((await deliveries.innerText()).includes('Delivered'), 'what the run delivered is not told');
      must((await page.getByRole('table', { name: 'Control totals' }).innerText()).includes('6,000'), 'the rows are not in the totals');

      await keys.press(page.getByRole('link', { name: 'Replay' }));
      await judge(desk, page, 'the check before a replay');
      await keys.press(page.getByRole('button', { name: 'Replay this run' }));
      await ended(page, 'Closed');
      must((await told(page, 'Why it ran')).startsWith('Replay'), 'a replay is not told as one');
      await keys.press(page.getByRole('link', { name: 'With another run of this job' }));
      await judge(desk, page, 'a comparison before it');
      await keys.press(page.getByRole('button', { name: 'Compare' }));
      must(await page.getByText('Nothing: both came to the same bytes').isVisible(), 'a replay is not the same as its run');
      await judge(desk, page, 'a comparison of the same');
    },
  },
  {
    title: 'a run is compared with another that came to something else',
    async tell(desk) {
      const page = await desk.page('viewer');
      await page.goto(desk.path(`/runs/${desk.site.runs['claim-routing held']}`));
      await page.getByRole('link', { name: 'With another run of this job' }).click();
      await page.getByLabel('Which run of this job?').selectOption(desk.site.runs['claim-routing closed']);
      await page.getByRole('button', { name: 'Compare' }).click();
      must((await page.getByRole('table', { name: 'Totals that are others' }).getByRole('row').count()) > 1, 'no total is another');
      await judge(desk, page, 'a comparison of two that differ');
    },
  },
  {
    title: 'an operator backfills the times of some days, after the wrong ones',
    async tell(desk) {
      handedIn(desk, 'B2028', 3);
      const page = await desk.page('operator');
      const day = (before) => new Date(Date.now() - before * 86_400_000).toISOString().slice(0, 10);
      await page.goto(desk.path(JOB));
      await page.getByRole('link', { name: 'Backfill' }).click();
      await page.getByRole('button', { name: 'Continue' }).click();
      must((await page.getByRole('alert').getByRole('link').count()) === 2, 'it is not said that both days are missing');
      await judge(desk, page, 'a backfill without days');
      await page.getByLabel('First day').fill(day(1));
      await page.getByLabel('Last day').fill(day(8));
      await page.getByRole('button', { name: 'Continue' }).click();
      must(await page.getByRole('alert').getByText('must be the first day or after it').isVisible(), 'days the wrong way round are taken');
      await page.getByLabel('First day').fill(day(8));
      await page.getByLabel('Last day').fill(day(1));
      await page.getByLabel('Dry run').check();
      await page.getByRole('button', { name: 'Continue' }).click();
      const times = (await page.getByRole('table', { name: 'Times of these days' }).getByRole('row').count()) - 1;
      must(times >= 2, `a week has ${times} working days`);
      await judge(desk, page, 'the check before a backfill');
      await page.getByRole('button', { name: 'Start the backfill' }).click();
      const runs = page.getByRole('row').filter({ hasText: 'Backfill, dry run' });
      for (let look = 0; (await runs.filter({ hasText: 'Closed' }).count()) < times; look += 1) {
        must(look < 60, `of ${times} runs only ${await runs.filter({ hasText: 'Closed' }).count()} closed`);
        await page.waitForTimeout(500);
        await page.reload();
      }
    },
  },
  {
    title: 'an operator has a schedule stand still and go on, by keyboard',
    async tell(desk) {
      const page = await desk.page('operator');
      const keys = new Keyboard(page);
      await page.goto(desk.path('/jobs/supplier-onboarding'));
      await keys.press(page.getByRole('link', { name: 'Pause schedule' }));
      await keys.press(page.getByRole('button', { name: 'Continue' }));
      must(await page.getByRole('alert').isVisible(), 'a reason is not asked for');
      await judge(desk, page, 'pausing without a reason');
      await keys.write(page.getByLabel('Why is the schedule to stand still?'), 'Procurement moves to its new system');
      await keys.press(page.getByRole('button', { name: 'Continue' }));
      await judge(desk, page, 'the check before pausing');
      await keys.press(page.getByRole('button', { name: 'Pause the schedule' }));
      must(await page.getByText('The schedule stands still').isVisible(), 'it is not said that the schedule stands still');
      must(await page.getByText('Procurement moves to its new system').isVisible(), 'it is not said why');
      await judge(desk, page, 'a job that is paused');
      await keys.press(page.getByRole('link', { name: 'Resume schedule' }));
      await judge(desk, page, 'the check before resuming');
      await keys.press(page.getByRole('button', { name: 'Resume the schedule' }));
      must(await page.getByText('The schedule goes on').isVisible(), 'it is not said that the schedule goes on');
    },
  },
  {
    title: 'an approver lets a held run go on, with a reason',
    async tell(desk) {
      collected(desk);
      const page = await desk.page('approver');
      await page.goto(desk.path(`/runs/${desk.site.runs['claim-routing held']}`));
      await page.getByRole('link', { name: 'Let it go on' }).click();
      await page.getByRole('button', { name: 'Continue' }).click();
      must(await page.getByRole('alert').isVisible(), 'a reason is not asked for');
      await judge(desk, page, 'letting a run go on without a reason');
      await page.getByLabel('Why may it go on as it stands?').fill('The broker sent an empty form for each of them');
      await page.getByRole('button', { name: 'Continue' }).click();
      await judge(desk, page, 'the check before a held run goes on');
      await page.getByRole('button', { name: 'Let it go on' }).click();
      await ended(page, 'Closed');
      must(await page.getByText('The broker sent an empty form for each of them').first().isVisible(), 'the run does not keep why it went on');
    },
  },
];
