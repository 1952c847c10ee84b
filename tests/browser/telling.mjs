// Tells stories, each in a browser of its own, and once more where the browser dies: that is no fault of the console's.

import { Console } from './console.mjs';

/** A report of nothing yet. */
export function blank() {
  return { findings: [], axe: 0, pages: 0, judged: 0, stories: [], deaths: [] };
}

export class Teller {
  constructor(site, report) {
    Object.assign(this, { site, report, signedIn: new Map(), desk: null });
  }

  /** Tells a story, twice at most. */
  async tell(story) {
    const from = Date.now();
    if (!(await this.#told(story)) && !(await this.#told(story))) this.report.findings.push(`${story.title}: the browser died of it twice`);
    const seconds = (Date.now() - from) / 1000;
    this.report.stories.push({ title: story.title, seconds });
    return seconds;
  }

  /** Ends the browser, if one runs. */
  async close() {
    await this.desk?.close();
  }

  /** Whether the browser outlived the story. */
  async #told({ title, tell }) {
    const { report } = this;
    const desk = await Console.open(this.site, report, this.signedIn);
    this.desk = desk;
    const before = report.findings.length;
    try {
      await tell(desk);
    } catch (error) {
      report.findings.push(`${title}: ${error.message ?? error}`);
      if (!desk.died) await desk.remember(title);
    }
    const { died } = desk;
    await desk.close();
    if (died) {
      report.deaths.push(`${title}: the browser died (${died}): ${desk.lastWords()}`);
      // What was found of a browser that was dying is said of the second telling, if it is so.
      report.findings.splice(before);
    }
    return !died;
  }
}
