/** A sample or a file on the screen, whatever it turns out to be. */
import { ServerConnection } from '@jupyterlab/services';
import type { Message } from '@lumino/messaging';
import { Signal, type ISignal } from '@lumino/signaling';
import { Widget } from '@lumino/widgets';
import type { Api } from '../../api/client';
import { type Address, HttpSource, type Request } from '../../viewer/http';
import { PictureView } from '../../viewer/picture';
import type { SourceError, VolumeInfo } from '../../viewer/source';
import { Viewer } from '../../viewer/viewer';
import type { ViewState } from '../../viewer/state';

/** The server's way of saying that a volume was asked of a picture. */
const IS_PICTURE = 'wrong_kind';

/** Requests of the viewer over the connection of JupyterLab. */
export function requestOf(api: Api): Request {
  return (path, query, signal) =>
    ServerConnection.makeRequest(
      api.url(path as '/images/picture', { query }),
      { cache: 'default', signal },
      api.settings
    );
}

export interface ContentOptions {
  api: Api;
  address: Address;
  /** What is opened, for sentences. */
  name: string;
  kind?: 'image2d' | 'volume3d' | null;
  /** When it was asked for, by the clock of `performance`. */
  opened?: number;
  start?: Partial<ViewState>;
}

/** Shows a volume; or a picture, where there is no volume. */
export class ImageContent extends Widget {
  constructor(private readonly options: ContentOptions) {
    super();
    this.addClass('jp-blueno-image');
    this.request = requestOf(options.api);
    this.open(options.opened);
  }

  /** The volume, once it is known. */
  info: VolumeInfo | null = null;

  /** Emitted when a volume was opened. */
  get opened(): ISignal<this, VolumeInfo> {
    return this._opened;
  }

  /** Emitted when somebody scrolled, or changed the window. */
  get stateChanged(): ISignal<this, ViewState> {
    return this._stateChanged;
  }

  /** Read it again, because the file changed. */
  reload(): void {
    this.viewer?.dispose();
    this.picture?.dispose();
    this.viewer = this.picture = null;
    this.open(performance.now());
  }

  dispose(): void {
    this.viewer?.dispose();
    this.picture?.dispose();
    Signal.clearData(this);
    super.dispose();
  }

  protected onActivateRequest(msg: Message): void {
    super.onActivateRequest(msg);
    this.wanted = true;
    (this.viewer ?? this.picture)?.focus();
  }

  private open(opened?: number): void {
    const { address, name, kind, start } = this.options;
    if (kind === 'image2d') {
      this.node.append(this.makePicture());
      return;
    }
    this.viewer = new Viewer(new HttpSource(this.request, address), {
      name,
      opened,
      start,
      onOpen: info => {
        this.info = info;
        this._opened.emit(info);
        this.focusIfActive();
      },
      onChange: state => this._stateChanged.emit(state),
      onRefused: (error: SourceError) =>
        error.code === IS_PICTURE ? this.makePicture() : null
    });
    this.node.append(this.viewer.node);
  }

  private makePicture(): HTMLElement {
    const { address, name } = this.options;
    this.picture = new PictureView(
      signal => this.request('/images/picture', { ...address }, signal),
      name
    );
    this.picture.node.classList.add('blueno-viewer');
    return this.picture.node;
  }

  /** A tab that was activated before there was anything to focus. */
  private focusIfActive(): void {
    const { activeElement } = this.node.ownerDocument;
    if (this.wanted || !activeElement || activeElement.contains(this.node)) {
      this.wanted = false;
      this.viewer?.focus();
    }
  }

  private wanted = false;
  private readonly request: Request;
  private viewer: Viewer | null = null;
  private picture: PictureView | null = null;
  private readonly _opened = new Signal<this, VolumeInfo>(this);
  private readonly _stateChanged = new Signal<this, ViewState>(this);
}
