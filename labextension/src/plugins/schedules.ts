import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { INotebookTracker } from '@jupyterlab/notebook';
import { CATEGORY, Commands, IBlueno } from '../tokens';
import {
  addScheduleCommands,
  addScheduling
} from '../widgets/schedules/commands';

/** Jobs that start by themselves: what makes, changes and ends schedules. */
export const schedulesPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-blueno:schedules',
  description: 'Schedules: jobs that start at times, or with new data.',
  autoStart: true,
  requires: [IBlueno],
  optional: [INotebookTracker, ICommandPalette],
  activate: (
    app: JupyterFrontEnd,
    platform: IBlueno,
    notebooks: INotebookTracker | null,
    palette: ICommandPalette | null
  ) => {
    addScheduleCommands(app.commands, platform);
    addScheduling(app, platform, notebooks);
    if (notebooks) {
      palette?.addItem({
        command: Commands.scheduleNotebook,
        category: CATEGORY
      });
    }
  }
};
