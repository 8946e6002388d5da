import { Signal, type ISignal } from '@lumino/signaling';
import type { Message } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';
import { reasonOf } from '../../api/client';
import { bytes } from '../numbers';
import { PLAIN, nodes, pieces } from './ansi';
import { readBefore, type LogSource } from './logreader';
import { LogText, type Line } from './logtext';

interface Block {
  node: HTMLElement;
  lines: number;
  bytes: number;
}

const RANGE = 262_144; // bytes a request
const FAR_BEHIND = 2 * RANGE; // more than this to catch up: go to the end at once
const BLOCK = 200; // lines of a block; the browser skips blocks out of view
const MOST_LINES = 30_000; // in the page; what is further away is dropped
const LINE_HEIGHT = 17; // px, as in the style sheet
const MARGIN = 1500; // px from the edge at which the next range is fetched
const NEWLINE = 10;

/**
 * A window on a log of any length: it opens at the end, grows as the log does,
 * and fetches what is above (or below) when it is scrolled to.
 */
export class LogView extends Widget {
  constructor(private readonly source: LogSource) {
    super();
    this.addClass('jp-blueno-log');
    this.addClass('jp-RenderedText');
    this.node.tabIndex = 0;
    this.node.setAttribute('role', 'log');
    this.node.setAttribute('aria-label', 'Log');
    this._above.className = 'jp-blueno-log-note';
    this._below.className = 'jp-blueno-log-note';
    this._body.className = 'jp-blueno-log-body';
    this._live.className = 'jp-blueno-log-live';
    this._body.append(this._live);
    this.node.append(this._above, this._body, this._below);
    this._note();
  }

  /** Emitted when lines came or went, or following was switched. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Whether the view stays at the end as the log grows. */
  get following(): boolean {
    return this._following;
  }

  set following(following: boolean) {
    this._following = following;
    if (following) {
      void this._queue(() => this._catchUp()).then(() => this._toEnd());
    }
    this._changed.emit();
  }

  get wrapped(): boolean {
    return !this.hasClass('jp-mod-nowrap');
  }

  set wrapped(wrapped: boolean) {
    this.toggleClass('jp-mod-nowrap', !wrapped);
    this._changed.emit();
  }

  /** Bytes of the whole log. */
  get size(): number {
    return this._size;
  }

  /** Where the lines that are loaded begin, in bytes. */
  get start(): number {
    return this._start;
  }

  /** The elements of the loaded lines, in order. */
  lines(): HTMLElement[] {
    return [...this._body.querySelectorAll<HTMLElement>('.jp-blueno-log-line')];
  }

  /** The log is now `size` bytes long; `over` says that it will not grow. */
  grow(size: number, over: boolean): void {
    this._over = over;
    if (size > this._size) {
      this._size = size;
    }
    if (this.isVisible && this._following && this._end < this._size) {
      void this._queue(() => this._catchUp());
    }
    this._note();
  }

  /** Show what is around a byte of the log. */
  async showAt(offset: number): Promise<void> {
    this._following = false;
    await this._queue(() => this._open(Math.max(0, offset - RANGE / 2)));
  }

  /** Let the keyboard scroll it. */
  focus(): void {
    this.node.focus({ preventScroll: true });
  }

  handleEvent(event: Event): void {
    if (event.type === 'scroll') {
      this._onScroll();
    }
  }

  protected onAfterAttach(): void {
    this.node.addEventListener('scroll', this, { passive: true });
  }

  protected onBeforeDetach(): void {
    this.node.removeEventListener('scroll', this);
  }

  protected onAfterShow(): void {
    if (this._following) {
      void this._queue(() => this._catchUp()).then(() => this._toEnd());
    }
  }

  protected onResize(message: Widget.ResizeMessage): void {
    super.onResize(message);
    if (this._following) {
      this._toEnd();
    }
  }

