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

/** Where a slice is. */
interface Spot {
  plane: Plane;
  index: number;
  frame: number;
}

interface Running extends Spot {
  started: number;
  abort: AbortController;
}

interface Wanted {
  index: number;
  direction: 1 | -1;
}

/** The file is no longer the one that was opened. */
export const CHANGED = 'volume_changed';

const keyOf = ({ frame, plane, index }: Spot): string =>
  `${frame} ${plane} ${index}`;

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
    private readonly frames = 1,
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
    if (before && before.index !== index) {
      this.inTime = 0;
    }
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

  /** Go to a point of time; what is wanted of each plane is to be said again. */
  setFrame(frame: number): void {
    this.inTime = Math.sign(frame - this.frame);
    this.frame = frame;
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
    const key = keyOf({ plane, index, frame: this.frame });
    const slice = this.cache.get(key);
    if (slice) {
      this.cache.delete(key);
      this.cache.set(key, slice);
    }
    return slice;
  }

  /** The cached slice that is nearest: in time while time is passing, else in space. */
  nearest(plane: Plane, index: number): Slice | undefined {
    const { frame } = this;
    const find = (most: number, at: (away: number) => Spot) => {
      for (let away = 0; away < most; away++) {
        const slice =
          this.cache.get(keyOf(at(-away))) ?? this.cache.get(keyOf(at(away)));
        if (slice) {
          return slice;
        }
      }
      return undefined;
    };
    const inTime = () =>
      find(this.frames, away => ({ plane, index, frame: frame + away }));
    const inSpace = () =>
      find(this.count(plane), away => ({ plane, index: index + away, frame }));
    return this.inTime ? inTime() : (inSpace() ?? inTime());
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
    for (const spot of this.order()) {
      if (this.running.size >= AT_ONCE && !this.makeRoom(spot)) {
        return;
      }
      void this.fetch(spot);
    }
  }

  /** What is missing, the most urgent first. */
  private *order(): Generator<Spot> {
    const planes = [...this.wanted].reverse();
    const { frame, inTime } = this;
    for (const [plane, { index }] of planes) {
      if (this.missing({ plane, index, frame })) {
        yield { plane, index, frame };
      }
    }
    if (!this.mayLookAhead) {
      return; // the first picture has the line, and the processor, to itself
    }
    for (let away = 1; away <= this.ahead; away++) {
      for (const [plane, { index, direction }] of planes) {
        const step = (inTime || direction) * away;
        const steps = away <= 2 ? [step, -step] : [step];
        for (const by of steps) {
          const spot = inTime
            ? { plane, index, frame: frame + by }
            : { plane, index: index + by, frame };
          if (this.running.size < AT_ONCE && this.missing(spot)) {
            yield spot;
          }
        }
      }
    }
  }

  private missing(spot: Spot): boolean {
    const { plane, index, frame } = spot;
    const key = keyOf(spot);
    return (
      index >= 0 &&
      index < this.count(plane) &&
      frame >= 0 &&
      frame < this.frames &&
      !this.cache.has(key) &&
      !this.broken.has(key) &&
      ![...this.running].some(one => keyOf(one) === key)
    );
  }

  private isWanted({ plane, index, frame }: Spot): boolean {
    return frame === this.frame && this.wanted.get(plane)?.index === index;
  }

  /** Cancel a request that is less needed than this one. */
  private makeRoom(spot: Spot): boolean {
    if (!this.isWanted(spot)) {
      return false;
    }
    const others = [...this.running]
      .sort((a, b) => a.started - b.started)
      .slice(1)
      .filter(one => !this.isWanted(one));
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

  private async fetch(spot: Spot): Promise<void> {
    const { plane, index, frame } = spot;
    const one = {
      ...spot,
      started: performance.now(),
      abort: new AbortController()
    };
    this.running.add(one);
    this.requests++;
    try {
      const { signal } = one.abort;
      const slice = await this.source.slice(plane, index, frame, signal);
      if (this.running.has(one)) {
        this.running.delete(one);
        this.arrived(spot, slice);
      }
    } catch (error) {
      if (this.running.has(one)) {
        this.running.delete(one);
        this.failed(spot, error);
      }
    }
    this.next();
  }

  private arrived(spot: Spot, slice: Slice): void {
    this.tries = 0;
    if (this.state !== 'ready') {
      this.state = 'ready';
      this.onState({ kind: 'ready' });
    }
    this.cache.set(keyOf(spot), slice);
    this.bytes += slice.data.byteLength;
    for (const [key, old] of this.cache) {
      if (this.bytes <= this.cacheBytes || this.cache.size <= 1) {
        break;
      }
      this.cache.delete(key);
      this.bytes -= old.data.byteLength;
    }
    if (spot.frame === this.frame) {
      this.onSlice(spot.plane, spot.index);
    }
  }

  private failed(spot: Spot, error: unknown): void {
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
    if (this.isWanted(spot) || code === CHANGED) {
      this.state = 'failed';
      this.onState({ kind: 'failed', message, code });
    } else {
      this.broken.add(keyOf(spot));
    }
  }

  private readonly cacheBytes: number;
  private readonly ahead: number;
  private readonly cache = new Map<string, Slice>(); // oldest use first
  private readonly broken = new Set<string>();
  private readonly wanted = new Map<Plane, Wanted>();
  private readonly running = new Set<Running>();
  private frame = 0;
  /** The direction in time of the last step; 0 if that was in space. */
  private inTime = 0;
  private mayLookAhead = false;
  private state: LoaderState['kind'] = 'ready';
  private bytes = 0;
  private tries = 0;
  private timer = 0;
  private disposed = false;
}
