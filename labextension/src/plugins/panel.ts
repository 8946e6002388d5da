import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { bluenoIcon, modelIcon, scheduleIcon } from '../icons';
import { CATEGORY, Commands, IBlueno } from '../tokens';
import { BluenoPanel } from '../widgets/panel/panel';
import { addPanel, reveal } from '../widgets/placing';

/** In the page's query: open with the panel in view. */
const IN_VIEW = 'blueno-panel';

/** The panel with datasets and jobs. */
export const panelPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-blueno:panel',
  description: 'The panel with datasets and jobs.',
  autoStart: true,
  requires: [IBlueno],
  optional: [ICommandPalette, ILayoutRestorer],
  activate: (
    app: JupyterFrontEnd,
    platform: IBlueno,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null
  ) => {
    const panel = new BluenoPanel(platform, app.commands);
    addPanel(app, panel);
    restorer?.add(panel, panel.id);

    app.commands.addCommand(Commands.showPanel, {
      label: 'Show Blueno Panel',
      caption: 'Datasets and jobs in the left sidebar',
      icon: bluenoIcon,
      describedBy: { args: { type: 'object', properties: {} } },
      execute: () => reveal(app, panel)
    });
    app.commands.addCommand(Commands.showSchedules, {
      label: 'Show Schedules',
      caption: 'Jobs that start by themselves, in the left sidebar',
      icon: scheduleIcon,
      describedBy: { args: { type: 'object', properties: {} } },
      execute: () => {
        reveal(app, panel);
        panel.unfold('Schedules');
      }
    });
    app.commands.addCommand(Commands.showModels, {
      label: 'Show Models',
      caption: 'Registered models, in the left sidebar',
      icon: modelIcon,
      describedBy: { args: { type: 'object', properties: {} } },
      execute: () => {
        reveal(app, panel);
        panel.unfold('Models');
      }
    });
    for (const command of [
      Commands.showPanel,
      Commands.showModels,
      Commands.showSchedules
    ]) {
      palette?.addItem({ command, category: CATEGORY });
    }

    // `blueno lab` asks for it in the address, so that people find it.
    if (new URLSearchParams(window.location.search).has(IN_VIEW)) {
      void app.restored.then(() => reveal(app, panel));
    }
  }
};
