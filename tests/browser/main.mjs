// Drives Debian's Chromium through the console of a hub that runs: `node main.mjs SITE.json`, by `cargo xtask browser`.
// The stories in stories/, a walk over every page as every role, and a report that fails on any finding.

import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Teller, blank } from './telling.mjs';
import { walks } from './walk.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));
const site = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const only = process.env.BAILIWICK_STORIES ?? '';
const began = Date.now();
const report = blank();
const teller = new Teller(site, report);

process.on('SIGTERM', async () => {
  await teller.close();
  process.exit(1);
});

const stories = [];
for (const file of readdirSync(join(here, 'stories')).filter((file) => file.endsWith('.mjs')).sort()) {
  const { default: told } = await import(join(here, 'stories', file));
  stories.push(...told);
}
// The walks are last: the stories leave more for them to see.
stories.push(...walks(site));

for (const story of stories.filter(({ title }) => title.includes(only))) {
  const seconds = await teller.tell(story);
  console.log(`${seconds.toFixed(1).padStart(6)} s  ${story.title}`);
}

report.seconds = Math.round((Date.now() - began) / 1000);
writeFileSync(join(process.env.BAILIWICK_BROWSER, 'report.json'), JSON.stringify(report, null, 2));
for (const death of report.deaths) console.log(`note: ${death}; the story was told once more`);
for (const finding of report.findings) console.log(`✗ ${finding}`);
console.log(
  `browser: ${report.stories.length} stories, ${report.pages} pages seen, ${report.judged} judged by axe in light and dark; ` +
    `axe findings ${report.axe}; all findings ${report.findings.length}; browsers that died ${report.deaths.length}; ${report.seconds} s`,
);
if (report.judged === 0 && only === '') {
  console.log('✗ no page was judged');
  process.exit(1);
}
process.exit(report.findings.length === 0 ? 0 : 1);
