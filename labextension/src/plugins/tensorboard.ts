import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import {
  IFrame,
  IThemeManager,
  MainAreaWidget,
  Notification,
  WidgetTracker
} from '@jupyterlab/apputils';
import { URLExt } from '@jupyterlab/coreutils';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { reasonOf } from '../api/client';
import { bluenoIcon } from '../icons';
import { Commands, IBlueno } from '../tokens';
import { addTab, reveal } from '../widgets/placing';

/** Where TensorBoard's own page keeps what its user prefers; `theme` is one of it. */
const SETTINGS = '_tb_global_settings';

/** TensorBoard on a job, or on several, in a tab. */
export const tensorBoardPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-blueno:tensorboard',
  description: 'TensorBoard on jobs, behind Jupyter’s own port.',
  autoStart: true,
  requires: [IBlueno],
  optional: [IThemeManager],
  activate: (
    app: JupyterFrontEnd,
    platform: IBlueno,
    themes: IThemeManager | null
  ) => {
    const tracker = new WidgetTracker<MainAreaWidget<IFrame>>({
      namespace: 'blueno-tensorboard'
    });

    const sayTheme = () => {
      const light = !themes?.theme || themes.isLight(themes.theme);
      localStorage.setItem(
        SETTINGS,
        JSON.stringify({ ...preferred(), theme: light ? 'light' : 'dark' })
      );
    };
    themes?.themeChanged.connect(() => {
      sayTheme();
      tracker.forEach(tab =>
        tab.content.node
          .querySelector('iframe')
          ?.contentWindow?.location.reload()
      );
    });

    const open = async (jobs: string[]) => {
      sayTheme();
      const { path } = await platform.api.post('/tensorboards', {
        body: { jobs }
      });
      const url = URLExt.join(platform.api.settings.baseUrl, path);
      let tab = tracker.find(one => one.content.url === url);
      if (!tab) {
        tab = tabOf(url, titleOf(platform, jobs));
        addTab(app, tab, 'Blueno TensorBoard');
        void tracker.add(tab);
      }
      reveal(app, tab);
      return tab;
    };

    app.commands.addCommand(Commands.openTensorBoard, {
      label: 'Open in TensorBoard',
      caption: 'Metrics and event files of the job',
      describedBy: {
        args: {
          type: 'object',
          properties: {
            id: { type: 'string', description: 'The job’s id' },
            ids: { type: 'array', items: { type: 'string' } }
          }
        }
      },
      isEnabled: args => idsIn(args).length > 0,
      execute: async args => {
        try {
          return await open(await withParts(platform, idsIn(args)));
        } catch (error) {
          Notification.error(reasonOf(error), { autoClose: 12_000 });
          return null;
        }
      }
    });
  }
};

function preferred(): object {
  try {
    return JSON.parse(localStorage.getItem(SETTINGS) ?? '{}') as object;
  } catch {
    return {};
  }
}

function idsIn(args: ReadonlyPartialJSONObject): string[] {
  const many = Array.isArray(args.ids) ? args.ids.map(String) : [];
  return typeof args.id === 'string' ? [args.id, ...many] : many;
}

const MOST = 200; // jobs in one board

/** A sweep or a flow is shown as its parts. */
async function withParts(platform: IBlueno, ids: string[]): Promise<string[]> {
  const found: string[] = [];
  for (const id of ids) {
    const job = await platform.jobs.ensure(id);
    const parts =
      job.kind === 'sweep' || job.kind === 'flow'
        ? (
            await platform.api.get('/jobs', {
              query: { parent: id, limit: MOST }
            })
          ).jobs
        : [];
    found.push(...(parts.length ? parts.map(part => part.id) : [id]));
  }
  return found.slice(0, MOST);
}

function titleOf(platform: IBlueno, ids: string[]): string {
  const name = platform.jobs.get(ids[0])?.name ?? '';
  return ids.length > 1
    ? `TensorBoard: ${ids.length} jobs`
    : `TensorBoard: ${name}`;
}

function tabOf(url: string, label: string): MainAreaWidget<IFrame> {
  // It is our own server's page, and needs its scripts and what it keeps.
  const content = new IFrame({
    sandbox: ['allow-same-origin', 'allow-scripts', 'allow-downloads']
  });
  content.url = url;
  const tab = new MainAreaWidget({ content });
  tab.addClass('jp-blueno-tensorboard');
  content.node.querySelector('iframe')?.setAttribute('title', label);
  tab.title.label = label;
  tab.title.icon = bluenoIcon;
  tab.title.closable = true;
  tab.toolbar.hide();
  return tab;
}
