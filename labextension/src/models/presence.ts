import type { IDisposable } from '@lumino/disposable';
import { Signal } from '@lumino/signaling';
import type { Api } from '../api/client';
import type { Idleness } from '../api/types';

const INPUT = ['pointerdown', 'pointermove', 'keydown', 'wheel'] as const;
const REPORTED = 60; // seconds between reports of a person who is there
const WARNED = 300; // seconds before the end

/**
 * Tells the server that a person is there, where it would stop otherwise, and
 * warns before it stops. Tabs know of each other by the server.
 */
export class Presence implements IDisposable {
  constructor(private readonly api: Api) {}

  /** `ending` changed. */
  readonly changed = new Signal<this, void>(this);

  /** Seconds without anything after which the server stops. */
  timeout = 0;

  /** Whether it stops for its GPUs, which are hardly used. */
  forGpus = false;

  /** Seconds until it stops, while there is a warning; else null. */
  ending: number | null = null;

  get isDisposed(): boolean {
    return this._disposed;
  }

  /** Ask whether the server stops at all; if so, listen. */
  async start(): Promise<void> {
    await this.report();
    if (this.timeout && !this._disposed) {
      for (const kind of INPUT) {
        document.addEventListener(kind, this, { capture: true, passive: true });
      }
    }
  }

  dispose(): void {
    this._disposed = true;
    clearTimeout(this._timer);
    for (const kind of INPUT) {
      document.removeEventListener(kind, this, { capture: true });
    }
    Signal.clearData(this);
  }

  handleEvent(): void {
    const pause = Math.min(REPORTED, this.timeout / 10);
    if (Date.now() - this._reported > 1000 * pause) {
      void this.report();
    }
  }

  /** Somebody is there, and perhaps wants to `keep` the GPUs. */
  report(keep = false): Promise<void> {
    this._reported = Date.now();
    return this.ask(() => this.api.post('/idle', { body: { keep } }));
  }

  private async ask(request: () => Promise<Idleness>): Promise<void> {
    clearTimeout(this._timer);
    let next = REPORTED;
    try {
      const { timeout, left, for_gpus } = await request();
      this.timeout = timeout;
      this.forGpus = for_gpus;
      if (left === null) {
        return;
      }
      const before = Math.min(WARNED, timeout / 4);
      this.tell(left > before ? null : left);
      next = left > before ? left - before : Math.max(1, left);
    } catch {
      this.tell(null); // what is away is told elsewhere
    }
    if (!this._disposed) {
      const look = () => this.ask(() => this.api.get('/idle'));
      this._timer = window.setTimeout(() => void look(), 1000 * next + 500);
    }
  }

  private tell(ending: number | null): void {
    const known = this.ending;
    this.ending = ending;
    if ((known === null) !== (ending === null)) {
      this.changed.emit();
    }
  }

  private _disposed = false;
  private _reported = 0;
  private _timer = 0;
}
