// Deliveries that need a person's word: one of which nobody can tell whether it arrived, one that is sent again. By keyboard alone.

import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ended, must } from '../console.mjs';
import { judge } from '../judge.mjs';
import { Keyboard } from '../keyboard.mjs';

/** What the receiver has taken so far, in order. */
function taken(desk) {
  const notes = readdirSync(desk.site.receiver).filter((name) => name.startsWith('taken-'));
  return notes.sort().map((name) => JSON.parse(readFileSync(join(desk.site.receiver, name), 'utf8')));
}

/** From the overview to the run whose delivery is uncertain, and on to where one says what became of it. */
async function toDoubt(desk, keys, page) {
  await page.goto(desk.path(''));
  await keys.press(page.getByRole('link', { name: 'Claims to the insurer: say whether a delivery arrived' }).first());
  must(await page.locator('.heading .tag', { hasText: 'Delivery uncertain' }).isVisible(), 'the run does not say that its delivery is uncertain');
  must(await page.getByText('Ask the receiver whether it has the file').isVisible(), 'it is not said what is to be done');
  await keys.press(page.getByRole('link', { name: 'Say whether it arrived' }));
}

/** Says a word about it, with a reason, and confirms it. */
async function say(desk, keys, page, answer) {
  await keys.tick(page.getByLabel(answer));
  await keys.write(page.getByLabel('Who said so, and how?'), 'Ann Example of the insurer, by telephone');
  await keys.press(page.getByRole('button', { name: 'Continue' }));
  await judge(desk, page, `the check before “${answer}”`);
  await keys.press(page.getByRole('button', { name: 'Confirm' }));
  // A run that closes at once has its page loaded again meanwhile.
  await page.getByText('The run goes on with what you said of the delivery').waitFor();
  await ended(page, 'Closed');
}

export default [
  {
    title: 'an operator says that an uncertain delivery arrived, and it is not sent again, by keyboard',
    async tell(desk) {
      const page = await desk.page('operator');
      const keys = new Keyboard(page);
      const before = taken(desk).length;
      await toDoubt(desk, keys, page);
      await judge(desk, page, 'whether a delivery arrived');
      await keys.press(page.getByRole('button', { name: 'Continue' }));
      must((await page.getByRole('alert').getByRole('link').count()) === 2, 'an answer and a reason are not asked for');
      await judge(desk, page, 'whether a delivery arrived, without an answer');
      await say(desk, keys, page, 'Yes, the receiver has it');
      const told = await page.getByRole('table', { name: 'Deliveries' }).innerText();
      must(told.includes('Ann Example of the insurer, by telephone'), `the run does not keep on whose word it closed: ${told}`);
      must(taken(desk).length === before, 'what had arrived was sent again');
    },
  },
  {
    title: 'an operator says that another did not arrive, and it is sent; then has it sent once more, by keyboard',
    async tell(desk) {
      const page = await desk.page('operator');
      const keys = new Keyboard(page);
      const before = taken(desk);
      await toDoubt(desk, keys, page);
      await say(desk, keys, page, 'No, the receiver has not got it');
      const sent = taken(desk).slice(before.length);
      must(sent.length === 1, `it was sent ${sent.length} times after it was said that it had not arrived`);
      must(before.some(({ sha256 }) => sha256 === sent[0].sha256), 'other bytes were sent than those that were lost');

      await keys.press(page.getByRole('link', { name: 'Send again' }));
      await judge(desk, page, 'sending a delivery again');
      await keys.press(page.getByRole('button', { name: 'Continue' }));
      must(await page.getByRole('alert').isVisible(), 'a reason is not asked for');
      await judge(desk, page, 'sending a delivery again without a reason');
      await keys.tick(page.getByLabel('A new delivery'));
      await keys.write(page.getByLabel('Why is it to be sent again?'), 'The insurer deleted it by mistake');
      await keys.press(page.getByRole('button', { name: 'Continue' }));
      await judge(desk, page, 'the check before sending again');
      await keys.press(page.getByRole('button', { name: 'Send it again' }));
      must(await page.getByText('The output was sent again').isVisible(), 'it is not said that it was sent again');
      const again = page.getByRole('table', { name: 'Sent again' });
      must((await again.innerText()).includes('The insurer deleted it by mistake'), 'the run does not keep why it was sent again');
      const last = taken(desk).at(-1);
      must(taken(desk).length === before.length + 2 && last.sha256 === sent[0].sha256, 'the receiver did not get the same bytes once more');
      must(last.key !== sent[0].key, 'a new delivery has the key of the one before');
      await judge(desk, page, 'a run with a delivery that was sent again');
    },
  },
];
