// Whoever keeps the hub: every partner side by side, and the hub itself, which nobody else finds.

import { must } from '../console.mjs';
import { judge } from '../judge.mjs';
import { Keyboard } from '../keyboard.mjs';

export default [
  {
    title: 'who keeps the hub looks at it, and who does not finds no such page',
    async tell(desk) {
      const page = await desk.page('everything');
      const keys = new Keyboard(page);
      await page.goto(desk.path(''));
      await keys.press(page.getByRole('link', { name: 'The hub' }));
      for (const fact of ['Takes runs up', 'Version', 'End of the audit trail']) {
        must(await page.getByText(fact, { exact: true }).first().isVisible(), `the hub’s page does not say: ${fact}`);
      }
      must((await page.getByRole('table', { name: 'Partners' }).getByRole('row').count()) === 3, 'not both partners are there');
      must((await page.getByRole('table', { name: 'How far a plugin may go' }).getByRole('row').count()) > 10, 'the limits are not there');
      await judge(desk, page, '/hub');
      const other = await desk.page('admin');
      must((await other.goto('/hub')).status() === 404, 'who does not keep the hub finds its page');
      must((await other.getByRole('link', { name: 'The hub' }).count()) === 0, 'who does not keep the hub is led to its page');
    },
  },
];
