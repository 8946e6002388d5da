import { Signal, type ISignal } from '@lumino/signaling';
import { type Api } from '../api/client';
import type { Comparison } from '../api/types';
import { CurvesModel, type Curve } from './curves';

/** Curves in one picture. */
export interface Group {
  title: string;
  curves: Curve[];
}

export const MOST = 8; // jobs side by side

/** Which jobs are side by side, what the platform says of them, and their curves. */
export class ComparisonModel {
  constructor(private readonly api: Api) {}

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get ids(): readonly string[] {
    return this._ids;
  }

  /** Undefined before there was an answer, and while there is one job only. */
  get told(): Comparison | undefined {
    return this._told;
  }

  get error(): unknown {
    return this._error;
  }

  /** A picture for each metric that two of them logged, or one, with a curve a job. */
  get groups(): readonly Group[] {
    return this._groups;
  }

  show(ids: readonly string[]): void {
    this._ids = [...new Set(ids)].slice(0, MOST);
    void this.update();
  }

  add(id: string): void {
    this.show([...this._ids, id]);
  }

  remove(id: string): void {
    this.show(this._ids.filter(one => one !== id));
  }

  async update(): Promise<void> {
    const ids = this._ids;
    this._error = undefined;
    if (ids.length < 2) {
      this._told = undefined;
      this._changed.emit();
      return;
    }
    try {
      const told = await this.api.get('/compare', {
        query: { jobs: [...ids] }
      });
      const curves = await Promise.all(ids.map(id => this.curvesOf(id)));
      if (ids !== this._ids) {
        return; // others are wanted by now
      }
      this._told = told;
      this._groups = groupsOf(told, curves);
    } catch (error) {
      if (ids === this._ids) {
        this._error = error;
      }
    }
    this._changed.emit();
  }

  private async curvesOf(id: string): Promise<readonly Curve[]> {
    const model = new CurvesModel(after =>
      this.api.get('/jobs/{job_id}/metrics', {
        path: { job_id: id },
        query: { after }
      })
    );
    await model.update();
    return model.curves;
  }

  private _ids: readonly string[] = [];
  private _told: Comparison | undefined;
  private _error: unknown;
  private _groups: readonly Group[] = [];
  private readonly _changed = new Signal<this, void>(this);
}

/** What to call each job: its name (of a trial without its values), with the beginning of its id where two are called so. */
export function labelsOf({ jobs }: Comparison): string[] {
  const names = jobs.map(({ name }) => name.split(' · ')[0]);
  return names.map((name, at) =>
    names.some((other, place) => place !== at && other === name)
      ? `${name} ${jobs[at].id.slice(0, 4)}`
      : name
  );
}

function groupsOf(
  told: Comparison,
  curves: readonly (readonly Curve[])[]
): Group[] {
  const labels = labelsOf(told);
  const groups = new Map<string, Curve[]>();
  curves.forEach((some, at) =>
    some.forEach(curve => {
      const members = groups.get(curve.name) ?? [];
      groups.set(curve.name, [...members, { ...curve, name: labels[at] }]);
    })
  );
  return [...groups].map(([title, members]) => ({ title, curves: members }));
}
