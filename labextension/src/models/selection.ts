import { Signal, type ISignal } from '@lumino/signaling';

/** The selected samples in order, without a list when they are 0 … total-1. */
export class Positions {
  /** With `isSorted` the ordinals ascend. */
  constructor(
    readonly total: number,
    private readonly ordinals: readonly number[] | null,
    private readonly isSorted = true
  ) {}

  /** The ordinal of the sample at a position. */
  at(position: number): number {
    return this.ordinals ? this.ordinals[position] : position;
  }

  /** Where a sample is, -1 when it is not among them. */
  of(ordinal: number): number {
    if (!this.ordinals) {
      return ordinal < this.total ? ordinal : -1;
    }
    if (!this.isSorted) {
      this._places ??= new Map(this.ordinals.map((one, place) => [one, place]));
      return this._places.get(ordinal) ?? -1;
    }
    let low = 0;
    let high = this.ordinals.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      if (this.ordinals[middle] === ordinal) {
        return middle;
      }
      if (this.ordinals[middle] < ordinal) {
        low = middle + 1;
      } else {
        high = middle - 1;
      }
    }
    return -1;
  }

  /** The ordinals from one position up to, not including, another. */
  range(from: number, to: number): number[] {
    const first = Math.max(0, from);
    const length = Math.max(0, Math.min(to, this.total) - first);
    return Array.from({ length }, (_, i) => this.at(first + i));
  }

  private _places?: Map<number, number>;
}

/** Which sample is looked at, and which are picked; by ordinal. */
export class Selection {
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** The sample looked at: its details are shown, keys start from it. */
  get current(): number | null {
    return this._current;
  }

  get size(): number {
    return this._picked.size;
  }

  /** Those that are picked, ascending. */
  get picked(): number[] {
    return [...this._picked].sort((a, b) => a - b);
  }

  has(ordinal: number): boolean {
    return this._picked.has(ordinal);
  }

  /** Look at one; nothing else is picked. */
  look(ordinal: number | null): void {
    this._current = ordinal;
    this._anchor = ordinal;
    this._picked.clear();
    this._changed.emit();
  }

  /** Pick one more, or no longer. */
  toggle(ordinal: number): void {
    if (!this._picked.delete(ordinal)) {
      this._picked.add(ordinal);
    }
    this._current = ordinal;
    this._anchor = ordinal;
    this._changed.emit();
  }

  /** Pick everything from where the picking began. */
  extend(ordinal: number, positions: Positions): void {
    const to = positions.of(ordinal);
    const from = this._anchor === null ? to : positions.of(this._anchor);
    this._picked = new Set(
      positions.range(Math.min(from, to), Math.max(from, to) + 1)
    );
    this._current = ordinal;
    this._changed.emit();
  }

  /** Pick nothing; keep looking. */
  clear(): void {
    this._picked.clear();
    this._changed.emit();
  }

  /** Forget what a new filter leaves out. */
  keep(positions: Positions): void {
    const stays = (ordinal: number) => positions.of(ordinal) >= 0;
    this._picked = new Set([...this._picked].filter(stays));
    if (this._current !== null && !stays(this._current)) {
      this._current = null;
      this._anchor = null;
    }
    this._changed.emit();
  }

  private _current: number | null = null;
  private _anchor: number | null = null;
  private _picked = new Set<number>();
  private _changed = new Signal<this, void>(this);
}