  protected onCloseRequest(message: Message): void {
    super.onCloseRequest(message);
    this.dispose();
  }

  /** One fetch at a time, in order. */
  private _queue(task: () => Promise<void>): Promise<void> {
    const run = async () => {
      if (this.isDisposed) {
        return;
      }
      try {
        await task();
        this._problem = '';
      } catch (error) {
        this._problem = reasonOf(error);
      }
      this._note();
    };
    this._tasks = this._tasks.then(run);
    return this._tasks;
  }

  /** Fetch up to the end; from far behind only the end itself. */
  private async _catchUp(): Promise<void> {
    while (this._end < this._size && this._following) {
      if (this._end === 0 || this._size - this._end > FAR_BEHIND) {
        await this._open(-RANGE);
      } else {
        await this._later();
      }
    }
    this._toEnd();
  }

  /** Start afresh with the range at an offset. */
  private async _open(offset: number): Promise<void> {
    const range = await this.source(offset, RANGE);
    const from = range.offset > 0 ? range.bytes.indexOf(NEWLINE) + 1 : 0;
    this._blocks.forEach(block => block.node.remove());
    this._blocks = [];
    this._count = 0;
    this._text = new LogText();
    this._start = range.offset + from;
    this._end = range.offset + range.bytes.length;
    this._size = range.size;
    this._append(range.bytes.subarray(from));
  }

  private async _later(): Promise<void> {
    const range = await this.source(this._end, RANGE);
    if (!range.bytes.length) {
      this._size = this._end;
      return;
    }
    this._size = range.size;
    if (range.offset > this._end) {
      this._leaveOut(range.offset - this._end);
    }
    this._end = range.offset + range.bytes.length;
    this._append(range.bytes);
    this._trim('above');
  }

  private async _earlier(): Promise<void> {
    const range = await readBefore(this.source, this._start, RANGE);
    const { offset } = range;
    const from = offset > 0 ? range.bytes.indexOf(NEWLINE) + 1 : 0;
    const text = new LogText();
    const lines = text.feed(range.bytes.subarray(from));
    lines.push(...text.finish().filter(line => line.bytes > 0));
    if (range.gap) {
      lines.push(leftOut(range.gap));
    }
    const first = this._body.firstElementChild;
    const before = first?.getBoundingClientRect().top ?? 0;
    const fresh: Block[] = [];
    for (let at = 0; at < lines.length; at += BLOCK) {
      fresh.push(this._block(lines.slice(at, at + BLOCK)));
    }
    this._body.prepend(...fresh.map(block => block.node));
    this._blocks.unshift(...fresh);
    this._count += lines.length;
    this._start = offset + from;
    this._note();
    // What is being read stays where it is.
    this.node.scrollTop += (first?.getBoundingClientRect().top ?? 0) - before;
    this._trim('below');
    this._changed.emit();
  }

  /** Say that some of the log is missing before what comes next. */
  private _leaveOut(gap: number): void {
    const lines = [...this._text.finish(), leftOut(gap)];
    const block = this._block(lines.filter(line => line.bytes > 0));
    this._text = new LogText();
    this._count += block.lines;
    this._live.before(block.node);
    this._blocks.push(block);
  }

  private _append(bytes: Uint8Array): void {
    let settled = this._text.feed(bytes);
    this._count += settled.length;
    const last = this._blocks.at(-1);
    if (last && last.lines < BLOCK) {
      const more = settled.slice(0, BLOCK - last.lines);
      settled = settled.slice(more.length);
      last.node.append(...more.map(element));
      last.lines += more.length;
      last.bytes += more.reduce((sum, line) => sum + line.bytes, 0);
      sizeOf(last);
    }
    for (let at = 0; at < settled.length; at += BLOCK) {
      const block = this._block(settled.slice(at, at + BLOCK));
      this._live.before(block.node);
      this._blocks.push(block);
    }
    const live = this._text.live();
    if (live.at(-1)?.text === '') {
      live.pop();
    }
    this._live.replaceChildren(...live.map(element));
    if (this._following) {
      this._toEnd();
    }
    this._changed.emit();
  }

