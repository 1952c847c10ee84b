// Tokens, people, connections and the audit trail, by keyboard alone.

import { renameSync } from 'node:fs';
import { must } from '../console.mjs';
import { judge } from '../judge.mjs';
import { Keyboard } from '../keyboard.mjs';

export default [
  {
    title: 'an admin makes a token and revokes it, by keyboard',
    async tell(desk) {
      const page = await desk.page('admin');
      const keys = new Keyboard(page);
      await page.goto(desk.path('/tokens'));
      await keys.press(page.getByRole('link', { name: 'Make a token' }));
      await keys.write(page.getByLabel('Name'), 'ledger-export');
      await keys.tick(page.getByLabel('Look at jobs, runs'));
      await keys.press(page.getByRole('button', { name: 'Continue' }));
      await judge(desk, page, 'the check before a token');
      await keys.press(page.getByRole('button', { name: 'Make the token' }));
      must((await page.getByLabel('The token').inputValue()).startsWith('bwk_'), 'the token is not shown');
      await judge(desk, page, 'a token, shown once');
      await keys.press(page.getByRole('link', { name: /back to tokens/ }));
      await keys.press(page.getByRole('link', { name: 'Revoke the token ledger-export' }));
      await judge(desk, page, 'the check before revoking');
      await keys.press(page.getByRole('button', { name: 'Revoke the token' }));
      must(await page.getByText('is revoked').isVisible(), 'it is not said that the token is revoked');
    },
  },
  {
    title: 'an admin adds a person and changes their roles, by keyboard',
    async tell(desk) {
      const page = await desk.page('admin');
      const keys = new Keyboard(page);
      await page.goto(desk.path('/people'));
      await keys.press(page.getByRole('link', { name: 'Add a person' }));
      await keys.write(page.getByLabel('Signs in as'), 'petra.example');
      await keys.write(page.getByLabel('Name', { exact: true }), 'Petra Example');
      await keys.tick(page.getByLabel('Viewer'));
      await keys.press(page.getByRole('button', { name: 'Continue' }));
      await judge(desk, page, 'the check before a person');
      await keys.press(page.getByRole('button', { name: 'Add the person' }));
      must((await page.getByLabel(/Password of/).inputValue()).length > 20, 'the password is not shown');
      await judge(desk, page, 'a password, shown once');
      await keys.press(page.getByRole('link', { name: /go to the person/ }));
      await keys.press(page.getByRole('link', { name: 'Change the roles' }));
      await keys.tick(page.getByLabel('Operator'));
      await keys.press(page.getByRole('button', { name: 'Continue' }));
      await keys.press(page.getByRole('button', { name: 'Change the roles' }));
      must(await page.getByText('The roles are as you said').isVisible(), 'it is not said that the roles are changed');
      await desk.picture(page, 'person');
    },
  },
  {
    title: 'an admin tries a connection by keyboard',
    async tell(desk) {
      const page = await desk.page('admin');
      const keys = new Keyboard(page);
      await page.goto(desk.path('/connections'));
      await keys.press(page.getByRole('link', { name: 'pension-fund' }));
      await keys.press(page.getByRole('button', { name: 'Check the connection' }));
      must(await page.getByText('pension-fund works').isVisible(), 'the connection does not work');
      await judge(desk, page, 'a connection that works');
      await desk.picture(page, 'connection');
    },
  },
  {
    title: 'a connection that does not work says which step fails',
    async tell(desk) {
      const page = await desk.page('admin');
      const elsewhere = `${desk.site.procurement}-moved`;
      renameSync(desk.site.procurement, elsewhere);
      try {
        await page.goto(desk.path('/connections/procurement'));
        await page.getByRole('button', { name: 'Check the connection' }).click();
        must(await page.getByRole('alert').getByText('procurement does not work').isVisible(), 'a folder that is gone works');
        must(await page.getByRole('alert').getByText('failed:').isVisible(), 'it is not said which step fails');
        await judge(desk, page, 'a connection that does not work');
      } finally {
        renameSync(elsewhere, desk.site.procurement);
      }
    },
  },
  {
    title: 'an approver searches the audit trail and verifies it, by keyboard',
    async tell(desk) {
      const page = await desk.page('approver');
      const keys = new Keyboard(page);
      await page.goto(desk.path('/audit'));
      await keys.write(page.getByLabel('What', { exact: true }), 'release');
      await keys.press(page.getByRole('button', { name: 'Filter' }));
      must((await page.getByRole('row').count()) > 3, 'nothing is found');
      await keys.press(page.getByRole('button', { name: 'Verify the trail' }));
      must(await page.getByText('The trail is whole').isVisible(), 'the trail is not whole');
      await judge(desk, page, 'the trail, verified');
      await page.emulateMedia({ colorScheme: 'dark' });
      await desk.picture(page, 'audit-dark');
    },
  },
];
