/** A notebook on screen, as work that can be submitted. */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import type { ICell, INotebookContent } from '@jupyterlab/nbformat';
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { JobSpec } from '../../api/types';

/** The notebook as it is on screen; wait for the kernel specs before. */
export function specOf(panel: NotebookPanel, app: JupyterFrontEnd): JobSpec {
  const path = localPath(panel, app);
  return {
    kind: 'notebook',
    source: JSON.stringify(withoutOutputs(contentOf(panel))),
    folder: PathExt.dirname(path) || '.',
    origin: { notebook: path },
    python: pythonOf(panel, app.serviceManager.kernelspecs.specs)
  };
}

/** 32 hexadecimal digits: a request repeated after a lost answer is the same job. */
export function newId(): string {
  const digits = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(digits, one => one.toString(16).padStart(2, '0')).join('');
}

/** Where the notebook is, below the server's root. */
export function localPath(panel: NotebookPanel, app: JupyterFrontEnd): string {
  return app.serviceManager.contents.localPath(panel.context.path);
}

/** Whether it can run as a job; if not, it is said. */
export function isPython(panel: NotebookPanel): boolean {
  const language = panel.content.model?.defaultKernelLanguage || 'python';
  if (language !== 'python') {
    Notification.warning(
      `Only Python notebooks run as jobs so far; this one is in ${language}.`
    );
    return false;
  }
  return true;
}

/** The interpreter of the notebook's kernel, if it is named by its full path. */
export function pythonOf(
  panel: NotebookPanel,
  specs: {
    kernelspecs: { [name: string]: { argv: readonly string[] } | undefined };
  } | null
): string | null {
  const name =
    panel.sessionContext.session?.kernel?.name ??
    panel.content.model?.defaultKernelName ??
    '';
  const first = specs?.kernelspecs[name]?.argv[0] ?? '';
  return /^(\/|[A-Za-z]:\\)/.test(first) ? first : null;
}

/** The notebook on screen, unsaved changes and all. */
export function contentOf(panel: NotebookPanel): INotebookContent {
  return panel.content.model?.toJSON() as INotebookContent;
}

/** Old outputs stay behind. */
export function withoutOutputs(content: INotebookContent): INotebookContent {
  const cells = content.cells.map((cell): ICell =>
    cell.cell_type === 'code'
      ? { ...cell, outputs: [], execution_count: null }
      : cell
  );
  return { ...content, cells };
}
