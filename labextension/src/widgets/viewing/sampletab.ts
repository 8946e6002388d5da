/** The tab of one sample: its picture or volume, and what is known of it. */
import { DOMUtils } from '@jupyterlab/apputils';
import type { Message } from '@lumino/messaging';
import { Signal, type ISignal } from '@lumino/signaling';
import { BoxLayout, Widget } from '@lumino/widgets';
import { ApiError, reasonOf } from '../../api/client';
import type { Sample } from '../../api/types';
import { bluenoIcon } from '../../icons';
import { asPython, parseFilter, queryOf } from '../../models/filter';
import type { Platform } from '../../models/platform';
import { h } from '../../viewer/dom';
import type { ViewState } from '../../viewer/state';
import { copyPython } from '../copy';
import { bytes } from '../numbers';
import { ImageContent } from './content';

/** The samples before and after, in the order they were looked at. */
export interface Neighbours {
  ordinals: readonly number[] | null; // null: 0 … total−1
  total: number;
}

export class SampleTab extends Widget {
  constructor(
    private readonly platform: Platform,
    readonly datasetId: number,
    ordinal: number,
    /** The filter that its neighbours passed. */
    readonly query = '',
    opened = performance.now()
  ) {
    super();
    this._ordinal = ordinal;
    this.id = DOMUtils.createDomID();
    this.title.icon = bluenoIcon;
    this.title.closable = true;
    this.title.label = `sample ${ordinal}`;
    this.addClass('jp-blueno-sample');
    this.node.tabIndex = -1;
    this.bar.addClass('jp-blueno-sample-bar');
    this.body.addClass('jp-blueno-sample-body');
    this.side.addClass('jp-blueno-sample-side');
    BoxLayout.setStretch(this.body, 1);
    const layout = new BoxLayout({ direction: 'top-to-bottom', spacing: 0 });
    layout.addWidget(this.bar);
    layout.addWidget(this.body);
    this.layout = layout;
    const inner = new BoxLayout({ direction: 'left-to-right', spacing: 0 });
    this.body.layout = inner;
    BoxLayout.setSizeBasis(this.side, 240);
    inner.addWidget(this.side);
    this.fillBar();
    this.node.addEventListener('keydown', event => this.key(event));
    this.open(opened);
  }

  get ordinal(): number {
    return this._ordinal;
  }

  /** Emitted when another sample is shown. */
  get moved(): ISignal<this, number> {
    return this._moved;
  }

  /** Show another sample of the dataset in this tab. */
  go(ordinal: number): void {
    if (ordinal !== this._ordinal) {
      this._ordinal = ordinal;
      this.open(performance.now());
      this._moved.emit(ordinal);
    }
  }

  dispose(): void {
    this.abort.abort();
    Signal.clearData(this);
    super.dispose();
  }

  protected onActivateRequest(msg: Message): void {
    super.onActivateRequest(msg);
    if (this.content) {
      this.content.activate();
    } else {
      this.node.focus();
    }
  }

  /** Pixels and words are asked for at once; the kind of a sample is found out on the way. */
  private open(opened: number): void {
    this.abort.abort();
    this.abort = new AbortController();
    this.sample = null;
    const hadFocus = this.node.contains(document.activeElement);
    const { api } = this.platform;
    this.content?.dispose();
    const content = new ImageContent({
      api,
      address: { dataset_id: this.datasetId, ordinal: this._ordinal },
      name: 'the sample',
      kind: this.kindOfDataset(),
      opened,
      start: this.look
    });
    content.stateChanged.connect((_, { layout, plane }) => {
      this.look = { layout, plane };
    });
    this.content = content;
    BoxLayout.setStretch(content, 1);
    (this.body.layout as BoxLayout).insertWidget(0, content);
    if (hadFocus) {
      this.node.focus();
    }
    void this.describe(this.abort.signal);
  }

  /** All samples of most datasets are pictures: then there is no volume to ask for. */
  private kindOfDataset(): 'image2d' | null {
    const kinds = this.platform.datasets.get(this.datasetId)?.kinds;
    return kinds?.length === 1 && kinds[0] === 'image2d' ? 'image2d' : null;
  }

  private async describe(signal: AbortSignal): Promise<void> {
    const { api } = this.platform;
    const path = { dataset_id: this.datasetId };
    try {
      const [{ samples }, neighbours, dataset] = await Promise.all([
        api.get('/datasets/{dataset_id}/samples-at', {
          path,
          query: { ordinals: String(this._ordinal) },
          signal
        }),
        this.neighbours ??
          api.get('/datasets/{dataset_id}/ordinals', {
            path,
            query: queryOf(parseFilter(this.query)),
            signal
          }),
        this.platform.datasets.get(this.datasetId) ??
          api.get('/datasets/{dataset_id}', { path, signal })
      ]);
      this.neighbours = neighbours;
      this.sample = samples[0] ?? null;
      this.tell(dataset.name, samples[0]);
    } catch (error) {
      if (signal.aborted) {
        return;
      }
      this.side.node.replaceChildren(
        h('p', { role: 'alert' }, reasonOf(error))
      );
      if (error instanceof ApiError && error.unreachable) {
        window.setTimeout(() => {
          if (!signal.aborted) {
            void this.describe(signal);
          }
        }, 1000);
      }
    }
  }

