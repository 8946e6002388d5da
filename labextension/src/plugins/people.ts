import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ICommandPalette, WidgetTracker } from '@jupyterlab/apputils';
import { CATEGORY, Commands, IBlueno } from '../tokens';
import { PeopleTab } from '../widgets/people/peopletab';
import { addTab, reveal } from '../widgets/placing';

/** People, teams, invitations and what was done, in a tab; for administrators of a hub. */
export const peoplePlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-blueno:people',
  description: 'People and teams of a hub, for its administrators.',
  autoStart: true,
  requires: [IBlueno],
  optional: [ICommandPalette],
  activate: (
    app: JupyterFrontEnd,
    platform: IBlueno,
    palette: ICommandPalette | null
  ) => {
    const tabs = new WidgetTracker<PeopleTab>({ namespace: 'blueno-people' });
    const command = Commands.openPeople;
    const { me } = platform;
    app.commands.addCommand(command, {
      label: 'People and Teams',
      caption: 'Who is there, invitations, and who did what',
      isVisible: () => me.administers,
      isEnabled: () => me.administers,
      describedBy: { args: { type: 'object', properties: {} } },
      execute: async () => {
        let tab = tabs.find(() => true);
        if (!tab) {
          tab = new PeopleTab({ platform });
          addTab(app, tab, 'Blueno');
          await tabs.add(tab);
        }
        reveal(app, tab);
        return tab;
      }
    });
    me.changed.connect(() => app.commands.notifyCommandChanged(command));
    palette?.addItem({ command, category: CATEGORY });
  }
};
