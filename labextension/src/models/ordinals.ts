import type { IDisposable } from '@lumino/disposable';
import { Signal, type ISignal } from '@lumino/signaling';

/** Aligned blocks: two views of the same place ask for the same address. */
const BLOCK = 200;
/** A block is fetched whole when at least this part of it is wanted. */
const DENSE = 0.25;
/** The server answers no more in one request. */
const MOST = 1000;

/** Sorted ordinals as the contract writes them: `0-99,120,130-131`. */
export function formatOrdinals(ordinals: readonly number[]): string {
  const parts: string[] = [];
  for (let i = 0; i < ordinals.length;) {
    let j = i;
    while (ordinals[j + 1] === ordinals[j] + 1) {
      j += 1;
    }
    parts.push(i === j ? `${ordinals[i]}` : `${ordinals[i]}-${ordinals[j]}`);
    i = j + 1;
  }
  return parts.join(',');
}

/**
 * Which requests fetch `missing` (sorted): whole blocks where most of a block
 * is wanted, else exactly what is wanted, as when a filter picks one in ten.
 */
export function plan(missing: readonly number[]): number[][] {
  const blocks = new Map<number, number[]>();
  for (const ordinal of missing) {
    const block = Math.floor(ordinal / BLOCK);
    const list = blocks.get(block);
    if (list) {
      list.push(ordinal);
    } else {
      blocks.set(block, [ordinal]);
    }
  }
  const requests: number[][] = [];
  let sparse: number[] = [];
  for (const [block, ordinals] of blocks) {
    if (ordinals.length >= BLOCK * DENSE) {
      requests.push(Array.from({ length: BLOCK }, (_, i) => block * BLOCK + i));
      continue;
    }
    sparse.push(...ordinals);
    if (sparse.length >= MOST / 2) {
      requests.push(sparse.slice(0, MOST));
      sparse = sparse.slice(MOST);
    }
  }
  if (sparse.length) {
    requests.push(sparse);
  }
  return requests;
}

interface Kept<T> {
  value: T;
  cost: number;
}

interface Request {
  ordinals: number[];
  abort: AbortController;
}

/**
 * Things found by ordinal, fetched many at a time, the least used forgotten.
 *
 * A view says what it wants to show now; what nobody wants any more is aborted.
 */
export abstract class OrdinalCache<T> implements IDisposable {
  /** `budget` is in units of `cost`. */
  constructor(private readonly budget: number) {}

  /** Something arrived. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Why the last request failed; null when the last one went well. */
  get error(): unknown {
    return this._error;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  get(ordinal: number): T | undefined {
    return this._kept.get(ordinal)?.value;
  }

  /** Show these now: fetch what is missing, abort what only others wanted. */
  want(ordinals: readonly number[]): void {
    const wanted = new Set(ordinals);
    for (const request of this._requests) {
      if (!request.ordinals.some(ordinal => wanted.has(ordinal))) {
        request.abort.abort();
        request.ordinals.forEach(ordinal => this.settle(ordinal, request));
      }
    }
    const missing: number[] = [];
    for (const ordinal of wanted) {
      const kept = this._kept.get(ordinal);
      if (kept && !this._outdated.has(ordinal)) {
        // To the young end of the map: it is in use.
        this._kept.delete(ordinal);
        this._kept.set(ordinal, kept);
      } else if (!this._pending.has(ordinal)) {
        missing.push(ordinal);
      }
    }
    for (const request of plan(missing.sort((a, b) => a - b))) {
      void this.request(request);
    }
  }

  /** Whether there is nothing newer to fetch. */
  isFresh(ordinal: number): boolean {
    return this._kept.has(ordinal) && !this._outdated.has(ordinal);
  }

  /** All may have changed: they are shown until what is fetched anew is there. */
  outdate(): void {
    this._outdated = new Set(this._kept.keys());
  }

  /** Forget some, so that they are fetched anew when they are wanted. */
  forget(which: (value: T) => boolean): void {
    for (const [ordinal, { value }] of this._kept) {
      if (which(value)) {
        this.release(ordinal);
      }
    }
    this._changed.emit();
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    this._requests.forEach(({ abort }) => abort.abort());
    [...this._kept.keys()].forEach(ordinal => this.release(ordinal));
    Signal.clearData(this);
  }

  /** Fetch, and `keep` each thing as it is ready. */
  protected abstract fetch(
    ordinals: string,
    signal: AbortSignal
  ): Promise<void>;

  /** Let go of what a value holds. */
  protected discard?(value: T): void;

  protected keep(ordinal: number, value: T, cost: number): void {
    this.release(ordinal);
    if (this._isDisposed) {
      this.discard?.(value);
      return;
    }
    this._kept.set(ordinal, { value, cost });
    this._cost += cost;
    for (const oldest of this._kept.keys()) {
      if (this._cost <= this.budget || oldest === ordinal) {
        break;
      }
      this.release(oldest);
    }
  }

  private release(ordinal: number): void {
    const kept = this._kept.get(ordinal);
    this._outdated.delete(ordinal);
    if (kept) {
      this._kept.delete(ordinal);
      this._cost -= kept.cost;
      this.discard?.(kept.value);
    }
  }

  private async request(ordinals: number[]): Promise<void> {
    const request: Request = { ordinals, abort: new AbortController() };
    this._requests.add(request);
    ordinals.forEach(ordinal => this._pending.set(ordinal, request));
    try {
      await this.fetch(formatOrdinals(ordinals), request.abort.signal);
      this._error = null;
    } catch (error) {
      if (request.abort.signal.aborted) {
        return;
      }
      this._error = error;
    } finally {
      this._requests.delete(request);
      ordinals.forEach(ordinal => this.settle(ordinal, request));
    }
    this._changed.emit();
  }

  /** Nothing is under way for an ordinal, unless it was asked for anew. */
  private settle(ordinal: number, request: Request): void {
    if (this._pending.get(ordinal) === request) {
      this._pending.delete(ordinal);
    }
  }

  private _kept = new Map<number, Kept<T>>();
  private _outdated = new Set<number>();
  private _cost = 0;
  private _pending = new Map<number, Request>();
  private _requests = new Set<Request>();
  private _error: unknown = null;
  private _isDisposed = false;
  private _changed = new Signal<this, void>(this);
}