  private tell(dataset: string, sample: Sample | undefined): void {
    this.datasetName = dataset;
    this.name.textContent = sample?.name ?? `sample ${this._ordinal}`;
    this.name.title = this.name.textContent;
    this.title.label = sample?.name ?? `sample ${this._ordinal}`;
    this.title.caption = `${dataset} / ${this.title.label}`;
    this.of.textContent = `${dataset} /`;
    const at = this.position();
    const total = this.neighbours?.total ?? 0;
    this.where.textContent = at >= 0 ? `${at + 1} / ${total}` : '';
    this.before.disabled = at <= 0;
    this.after.disabled = at < 0 || at >= total - 1;
    this.side.node.replaceChildren(
      sample
        ? table(sample)
        : h('p', { role: 'alert' }, 'This sample was deleted from the dataset.')
    );
  }

  /** Where the sample is among its neighbours; −1 for nowhere. */
  private position(): number {
    const { ordinals, total } = this.neighbours ?? { ordinals: [], total: 0 };
    if (!ordinals) {
      return this._ordinal < total ? this._ordinal : -1;
    }
    return ordinals.indexOf(this._ordinal);
  }

  private step(by: 1 | -1): void {
    const { ordinals, total } = this.neighbours ?? { ordinals: [], total: 0 };
    const to = this.position() + by;
    if (to >= 0 && to < total) {
      this.go(ordinals ? ordinals[to] : to);
    }
  }

  private key(event: KeyboardEvent): void {
    const typing = (event.target as HTMLElement).matches('input, select');
    if (typing || event.ctrlKey || event.metaKey || event.altKey) {
      return;
    }
    const by = { ']': 1, ArrowRight: 1, '[': -1, ArrowLeft: -1 }[event.key];
    if (by) {
      event.preventDefault();
      this.step(by as 1 | -1);
    }
  }

  private fillBar(): void {
    this.bar.node.append(
      this.of,
      this.name,
      h('span', { class: 'blueno-space' }),
      this.before,
      this.where,
      this.after,
      h(
        'button',
        {
          type: 'button',
          class: 'jp-blueno-copy',
          onclick: () => this.copy()
        },
        'Copy as Python'
      )
    );
  }

  private copy(): void {
    const { datasetName: dataset, sample } = this;
    if (dataset && sample) {
      copyPython(`${asPython(dataset)}[${JSON.stringify(sample.name)}]`);
    }
  }

  private readonly bar = new Widget();
  private readonly body = new Widget();
  private readonly side = new Widget();
  private readonly of = h('span', { class: 'jp-blueno-of' });
  private readonly name = h('b', { class: 'jp-blueno-name' });
  private readonly where = h('span', { class: 'jp-blueno-where' });
  private readonly before = this.arrow('‹', 'Previous sample ([)', -1);
  private readonly after = this.arrow('›', 'Next sample (])', 1);

  private arrow(sign: string, label: string, by: 1 | -1): HTMLButtonElement {
    return h(
      'button',
      {
        type: 'button',
        class: 'jp-blueno-arrow',
        title: label,
        'aria-label': label,
        disabled: true,
        onclick: () => this.step(by)
      },
      sign
    );
  }

  private _ordinal: number;
  private content: ImageContent | null = null;
  private neighbours: Neighbours | null = null;
  private sample: Sample | null = null;
  private datasetName = '';
  private look: Partial<ViewState> = {};
  private abort = new AbortController();
  private readonly _moved = new Signal<this, number>(this);
}

/** What is known, as a table. */
function table(sample: Sample): HTMLElement {
  const rows: [string, string][] = [
    ['split', sample.split ?? ''],
    ['label', sample.label ?? ''],
    ['shape', sample.shape?.join(' × ') ?? ''],
    ['numbers', sample.dtype ?? ''],
    ['spacing', sample.spacing ? `${spacing(sample.spacing)} mm` : ''],
    ['size', sample.bytes ? bytes(sample.bytes) : ''],
    ['ordinal', String(sample.ordinal)],
    ...Object.entries(sample.attributes).map(
      ([name, value]): [string, string] => [name, words(value)]
    ),
    ['file', place(sample)]
  ];
  return h(
    'table',
    {},
    ...rows
      .filter(([, value]) => value !== '')
      .map(([name, value]) =>
        h(
          'tr',
          {},
          h('th', { scope: 'row' }, name),
          h('td', { title: value }, value)
        )
      )
  );
}

const spacing = (mm: readonly number[]): string =>
  mm.map(one => Number(one.toFixed(3))).join(' × ');

const words = (value: unknown): string =>
  typeof value === 'string' ? value : JSON.stringify(value);

function place({ data_url: url, data_key: key }: Sample): string {
  let path = url.replace(/^file:\/\//, '');
  try {
    path = decodeURIComponent(path);
  } catch {
    // Not an encoded address: shown as it is.
  }
  return key === null ? path : `${path} [${key}]`;
}
