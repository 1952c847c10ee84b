// A person who has no mouse: everything is reached by Tab and done by Enter, Space and the arrows, and the focus is always seen.

/** How many stops a page may have before what is looked for. */
const STOPS_MAX = 150;

export class Keyboard {
  constructor(page) {
    this.page = page;
  }

  /** Goes to an element by Tab. */
  async to(wanted) {
    const group = await wanted.evaluate((element) => (element.type === 'radio' ? element.name : null));
    for (let stop = 0; stop < STOPS_MAX; stop += 1) {
      if (await this.#isAt(wanted)) return this.#seen();
      if (group !== null && (await this.#inGroup(group))) return this.#choose(wanted);
      await this.page.keyboard.press('Tab');
    }
    throw new Error(`Tab does not lead to ${wanted}`);
  }

  /** Follows a link or presses a button, and waits for the page that comes of it. */
  async press(wanted) {
    await this.to(wanted);
    await Promise.all([this.page.waitForNavigation(), this.page.keyboard.press('Enter')]);
  }

  /** Writes into a field, in place of what stands there. */
  async write(wanted, text) {
    await this.to(wanted);
    await this.page.keyboard.press('ControlOrMeta+a');
    await this.page.keyboard.type(text);
  }

  /** Ticks a box, or chooses among radio buttons. */
  async tick(wanted) {
    await this.to(wanted);
    if (!(await wanted.isChecked())) await this.page.keyboard.press('Space');
  }

  /** Chooses from a list, by its words. */
  async choose(wanted, words) {
    await this.to(wanted);
    await this.page.keyboard.type(words);
  }

  /** Opens what is folded. */
  async unfold(wanted) {
    await this.to(wanted);
    await this.page.keyboard.press('Enter');
  }

  async #choose(wanted) {
    for (let stop = 0; stop < STOPS_MAX; stop += 1) {
      if (await this.#isAt(wanted)) return this.#seen();
      await this.page.keyboard.press('ArrowDown');
    }
    throw new Error(`the arrows do not lead to ${wanted}`);
  }

  async #isAt(wanted) {
    return wanted.evaluate((element) => element === document.activeElement);
  }

  async #inGroup(name) {
    return this.page.evaluate((name) => document.activeElement.type === 'radio' && document.activeElement.name === name, name);
  }

  /** What has the focus shows it. */
  async #seen() {
    const shown = await this.page.evaluate(() => {
      const has = (element) => {
        const style = getComputedStyle(element);
        return (style.outlineStyle !== 'none' && style.outlineWidth !== '0px') || style.boxShadow !== 'none';
      };
      const at = document.activeElement;
      return has(at) || (at.labels?.length > 0 && has(at.labels[0])) || ['::before', '::after'].some((part) => getComputedStyle(at.labels?.[0] ?? at, part).outlineStyle !== 'none');
    });
    if (!shown) throw new Error('the focus cannot be seen');
  }
}
