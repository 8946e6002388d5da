import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette, Notification } from '@jupyterlab/apputils';
import { CodeCell } from '@jupyterlab/cells';
import { PathExt } from '@jupyterlab/coreutils';
import type { IMimeBundle } from '@jupyterlab/nbformat';
import { INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';
import { reasonOf } from '../api/client';
import type { Job, JobSpec } from '../api/types';
import { runAsJobIcon, runWithValuesIcon } from '../icons';
import { specWith } from '../models/form';
import { CATEGORY, Commands, IBlueno } from '../tokens';
import { jobBundle } from '../widgets/jobs/card';
import { startCell } from '../widgets/jobs/cellwork';
import { askAndStart } from '../widgets/jobs/jobform';
import {
  isPython,
  localPath,
  newId,
  pythonOf,
  specOf
} from '../widgets/jobs/notebookwork';

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
      const name = PathExt.basename(localPath(panel, app), '.ipynb');
      const job = await submit(panel, name, specOf(panel, app));
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
      const { jobs } = platform;
      try {
        await serviceManager.kernelspecs.ready;
        const spec = specOf(panel, app);
        const name = PathExt.basename(localPath(panel, app), '.ipynb');
        const id = newId();
        const job = await askAndStart(
          await jobs.describe(name, spec),
          await jobs.environments(),
          `Run ${name} as a job`,
          changes => jobs.submit(id, changes.name, specWith(spec, changes)),
          changes => jobs.preview(changes.name, specWith(spec, changes))
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
      const { source } = sharedModel;
      const name = nameOf(source, PathExt.basename(path, '.ipynb'));
      const kernel = panel.sessionContext.session?.kernel;
      const id = newId();
      const origin = { notebook: path, cell_id: sharedModel.getId() };
      const plain = async () => {
        const folder = PathExt.dirname(path) || '.';
        const spec: JobSpec = { kind: 'cell', source, folder, origin };
        return (await submit(panel, name, spec))?.id ?? null;
      };
      const work = {
        id,
        name,
        source,
        origin: { ...origin, kernel_id: kernel?.id }
      };
      try {
        const started = await startCell(kernel, work, {
          names: source => platform.jobs.names(source),
          plain,
          cancel: id => void platform.jobs.cancel(id)
        });
        if (!started) {
          return;
        }
        const job = await platform.jobs.ensure(started.id);
        if (!cell.isDisposed) {
          showCard(cell, job, started.said);
        }
      } catch (error) {
        Notification.error(`It was not started: ${reasonOf(error)}`, {
          autoClose: 10_000
        });
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
      caption:
        'Run as job: this cell, in the background, with the variables that it uses',
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

/** What a cell is about: the comment it begins with, or its notebook's name. */
function nameOf(source: string, notebook: string): string {
  const comment = /^\s*#+\s*(?:%%\s*)?(.*\S)/.exec(source)?.[1];
  return (comment ?? notebook).slice(0, 60);
}

/** Put the job's card below the cell, where it is saved with the notebook. */
function showCard(cell: CodeCell, job: Job, said: string): void {
  const { outputs } = cell.model;
  cell.model.clearExecution();
  if (said) {
    outputs.add({ output_type: 'stream', name: 'stdout', text: `${said}\n` });
  }
  outputs.add({
    output_type: 'display_data',
    data: jobBundle(job) as IMimeBundle,
    metadata: {}
  });
}
