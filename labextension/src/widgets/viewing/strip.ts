/** A dataset in an output: its name, its size, a few of its samples. */
import type { CommandRegistry } from '@lumino/commands';
import type { Message } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';
import { type Api, reasonOf } from '../../api/client';
import { aspectOf } from '../../models/dataset';
import {
  EVERYTHING,
  type Filter,
  formatFilter,
  queryOf
} from '../../models/filter';
import { Thumbnails } from '../../models/thumbnails';
import { Commands } from '../../tokens';
import { h } from '../../viewer/dom';
import { drawTile, prepare } from '../dataset/tile';
import { counted } from '../numbers';

const MOST = 24; // pictures
const SIZE = 72; // CSS pixels

/** What the output carries; Python writes null for what is not filtered. */
export interface StripFilter {
  split?: string[] | null;
  label?: string[] | null;
  text?: string | null;
  having?: string[] | null;
}

export class DatasetStrip extends Widget {
  constructor(
    private readonly api: Api,
    private readonly commands: CommandRegistry,
    private readonly datasetId: number,
    filter: StripFilter
  ) {
    super();
    this.addClass('jp-blueno-sheet');
    this.filter = { ...EVERYTHING, ...withoutNull(filter) };
    this.thumbnails = new Thumbnails(api, datasetId);
    this.thumbnails.changed.connect(this.draw, this);
  }

  protected onAfterAttach(msg: Message): void {
    super.onAfterAttach(msg);
    void this.load();
  }

  dispose(): void {
    this.abort.abort();
    window.clearTimeout(this.timer);
    this.thumbnails.dispose();
    super.dispose();
  }

  private async load(): Promise<void> {
    const { signal } = this.abort;
    const path = { dataset_id: this.datasetId };
    try {
      const [dataset, selected] = await Promise.all([
        this.api.get('/datasets/{dataset_id}', { path, signal }),
        this.api.get('/datasets/{dataset_id}/ordinals', {
          path,
          query: queryOf(this.filter),
          signal
        })
      ]);
      const ordinals =
        selected.ordinals ??
        Array.from({ length: selected.total }, (_, i) => i);
      const aspect = aspectOf(dataset.kinds);
      const some = ordinals.slice(0, Math.ceil(MOST / aspect));
      this.fill(dataset.name, selected.total, some, aspect);
      this.thumbnails.revision = dataset.revision;
      this.thumbnails.want(some);
      this.draw();
    } catch (error) {
      if (signal.aborted) {
        return;
      }
      this.node.replaceChildren(h('p', { role: 'alert' }, reasonOf(error)));
      this.timer = window.setTimeout(() => void this.load(), 3000);
    }
  }

  private fill(
    name: string,
    total: number,
    ordinals: number[],
    aspect: number
  ): void {
    const open = (): void =>
      void this.commands.execute(Commands.openDataset, {
        id: this.datasetId,
        query: formatFilter(this.filter)
      });
    this.node.replaceChildren(
      h(
        'div',
        { class: 'jp-blueno-sheet-head' },
        h('b', {}, name),
        h('span', { class: 'blueno-dim' }, counted(total, 'sample')),
        h('button', { type: 'button', onclick: open }, 'Open')
      ),
      h(
        'div',
        { class: 'jp-blueno-sheet-tiles' },
        ...ordinals.map(ordinal => this.tile(ordinal, aspect))
      )
    );
  }

  private tile(ordinal: number, aspect: number): HTMLElement {
    const canvas = h('canvas', {});
    canvas.dataset.ordinal = String(ordinal);
    canvas.style.width = `${SIZE * aspect}px`;
    return h(
      'button',
      {
        type: 'button',
        title: `Sample ${ordinal}`,
        'aria-label': `Sample ${ordinal}`,
        onclick: () =>
          void this.commands.execute(Commands.openSample, {
            datasetId: this.datasetId,
            ordinal,
            query: formatFilter(this.filter)
          })
      },
      canvas
    );
  }

  private draw(): void {
    for (const canvas of this.node.querySelectorAll('canvas')) {
      const tile = this.thumbnails.get(Number(canvas.dataset.ordinal));
      const box = { width: parseFloat(canvas.style.width), height: SIZE };
      const context = prepare(canvas, box.width, box.height);
      if (context) {
        drawTile(context, tile, 0, 0, box);
      }
    }
  }

  private readonly filter: Filter;
  private readonly thumbnails: Thumbnails;

  private readonly abort = new AbortController();
  private timer = 0;
}

function withoutNull(filter: StripFilter): Partial<Filter> {
  const given = Object.entries(filter).filter(([, value]) => value !== null);
  return Object.fromEntries(given) as Partial<Filter>;
}
