import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { IFileBrowserFactory } from '@jupyterlab/filebrowser';
import { reasonOf } from '../api/client';
import { bluenoIcon } from '../icons';
import { Commands, IBlueno } from '../tokens';

/** From a file to the job that wrote it, in the file browser's menu. */
export const writtenPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-blueno:written',
  description: 'From a file to the job that wrote it.',
  autoStart: true,
  requires: [IBlueno, IFileBrowserFactory],
  activate: (
    app: JupyterFrontEnd,
    platform: IBlueno,
    browsers: IFileBrowserFactory
  ) => {
    const command = Commands.openWriter;
    app.commands.addCommand(command, {
      label: 'Job That Wrote It',
      caption: 'The newest job that wrote this file',
      icon: bluenoIcon,
      describedBy: { args: { type: 'object', properties: {} } },
      execute: async () => {
        const browser = browsers.tracker.currentWidget;
        const file = browser?.selectedItems().next().value;
        if (!browser || !file) {
          return;
        }
        const path = browser.model.manager.services.contents.localPath(
          file.path
        );
        try {
          const job = await platform.jobs.writing(path);
          if (job) {
            await app.commands.execute(Commands.openJob, { id: job.id });
          } else {
            Notification.info(
              `No job is known to have written ${file.name}: what Python programs open is.`,
              { autoClose: 8000 }
            );
          }
        } catch (error) {
          Notification.error(reasonOf(error), { autoClose: 8000 });
        }
      }
    });
    app.contextMenu.addItem({
      command,
      selector: '.jp-DirListing-item[data-isdir="false"]',
      rank: 60
    });
  }
};
