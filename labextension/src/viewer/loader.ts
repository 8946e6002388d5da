/** Gets slices before they are needed, and forgets the ones that went by. */
import {
  type Plane,
  type Slice,
  type SliceSource,
  SourceError
} from './source';

export interface LoaderOptions {
  /** Bytes of slices that are kept. */
  cacheBytes?: number;
  /** Slices that are fetched ahead in the direction of the scroll. */
  ahead?: number;
}

export type LoaderState =
  | { kind: 'ready' }
  | { kind: 'waiting'; message: string }
  | { kind: 'failed'; message: string; code?: string };

interface Running {
  plane: Plane;
  index: number;
  started: number;
  abort: AbortController;
}

interface Wanted {
  index: number;
  direction: 1 | -1;
}

/** The file is no longer the one that was opened. */
export const CHANGED = 'volume_changed';

const AT_ONCE = 3;
const PATIENCE = [300, 600, 1200, 2500, 4000]; // ms between tries while nobody answers

/**
 * A bounded cache of slices with a queue in which only the latest wish of each
 * plane counts. Up to three requests run at once: first the slices that are
 * looked at, then neighbours in the direction of the scroll. A request whose
 * slice went by is cancelled, but never the oldest, so that pictures go on
 * coming at the server's pace while the wheel moves.
 */
export class SliceLoader {
  constructor(
    private readonly source: SliceSource,
    private readonly count: (plane: Plane) => number,
    options: LoaderOptions = {}
  ) {
    this.cacheBytes = options.cacheBytes ?? 64 * 2 ** 20;
    this.ahead = options.ahead ?? 6;
  }

  /** A slice arrived. */
  onSlice: (plane: Plane, index: number) => void = () => undefined;
  /** Loading works, waits for the server, or failed. */
  onState: (state: LoaderState) => void = () => undefined;

  /** Requests that were sent, for tests and figures. */
  requests = 0;

  /** Ask for a slice; the former wish for this plane is forgotten. */
  want(plane: Plane, index: number): void {
    const before = this.wanted.get(plane);
    const direction =
      before && before.index !== index
        ? index > before.index
          ? 1
          : -1
        : (before?.direction ?? 1);
    this.wanted.delete(plane);
    this.wanted.set(plane, { index, direction }); // the latest wish comes last
    this.next();
  }

  /** The first picture is on the screen: its neighbours are next. */
  lookAhead(): void {
    if (!this.mayLookAhead) {
      this.mayLookAhead = true;
      this.next();
    }
  }

  /** The plane is no longer looked at. */
  forget(plane: Plane): void {
    this.wanted.delete(plane);
    for (const one of [...this.running]) {
      if (one.plane === plane) {
        this.cancel(one);
      }
    }
  }

  get(plane: Plane, index: number): Slice | undefined {
    const key = `${plane} ${index}`;
    const slice = this.cache.get(key);
    if (slice) {
      this.cache.delete(key);
      this.cache.set(key, slice);
    }
    return slice;
  }

  /** The cached slice that is nearest to an index. */
  nearest(plane: Plane, index: number): Slice | undefined {
    const count = this.count(plane);
    for (let away = 0; away < count; away++) {
      const slice =
        this.cache.get(`${plane} ${index - away}`) ??
        this.cache.get(`${plane} ${index + away}`);
      if (slice) {
        return slice;
      }
    }
    return undefined;
  }

  /** Try again after a failure. */
  retry(): void {
    window.clearTimeout(this.timer);
    this.timer = 0;
    this.state = 'ready';
    this.next();
  }

  /** Forget every slice, e.g. because the file changed. */
  clear(): void {
    this.cache.clear();
    this.bytes = 0;
    this.broken.clear();
    this.running.forEach(one => one.abort.abort());
    this.running.clear();
  }

  dispose(): void {
    this.disposed = true;
    window.clearTimeout(this.timer);
    this.wanted.clear();
    this.clear();
  }

  /** Start what should run now. */
  private next(): void {
    if (this.disposed || this.timer || this.state === 'failed') {
      return;
    }
    for (const [plane, index] of this.order()) {
      if (this.running.size >= AT_ONCE && !this.makeRoom(plane, index)) {
        return;
      }
      void this.fetch(plane, index);
    }
  }

