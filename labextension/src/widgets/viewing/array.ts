/** An array in an output: its widget when a kernel holds it, else the picture that was saved. */
import type { IRenderMime, IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { Widget, PanelLayout } from '@lumino/widgets';
import { h } from '../../viewer/dom';

export const ARRAY_MIME = 'application/vnd.blueno.array+json';

const WIDGET_MIME = 'application/vnd.jupyter.widget-view+json';
/** Set by the viewer on what it has painted. */
const PAINTED = '[data-state=ready]';

/**
 * The widget is at work unseen until it has painted once: without its kernel
 * it never does, and its manager has only an error to say.
 */
export class ArrayOutput extends Widget implements IRenderMime.IRenderer {
  constructor(private readonly rendermime: IRenderMimeRegistry) {
    super();
    this.addClass('jp-blueno-array');
    this.layout = new PanelLayout();
    this.observer = new MutationObserver(() => this.look());
  }

  async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    const png = model.data['image/png'];
    if (typeof png === 'string') {
      this.still.src = `data:image/png;base64,${png}`;
      this.still.alt = String(model.data['text/plain'] ?? 'array');
      this.node.append(this.still);
    }
    const { mimeTypes } = this.rendermime;
    if (!(WIDGET_MIME in model.data) || !mimeTypes.includes(WIDGET_MIME)) {
      return;
    }
    const live = this.rendermime.createRenderer(WIDGET_MIME);
    live.addClass('jp-blueno-array-live');
    (this.layout as PanelLayout).addWidget(live);
    this.observer.observe(live.node, {
      subtree: true,
      childList: true,
      attributeFilter: ['data-state']
    });
    await live.renderModel(model);
  }

  dispose(): void {
    this.observer.disconnect();
    super.dispose();
  }

  private look(): void {
    if (this.node.querySelector(PAINTED)) {
      this.observer.disconnect();
      this.addClass('jp-mod-live');
      this.still.remove();
    }
  }

  private readonly still = h('img', {});
  private readonly observer: MutationObserver;
}
