import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import type { IDisposable } from '@lumino/disposable';
import { Signal, type ISignal } from '@lumino/signaling';
import type { ColumnInfo, Dataset, Facets } from '../api/types';
import {
  EVERYTHING,
  asPython,
  formatFilter,
  parseFilter,
  queryOf,
  toggled,
  type Facet,
  type Filter
} from './filter';
import type { Platform } from './platform';
import { formatOrdinals } from './ordinals';
import { Samples } from './samples';
import { Positions, Selection } from './selection';
import { Thumbnails } from './thumbnails';

export type View = 'gallery' | 'table';

const FIRST = 200; // samples that are fetched before the list is there
const SETTLE = 150; // ms after the last key before the filter is applied
const FEW = 50; // samples that are shown larger
const SMALLEST = 24;
const LARGEST = 256;

/** One dataset tab: what is filtered, what is shown, how. Framework-free. */
export class DatasetModel implements IDisposable {
  constructor(
    readonly platform: Platform,
    readonly id: number,
    query = ''
  ) {
    const { api, preferences } = platform;
    this.thumbnails = new Thumbnails(api, id);
    this.samples = new Samples(api, id);
    this._view = preferences.values.defaultView;
    this._query = query;
    this._filter = parseFilter(query);
    this._dataset = platform.datasets.get(id) ?? null;
    platform.datasets.itemChanged.connect(this.follow, this);
    platform.connectionChanged.connect(this.refetch, this);
    if (!query) {
      this.guess();
    }
    void this.load();
  }

  readonly thumbnails: Thumbnails;
  readonly samples: Samples;
  readonly selection = new Selection();

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Null until it is known, and when it was deleted. */
  get dataset(): Dataset | null {
    return this._dataset;
  }

  get isDeleted(): boolean {
    return this._isDeleted;
  }

  get filter(): Filter {
    return this._filter;
  }

  /** The filter as it is being typed. */
  get query(): string {
    return this._query;
  }

  /** Null until the first answer. */
  get positions(): Positions | null {
    return this._positions;
  }

  get facets(): Facets | null {
    return this._facets;
  }

  /** Values that somebody computed of the samples. */
  get columns(): readonly ColumnInfo[] {
    return this._columns;
  }

  /** The column by which samples are in order, `-dice` for the largest first; empty for their own order. */
  get sort(): string {
    return this._sort;
  }

  set sort(sort: string) {
    if (sort !== this._sort) {
      this._sort = sort;
      this._changed.emit();
      void this.load();
    }
  }

  /** The column that tells the samples shown apart: that of the order, or of the filter. */
  get column(): string | null {
    const [condition] = this._filter.having;
    return (
      this._sort.replace(/^-/, '') ||
      (condition ? condition.split(/[<>=!]/u)[0] : null)
    );
  }

  /** Why the samples could not be listed. */
  get error(): unknown {
    return this._error;
  }

  get view(): View {
    return this._view;
  }

  set view(view: View) {
    this._view = view;
    this._changed.emit();
  }

  /** The height of a tile, in CSS pixels; larger at first where there are few, or volumes. */
  get tileSize(): number {
    if (this._tileSize !== null) {
      return this._tileSize;
    }
    const { sample_count, state } = this._dataset?.version ?? {};
    const few = state === 'ready' && sample_count! <= FEW;
    const least = this.aspect > 1 ? (few ? 112 : 84) : few ? 128 : SMALLEST;
    return Math.max(this.platform.preferences.values.tileSize, least);
  }

  set tileSize(size: number) {
    this._tileSize = Math.round(Math.min(LARGEST, Math.max(SMALLEST, size)));
    this._changed.emit();
  }

  /** How many times as wide as high a tile is. */
  get aspect(): number {
    return aspectOf(this._dataset?.kinds ?? []);
  }

  static readonly tileSizes = { least: SMALLEST, most: LARGEST };

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  /** Take the filter as typed; it is applied when typing pauses. */
  type(query: string): void {
    this._query = query;
    this._changed.emit();
    clearTimeout(this._typing);
    this._typing = setTimeout(() => this.apply(parseFilter(query)), SETTLE);
  }

  toggle(facet: Facet, value: string): void {
    this.setFilter(toggled(parseFilter(this._query), facet, value));
  }

  setFilter(filter: Filter = EVERYTHING): void {
    this._query = formatFilter(filter);
    clearTimeout(this._typing);
    this.apply(filter);
  }

  /** The line of Python that makes what is shown. */
  asPython(): string {
    return asPython(this._dataset?.name ?? '', this._filter, this._sort);
  }

  /** What is filtered, or of it what is picked: as a job's selection, its size, its line of Python. */
  asked(): ReadonlyPartialJSONObject {
    const { picked } = this.selection;
    return {
      selection: {
        dataset_id: this.id,
        name: this._dataset?.name ?? '',
        filter: queryOf(this._filter),
        ordinals: picked.length ? formatOrdinals(picked) : null
      },
      total: picked.length || (this._positions?.total ?? 0),
      python: picked.length
        ? `blueno.dataset(${JSON.stringify(this._dataset?.name ?? '')}).at([${picked.join(', ')}])`
        : this.asPython()
    };
  }