  /** What is missing, the most urgent first. */
  private *order(): Generator<[Plane, number]> {
    const planes = [...this.wanted].reverse();
    for (const [plane, { index }] of planes) {
      if (this.missing(plane, index)) {
        yield [plane, index];
      }
    }
    if (!this.mayLookAhead) {
      return; // the first picture has the line, and the processor, to itself
    }
    for (let away = 1; away <= this.ahead; away++) {
      for (const [plane, { index, direction }] of planes) {
        const steps = away <= 2 ? [direction, -direction] : [direction];
        for (const step of steps) {
          const at = index + step * away;
          if (this.running.size < AT_ONCE && this.missing(plane, at)) {
            yield [plane, at];
          }
        }
      }
    }
  }

  private missing(plane: Plane, index: number): boolean {
    return (
      index >= 0 &&
      index < this.count(plane) &&
      !this.cache.has(`${plane} ${index}`) &&
      !this.broken.has(`${plane} ${index}`) &&
      ![...this.running].some(one => one.plane === plane && one.index === index)
    );
  }

  /** Cancel a request that is less needed than this one. */
  private makeRoom(plane: Plane, index: number): boolean {
    if (this.wanted.get(plane)?.index !== index) {
      return false;
    }
    const others = [...this.running]
      .sort((a, b) => a.started - b.started)
      .slice(1)
      .filter(one => this.wanted.get(one.plane)?.index !== one.index);
    const goes = others.at(-1);
    if (goes) {
      this.cancel(goes);
    }
    return goes !== undefined;
  }

  private cancel(one: Running): void {
    this.running.delete(one);
    one.abort.abort();
  }

  private async fetch(plane: Plane, index: number): Promise<void> {
    const one = {
      plane,
      index,
      started: performance.now(),
      abort: new AbortController()
    };
    this.running.add(one);
    this.requests++;
    try {
      const slice = await this.source.slice(plane, index, one.abort.signal);
      if (this.running.has(one)) {
        this.running.delete(one);
        this.arrived(plane, index, slice);
      }
    } catch (error) {
      if (this.running.has(one)) {
        this.running.delete(one);
        this.failed(plane, index, error);
      }
    }
    this.next();
  }

  private arrived(plane: Plane, index: number, slice: Slice): void {
    this.tries = 0;
    if (this.state !== 'ready') {
      this.state = 'ready';
      this.onState({ kind: 'ready' });
    }
    this.cache.set(`${plane} ${index}`, slice);
    this.bytes += slice.data.byteLength;
    for (const [key, old] of this.cache) {
      if (this.bytes <= this.cacheBytes || this.cache.size <= 1) {
        break;
      }
      this.cache.delete(key);
      this.bytes -= old.data.byteLength;
    }
    this.onSlice(plane, index);
  }

  private failed(plane: Plane, index: number, error: unknown): void {
    const message = error instanceof Error ? error.message : String(error);
    if (error instanceof SourceError && error.again) {
      if (!this.timer) {
        const pause = PATIENCE[Math.min(this.tries, PATIENCE.length - 1)];
        this.tries++;
        this.timer = window.setTimeout(() => {
          this.timer = 0;
          this.next();
        }, pause);
      }
      this.state = 'waiting';
      this.onState({ kind: 'waiting', message });
      return;
    }
    const code = error instanceof SourceError ? error.code : undefined;
    // A neighbour that cannot be read is no news until somebody looks at it.
    if (this.wanted.get(plane)?.index === index || code === CHANGED) {
      this.state = 'failed';
      this.onState({ kind: 'failed', message, code });
    } else {
      this.broken.add(`${plane} ${index}`);
    }
  }

  private readonly cacheBytes: number;
  private readonly ahead: number;
  private readonly cache = new Map<string, Slice>(); // oldest use first
  private readonly broken = new Set<string>();
  private readonly wanted = new Map<Plane, Wanted>();
  private readonly running = new Set<Running>();
  private mayLookAhead = false;
  private state: LoaderState['kind'] = 'ready';
  private bytes = 0;
  private tries = 0;
  private timer = 0;
  private disposed = false;
}
