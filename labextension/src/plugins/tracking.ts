import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import {
  ICommandPalette,
  IFrame,
  IThemeManager,
  MainAreaWidget,
  Notification,
  WidgetTracker
} from '@jupyterlab/apputils';
import { PageConfig, URLExt } from '@jupyterlab/coreutils';
import { ILauncher } from '@jupyterlab/launcher';
import { reasonOf } from '../api/client';
import { bluenoIcon } from '../icons';
import { CATEGORY, Commands, IBlueno } from '../tokens';
import { addTab, reveal } from '../widgets/placing';

/** Where MLflow's own page keeps whether it is dark. */
const DARK = '_mlflow_dark_mode_toggle_enabled';
/** Whether its chat has opened itself once; here it covers a third of a tab. */
const CHAT = 'mlflow.assistant.fab.autoOpenedOnFirstLoad_v1';
/** Which of its two faces it shows, that for chats if nobody chose. */
const FACE = 'mlflow.workflowType_v1';

/** MLflow in a tab; its server starts when the tab is opened. */
export const trackingPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-blueno:tracking',
  description: 'Runs and models: MLflow in a tab.',
  autoStart: true,
  requires: [IBlueno],
  optional: [ICommandPalette, ILauncher, ILayoutRestorer, IThemeManager],
  activate: (
    app: JupyterFrontEnd,
    platform: IBlueno,
    palette: ICommandPalette | null,
    launcher: ILauncher | null,
    restorer: ILayoutRestorer | null,
    themes: IThemeManager | null
  ) => {
    const tabs = new WidgetTracker<MainAreaWidget<IFrame>>({
      namespace: 'blueno-mlflow'
    });
    const command = Commands.openMlflow;
    app.commands.addCommand(command, {
      label: args => (args.isPalette ? 'Open MLflow' : 'MLflow'),
      caption: 'Runs of jobs, compared, and registered models',
      icon: args => (args.isPalette ? undefined : bluenoIcon),
      describedBy: {
        args: {
          type: 'object',
          properties: {
            path: {
              type: 'string',
              description: 'A place in it: #/experiments/1/runs/…'
            },
            job: { type: 'string', description: 'The job whose run is meant' },
            jobs: {
              type: 'array',
              items: { type: 'string' },
              description: 'Jobs whose runs are compared'
            }
          }
        }
      },
      execute: async args => {
        const dark = themes?.theme && !themes.isLight(themes.theme);
        localStorage.setItem(DARK, dark ? 'true' : 'false');
        localStorage.setItem(CHAT, 'true');
        if (!localStorage.getItem(FACE)) {
          localStorage.setItem(FACE, '"machine_learning"');
        }
        let tab = tabs.find(() => true);
        const path = typeof args.path === 'string' ? args.path : '';
        if (!tab || path) {
          const content = tab?.content ?? new IFrame(SANDBOX);
          content.url = address(path);
          if (!tab) {
            tab = framed(content);
            addTab(app, tab, 'Blueno');
            void tabs.add(tab);
          }
        }
        reveal(app, tab);
        const jobs = Array.isArray(args.jobs) ? args.jobs : [args.job];
        const ids = jobs.filter(one => typeof one === 'string');
        if (ids.length) {
          await showRuns(tab.content, ids);
        }
        return tab;
      }
    });
    /** The page that says that MLflow starts stays until the runs are there. */
    const showRuns = async (frame: IFrame, jobs: string[]) => {
      try {
        const paths: string[] = [];
        for (const job of jobs) {
          const { path } = await platform.api.post('/jobs/{job_id}/run', {
            path: { job_id: job }
          });
          if (path) {
            paths.push(path);
          }
        }
        if (paths.length) {
          frame.url = address(placeOf(paths));
        }
        if (paths.length < jobs.length) {
          const who = jobs.length > 1 ? 'One of the jobs' : 'The job';
          Notification.info(`${who} has no run yet: it waits for its turn.`);
        }
      } catch (error) {
        Notification.error(reasonOf(error), { autoClose: 8000 });
      }
    };
    themes?.themeChanged.connect(() => {
      const dark = themes.theme && !themes.isLight(themes.theme);
      localStorage.setItem(DARK, dark ? 'true' : 'false');
      tabs.forEach(tab =>
        tab.content.node
          .querySelector('iframe')
          ?.contentWindow?.location.reload()
      );
    });
    palette?.addItem({
      command,
      category: CATEGORY,
      args: { isPalette: true }
    });
    launcher?.add({ command, category: CATEGORY, rank: 3 });
    void restorer?.restore(tabs, { command, name: () => 'mlflow' });
  }
};

/** It is on our own server, so this keeps nothing from it but taking the window's place. */
const SANDBOX = {
  sandbox: [
    'allow-same-origin',
    'allow-scripts',
    'allow-forms',
    'allow-modals',
    'allow-popups',
    'allow-downloads'
  ] as IFrame.SandboxExceptions[],
  referrerPolicy: 'same-origin' as const
};

/** Of one run its page, of several their comparison; each is `#/experiments/…/runs/…`. */
function placeOf(paths: string[]): string {
  if (paths.length === 1) {
    return paths[0];
  }
  const parts = paths.map(path => path.split('/'));
  const list = (at: number) =>
    encodeURIComponent(
      JSON.stringify([...new Set(parts.map(part => part[at]))])
    );
  return `#/compare-runs?runs=${list(4)}&experiments=${list(2)}`;
}

function address(path: string): string {
  return URLExt.join(PageConfig.getBaseUrl(), 'blueno/mlflow/') + path;
}

function framed(content: IFrame): MainAreaWidget<IFrame> {
  const tab = new MainAreaWidget({ content });
  tab.id = 'jp-blueno-mlflow';
  tab.title.label = 'MLflow';
  tab.title.icon = bluenoIcon;
  tab.title.closable = true;
  tab.toolbar.hide();
  content.node.querySelector('iframe')?.setAttribute('title', 'MLflow');
  return tab;
}
