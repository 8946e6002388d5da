import type { IDocumentManager } from '@jupyterlab/docmanager';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import type { Places } from './footer';

/** Notebooks of this Lab, open or to be opened. */
export class NotebookPlaces implements Places {
  constructor(
    private readonly documents: IDocumentManager,
    private readonly notebooks: INotebookTracker | null
  ) {}

  cellNumber(notebook: string, cell: string): number | null {
    const cells = this._panel(notebook)?.content.model?.cells;
    const at = cells ? [...cells].findIndex(one => one.id === cell) : -1;
    return at < 0 ? null : at + 1;
  }

  async open(notebook: string, cell: string | null): Promise<void> {
    const panel = this.documents.openOrReveal(notebook) as
      NotebookPanel | undefined;
    if (!panel || !cell) {
      return;
    }
    await panel.context.ready;
    await panel.revealed;
    panel.setFragment(`cell-id=${cell}`);
  }

  /** Put a notebook there, unless there is one of that name, and open it. */
  async openNew(path: string, content: object): Promise<void> {
    const { contents } = this.documents.services;
    try {
      await contents.get(path, { content: false });
    } catch {
      await contents.save(path, {
        type: 'notebook',
        format: 'json',
        content
      });
    }
    this.documents.openOrReveal(path);
  }

  private _panel(path: string): NotebookPanel | undefined {
    return this.notebooks?.find(panel => panel.context.path === path);
  }
}
