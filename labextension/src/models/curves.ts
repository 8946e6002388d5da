import { Signal, type ISignal } from '@lumino/signaling';
import type { Curves } from '../api/types';
import { isAbort } from '../api/client';

/** Points of one curve; what JSON has no number for is NaN or ±Infinity here. */
export interface Curve {
  name: string;
  /** How many were logged; of many, not all are here. */
  count: number;
  steps: number[];
  /** Seconds since 1970. */
  times: number[];
  values: number[];
}

const MANY = 3000; // points of a curve, above which all are asked for anew

/** The curves of a job, as they grow: only what is new is asked for. */
export class CurvesModel {
  constructor(private readonly fetch: (after: string) => Promise<Curves>) {}

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** In the order in which they began; another array after each change. */
  get curves(): readonly Curve[] {
    return this._curves;
  }

  /** Whether there was an answer yet. */
  get loaded(): boolean {
    return this._loaded;
  }

  /** Why there is none; a later answer takes it back. */
  get error(): unknown {
    return this._error;
  }

  /** Ask for what came since. */
  update(): Promise<void> {
    this._asking ??= this._update().finally(() => (this._asking = null));
    return this._asking;
  }

  private async _update(): Promise<void> {
    const before = this._error;
    try {
      let answer = await this.fetch(this._after);
      const grown = merged(this._curves, answer);
      if (this._after && grown.some(({ steps }) => steps.length > MANY)) {
        answer = await this.fetch('');
        this._curves = merged([], answer);
      } else if (answer.curves.length) {
        this._curves = grown;
      }
      this._after = answer.after;
      this._error = undefined;
      if (!this._loaded || answer.curves.length || before) {
        this._loaded = true;
        this._changed.emit();
      }
    } catch (error) {
      if (!isAbort(error)) {
        this._error = error;
        this._changed.emit();
      }
    }
  }

  private _after = '';
  private _loaded = false;
  private _error: unknown;
  private _curves: readonly Curve[] = [];
  private _asking: Promise<void> | null = null;
  private readonly _changed = new Signal<this, void>(this);
}

function merged(old: readonly Curve[], answer: Curves): Curve[] {
  const known = new Map(old.map(curve => [curve.name, curve]));
  for (const { name, count, steps, times, values } of answer.curves) {
    const before = known.get(name);
    known.set(name, {
      name,
      count: (before?.count ?? 0) + count,
      steps: [...(before?.steps ?? []), ...steps],
      times: [...(before?.times ?? []), ...times],
      values: [...(before?.values ?? []), ...values.map(Number)]
    });
  }
  return [...known.values()];
}
