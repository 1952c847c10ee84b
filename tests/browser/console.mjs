// A browser on the console: people who sign in, pages that are watched while they load, and pictures of them.

import { mkdirSync, readFileSync, statfsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(join(process.env.BAILIWICK_BROWSER, 'package.json'));
const { chromium } = require('playwright-core');

/** What a page may take, on a machine that is busy. */
const PATIENCE_MS = 15_000;

/** What a run may take there. */
const RUN_MS = 60_000;

/** A window as wide as a laptop's. */
const WINDOW = { width: 1280, height: 900 };

/** Memory that a browser shares among its processes, at least. */
const SHARED_BYTES_MIN = 512 * 2 ** 20;

/** How a browser is started, so that it lives on a machine that is busy. */
function started(site, log) {
  // As root there is no sandbox. Who is slow is not killed: nothing of it is a test of the browser.
  const args = ['--no-sandbox', '--disable-gpu', '--disable-gpu-watchdog', '--enable-logging', `--log-file=${log}`];
  // Playwright has it share memory by files in /tmp, where a full disk kills it; it does so only where there is too little memory.
  const memory = statfsSync('/dev/shm');
  const enough = memory.bavail * memory.bsize >= SHARED_BYTES_MIN;
  return { executablePath: site.chromium, args, ignoreDefaultArgs: enough ? ['--disable-dev-shm-usage'] : [] };
}

export class Console {
  /** A browser of its own for one story; `signedIn` is who has signed in so far. */
  static async open(site, report, signedIn) {
    const log = join(process.env.BAILIWICK_BROWSER, 'chromium.log');
    const desk = new Console(await chromium.launch(started(site, log)), { site, report, signedIn, log });
    desk.browser.on('disconnected', () => {
      if (!desk.closing) desk.died = 'it is gone';
    });
    return desk;
  }

  constructor(browser, told) {
    Object.assign(this, { browser, contexts: [], closing: false, died: null, ...told });
  }

  /** A page of nobody's, or of a person of a role; with scripts or without. What goes wrong on it is a finding. */
  async page(role, { scripts = true } = {}) {
    const state = role && this.signedIn.get(role);
    const context = await this.browser.newContext({
      baseURL: this.site.address,
      viewport: WINDOW,
      javaScriptEnabled: scripts,
      locale: 'en-GB',
      timezoneId: 'Europe/London',
      reducedMotion: 'reduce',
      storageState: state,
    });
    context.setDefaultTimeout(PATIENCE_MS);
    this.contexts.push(context);
    const page = await context.newPage();
    this.#watch(page);
    if (role && !state) {
      await this.signIn(page, role);
      this.signedIn.set(role, await context.storageState());
    }
    return page;
  }

  /** Signs a person in by the form. */
  async signIn(page, role) {
    const person = this.site.people[role];
    await page.goto('/sign-in');
    await page.getByLabel(/name/i).first().fill(person.name);
    await page.getByLabel('Password', { exact: false }).first().fill(person.password);
    await Promise.all([page.waitForNavigation(), page.getByRole('button', { name: 'Sign in' }).click()]);
    if (new URL(page.url()).pathname.startsWith('/sign-in')) throw new Error(`${person.name} cannot sign in`);
  }

  /** The path of a partner's page. */
  path(rest, partner = this.site.partner) {
    return `/p/${partner}${rest}`;
  }

  /** A picture of a page, if pictures are asked for; `from` is what stands at its top. */
  async picture(page, name, from) {
    const folder = process.env.BAILIWICK_SCREENSHOTS;
    if (!folder) return;
    mkdirSync(folder, { recursive: true });
    if (from) await page.locator(from).evaluate((element) => element.scrollIntoView({ block: 'start' }));
    await page.screenshot({ path: join(folder, `${name}.png`), fullPage: false });
  }

  /** What the last pages looked like when a story ended badly. */
  async remember(title) {
    const name = title.replace(/[^a-z0-9]+/gi, '-');
    let number = 0;
    for (const context of this.contexts) {
      for (const page of context.pages()) {
        number += 1;
        const path = join(process.env.BAILIWICK_BROWSER, `failed-${name}-${number}.png`);
        await page.screenshot({ path, fullPage: true }).catch(() => {});
      }
    }
  }

  /** Ends the browser. */
  async close() {
    this.closing = true;
    await this.browser.close().catch(() => {});
  }

  /** What the browser wrote before it died. */
  lastWords() {
    try {
      return readFileSync(this.log, 'utf8').trimEnd().split('\n').slice(-3).join(' | ');
    } catch {
      return 'it wrote nothing';
    }
  }

  finding(where, what) {
    this.report.findings.push(`${where}: ${what}`);
  }

  #watch(page) {
    page.on('crash', () => {
      this.died = `its page ${page.url()} is gone`;
    });
    const where = () => new URL(page.url(), this.site.address).pathname;
    // A page that is refused is told as such by the browser; whether it should be is for the story to say.
    const expected = (text) => /Failed to load resource: the server responded with a status of 4(03|04|09|12|22)/.test(text);
    page.on('console', (message) => {
      if (message.type() === 'error' && !expected(message.text())) this.finding(where(), `the console says: ${message.text()}`);
    });
    page.on('pageerror', (error) => this.finding(where(), `a script fails: ${error.message}`));
    page.on('response', (response) => {
      if (response.status() >= 500) this.finding(new URL(response.url()).pathname, `the hub answers ${response.status()}`);
    });
    page.on('request', (request) => {
      const { origin, protocol } = new URL(request.url());
      if (protocol.startsWith('http') && origin !== this.site.address) this.finding(where(), `it fetches ${request.url()}`);
    });
  }
}

/** Fails a story in a sentence. */
export function must(holds, sentence) {
  if (!holds) throw new Error(sentence);
}

/** Has a page keep what is told of a run while it goes on, over the load at its end. */
export async function watched(page) {
  await page.addInitScript(() => {
    addEventListener('DOMContentLoaded', () => {
      for (const place of document.querySelectorAll('[data-put]')) {
        const name = `told-${place.dataset.put}`;
        const keep = () => sessionStorage.setItem(name, JSON.stringify([...JSON.parse(sessionStorage.getItem(name) ?? '[]'), place.textContent]));
        new MutationObserver(keep).observe(place, { childList: true, characterData: true, subtree: true });
      }
    });
  });
}

/** What a page that is watched has kept: the texts of each place, in order. */
export async function noted(page) {
  const told = await page.evaluate(() => ['rows', 'state', 'step'].map((name) => [name, JSON.parse(sessionStorage.getItem(`told-${name}`) ?? '[]')]));
  return Object.fromEntries(told);
}

/** Waits until the page of a run, which loads itself again at its end, says that the run stands so. */
export async function ended(page, state) {
  const tag = page.locator('.heading .tag');
  try {
    await tag.filter({ hasText: state }).waitFor({ timeout: RUN_MS });
  } catch {
    throw new Error(`after ${RUN_MS / 1000} s the run at ${page.url()} is ${await tag.first().innerText()}, not ${state}`);
  }
}
