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
            job: { type: 'string', description: 'The job whose run is meant' }
          }
        }
      },
      execute: async args => {
        const dark = themes?.theme && !themes.isLight(themes.theme);
        localStorage.setItem(DARK, dark ? 'true' : 'false');
        localStorage.setItem(CHAT, 'true');
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
        if (typeof args.job === 'string') {
          await showRun(tab.content, args.job);
        }
        return tab;
      }
    });
    /** The page that says that MLflow starts stays until the run is there. */
    const showRun = async (frame: IFrame, job: string) => {
      try {
        const run = await platform.api.post('/jobs/{job_id}/run', {
          path: { job_id: job }
        });
        if (run.path) {
          frame.url = address(run.path);
        } else {
          Notification.info('The job has no run yet: it waits for its turn.');
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
