import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette, WidgetTracker } from '@jupyterlab/apputils';
import { CATEGORY, Commands, IBlueno } from '../tokens';
import { addTab, reveal } from '../widgets/placing';
import { UsageTab } from '../widgets/usage/usagetab';

/** What the team's jobs took, in a tab. */
export const usagePlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-blueno:usage',
  description: 'What jobs took of GPUs and cores, by person.',
  autoStart: true,
  requires: [IBlueno],
  optional: [ICommandPalette, ILayoutRestorer],
  activate: (
    app: JupyterFrontEnd,
    platform: IBlueno,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null
  ) => {
    const tabs = new WidgetTracker<UsageTab>({ namespace: 'blueno-usage' });
    const command = Commands.openUsage;
    app.commands.addCommand(command, {
      label: 'Usage by Person',
      caption: 'What jobs took of GPUs and cores, and who holds GPUs now',
      describedBy: { args: { type: 'object', properties: {} } },
      execute: async () => {
        let tab = tabs.find(() => true);
        if (!tab) {
          tab = new UsageTab({ platform, commands: app.commands });
          addTab(app, tab, 'Blueno');
          await tabs.add(tab);
        }
        reveal(app, tab);
        return tab;
      }
    });
    palette?.addItem({ command, category: CATEGORY });
    void restorer?.restore(tabs, { command, name: () => 'usage' });
  }
};
