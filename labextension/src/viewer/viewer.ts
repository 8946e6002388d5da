/** Opens a source and shows it; says so while it loads, waits or cannot. */
import { h } from './dom';
import {
  CHANGED,
  type LoaderOptions,
  type LoaderState,
  SliceLoader
} from './loader';
import { type SliceSource, SourceError, type VolumeInfo } from './source';
import type { ViewState } from './state';
import { VolumeView } from './volume';

export interface ViewerOptions extends LoaderOptions {
  /** What is being opened, for the sentence while it loads. */
  name?: string;
  /** When it was asked for (`performance.now()`), for the figures. */
  opened?: number;
  start?: Partial<ViewState>;
  /** A source that has no volume may be shown by something else. */
  onRefused?: (error: SourceError) => HTMLElement | null;
  onOpen?: (info: VolumeInfo) => void;
  onChange?: (state: ViewState) => void;
}

const PATIENCE = 1000; // ms between tries to open
const UNSAID = 150; // ms that loading may take without a word

/** A place on the page that shows one volume. The caller disposes of it. */
export class Viewer {
  readonly node = h('div', { class: 'blueno-viewer' });

  constructor(
    private readonly source: SliceSource,
    private readonly options: ViewerOptions = {}
  ) {
    this.state = { ...options.start };
    this.banner.hidden = true;
    void this.open(options.opened ?? performance.now());
  }

  view: VolumeView | null = null;
  loader: SliceLoader | null = null;

  /** Read everything again, e.g. because the file changed. */
  reload(): void {
    this.close();
    void this.open(performance.now());
  }

  focus(): void {
    this.view?.focus();
  }

  dispose(): void {
    this.close();
    this.disposed = true;
    this.node.remove();
  }

  private async open(opened: number): Promise<void> {
    const abort = (this.abort = new AbortController());
    const name = this.options.name ?? 'the volume';
    const timer = window.setTimeout(
      () => this.say('loading', `Opening ${name} …`),
      UNSAID
    );
    try {
      const info = await this.info(abort.signal);
      if (abort.signal.aborted) {
        return;
      }
      this.show(info, opened);
    } catch (error) {
      if (!abort.signal.aborted) {
        this.refuse(error);
      }
    } finally {
      window.clearTimeout(timer);
    }
  }

  /** The answer, however long the server is away. */
  private async info(signal: AbortSignal): Promise<VolumeInfo> {
    for (;;) {
      try {
        return await this.source.info(signal);
      } catch (error) {
        const again = error instanceof SourceError && error.again;
        if (!again || signal.aborted) {
          throw error;
        }
        this.say('loading', `${error.message} Trying again …`);
        await new Promise(resolve => window.setTimeout(resolve, PATIENCE));
      }
    }
  }

  private show(info: VolumeInfo, opened: number): void {
    const loader = new SliceLoader(
      this.source,
      plane => info[plane].count,
      info.frames,
      this.options
    );
    loader.onState = state => this.loading(state);
    const view = new VolumeView(info, loader, opened, this.state);
    view.onChange = state => {
      this.state = state;
      this.options.onChange?.(state);
    };
    this.loader = loader;
    this.view = view;
    this.node.replaceChildren(view.node, this.banner);
    this.node.dataset.state = 'ready';
    this.options.onOpen?.(info);
  }

  private loading(state: LoaderState): void {
    if (state.kind === 'ready') {
      this.banner.hidden = true;
      return;
    }
    if (state.kind === 'failed' && state.code === CHANGED) {
      this.reload();
      return;
    }
    this.banner.hidden = false;
    this.banner.replaceChildren(
      state.message,
      ...(state.kind === 'waiting'
        ? [' Trying again …']
        : [
            ' ',
            h(
              'button',
              {
                type: 'button',
                onclick: () => {
                  this.banner.hidden = true;
                  this.loader?.retry();
                }
              },
              'Try again'
            )
          ])
    );
  }

  private refuse(error: unknown): void {
    if (error instanceof SourceError) {
      const other = this.options.onRefused?.(error);
      if (other) {
        this.node.replaceChildren(other);
        this.node.dataset.state = 'other';
        return;
      }
    }
    const message = error instanceof Error ? error.message : String(error);
    this.say('failed', message, () => this.reload());
  }

  private say(
    state: 'loading' | 'failed',
    message: string,
    again?: () => void
  ): void {
    this.node.dataset.state = state;
    this.node.replaceChildren(
      h(
        'div',
        {
          class: 'blueno-message',
          role: state === 'failed' ? 'alert' : 'status'
        },
        h('p', {}, message),
        ...(again
          ? [h('button', { type: 'button', onclick: again }, 'Try again')]
          : [])
      )
    );
  }

  private close(): void {
    this.abort?.abort();
    this.view?.dispose();
    this.loader?.dispose();
    this.view = null;
    this.loader = null;
  }

  private readonly banner = h('div', {
    class: 'blueno-banner',
    role: 'status'
  });
  private state: Partial<ViewState>;
  private abort: AbortController | null = null;
  protected disposed = false;
}
