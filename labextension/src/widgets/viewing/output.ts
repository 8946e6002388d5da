/** An output that stays alive: pixels come from the server, the kernel may be busy or gone. */
import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import type { CommandRegistry } from '@lumino/commands';
import { Panel, Widget } from '@lumino/widgets';
import type { Api } from '../../api/client';
import { Commands } from '../../tokens';
import type { Address } from '../../viewer/http';
import { h } from '../../viewer/dom';
import { ImageContent } from './content';
import { DatasetStrip } from './strip';

export const VIEW_MIME = 'application/vnd.blueno.view+json';

/** What the mime type carries. */
type View =
  | { type: 'sample'; dataset_id: number; ordinal: number }
  | { type: 'path'; path: string; kind?: 'image2d' | 'volume3d' }
  | { type: 'dataset'; dataset_id: number; filter?: Filter };

interface Filter {
  split?: string[];
  label?: string[];
  text?: string;
}

export class ViewOutput extends Panel implements IRenderMime.IRenderer {
  constructor(
    private readonly api: Api,
    private readonly commands: CommandRegistry
  ) {
    super();
    this.addClass('jp-blueno-output');
  }

  renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    const view = model.data[VIEW_MIME] as unknown as View;
    const key = JSON.stringify(view);
    if (key !== this.shown) {
      this.shown = key;
      [...this.widgets].forEach(widget => widget.dispose());
      this.addWidget(this.make(view));
    }
    return Promise.resolve();
  }

  private make(view: View): Widget {
    switch (view?.type) {
      case 'sample': {
        const { dataset_id, ordinal } = view;
        const open = (): void =>
          void this.commands.execute(Commands.openSample, {
            datasetId: dataset_id,
            ordinal
          });
        return this.image({ dataset_id, ordinal }, 'the sample', open);
      }
      case 'path': {
        const name = view.path.split('/').at(-1) ?? view.path;
        return this.image({ path: view.path }, name, null, view.kind);
      }
      case 'dataset':
        return new DatasetStrip(
          this.api,
          this.commands,
          view.dataset_id,
          view.filter ?? {}
        );
      default:
        return new Widget({
          node: h(
            'p',
            {},
            'This output was made by another version of Blueno. Run the cell again.'
          )
        });
    }
  }

  private image(
    address: Address,
    name: string,
    open: (() => void) | null,
    kind?: 'image2d' | 'volume3d'
  ): Widget {
    const content = new ImageContent({ api: this.api, address, name, kind });
    content.addClass('jp-mod-output');
    if (open) {
      const label = 'Open in a tab';
      const button = h(
        'button',
        { type: 'button', class: 'jp-blueno-open', onclick: open },
        label
      );
      content.node.append(button);
    }
    return content;
  }

  private shown = '';
}
