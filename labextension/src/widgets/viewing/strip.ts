/** A dataset in an output: its name, its size, a few of its samples. */
import type { CommandRegistry } from '@lumino/commands';
import type { Message } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';
import { type Api, reasonOf } from '../../api/client';
import { Commands } from '../../tokens';
import { h } from '../../viewer/dom';
import { counted } from '../numbers';

const MOST = 24; // pictures

export interface StripFilter {
  split?: string[];
  label?: string[];
  text?: string;
}

export class DatasetStrip extends Widget {
  constructor(
    private readonly api: Api,
    private readonly commands: CommandRegistry,
    private readonly datasetId: number,
    private readonly filter: StripFilter
  ) {
    super();
    this.addClass('jp-blueno-strip');
  }

  protected onAfterAttach(msg: Message): void {
    super.onAfterAttach(msg);
    void this.load();
  }

  dispose(): void {
    this.abort.abort();
    window.clearTimeout(this.timer);
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
          query: this.filter,
          signal
        })
      ]);
      const ordinals =
        selected.ordinals ??
        Array.from({ length: selected.total }, (_, i) => i);
      this.fill(dataset.name, selected.total, ordinals.slice(0, MOST));
    } catch (error) {
      if (signal.aborted) {
        return;
      }
      this.node.replaceChildren(h('p', { role: 'alert' }, reasonOf(error)));
      this.timer = window.setTimeout(() => void this.load(), 3000);
    }
  }

  private fill(name: string, total: number, ordinals: number[]): void {
    const open = (): void =>
      void this.commands.execute(Commands.openDataset, {
        id: this.datasetId,
        ...this.filter
      });
    this.node.replaceChildren(
      h(
        'div',
        { class: 'jp-blueno-strip-head' },
        h('b', {}, name),
        h('span', { class: 'blueno-dim' }, counted(total, 'sample')),
        h('button', { type: 'button', onclick: open }, 'Open')
      ),
      h(
        'div',
        { class: 'jp-blueno-strip-tiles' },
        ...ordinals.map(ordinal => this.tile(ordinal))
      )
    );
  }

  private tile(ordinal: number): HTMLElement {
    const src = this.api.url('/images/picture', {
      query: { dataset_id: this.datasetId, ordinal, max_size: 128 }
    });
    return h(
      'button',
      {
        type: 'button',
        title: `Sample ${ordinal}`,
        onclick: () =>
          void this.commands.execute(Commands.openSample, {
            datasetId: this.datasetId,
            ordinal
          })
      },
      h('img', { src, alt: `sample ${ordinal}`, loading: 'lazy' })
    );
  }

  private readonly abort = new AbortController();
  private timer = 0;
}
