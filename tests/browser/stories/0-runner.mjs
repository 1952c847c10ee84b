// The runner itself: a story whose browser dies is told once more, and what was found while it died is not held against the console.

import { must } from '../console.mjs';
import { Teller, blank } from '../telling.mjs';

/** The browser itself is gone, as when the machine runs out of memory. */
async function kill(desk) {
  const session = await desk.browser.newBrowserCDPSession();
  await session.send('Browser.crash').catch(() => {});
  for (let look = 0; desk.browser.isConnected(); look += 1) {
    must(look < 100, 'the browser does not die');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** One page of it is gone. */
async function crash(desk) {
  const page = await desk.page(null);
  await page.goto('chrome://crash').catch(() => {});
}

/** What the runner says of a story that ends so the first times. */
async function told(desk, ends, times) {
  const report = blank();
  let tellings = 0;
  const tell = async (desk) => {
    tellings += 1;
    desk.finding('/', `found at telling ${tellings}`);
    if (tellings > times) return;
    await ends(desk);
    throw new Error('what comes of a browser that is gone');
  };
  await new Teller(desk.site, report).tell({ title: 'a story', tell });
  return { tellings, deaths: report.deaths.length, findings: report.findings.join('; ') };
}

export default [
  {
    title: 'a story whose browser dies is told once more',
    async tell(desk) {
      const cases = [
        [kill, 1, { tellings: 2, deaths: 1, findings: '/: found at telling 2' }],
        [crash, 1, { tellings: 2, deaths: 1, findings: '/: found at telling 2' }],
        [kill, 2, { tellings: 2, deaths: 2, findings: 'a story: the browser died of it twice' }],
        [async () => {}, 1, { tellings: 1, deaths: 0, findings: '/: found at telling 1; a story: what comes of a browser that is gone' }],
      ];
      for (const [ends, times, wanted] of cases) {
        const said = JSON.stringify(await told(desk, ends, times));
        must(said === JSON.stringify(wanted), `after ${times} times “${ends.name}” the runner says ${said}, not ${JSON.stringify(wanted)}`);
      }
    },
  },
];
