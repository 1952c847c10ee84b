// Drives Debian's Chromium through the console of a hub that runs: `node main.mjs SITE.json`, by `cargo xtask browser`.
// A walk over every page as every role, the stories in stories/, and a report that fails on any finding.

import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Console } from './console.mjs';
import { walk } from './walk.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const site = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const only = process.env.BAILIWICK_STORIES ?? '';
const began = Date.now();
const report = { findings: [], axe: 0, pages: 0, judged: 0, stories: [] };

const desk = await Console.open(site, report);
process.on('SIGTERM', async () => {
  await desk.close();
  process.exit(1);
});

const stories = [{ title: 'every page, as every role', tell: walk }];
for (const file of readdirSync(join(here, 'stories')).filter((file) => file.endsWith('.mjs')).sort()) {
  const { default: told } = await import(join(here, 'stories', file));
  stories.push(...told);
}
// The walk is last: the stories leave more for it to see.
stories.push(stories.shift());

for (const { title, tell } of stories.filter(({ title }) => title.includes(only))) {
  const from = Date.now();
  try {
    await tell(desk);
  } catch (error) {
    report.findings.push(`${title}: ${error.message ?? error}`);
    await desk.remember(title);
  }
  await desk.leave();
  const seconds = (Date.now() - from) / 1000;
  report.stories.push({ title, seconds });
  console.log(`${seconds.toFixed(1).padStart(6)} s  ${title}`);
}
await desk.close();

report.seconds = Math.round((Date.now() - began) / 1000);
writeFileSync(join(process.env.BAILIWICK_BROWSER, 'report.json'), JSON.stringify(report, null, 2));
for (const finding of report.findings) console.log(`✗ ${finding}`);
console.log(
  `browser: ${report.stories.length} stories, ${report.pages} pages seen, ${report.judged} judged by axe in light and dark; ` +
    `axe findings ${report.axe}; all findings ${report.findings.length}; ${report.seconds} s`,
);
if (report.judged === 0 && only === '') {
  console.log('✗ no page was judged');
  process.exit(1);
}
process.exit(report.findings.length === 0 ? 0 : 1);
