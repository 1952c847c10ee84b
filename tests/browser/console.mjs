// A browser on the console: people who sign in, pages that are watched while they load, and pictures of them.

import { mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(join(process.env.BAILIWICK_BROWSER, 'package.json'));
const { chromium } = require('playwright-core');

/** What a page may take, on a machine that is busy. */
const PATIENCE_MS = 15_000;

/** A window as wide as a laptop's. */
const WINDOW = { width: 1280, height: 900 };

export class Console {
  static async open(site, report) {
    const browser = await chromium.launch({ executablePath: site.chromium, args: ['--no-sandbox', '--disable-gpu'] });
    return new Console(browser, site, report);
  }

  constructor(browser, site, report) {
    Object.assign(this, { browser, site, report, contexts: [], signedIn: new Map() });
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

  /** A picture of a page, if pictures are asked for. */
  async picture(page, name) {
    const folder = process.env.BAILIWICK_SCREENSHOTS;
    if (!folder) return;
    mkdirSync(folder, { recursive: true });
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

  /** Closes every page of a story. */
  async leave() {
    for (const context of this.contexts.splice(0)) await context.close();
  }

  async close() {
    await this.browser.close();
  }

  finding(where, what) {
    this.report.findings.push(`${where}: ${what}`);
  }

  #watch(page) {
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
