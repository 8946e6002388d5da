import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { WidgetTracker } from '@jupyterlab/apputils';
import { modelIcon } from '../icons';
import { Commands, IBlueno } from '../tokens';
import { MODEL_ARGUMENTS, addModelCommands } from '../widgets/models/commands';
import { ModelTab } from '../widgets/models/modeltab';
import { addTab, reveal } from '../widgets/placing';

/** Registered models: their tabs, and what one can do to a version. */
export const modelsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-blueno:models',
  description: 'Models: their versions, and what each came from.',
  autoStart: true,
  requires: [IBlueno],
  optional: [ILayoutRestorer],
  activate: (
    app: JupyterFrontEnd,
    platform: IBlueno,
    restorer: ILayoutRestorer | null
  ) => {
    const tabs = new WidgetTracker<ModelTab>({ namespace: 'blueno-model' });
    addModelCommands(app.commands, platform);
    app.commands.addCommand(Commands.openModel, {
      label: 'Open',
      caption: 'Its versions, and what each came from',
      icon: modelIcon,
      describedBy: MODEL_ARGUMENTS,
      execute: async ({ id, version }) => {
        const name = String(id);
        platform.start();
        let tab = tabs.find(({ content }) => content.options.name === name);
        if (!tab) {
          tab = new ModelTab({ platform, commands: app.commands, name });
          addTab(app, tab, 'Blueno');
          await tabs.add(tab);
        }
        if (typeof version === 'number') {
          tab.content.choose(version);
        }
        reveal(app, tab);
        return tab;
      }
    });
    void restorer?.restore(tabs, {
      command: Commands.openModel,
      args: ({ content }) => ({ id: content.options.name }),
      name: ({ content }) => content.options.name
    });
  }
};
