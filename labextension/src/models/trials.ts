import { UUID } from '@lumino/coreutils';
import type { Api } from '../api/client';
import type { Sweep, Trial } from '../api/types';
import { Asked } from './asked';

/** A parameter on an axis or in a column. */
export type Value = string | number | boolean | null | object;

/** A sweep and its trials, as they come: only what changed is asked for. */
export class TrialsModel extends Asked {
  /** `id` is that of a job that conducts or conducted it. */
  constructor(
    private readonly api: Api,
    readonly id: string
  ) {
    super();
  }

  /** Undefined before there was an answer. */
  get sweep(): Sweep | undefined {
    return this._sweep;
  }

  /** By number; another array after each change. */
  get trials(): readonly Trial[] {
    return this._trials;
  }

  /** Have another number of trials in all or at once. */
  async change(some: { trials?: number; at_once?: number }): Promise<void> {
    this._sweep = await this.api.patch('/sweeps/{sweep_id}', {
      path: { sweep_id: this.id },
      body: some
    });
    this.tell();
  }

  /** Go on with so many more; the id of the job that does. */
  async resume(more: number): Promise<string> {
    const made = this._trials.filter(({ state }) => state !== 'cancelled');
    const sweep = await this.api.post('/sweeps/{sweep_id}/resume', {
      path: { sweep_id: this.id },
      body: {
        id: UUID.uuid4().replace(/-/g, ''),
        trials: made.length + more
      }
    });
    return sweep.jobs[sweep.jobs.length - 1];
  }

  protected async ask(): Promise<boolean> {
    const path = { sweep_id: this.id };
    const [sweep, answer] = await Promise.all([
      this.api.get('/sweeps/{sweep_id}', { path }),
      this.api.get('/sweeps/{sweep_id}/trials', {
        path,
        query: { since: this._revision }
      })
    ]);
    const same = JSON.stringify(sweep) === JSON.stringify(this._sweep);
    this._sweep = same ? this._sweep : sweep;
    this._revision = answer.revision;
    if (answer.trials.length) {
      const known = new Map(this._trials.map(one => [one.number, one]));
      answer.trials.forEach(one => known.set(one.number, one));
      this._trials = [...known.values()].sort((a, b) => a.number - b.number);
    }
    return !same || answer.trials.length > 0;
  }

  private _sweep: Sweep | undefined;
  private _trials: readonly Trial[] = [];
  private _revision = 0;
}

/** Whether the first value of the objective is the better one. */
export function isBetter(sweep: Sweep, one: number, than: number): boolean {
  return sweep.plan.direction === 'maximize' ? one > than : one < than;
}

/** How good a trial is: 0 the worst that is complete, 1 the best; null where it has no value. */
export function goodness(
  sweep: Sweep,
  trials: readonly Trial[]
): (trial: Trial) => number | null {
  const values = trials.filter(isComplete).map(({ value }) => value as number);
  const low = Math.min(...values);
  const span = Math.max(...values) - low || 1;
  return trial => {
    if (!isComplete(trial)) {
      return null;
    }
    const share = ((trial.value as number) - low) / span;
    return sweep.plan.direction === 'maximize' ? share : 1 - share;
  };
}

/** Those that are complete, the best first. */
export function bestOf(sweep: Sweep, trials: readonly Trial[]): Trial[] {
  const good = goodness(sweep, trials);
  return trials
    .filter(isComplete)
    .sort((a, b) => (good(b) ?? 0) - (good(a) ?? 0));
}

export function isComplete(trial: Trial): boolean {
  return trial.state === 'complete' && trial.value !== null;
}