  /** Ask for everything again. */
  async load(): Promise<void> {
    this._abort.abort();
    this._abort = new AbortController();
    const { signal } = this._abort;
    const { api } = this.platform;
    const ask = {
      path: { dataset_id: this.id },
      query: queryOf(this._filter),
      signal
    };
    this._error = null;
    // The pictures do not wait for the counts beside them.
    const facets = api
      .get('/datasets/{dataset_id}/facets', ask)
      .then(answer => {
        this._facets = answer;
        this._changed.emit();
      });
    const positions = api
      .get('/datasets/{dataset_id}/ordinals', {
        ...ask,
        query: {
          ...ask.query,
          ...(this._sort ? { sort: this._sort } : {})
        }
      })
      .then(({ total, ordinals }) => {
        this._positions = new Positions(total, ordinals, !this._sort);
        this._isGuess = false;
        this.selection.keep(this._positions);
        this._changed.emit();
      });
    const dataset =
      this._dataset ??
      api
        .get('/datasets/{dataset_id}', { path: ask.path, signal })
        .then(answer => this.platform.datasets.put(answer));
    try {
      await Promise.all([facets, positions, dataset]);
      await this.loadColumns(signal);
    } catch (error) {
      if (!signal.aborted) {
        this._error = error;
        this._positions = this._isGuess ? null : this._positions;
        this._changed.emit();
      }
    }
  }

  private async loadColumns(signal: AbortSignal): Promise<void> {
    const { columns } = await this.platform.api.get(
      '/datasets/{dataset_id}/columns',
      { path: { dataset_id: this.id }, signal }
    );
    this._columns = columns;
    this._changed.emit();
  }

  dispose(): void {
    if (this._isDisposed) {
      return;
    }
    this._isDisposed = true;
    this._abort.abort();
    clearTimeout(this._typing);
    clearTimeout(this._reloading);
    this.platform.datasets.itemChanged.disconnect(this.follow, this);
    this.platform.connectionChanged.disconnect(this.refetch, this);
    this.thumbnails.dispose();
    this.samples.dispose();
    Signal.clearData(this);
  }

  /**
   * Most datasets have the samples 0 … n-1: show these until the list is
   * there, and fetch their tiles beside it, not after it.
   */
  private guess(): void {
    const { version, revision } = this._dataset ?? {};
    if (version?.state === 'ready') {
      this._positions = new Positions(version.sample_count, null);
      this._isGuess = true;
      this.thumbnails.revision = revision ?? 0;
      this.thumbnails.want(this._positions.range(0, FIRST));
    }
  }

  private apply(filter: Filter): void {
    if (formatFilter(filter) !== formatFilter(this._filter)) {
      this._filter = filter;
      void this.load();
    }
    this._changed.emit();
  }

  /** The dataset is different: filled further, ready, renamed, deleted. */
  private follow(
    _: unknown,
    { before, now }: { before: Dataset | null; now: Dataset | null }
  ): void {
    if ((now ?? before)?.id !== this.id) {
      return;
    }
    const old = this._dataset;
    this._isDeleted = now === null;
    this._dataset = now ?? old;
    this._changed.emit();
    if (now && (!old || contentOf(old) !== contentOf(now))) {
      this.thumbnails.revision = now.revision;
      this.thumbnails.forget(({ sheet }) => sheet === null);
      this.reloadSoon();
    } else if (now && old && now.revision !== old.revision) {
      // Values were written.
      this.samples.outdate();
      this.reloadSoon();
    }
  }

  /** At most one reload a second while a dataset fills, or values come in. */
  private reloadSoon(): void {
    if (this._reloading === undefined) {
      const now = Date.now();
      const pause =
        this._dataset?.version.state === 'preparing' ||
        now - this._reloaded < 1000
          ? 1000
          : 0;
      this._reloaded = now;
      this._reloading = setTimeout(() => {
        this._reloading = undefined;
        void this.load();
      }, pause);
    }
  }

  /** The server is back: what failed meanwhile is asked again. */
  private refetch(): void {
    if (this.platform.connection === 'connected' && this._error) {
      void this.load();
    }
  }

  private _dataset: Dataset | null;
  private _isDeleted = false;
  private _filter: Filter;
  private _query: string;
  private _positions: Positions | null = null;
  private _isGuess = false;
  private _facets: Facets | null = null;
  private _columns: readonly ColumnInfo[] = [];
  private _sort = '';
  private _reloaded = 0;
  private _error: unknown = null;
  private _view: View;
  private _tileSize: number | null = null;
  private _abort = new AbortController();
  private _typing?: ReturnType<typeof setTimeout>;
  private _reloading?: ReturnType<typeof setTimeout>;
  private _isDisposed = false;
  private _changed = new Signal<this, void>(this);
}

/** Changes when there are other samples to show. */
function contentOf({ version }: Dataset): string {
  return `${version.id}/${version.state}/${version.sample_count}`;
}

/** A thumbnail of a volume is its three planes side by side. */
export function aspectOf(kinds: readonly string[]): number {
  return kinds.length && kinds.every(kind => kind === 'volume3d') ? 3 : 1;
}
