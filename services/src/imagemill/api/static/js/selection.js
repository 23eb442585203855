// Lines of a list that are selected with the mouse or the keyboard. A line is what has `data-key`, its box a checkbox in it.

import { all, around } from "./dom.js";
import { bind } from "./keys.js";

export class Selection {
  /**
   * @param {HTMLFormElement} form
   * @param {string} selector Of its lines.
   * @param {(count: number) => void} told Hears how many are selected, whenever that may have changed.
   */
  constructor(form, selector, told) {
    this.form = form;
    this.selector = selector;
    this.told = told;
    // Keys of lines, not their places: lines come in above while somebody selects.
    /** @type {string | null | undefined} */
    this.here = null;
    /** @type {string | null | undefined} */
    this.anchor = null;
    this.bind();
    form.addEventListener("click", (event) => this.click(event));
    addEventListener("renewed", () => this.show());
    this.show();
  }

  bind() {
    /** @param {string[]} keys @param {string} words @param {(key: string) => void} act @param {(event?: KeyboardEvent) => boolean} [isOn] */
    const add = (keys, words, act, isOn = () => true) => bind(keys, words, (key) => {
      act(key);
      this.show();
    }, (event) => this.lines().length > 0 && isOn(event));
    const hasBoxes = () => this.lines().some(boxOf);
    add(["j", "k"], "Go to the next, or to the one before", (key) => this.go(key === "j" ? 1 : -1));
    add(["ArrowDown", "ArrowUp"], "Go down, or up", (key) => this.go(this.columns() * (key === "ArrowDown" ? 1 : -1)));
    add(["x"], "Select it, or not", () => this.toggle(false), hasBoxes);
    add(["X"], "Select all from the last one to here", () => this.toggle(true), hasBoxes);
    add(["a"], "Select all, or none", () => this.selectAll(), hasBoxes);
    add(["Enter"], "Open it", () => this.open(), (event) => !event || this.isAnywhere());
  }

  /** @returns {HTMLElement[]} */
  lines() {
    return all(this.selector, this.form);
  }

  selected() {
    return this.lines().filter((line) => boxOf(line)?.checked);
  }

  /** The keys of what is selected, or of the line where one is. */
  chosen() {
    const selected = this.selected();
    return (selected.length ? selected : this.lines().filter((line) => line.dataset.key === this.here)).map((line) => line.dataset.key ?? "");
  }

  isAnywhere() {
    return this.placeOf(this.here) >= 0;
  }

  show() {
    this.lines().forEach((line) => line.classList.toggle("here", line.dataset.key === this.here));
    this.told(this.selected().length);
  }

  clear() {
    for (const line of this.lines()) tick(line, false);
    this.show();
  }

  /** @param {string | null | undefined} key */
  placeOf(key) {
    return this.lines().findIndex((line) => line.dataset.key === key);
  }

  /** How many lines stand beside each other. */
  columns() {
    const lines = this.lines();
    const below = lines.findIndex((line) => line.offsetTop > lines[0].offsetTop);
    return below < 1 ? 1 : below;
  }

  /** @param {number} step */
  go(step) {
    const lines = this.lines();
    const line = lines[Math.max(0, Math.min(lines.length - 1, this.placeOf(this.here) + step))];
    this.here = line?.dataset.key ?? null;
    line?.scrollIntoView({ block: "nearest" });
  }

  /** @param {number} from @param {number} to @param {boolean} value */
  select(from, to, value) {
    for (const line of this.lines().slice(Math.min(from, to), Math.max(from, to) + 1)) tick(line, value);
  }

  selectAll() {
    this.select(0, this.lines().length, !this.lines().every((line) => boxOf(line)?.checked ?? true));
  }

  /** @param {boolean} range */
  toggle(range) {
    const place = this.placeOf(this.here);
    const box = place < 0 ? null : boxOf(this.lines()[place]);
    if (!box) return;
    const from = this.placeOf(this.anchor);
    this.select(range && from >= 0 ? from : place, place, !box.checked);
    this.anchor = this.here;
  }

  open() {
    /** @type {HTMLAnchorElement | null} */
    const link = this.lines()[this.placeOf(this.here)].querySelector("a:not([tabindex])");
    link?.click();
  }

  /** @param {MouseEvent} event */
  click(event) {
    /** @type {HTMLInputElement | null} */
    const box = around(event, "input[type=checkbox]");
    /** @type {HTMLElement | null} */
    const line = box?.closest("[data-key]") ?? null;
    const key = line?.dataset.key;
    if (!box || !key) return;
    if (event.shiftKey && this.placeOf(this.anchor) >= 0) this.select(this.placeOf(this.anchor), this.placeOf(key), box.checked);
    this.anchor = this.here = key;
    this.show();
  }
}

/** @param {Element} line @returns {HTMLInputElement | null} */
const boxOf = (line) => line.querySelector("input[type=checkbox]");

/** Lines that nothing can be done about have no box. @param {Element} line @param {boolean} value */
function tick(line, value) {
  const box = boxOf(line);
  if (box) box.checked = value;
}
