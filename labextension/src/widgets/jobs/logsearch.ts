import { Signal, type ISignal } from '@lumino/signaling';
import { readBefore, type LogSource } from './logreader';
import type { LogView } from './logview';

const MOST = 5000; // matches that are marked
const STRIDE = 4_000_000; // bytes a request, looking through what is not loaded

/** Finds text in a log: in the loaded lines at once, further up on request. */
export class LogSearch {
  constructor(
    private readonly view: LogView,
    private readonly source: LogSource
  ) {
    view.changed.connect(this._again, this);
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get query(): string {
    return this._query;
  }

  get count(): number {
    return this._ranges.length;
  }

  /** Which match is current, from 0; -1 is none. */
  get index(): number {
    return this._index;
  }

  /** Bytes still to look through while searching further up, else 0. */
  get remaining(): number {
    return this._remaining;
  }

  /** Look for a text, ignoring case; the last match is the current one. */
  search(query: string): void {
    this.stop();
    this._query = query;
    this._collect();
    this._index = this._ranges.length - 1;
    this._reveal();
  }

  /** Go to the next match (1) or the previous one (-1). */
  step(by: 1 | -1): void {
    if (this._ranges.length) {
      this._index =
        (this._index + by + this._ranges.length) % this._ranges.length;
      this._reveal();
    }
  }

  /** Look through what is above the loaded lines, and go to what is found. */
  async further(): Promise<void> {
    this.stop();
    const abort = (this._abort = new AbortController());
    const wanted = this._query.toLowerCase();
    const overlap = wanted.length * 4;
    for (let end = this.view.start; end > 0 && !abort.signal.aborted;) {
      this._remaining = end;
      this._changed.emit();
      const range = await readBefore(this.source, end, STRIDE);
      const { offset } = range;
      const text = new TextDecoder().decode(range.bytes);
      const at = text.toLowerCase().lastIndexOf(wanted);
      if (abort.signal.aborted) {
        return;
      }
      if (at >= 0) {
        const before = new TextEncoder().encode(text.slice(0, at)).length;
        await this.view.showAt(offset + before);
        this._remaining = 0;
        this.search(this._query);
        return;
      }
      end = offset && offset + overlap;
    }
    this._remaining = 0;
    this._changed.emit();
  }

  /** End a search further up. */
  stop(): void {
    this._abort?.abort();
    this._remaining = 0;
    this._changed.emit();
  }

  dispose(): void {
    this.stop();
    clearTimeout(this._timer);
    CSS.highlights?.delete('jp-blueno-match');
    CSS.highlights?.delete('jp-blueno-current');
    Signal.clearData(this);
  }

  /** Lines came: look again, but not with every one of them. */
  private _again(): void {
    if (this._query && !this._timer) {
      this._timer = window.setTimeout(() => {
        this._timer = 0;
        this._collect();
        this._index = Math.min(this._index, this._ranges.length - 1);
        this._mark();
      }, 300);
    }
  }

  private _collect(): void {
    this._ranges = [];
    const wanted = this._query.toLowerCase();
    for (const line of wanted ? this.view.lines().reverse() : []) {
      const text = (line.textContent ?? '').toLowerCase();
      for (let at = text.lastIndexOf(wanted); at >= 0;) {
        this._ranges.push(rangeOf(line, at, wanted.length));
        at = at > 0 ? text.lastIndexOf(wanted, at - 1) : -1;
      }
      if (this._ranges.length >= MOST) {
        break;
      }
    }
    this._ranges.reverse();
  }

  private _reveal(): void {
    this._mark();
    const current = this._ranges[this._index];
    if (current) {
      this.view.following = false;
      current.startContainer.parentElement
        ?.closest('.jp-blueno-log-line')
        ?.scrollIntoView({ block: 'center' });
    }
  }

  private _mark(): void {
    const current = this._ranges[this._index];
    CSS.highlights?.set('jp-blueno-match', new Highlight(...this._ranges));
    CSS.highlights?.set(
      'jp-blueno-current',
      new Highlight(...(current ? [current] : []))
    );
    this._changed.emit();
  }

  private _query = '';
  private _ranges: Range[] = [];
  private _index = -1;
  private _remaining = 0;
  private _timer = 0;
  private _abort?: AbortController;
  private _changed = new Signal<this, void>(this);
}

/** The range of some characters of an element, across its text nodes. */
function rangeOf(element: HTMLElement, start: number, length: number): Range {
  const range = document.createRange();
  const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
  let passed = 0;
  let begun = false;
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const size = node.textContent?.length ?? 0;
    if (!begun && start < passed + size) {
      range.setStart(node, start - passed);
      begun = true;
    }
    if (begun && start + length <= passed + size) {
      range.setEnd(node, start + length - passed);
      break;
    }
    passed += size;
  }
  return range;
}
