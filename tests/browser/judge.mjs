// What every page must be: judged by axe in light and in dark, one heading, landmarks, no sideways scrolling on a phone or at 200 %, fit for
// paper.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(join(process.env.BAILIWICK_BROWSER, 'package.json'));
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** A phone held upright; and a laptop's window of 1280 by 900 at 200 %. */
const NARROW = [
  { name: '320 pixels', width: 320, height: 640 },
  { name: '200 %', width: 640, height: 450 },
];

/** A sheet of A4 between its margins. */
const SHEET = { width: 700, height: 1000 };

/** Judges the page that is open, whose address needs no second look. */
export async function judge(desk, page, label) {
  const told = (what) => desk.finding(label, what);
  for (const fault of await page.evaluate(shape)) told(fault);
  await page.evaluate(axe);
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    const violations = await page.evaluate(async (tags) => {
      const found = await window.axe.run(document, { runOnly: tags, resultTypes: ['violations'] });
      const first = (node) => `${node.target.join(' ')} (${(node.any[0] ?? node.all[0] ?? node.none[0])?.message ?? ''})`;
      return found.violations.map(({ id, help, nodes }) => ({ id, help, count: nodes.length, first: first(nodes[0]) }));
    }, TAGS);
    for (const { id, help, count, first } of violations) {
      desk.report.axe += count;
      told(`axe in ${colorScheme}: ${id}: ${help}; ${count} times, first at ${first}`);
    }
  }
  await page.emulateMedia({ colorScheme: 'light' });
  const before = page.viewportSize();
  for (const { name, width, height } of NARROW) {
    await page.setViewportSize({ width, height });
    const over = await page.evaluate(widest);
    if (over) told(`at ${name} it scrolls sideways: ${over}`);
  }
  await page.emulateMedia({ media: 'print' });
  await page.setViewportSize(SHEET);
  const over = await page.evaluate(widest);
  if (over) told(`on paper it is cut off: ${over}`);
  for (const left of await page.evaluate(pressed)) told(`on paper it has ${left}, which nobody can press there`);
  await page.emulateMedia({ media: 'screen' });
  await page.setViewportSize(before);
  desk.report.judged += 1;
}

/** What is wrong with the bones of a document. Runs in the page. */
function shape() {
  const faults = [];
  const count = (selector) => document.querySelectorAll(selector).length;
  // Without the words above it that say what kind of thing it is.
  const own = [...(document.querySelector('h1')?.childNodes ?? [])].filter((node) => !node.classList?.contains('caption'));
  const heading = own.map((node) => node.textContent).join('').trim();
  if (document.documentElement.lang !== 'en-GB') faults.push(`its language is ${document.documentElement.lang || 'not said'}`);
  if (count('h1') !== 1) faults.push(`it has ${count('h1')} first headings`);
  if (!document.title.includes(heading.slice(0, 20)) || heading === '') faults.push(`its title ${document.title} does not begin with ${heading}`);
  if (count('main') !== 1) faults.push('it has not one main landmark');
  if (count('body > header') !== 1 || count('body > footer') !== 1) faults.push('it lacks a header or a footer');
  const skip = document.querySelector('body a');
  if (!skip || !document.querySelector(skip.getAttribute('href')?.startsWith('#') ? skip.getAttribute('href') : 'none')) {
    faults.push('its first link does not skip to the content');
  }
  for (const form of document.querySelectorAll('form[method=post]')) {
    if (!form.querySelector('input[type=hidden][name=csrf]')) faults.push(`the form to ${form.getAttribute('action')} has no CSRF token`);
  }
  if (count('[style], style, script:not([src])') > 0) faults.push('it has styles or scripts of its own, which the policy forbids');
  return faults;
}

/** What is there to be pressed or filled in, as far as it is seen. Runs in the page. */
function pressed() {
  const seen = [...document.querySelectorAll('nav ul, button, a.button, input:not([readonly]), select, textarea:not([readonly])')];
  return seen.filter((it) => it.checkVisibility()).map((it) => `${it.tagName.toLowerCase()} ${it.name || it.innerText.slice(0, 20)}`).slice(0, 3);
}

/** What sticks out of the window; nothing if nothing does. Runs in the page. */
function widest() {
  const width = document.documentElement.clientWidth;
  if (document.scrollingElement.scrollWidth <= width) return null;
  const clipped = (element) => {
    for (let up = element.parentElement; up && up !== document.body; up = up.parentElement) {
      if (getComputedStyle(up).overflowX !== 'visible') return true;
    }
    return false;
  };
  const out = [...document.body.querySelectorAll('*')].filter((it) => it.getBoundingClientRect().right > width + 1 && !clipped(it));
  const named = (it) => `${it.tagName.toLowerCase()}${it.className && it.className.baseVal === undefined ? `.${it.className}` : ''}`;
  return `${document.scrollingElement.scrollWidth} of ${width}: ${out.slice(0, 3).map(named).join(', ')}`;
}
