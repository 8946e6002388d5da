import { Signal, type ISignal } from '@lumino/signaling';
import type { JobsModel } from './jobs';

/** The jobs of the list that are chosen, to do something to all of them. */
export class ChosenJobs {
  constructor(private readonly jobs: JobsModel) {
    jobs.itemChanged.connect(this.onItem, this);
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get size(): number {
    return this._ids.size;
  }

  /** In the order of the list. */
  get ids(): string[] {
    return this.jobs.items.map(job => job.id).filter(id => this.has(id));
  }

  has(id: string): boolean {
    return this._ids.has(id);
  }

  toggle(id: string): void {
    if (!this._ids.delete(id)) {
      this._ids.add(id);
    }
    this._last = id;
    this._changed.emit();
  }

  /** Choose all from the one chosen or left last up to this one, as they are `listed`. */
  extend(id: string, listed: readonly string[]): void {
    const to = listed.indexOf(id);
    const from = this._last === null ? to : listed.indexOf(this._last);
    const [first, last] = from <= to ? [from, to] : [to, from];
    for (const one of listed.slice(first < 0 ? to : first, last + 1)) {
      this._ids.add(one);
    }
    this._last = id;
    this._changed.emit();
  }

  /** Where the next `extend` begins, where none is chosen yet. */
  begin(id: string): void {
    if (!this.size) {
      this._last = id;
    }
  }

  choose(ids: readonly string[]): void {
    this._ids = new Set(ids);
    this._changed.emit();
  }

  clear(): void {
    if (this.size) {
      this.choose([]);
    }
  }

  dispose(): void {
    Signal.clearData(this);
  }

  private onItem(
    _: JobsModel,
    { before, now }: { before: { id: string } | null; now: unknown }
  ): void {
    if (now === null && before && this._ids.delete(before.id)) {
      this._changed.emit();
    }
  }

  private _ids = new Set<string>();
  private _last: string | null = null;
  private _changed = new Signal<this, void>(this);
}
