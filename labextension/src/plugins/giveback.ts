import {
  JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import {
  Dialog,
  ICommandPalette,
  Notification,
  showDialog
} from '@jupyterlab/apputils';
import { URLExt } from '@jupyterlab/coreutils';
import { ApiError, reasonOf } from '../api/client';
import type { Holding, Job } from '../api/types';
import { CATEGORY, Commands, IBlueno } from '../tokens';
import { counted } from '../widgets/numbers';

const SAVE_ALL = 'docmanager:save-all';

/** GPUs of the notebook server that are given back when work moves to a job. */
export const giveBackPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-blueno:give-back',
  description: 'Offers to give GPUs back when work moves to a job.',
  autoStart: true,
  requires: [IBlueno, JupyterFrontEnd.IPaths],
  optional: [ICommandPalette],
  activate: (
    app: JupyterFrontEnd,
    platform: IBlueno,
    paths: JupyterFrontEnd.IPaths,
    palette: ICommandPalette | null
  ) => {
    const { commands } = app;
    const command = Commands.giveBackGpus;
    let holding: Holding = { gpus: 0, slug: '', profile: '' };
    const possible = () => holding.gpus > 0 && holding.slug !== '';
    commands.addCommand(command, {
      label: 'Give Back the GPUs of This Notebook Server …',
      caption: 'Start the server again without GPUs',
      isVisible: possible,
      isEnabled: possible,
      describedBy: { args: { type: 'object', properties: {} } },
      execute: () => giveBack(app, platform, paths, holding)
    });
    palette?.addItem({ command, category: CATEGORY });

    let asked = false;
    const offer = (job: Job) => {
      asked = true;
      const gpus = counted(holding.gpus, 'GPU');
      Notification.info(
        `${job.name} runs as a job. This notebook server still holds ${gpus}, ` +
          'also while nothing here uses them.',
        {
          autoClose: false,
          actions: [
            {
              label: `Give back ${gpus} …`,
              displayType: 'accent',
              callback: () => void commands.execute(command)
            },
            { label: 'Keep', callback: () => undefined }
          ]
        }
      );
    };
    void app.restored.then(async () => {
      try {
        holding = await platform.api.get('/notebook');
      } catch {
        return; // a server that does not answer is told of elsewhere
      }
      if (!possible()) {
        return;
      }
      commands.notifyCommandChanged(command);
      await platform.ready;
      const since = platform.jobs.items[0]?.created_at ?? ''; // by the clock that jobs go by
      platform.jobs.itemChanged.connect((_, { before, now }) => {
        if (!asked && !before && now && isMoved(now, since)) {
          asked = now.owner === platform.me.person?.name;
          if (asked) {
            offer(now);
          }
        }
      });
    });
  }
};

/** Whether this is work that somebody sent from a notebook after that. */
function isMoved(job: Job, since: string): boolean {
  return !job.parent && job.origin.notebook !== null && job.created_at > since;
}

async function giveBack(
  app: JupyterFrontEnd,
  platform: IBlueno,
  paths: JupyterFrontEnd.IPaths,
  { gpus, slug, profile }: Holding
): Promise<void> {
  const { commands, serviceManager } = app;
  const kernels = [...serviceManager.sessions.running()].length;
  const lost = kernels
    ? `What ${counted(kernels, 'kernel')} of this server ${kernels === 1 ? 'holds' : 'hold'} is lost: ` +
      'variables, models in memory, cells that run.'
    : 'No kernel runs here, so nothing is lost but what runs in terminals.';
  const { button } = await showDialog({
    title: `Give back ${counted(gpus, 'GPU')}?`,
    body:
      `The server stops and starts again as “${profile}”, without GPUs. ${lost} ` +
      'Open files are saved before, and the tabs come back. Jobs go on.',
    buttons: [Dialog.cancelButton(), Dialog.warnButton({ label: 'Give back' })]
  });
  if (!button.accept) {
    return;
  }
  try {
    if (commands.isEnabled(SAVE_ALL)) {
      await commands.execute(SAVE_ALL);
    }
    await platform.api.post('/notebook/restart', { body: { profile: slug } });
  } catch (error) {
    // The server may be gone before its answer is through: then others answer.
    if (error instanceof ApiError && /^(?!http_|un)/.test(error.code)) {
      Notification.error(`The GPUs are kept: ${reasonOf(error)}`);
      return;
    }
  }
  window.location.assign(starting(paths));
}

/** The hub's page of a server that starts; it leads back to here. */
function starting({ urls }: JupyterFrontEnd.IPaths): string {
  const { hubHost, hubPrefix, hubUser } = urls;
  const page = URLExt.join(hubPrefix ?? '', 'spawn-pending', hubUser ?? '');
  const next = window.location.pathname;
  return (hubHost ?? '') + page + URLExt.objectToQueryString({ next });
}
