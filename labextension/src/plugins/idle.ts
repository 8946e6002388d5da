import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { Presence } from '../models/presence';
import { Commands, IBlueno } from '../tokens';
import { counted } from '../widgets/numbers';

/** A warning before a server stops that nobody uses. */
export const idlePlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-blueno:idle',
  description:
    'Tells the server that somebody is there; warns before it stops.',
  autoStart: true,
  requires: [IBlueno],
  activate: (app: JupyterFrontEnd, platform: IBlueno) => {
    const presence = new Presence(platform.api);
    let warning = '';
    presence.changed.connect(() => {
      Notification.dismiss(warning);
      warning = '';
      if (presence.ending !== null) {
        warning = warn(app, presence);
      }
    });
    void app.restored.then(() => presence.start());
  }
};

function warn(app: JupyterFrontEnd, presence: Presence): string {
  const { timeout, ending } = presence;
  const actions: Notification.IAction[] = [
    {
      label: 'Keep it running',
      displayType: 'accent',
      callback: () => void presence.report(true)
    }
  ];
  if (app.commands.isEnabled(Commands.runNotebookAsJob)) {
    actions.push({
      label: 'Run the notebook as a job',
      callback: () => void app.commands.execute(Commands.runNotebookAsJob)
    });
  }
  const spell = words(timeout - (ending ?? 0));
  const why = presence.forGpus
    ? `The GPUs of this server were hardly used for ${spell}, and nothing runs here`
    : `Nothing ran here and nobody typed for ${spell}`;
  return Notification.warning(
    `${why}: this server stops in ` +
      `${words(ending ?? 0)}. Files and jobs stay; what the kernels hold is lost.`,
    { actions, autoClose: false }
  );
}

function words(seconds: number): string {
  return seconds < 90
    ? counted(Math.round(seconds), 'second')
    : counted(Math.round(seconds / 60), 'minute');
}
