// Every page that links lead to, as every role: judged in full for who may see most, held to its bones for the others.

import { judge } from './judge.mjs';

/** Pages of one shape that are looked at, such as runs. */
const OF_A_SHAPE = 2;

/** Pages of one walk; there are far fewer. */
const PAGES_MAX = 150;

/** The walks, each a story: as every role, and once with scripts off. */
export function walks(site) {
  const judged = new Set();
  const roles = Object.keys(site.people).map((role) => ({ title: `every page, as ${role}`, tell: (desk) => as(desk, role, judged) }));
  return [...roles, { title: 'every page, without scripts', tell: unscripted }];
}

async function as(desk, role, judged) {
  const mine = new Set();
  const page = await desk.page(role);
  for await (const { path, shape } of pages(desk, page, await starts(page))) {
    if (judged.has(shape) || mine.has(shape)) continue;
    await judge(desk, page, path);
    mine.add(shape);
  }
  // Only now: a walk whose browser dies is walked again from its beginning.
  mine.forEach((shape) => judged.add(shape));
}

/** The pages as they come without scripts: the same heading, and something to read. */
async function unscripted(desk) {
  const role = Object.keys(desk.site.people)[0];
  const page = await desk.page(role, { scripts: false });
  for await (const { path } of pages(desk, page, await starts(page))) {
    const text = await page.locator('main').innerText();
    const heading = await page.locator('h1').innerText();
    if (text.length < heading.length + 20) desk.finding(path, 'there is nothing to read without scripts');
    if (/loading|enable javascript/i.test(text)) desk.finding(path, 'it waits for scripts');
  }
}

/** Where a person lands. */
async function starts(page) {
  await page.goto('/');
  return [new URL(page.url()).pathname];
}

/** Opens pages by links, breadth first. */
async function* pages(desk, page, start) {
  const queue = [...start];
  const known = new Set(queue);
  const shapes = new Map();
  for (let seen = 0; queue.length > 0 && seen < PAGES_MAX; ) {
    const path = queue.shift();
    const shape = shapeOf(path);
    const number = (shapes.get(shape) ?? 0) + 1;
    if (number > OF_A_SHAPE) continue;
    shapes.set(shape, number);
    const response = await page.goto(path).catch((error) => {
      desk.finding(path, `it does not open: ${error.message.split('\n')[0]}`);
    });
    if (!response) continue;
    seen += 1;
    desk.report.pages += 1;
    if (response.status() !== 200) {
      desk.finding(path, `a link leads there, and the hub answers ${response.status()}`);
      continue;
    }
    for (const link of await links(page)) {
      if (!known.has(link)) {
        known.add(link);
        queue.push(link);
      }
    }
    yield { path, shape };
  }
}

/** Where the links of a page lead: pages of the hub, not files. */
async function links(page) {
  const found = await page.evaluate(() =>
    [...document.querySelectorAll('a[href]:not([download])')].map((link) => new URL(link.href)).filter((url) => url.origin === location.origin).map((url) => url.pathname + url.search),
  );
  return found.filter((link) => !/^\/(api|health|metrics|assets|sign-out)\b|\/export\b/.test(link));
}

/** Addresses of one shape differ in names, numbers and what is searched for. */
function shapeOf(path) {
  const { pathname, searchParams } = new URL(path, 'http://hub');
  const steps = pathname.split('/').slice(1);
  const named = steps.map((step, place) => {
    if (/^[0-9a-f-]{8,}$|^\d+$/.test(step)) return ':id';
    return ['p', 'jobs', 'plugins', 'connections', 'people', 'tokens', 'rules'].includes(steps[place - 1]) ? ':name' : step;
  });
  return `/${named.join('/')}?${[...searchParams.keys()].sort().join('&')}`;
}
