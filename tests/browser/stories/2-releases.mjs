// A release from hand to use: handed in by one, looked at, tried, approved and put in use by another, by keyboard alone.

import { must } from '../console.mjs';
import { judge } from '../judge.mjs';
import { Keyboard } from '../keyboard.mjs';

export default [
  {
    title: 'an approver reads what a release changes, approves it and puts it in use, by keyboard',
    async tell(desk) {
      const page = await desk.page('approver');
      const keys = new Keyboard(page);
      await page.goto(desk.path('/plugins'));
      await desk.picture(page, 'plugins');
      await keys.press(page.getByRole('link', { name: '1.1.0' }));
      await desk.picture(page, 'release');
      await keys.press(page.getByRole('link', { name: /see the differences/ }));
      await desk.picture(page, 'differences');
      must(await page.getByText('fund_share').first().isVisible(), 'the column that differs is not named');
      await page.goBack();
      await keys.press(page.getByRole('link', { name: 'Approve', exact: true }));
      const lent = page.getByRole('group', { name: 'What may it do?' });
      must(await lent.getByRole('checkbox').first().isChecked(), 'what the release asks for is not offered');
      await keys.press(page.getByRole('button', { name: 'Continue' }));
      must(await page.getByRole('alert').isVisible(), 'a reason is not asked for');
      await judge(desk, page, 'approving without a reason');
      await keys.write(page.getByLabel('Reason'), 'The excess for our own vehicles is lower from April');
      await keys.press(page.getByRole('button', { name: 'Continue' }));
      await judge(desk, page, 'the check before approving');
      await desk.picture(page, 'check');
      await keys.press(page.getByRole('button', { name: 'Approve' }));
      must(await page.getByText('The release is approved').isVisible(), 'it does not say that the release is approved');
      await keys.press(page.getByRole('link', { name: 'Put in use' }));
      await keys.press(page.getByRole('button', { name: 'Put in use' }));
      must(await page.getByText('The release is in use').isVisible(), 'it does not say that the release is in use');
    },
  },
  {
    title: 'who hands a release in does not approve it',
    async tell(desk) {
      const page = await desk.page('everything');
      await page.goto(desk.path('/plugins/new'));
      await judge(desk, page, desk.path('/plugins/new'));
      await page.getByLabel('Component').setInputFiles(desk.site.component);
      await page.getByLabel('Signature').setInputFiles(desk.site.signature);
      await new Keyboard(page).press(page.getByRole('button', { name: 'Hand in' }));
      must(await page.getByText('Somebody else has to approve it').isVisible(), 'it is not said why one cannot approve');
      must((await page.getByRole('link', { name: 'Approve', exact: true }).count()) === 0, 'approving is offered');
      await judge(desk, page, 'a release of one’s own');
    },
  },
];
