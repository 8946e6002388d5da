import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { InputDialog, Notification } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import { IDefaultFileBrowser, FileDialog } from '@jupyterlab/filebrowser';
import type { INotebookContent } from '@jupyterlab/nbformat';
import { INotebookTracker } from '@jupyterlab/notebook';
import { reasonOf } from '../api/client';
import type { JobSpec } from '../api/types';
import { runAsJobIcon } from '../icons';
import { specWith } from '../models/form';
import { Commands, IBlueno } from '../tokens';
import { askAndStart } from '../widgets/jobs/jobform';
import {
  contentOf,
  localPath,
  newId,
  pythonOf,
  withoutOutputs
} from '../widgets/jobs/notebookwork';
import { counted } from '../widgets/numbers';

type Selected = NonNullable<JobSpec['selection']>;

/** What the command takes: a job's selection, how many samples these are, the line of Python that makes it. */
interface Asked {
  selection: Selected;
  total: number;
  python: string;
}

const NEW = 'A new notebook for these samples';
const OTHER = 'Another notebook …';

/** “Run on these …” above a gallery: a notebook as a job, on what is selected there. */
export const runSelectionPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-blueno:run-selection',
  description: 'Runs a notebook on selected samples, as a job.',
  autoStart: true,
  requires: [IBlueno, INotebookTracker],
  optional: [IDefaultFileBrowser],
  activate: (
    app: JupyterFrontEnd,
    platform: IBlueno,
    notebooks: INotebookTracker,
    files: IDefaultFileBrowser | null
  ) => {
    const { commands, serviceManager } = app;

    /** A notebook that begins with these samples, in a tab. */
    const begin = async ({ python }: Asked) => {
      const { path } = await serviceManager.contents.newUntitled({
        path: files?.model.path ?? '',
        type: 'notebook'
      });
      await serviceManager.contents.save(path, {
        type: 'notebook',
        format: 'json',
        content: starter(python)
      });
      await commands.execute('docmanager:open', { path });
    };

    /** The notebook to run, as it is on screen where it is open. */
    const choose = async (asked: Asked): Promise<JobSpec | null> => {
      const open = new Map<string, Parameters<typeof localPath>[0]>();
      notebooks.forEach(panel => open.set(localPath(panel, app), panel));
      const others = files ? [OTHER] : [];
      const { value } = await InputDialog.getItem({
        title: `Run a notebook on ${counted(asked.total, 'sample')}`,
        label: 'In it, blueno.selection() is these samples.',
        items: [...open.keys(), NEW, ...others],
        okLabel: 'Next'
      });
      if (value === NEW) {
        await begin(asked);
      }
      const panel = value === null ? undefined : open.get(value);
      if (panel) {
        await panel.context.ready;
        await serviceManager.kernelspecs.ready;
        return specOf(
          localPath(panel, app),
          withoutOutputs(contentOf(panel)),
          pythonOf(panel, serviceManager.kernelspecs.specs)
        );
      }
      if (value !== OTHER || !files) {
        return null;
      }
      const { value: chosen } = await FileDialog.getOpenFiles({
        manager: files.model.manager,
        title: 'Choose a notebook',
        filter: model => (model.type === 'notebook' ? {} : null)
      });
      const [file] = chosen ?? [];
      if (!file) {
        return null;
      }
      const { content } = await serviceManager.contents.get(file.path, {
        type: 'notebook',
        content: true
      });
      const path = serviceManager.contents.localPath(file.path);
      return specOf(path, withoutOutputs(content as INotebookContent), null);
    };

    commands.addCommand(Commands.runOnSelection, {
      label: 'Run on These Samples …',
      icon: runAsJobIcon,
      describedBy: { args: { type: 'object', properties: {} } },
      execute: async args => {
        const asked = args as unknown as Asked;
        try {
          const work = await choose(asked);
          if (!work) {
            return;
          }
          const spec = { ...work, selection: asked.selection };
          const called = PathExt.basename(spec.origin!.notebook!, '.ipynb');
          const id = newId();
          const job = await askAndStart(
            await platform.jobs.describe(
              `${called} on ${asked.selection.name}`,
              spec
            ),
            await platform.jobs.environments(),
            `Run ${called} on ${counted(asked.total, 'sample')}`,
            changes =>
              platform.jobs.submit(id, changes.name, specWith(spec, changes)),
            changes =>
              platform.jobs.preview(changes.name, specWith(spec, changes))
          );
          if (job) {
            await commands.execute(Commands.openJob, { id: job.id });
          }
        } catch (error) {
          Notification.error(`It was not started: ${reasonOf(error)}`, {
            autoClose: 10_000
          });
        }
      }
    });
  }
};

function specOf(
  path: string,
  content: INotebookContent,
  python: string | null
): JobSpec {
  return {
    kind: 'notebook',
    source: JSON.stringify(content),
    folder: PathExt.dirname(path) || '.',
    origin: { notebook: path },
    python
  };
}

/** What a notebook for some samples may look like; it runs as it is. */
function starter(python: string): INotebookContent {
  const cells = [
    [
      'import jupyter_blueno as blueno',
      '',
      '# In a job that "Run on these …" started, blueno.selection() is what was selected.',
      `samples = ${python}`,
      'samples'
    ],
    [
      'def brightness(sample):',
      '    return sample.numpy().mean()',
      '',
      '',
      '# Here and now: a value for each sample, shown in the gallery.',
      'samples.record(brightness=[brightness(sample) for sample in samples])',
      '',
      '# The same in the background: samples.apply(brightness)'
    ]
  ];
  return {
    nbformat: 4,
    nbformat_minor: 5,
    metadata: {
      kernelspec: { name: 'python3', display_name: 'Python 3' }
    },
    cells: cells.map((lines, index) => ({
      id: `samples-${index}`,
      cell_type: 'code',
      metadata: {},
      execution_count: null,
      outputs: [],
      source: lines.join('\n')
    }))
  };
}
