import { Signal, type ISignal } from '@lumino/signaling';
import { reasonOf } from '../api/client';

/** How far a collection is: `failed` says why in `reason`. */
export type LoadState = 'loading' | 'ready' | 'failed';

/** One item that is new, different, or gone (`now` is null). */
export interface ItemChange<T> {
  before: T | null;
  now: T | null;
}

/**
 * A list that is loaded once and then kept up to date by changes.
 *
 * `items` is replaced, never altered, so that it can be compared by identity.
 */
export class Collection<T extends { id: string | number; revision: number }> {
  constructor(
    private readonly fetch: (signal?: AbortSignal) => Promise<T[]>,
    private readonly order: (a: T, b: T) => number
  ) {}

  get items(): readonly T[] {
    return this._items;
  }

  get state(): LoadState {
    return this._state;
  }

  /** Why loading failed. */
  get reason(): string {
    return this._reason;
  }

  /** Something about the list is different. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** One item is different; not emitted for those that the first load brings. */
  get itemChanged(): ISignal<this, ItemChange<T>> {
    return this._itemChanged;
  }

  get(id: T['id']): T | undefined {
    return this._byId.get(id);
  }

  /** Load everything anew. */
  async load(signal?: AbortSignal): Promise<void> {
    if (this._state !== 'ready') {
      this._state = 'loading';
      this._reason = '';
      this._changed.emit();
    }
    let changes: ItemChange<T>[];
    try {
      const known = new Set(this._byId.keys());
      const items = this.merge(await this.fetch(signal), known);
      changes = this.compare(items);
      this._byId = new Map(items.map(item => [item.id, item]));
      this._state = 'ready';
    } catch (error) {
      if (signal?.aborted) {
        return;
      }
      this._reason = reasonOf(error);
      // What was there stays in view; only a first load can fail visibly.
      if (this._state !== 'ready') {
        this._state = 'failed';
      }
      this._changed.emit();
      throw error;
    }
    this.publish();
    changes.forEach(change => this._itemChanged.emit(change));
  }

  /** Take in items from elsewhere: an answer, or the poll. Older ones are ignored. */
  put(...items: T[]): void {
    const changes: ItemChange<T>[] = [];
    for (const now of items) {
      const before = this._byId.get(now.id) ?? null;
      if (!before || now.revision >= before.revision) {
        this._byId.set(now.id, now);
        changes.push({ before, now });
      }
    }
    this.tell(changes);
  }

  /** Take items off the list. */
  drop(...ids: T['id'][]): void {
    const changes: ItemChange<T>[] = [];
    for (const id of ids) {
      const before = this._byId.get(id);
      if (before) {
        this._byId.delete(id);
        changes.push({ before, now: null });
      }
    }
    this.tell(changes);
  }

  /** What was put in while a load was under way is newer than the load. */
  private merge(items: T[], known: ReadonlySet<T['id']>): T[] {
    const fetched = new Set(items.map(item => item.id));
    const newer = items.map(item => {
      const here = this._byId.get(item.id);
      return here && here.revision > item.revision ? here : item;
    });
    const added = [...this._byId.values()].filter(
      ({ id }) => !known.has(id) && !fetched.has(id)
    );
    return [...newer, ...added];
  }

  /** What a load changes: a later one may come after a time without a server. */
  private compare(items: T[]): ItemChange<T>[] {
    const first = this._state !== 'ready';
    const now = new Map(items.map(item => [item.id, item]));
    const gone = this._items
      .filter(({ id }) => !now.has(id))
      .map(before => ({ before, now: null }));
    const changed = items
      .map(item => ({ before: this._byId.get(item.id) ?? null, now: item }))
      .filter(({ before, now }) =>
        before ? before.revision !== now.revision : !first
      );
    return [...gone, ...changed];
  }

  private tell(changes: ItemChange<T>[]): void {
    if (changes.length) {
      this.publish();
      changes.forEach(change => this._itemChanged.emit(change));
    }
  }

  private publish(): void {
    this._items = [...this._byId.values()].sort(this.order);
    this._changed.emit();
  }

  private _items: readonly T[] = [];
  private _byId = new Map<T['id'], T>();
  private _state: LoadState = 'loading';
  private _reason = '';
  private _changed = new Signal<this, void>(this);
  private _itemChanged = new Signal<this, ItemChange<T>>(this);
}
