import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette, WidgetTracker } from '@jupyterlab/apputils';
import { IDocumentManager } from '@jupyterlab/docmanager';
import { ILauncher } from '@jupyterlab/launcher';
import { bluenoIcon } from '../icons';
import { CATEGORY, Commands, IBlueno } from '../tokens';
import type { Choice } from '../widgets/add/AddView';
import { AddTab } from '../widgets/add/widget';
import { addTab, reveal } from '../widgets/placing';

/** "Add dataset": public sets, a folder, an upload, a notebook. */
export const addingPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-blueno:adding',
  description: 'Ways to add a dataset.',
  autoStart: true,
  requires: [IBlueno],
  optional: [IDocumentManager, ICommandPalette, ILauncher, ILayoutRestorer],
  activate: (
    app: JupyterFrontEnd,
    platform: IBlueno,
    documents: IDocumentManager | null,
    palette: ICommandPalette | null,
    launcher: ILauncher | null,
    restorer: ILayoutRestorer | null
  ) => {
    const tabs = new WidgetTracker<AddTab>({ namespace: 'blueno-add' });
    const command = Commands.addDataset;
    app.commands.addCommand(command, {
      label: args => (args.isPalette ? 'Add Dataset …' : 'Add Dataset'),
      caption: 'Prepare a public set, register a folder, or upload images',
      icon: args => (args.isPalette ? undefined : bluenoIcon),
      describedBy: {
        args: {
          type: 'object',
          properties: {
            choice: {
              type: 'string',
              enum: ['public', 'folder', 'upload', 'notebook']
            }
          }
        }
      },
      execute: async args => {
        let tab = tabs.find(() => true);
        if (!tab) {
          const opened = new AddTab(platform, documents, dataset => {
            opened.dispose();
            void app.commands.execute(Commands.openDataset, {
              id: dataset.id
            });
          });
          tab = opened;
          addTab(app, tab, 'Blueno');
          await tabs.add(tab);
        }
        if (args.choice) {
          tab.content.choice = args.choice as Choice;
        }
        reveal(app, tab);
        return tab;
      }
    });
    palette?.addItem({
      command,
      category: CATEGORY,
      args: { isPalette: true }
    });
    launcher?.add({ command, category: CATEGORY, rank: 1 });
    if (restorer) {
      void restorer.restore(tabs, { command, name: () => 'add' });
    }
  }
};
