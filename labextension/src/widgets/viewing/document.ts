/** Image files of the file browser as documents whose content stays on the server. */
import {
  ABCWidgetFactory,
  DocumentModel,
  type DocumentRegistry,
  DocumentWidget,
  TextModelFactory
} from '@jupyterlab/docregistry';
import type { Contents } from '@jupyterlab/services';
import type { Api } from '../../api/client';
import { bluenoIcon } from '../../icons';
import { ImageContent } from './content';

/** The name of the model below, for factories. */
export const MODEL = 'blueno-remote';

/** A document that was never sent to the browser: nothing to save, nothing to copy aside. */
class RemoteModel extends DocumentModel {
  /** Lab writes a checkpoint (a copy of the file) unless somebody else looks after it. */
  get collaborative(): boolean {
    return true;
  }
}

/** Makes models without asking for the file's content. */
export class RemoteModelFactory extends TextModelFactory {
  get name(): string {
    return MODEL;
  }

  get fileFormat(): Contents.FileFormat {
    return null;
  }

  createNew(
    options: DocumentRegistry.IModelOptions = {}
  ): DocumentRegistry.ICodeModel {
    return new RemoteModel(options as object);
  }
}

/** Opens a file in the viewer; reads it again when it changed on disk. */
export class ImageDocumentFactory extends ABCWidgetFactory<
  DocumentWidget<ImageContent>
> {
  constructor(
    options: DocumentRegistry.IWidgetFactoryOptions<
      DocumentWidget<ImageContent>
    >,
    private readonly api: Api
  ) {
    super(options);
  }

  protected createNewWidget(
    context: DocumentRegistry.Context
  ): DocumentWidget<ImageContent> {
    const opened = performance.now();
    const content = new ImageContent({
      api: this.api,
      address: { path: context.localPath },
      name: context.localPath.split('/').at(-1) ?? '',
      opened
    });
    const widget = new DocumentWidget({ content, context });
    widget.title.icon = bluenoIcon;
    // Everything there is to press is in the viewer's own bar.
    widget.toolbar.hide();
    const modified = () => context.contentsModel?.last_modified;
    let last: string | undefined;
    void context.ready.then(() => (last = modified()));
    context.fileChanged.connect(() => {
      const now = modified();
      if (last !== undefined && now !== last) {
        last = now;
        content.reload();
      }
    });
    return widget;
  }
}
