import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette, Notification } from '@jupyterlab/apputils';
import { CodeCell } from '@jupyterlab/cells';
import { PathExt } from '@jupyterlab/coreutils';
import type {
  ICell,
  IMimeBundle,
  INotebookContent
} from '@jupyterlab/nbformat';
import { INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';
import { reasonOf } from '../api/client';
import type { Job, JobSpec } from '../api/types';
import { runAsJobIcon, runWithValuesIcon } from '../icons';
import { CATEGORY, Commands, IBlueno } from '../tokens';
import { jobBundle } from '../widgets/jobs/card';
import { askAndStart } from '../widgets/jobs/jobform';

/** “Run as job” above a notebook and in the toolbar of a cell. */
export const runJobPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-blueno:run-job',
  description: 'Runs a notebook or a cell, as it is on screen, as a job.',
  autoStart: true,
  requires: [IBlueno, INotebookTracker],
  optional: [ICommandPalette],
  activate: (
    app: JupyterFrontEnd,
    platform: IBlueno,
    notebooks: INotebookTracker,
    palette: ICommandPalette | null
  ) => {
    const { commands, serviceManager } = app;

    /** Submit; what stands in the way is told. */
    const submit = async (
      panel: NotebookPanel,
      name: string,
      spec: JobSpec
    ): Promise<Job | null> => {
      try {
        await serviceManager.kernelspecs.ready;
        return await platform.jobs.submit(newId(), name, {
          ...spec,
          python: pythonOf(panel, serviceManager.kernelspecs.specs)
        });
      } catch (error) {
        Notification.error(`It was not started: ${reasonOf(error)}`, {
          autoClose: 10_000
        });
        return null;
      }
    };

    const runNotebook = async (panel: NotebookPanel) => {
      await panel.context.ready;
      const path = localPath(panel, app);
      const job = await submit(panel, PathExt.basename(path, '.ipynb'), {
        kind: 'notebook',
        source: JSON.stringify(withoutOutputs(contentOf(panel))),
        folder: PathExt.dirname(path) || '.',
        origin: { notebook: path }
      });
      if (job) {
        const { id } = job;
        await commands.execute(Commands.openJob, { id });
        Notification.info(`${job.name} runs as a job.`, {
          autoClose: 5000,
          actions: [
            {
              label: 'Open',
              callback: () => void commands.execute(Commands.openJob, { id })
            }
          ]
        });
      }
    };

    const runNotebookWith = async (panel: NotebookPanel) => {
      await panel.context.ready;
      const path = localPath(panel, app);
      const { jobs } = platform;
      try {
        await serviceManager.kernelspecs.ready;
        const spec: JobSpec = {
          kind: 'notebook',
          source: JSON.stringify(withoutOutputs(contentOf(panel))),
          folder: PathExt.dirname(path) || '.',
          origin: { notebook: path },
          python: pythonOf(panel, serviceManager.kernelspecs.specs)
        };
        const name = PathExt.basename(path, '.ipynb');
        const id = newId();
        const job = await askAndStart(
          await jobs.describe(name, spec),
          `Run ${name} as a job`,
          ({ name, values, resources }) =>
            jobs.submit(id, name, { ...spec, parameters: values, resources })
        );
        if (job) {
          await commands.execute(Commands.openJob, { id: job.id });
        }
      } catch (error) {
        Notification.error(`It was not started: ${reasonOf(error)}`, {
          autoClose: 10_000
        });
      }
    };

    const runCell = async (panel: NotebookPanel, cell: CodeCell) => {
      const path = localPath(panel, app);
      const { sharedModel } = cell.model;
      const name = nameOf(sharedModel.source, PathExt.basename(path, '.ipynb'));
      const job = await submit(panel, name, {
        kind: 'cell',
        source: sharedModel.source,
        folder: PathExt.dirname(path) || '.',
        origin: { notebook: path, cell_id: sharedModel.getId() }
      });
      if (job && !cell.isDisposed) {
        showCard(cell, job);
      }
    };

    commands.addCommand(Commands.runNotebookAsJob, {
      label: 'Run Notebook as Job',
      caption: 'Run as job: the notebook as it is on screen, in the background',
      icon: runAsJobIcon,
      describedBy: { args: { type: 'object', properties: {} } },
      isEnabled: () => notebooks.currentWidget !== null,
      execute: async () => {
        const panel = notebooks.currentWidget;
        if (panel && isPython(panel)) {
          await runNotebook(panel);
        }
      }
    });
    commands.addCommand(Commands.runNotebookWith, {
      label: 'Run Notebook as Job with Values …',
      caption:
        'Run as job with other values: asks for parameters and resources',
      icon: runWithValuesIcon,
      describedBy: { args: { type: 'object', properties: {} } },
      isEnabled: () => notebooks.currentWidget !== null,
      execute: async () => {
        const panel = notebooks.currentWidget;
        if (panel && isPython(panel)) {
          await runNotebookWith(panel);
        }
      }
    });
    commands.addCommand(Commands.runCellAsJob, {
      label: 'Run Cell as Job',
      caption: 'Run as job: this cell, in the background',
      icon: runAsJobIcon,
      describedBy: { args: { type: 'object', properties: {} } },
      isEnabled: () => notebooks.activeCell instanceof CodeCell,
      isVisible: () => notebooks.activeCell instanceof CodeCell,
      execute: async () => {
        const { currentWidget: panel, activeCell: cell } = notebooks;
        if (!panel || !(cell instanceof CodeCell) || !isPython(panel)) {
          return;
        }
        if (!cell.model.sharedModel.source.trim()) {
          Notification.warning('The cell is empty: there is nothing to run.');
          return;
        }
        await runCell(panel, cell);
      }
    });
    notebooks.activeCellChanged.connect(() =>
      commands.notifyCommandChanged(Commands.runCellAsJob)
    );
    for (const command of [
      Commands.runNotebookAsJob,
      Commands.runNotebookWith,
      Commands.runCellAsJob
    ]) {
      palette?.addItem({ command, category: CATEGORY });
    }
  }
};

/** 32 hexadecimal digits: a request repeated after a lost answer is the same job. */
export function newId(): string {
  const digits = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(digits, one => one.toString(16).padStart(2, '0')).join('');
}

/** Where the notebook is, below the server's root. */
export function localPath(panel: NotebookPanel, app: JupyterFrontEnd): string {
  return app.serviceManager.contents.localPath(panel.context.path);
}

function isPython(panel: NotebookPanel): boolean {
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

/** What a cell is about: the comment it begins with, or its notebook's name. */
function nameOf(source: string, notebook: string): string {
  const comment = /^\s*#+\s*(?:%%\s*)?(.*\S)/.exec(source)?.[1];
  return (comment ?? notebook).slice(0, 60);
}

/** Put the job's card below the cell, where it is saved with the notebook. */
function showCard(cell: CodeCell, job: Job): void {
  cell.model.clearExecution();
  cell.model.outputs.add({
    output_type: 'display_data',
    data: jobBundle(job) as IMimeBundle,
    metadata: {}
  });
}