  /** Keep the page small: drop what is furthest from where one reads. */
  private _trim(where: 'above' | 'below'): void {
    while (this._count > MOST_LINES && this._blocks.length > 1) {
      if (where === 'above') {
        const block = this._blocks.shift() as Block;
        block.node.remove();
        this._count -= block.lines;
        this._start += block.bytes;
      } else {
        const block = this._blocks.pop() as Block;
        block.node.remove();
        this._count -= block.lines;
        this._live.replaceChildren();
        this._text = new LogText();
        this._end =
          this._start + this._blocks.reduce((sum, one) => sum + one.bytes, 0);
      }
    }
  }

  private _block(lines: Line[]): Block {
    const node = document.createElement('div');
    node.className = 'jp-blueno-log-block';
    node.append(...lines.map(element));
    const bytes = lines.reduce((sum, line) => sum + line.bytes, 0);
    const block = { node, lines: lines.length, bytes };
    sizeOf(block);
    return block;
  }

  private _onScroll(): void {
    const { scrollTop, scrollHeight, clientHeight } = this.node;
    const below = scrollHeight - clientHeight - scrollTop;
    const upwards = scrollTop < this._lastTop;
    this._lastTop = scrollTop;
    if (this._following && upwards && below > LINE_HEIGHT) {
      this._following = false;
      this._changed.emit();
    } else if (!this._following && below < 4 && this._end >= this._size) {
      this._following = true;
      this._changed.emit();
    }
    if (this._fetching || this._following) {
      return;
    }
    if (scrollTop < MARGIN && this._start > 0) {
      this._fetch(() => this._earlier());
    } else if (below < MARGIN && this._end < this._size) {
      this._fetch(() => this._later());
    }
  }

  private _fetch(task: () => Promise<void>): void {
    this._fetching = true;
    void this._queue(task).then(() => {
      this._fetching = false;
      if (!this._problem) {
        this._onScroll();
      }
    });
  }

  private _toEnd(): void {
    if (!this.isDisposed && this._following) {
      this.node.scrollTop = this.node.scrollHeight;
      this._lastTop = this.node.scrollTop;
    }
  }

  private _note(): void {
    const empty = this._size === 0 && this._end === 0;
    this._above.textContent =
      this._start > 0
        ? `${bytes(this._start)} above: scroll up to load it`
        : '';
    this._below.textContent =
      this._problem ||
      (empty
        ? this._over
          ? 'It printed nothing.'
          : 'Nothing printed yet.'
        : '');
  }

  private _above = document.createElement('div');
  private _body = document.createElement('pre'); // Lab colours ANSI in these
  private _live = document.createElement('div');
  private _below = document.createElement('div');
  private _blocks: Block[] = [];
  private _count = 0;
  private _text = new LogText();
  private _start = 0;
  private _end = 0;
  private _size = 0;
  private _over = false;
  private _following = true;
  private _fetching = false;
  private _lastTop = 0;
  private _problem = '';
  private _tasks: Promise<void> = Promise.resolve();
  private _changed = new Signal<this, void>(this);
}

function leftOut(gap: number): Line {
  const text = `\x1b[2m… ${bytes(gap)} of the log were left out here: it was over its limit …`;
  return { text, style: PLAIN, bytes: gap };
}

function element(line: Line): HTMLElement {
  const node = document.createElement('div');
  node.className = 'jp-blueno-log-line';
  node.append(...nodes(pieces(line.text, line.style).pieces));
  return node;
}

/** Tell the browser how high a block is before it was ever laid out. */
function sizeOf(block: Block): void {
  block.node.style.setProperty(
    'contain-intrinsic-block-size',
    `auto ${block.lines * LINE_HEIGHT}px`
  );
}
