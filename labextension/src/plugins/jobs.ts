import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette, WidgetTracker } from '@jupyterlab/apputils';
import { IEditorServices } from '@jupyterlab/codeeditor';
import { IDocumentManager } from '@jupyterlab/docmanager';
import { INotebookTracker } from '@jupyterlab/notebook';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { CATEGORY, Commands, IBlueno } from '../tokens';
import { JOB_MIME, JobCard } from '../widgets/jobs/card';
import { addManyCommands } from '../widgets/jobs/manyjobs';
import { addJobCommands } from '../widgets/jobs/commands';
import { notifyOfEnds } from '../widgets/jobs/notices';
import { CompareTab } from '../widgets/jobs/compare/comparetab';
import { JobTab } from '../widgets/jobs/jobtab';
import { NotebookPlaces } from '../widgets/jobs/places';
import { addTab, reveal } from '../widgets/placing';

/** In the page's query: the job whose tab is opened. */
const ASKED = 'blueno-job';

/** The tab of a job, its card in notebooks, its commands and notices. */
export const jobsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-blueno:jobs',
  description: 'Background jobs: tabs, cards in notebooks, notices.',
  autoStart: true,
  requires: [IBlueno, IRenderMimeRegistry, IEditorServices, IDocumentManager],
  optional: [INotebookTracker, ICommandPalette, ILayoutRestorer],
  activate: (
    app: JupyterFrontEnd,
    platform: IBlueno,
    rendermime: IRenderMimeRegistry,
    editors: IEditorServices,
    documents: IDocumentManager,
    notebooks: INotebookTracker | null,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null
  ) => {
    const { commands, shell } = app;
    const tracker = new WidgetTracker<JobTab>({ namespace: 'blueno-job' });
    const places = new NotebookPlaces(documents, notebooks);
    const current = () =>
      tracker.currentWidget === shell.currentWidget
        ? (tracker.currentWidget?.jobId ?? null)
        : null;
    void restorer?.restore(tracker, {
      command: Commands.openJob,
      args: tab => ({ id: tab.jobId }),
      name: tab => tab.jobId
    });

    commands.addCommand(Commands.openJob, {
      label: 'Open Job',
      describedBy: {
        args: {
          type: 'object',
          required: ['id'],
          properties: {
            id: { type: 'string', description: 'The job’s id' },
            activate: { type: 'boolean' }
          }
        }
      },
      isVisible: args => typeof args.id === 'string',
      execute: args => {
        const id = String(args.id);
        let tab = tracker.find(one => one.jobId === id);
        if (!tab) {
          tab = new JobTab(id, {
            platform,
            commands,
            rendermime,
            editors,
            places
          });
          addTab(app, tab, 'Blueno Job');
          void tracker.add(tab);
        }
        if (args.activate !== false) {
          reveal(app, tab);
        }
        return tab;
      }
    });

    let compared: CompareTab | undefined;
    commands.addCommand(Commands.compareJobs, {
      label: 'Compare Job …',
      caption: 'Parameters, metrics, code and environment of jobs side by side',
      describedBy: {
        args: {
          type: 'object',
          properties: {
            id: {
              type: 'string',
              description: 'One job; another one is added'
            },
            ids: { type: 'array', items: { type: 'string' } }
          }
        }
      },
      execute: args => {
        const id = typeof args.id === 'string' ? args.id : current();
        const ids = Array.isArray(args.ids) ? args.ids.map(String) : [];
        if (!compared || compared.isDisposed) {
          compared = new CompareTab({ platform, commands, editors });
          addTab(app, compared, 'Blueno Comparison');
        }
        compared.model.show(
          ids.length || !id ? ids : platform.jobs.withEarlier(id)
        );
        reveal(app, compared);
        return compared;
      }
    });

    rendermime.addFactory(
      {
        safe: true,
        mimeTypes: [JOB_MIME],
        createRenderer: () => new JobCard({ platform, commands, rendermime })
      },
      10
    );

    addManyCommands(commands, platform);
    addJobCommands({ app, platform, places, current });
    for (const command of [
      Commands.showJobs,
      Commands.openExampleJob,
      Commands.cancelJob,
      Commands.rerunJob,
      Commands.rerunJobWith,
      Commands.sweepJob,
      Commands.deleteJob,
      Commands.copyJob,
      Commands.copyJobId,
      Commands.openJobBench,
      Commands.compareJobs,
      Commands.openJobNotebook,
      Commands.openJobOrigin
    ]) {
      palette?.addItem({ command, category: CATEGORY });
    }
    notifyOfEnds(platform, commands);

    // A run in MLflow leads back here.
    const asked = new URLSearchParams(window.location.search).get(ASKED);
    if (asked) {
      void app.restored.then(() =>
        commands.execute(Commands.openJob, { id: asked })
      );
    }
  }
};
