import { MainAreaWidget } from '@jupyterlab/apputils';
import type { IDocumentManager } from '@jupyterlab/docmanager';
import { ReactWidget } from '@jupyterlab/ui-components';
import * as React from 'react';
import type { Dataset } from '../../api/types';
import { bluenoIcon } from '../../icons';
import type { Platform } from '../../models/platform';
import { AddView, type Choice } from './AddView';

class AddContent extends ReactWidget {
  constructor(
    private readonly platform: Platform,
    private readonly documents: IDocumentManager | null,
    private readonly started: (dataset: Dataset) => void
  ) {
    super();
  }

  get choice(): Choice {
    return this._choice;
  }

  set choice(choice: Choice) {
    this._choice = choice;
    this.update();
  }

  protected render(): JSX.Element {
    return (
      <AddView
        platform={this.platform}
        documents={this.documents}
        started={this.started}
        choice={this._choice}
        choose={choice => (this.choice = choice)}
      />
    );
  }

  private _choice: Choice = 'public';
}

/** The tab "Add dataset"; `started` is called when one is on its way. */
export class AddTab extends MainAreaWidget<AddContent> {
  constructor(
    platform: Platform,
    documents: IDocumentManager | null,
    started: (dataset: Dataset) => void
  ) {
    super({ content: new AddContent(platform, documents, started) });
    this.id = 'jp-blueno-add';
    this.title.label = 'Add dataset';
    this.title.icon = bluenoIcon;
    this.title.closable = true;
    this.toolbar.hide();
  }
}
