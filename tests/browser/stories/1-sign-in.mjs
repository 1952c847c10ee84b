// Coming in and going out, by keyboard alone; what nobody may see.

import { must } from '../console.mjs';
import { judge } from '../judge.mjs';
import { Keyboard } from '../keyboard.mjs';

export default [
  {
    title: 'somebody signs in and out by keyboard',
    async tell(desk) {
      const page = await desk.page(null);
      await page.goto(desk.path('/audit'));
      must(new URL(page.url()).pathname === '/sign-in', 'nobody is led to the sign-in');
      await judge(desk, page, '/sign-in');
      const keys = new Keyboard(page);
      const person = desk.site.people.approver;
      await keys.write(page.getByLabel('Name'), person.name);
      await keys.write(page.getByLabel('Password'), 'not the password');
      await keys.press(page.getByRole('button', { name: 'Sign in' }));
      must(await page.getByRole('alert').isVisible(), 'a wrong password is not told');
      await judge(desk, page, '/sign-in with a wrong password');
      await keys.write(page.getByLabel('Name'), person.name);
      await keys.write(page.getByLabel('Password'), person.password);
      await keys.press(page.getByRole('button', { name: 'Sign in' }));
      must(new URL(page.url()).pathname === desk.path('/audit'), `after signing in one is at ${page.url()}`);
      await keys.press(page.getByRole('button', { name: 'Sign out' }));
      await page.goto(desk.path(''));
      must(new URL(page.url()).pathname === '/sign-in', 'who signed out still sees a page');
    },
  },
  {
    title: 'what is not there, and what one may not do, are pages too',
    async tell(desk) {
      const page = await desk.page('viewer');
      for (const [path, status] of [
        ['/no-such-page', 404],
        [desk.path('/no-such-page'), 404],
        ['/p/staffordshire-fire', 404],
        [desk.path('/tokens'), 403],
      ]) {
        const response = await page.goto(path);
        must(response.status() === status, `${path} answers ${response.status()}, not ${status}`);
        await judge(desk, page, `${path} (${status})`);
      }
    },
  },
];
