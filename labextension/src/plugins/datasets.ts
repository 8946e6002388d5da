import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import {
  Dialog,
  ICommandPalette,
  InputDialog,
  Notification,
  WidgetTracker,
  showDialog
} from '@jupyterlab/apputils';
import { copyIcon, deleteIcon } from '@jupyterlab/ui-components';
import { reasonOf } from '../api/client';
import type { Dataset } from '../api/types';
import { bluenoIcon } from '../icons';
import { DatasetModel } from '../models/dataset';
import { asPython } from '../models/filter';
import { CATEGORY, Commands, IBlueno } from '../tokens';
import { copyPython } from '../widgets/copy';
import { DatasetTab } from '../widgets/dataset/widget';
import { counted } from '../widgets/numbers';
import { addTab, reveal } from '../widgets/placing';

/** What a dataset's commands take: one of both; without them they ask. */
const ARGS = {
  type: 'object',
  properties: {
    id: { type: 'number', description: 'The id of the dataset' },
    name: { type: 'string', description: 'The name of the dataset' },
    query: { type: 'string', description: 'A filter, as "split:test label:7"' }
  }
};

/** Dataset tabs, and what can be done with a dataset. */
export const datasetsPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-blueno:datasets',
  description: 'Datasets in the main area: gallery, table, facets.',
  autoStart: true,
  requires: [IBlueno],
  optional: [ICommandPalette, ILayoutRestorer],
  activate: (
    app: JupyterFrontEnd,
    platform: IBlueno,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null
  ) => {
    addOpen(app, platform, restorer);
    addActions(app, platform);
    for (const command of [
      Commands.openDataset,
      Commands.copyDataset,
      Commands.deleteDataset
    ]) {
      palette?.addItem({ command, category: CATEGORY, args: { ask: true } });
    }
  }
};

function addOpen(
  app: JupyterFrontEnd,
  platform: IBlueno,
  restorer: ILayoutRestorer | null
): void {
  const tabs = new WidgetTracker<DatasetTab>({ namespace: 'blueno-dataset' });
  app.commands.addCommand(Commands.openDataset, {
    label: args => (args.ask ? 'Open Dataset …' : 'Open'),
    icon: args => (args.ask ? undefined : bluenoIcon),
    describedBy: { args: ARGS },
    execute: async args => {
      const started = performance.now();
      const id = (args.id as number) ?? (await find(platform, args))?.id;
      if (id === undefined) {
        return;
      }
      let tab = tabs.find(({ model }) => model.id === id);
      if (!tab) {
        performance.mark(`blueno:open-dataset-${id}`, { startTime: started });
        const query = (args.query as string) ?? '';
        tab = new DatasetTab(
          new DatasetModel(platform, id, query),
          app.commands
        );
        const opened = tab;
        tab.model.changed.connect(() => void tabs.save(opened));
        addTab(app, tab, 'Blueno');
        await tabs.add(tab);
      } else if (typeof args.query === 'string') {
        tab.model.type(args.query);
      }
      reveal(app, tab);
      return tab;
    }
  });
  if (restorer) {
    void restorer.restore(tabs, {
      command: Commands.openDataset,
      args: ({ model }) => ({ id: model.id, query: model.query }),
      name: ({ model }) => String(model.id)
    });
  }
}

function addActions(app: JupyterFrontEnd, platform: IBlueno): void {
  app.commands.addCommand(Commands.copyDataset, {
    label: args => (args.ask ? 'Copy Dataset as Python …' : 'Copy as Python'),
    icon: args => (args.ask ? undefined : copyIcon),
    describedBy: { args: ARGS },
    execute: async args => {
      const dataset = await find(platform, args);
      if (dataset) {
        copyPython(asPython(dataset.name));
      }
    }
  });
  app.commands.addCommand(Commands.deleteDataset, {
    label: args => (args.ask ? 'Delete Dataset …' : 'Delete …'),
    icon: args => (args.ask ? undefined : deleteIcon),
    describedBy: { args: ARGS },
    execute: async args => {
      const dataset = await find(platform, args);
      if (dataset && (await confirmDelete(dataset))) {
        await deleteDataset(platform, dataset);
      }
    }
  });
}

/** The dataset that is meant; without `id` and `name` the user is asked. */
async function find(
  platform: IBlueno,
  { id, name }: { id?: unknown; name?: unknown }
): Promise<Dataset | undefined> {
  await platform.ready;
  const { datasets } = platform;
  if (typeof id === 'number') {
    return datasets.get(id);
  }
  if (typeof name === 'string') {
    const found = datasets.byName(name);
    if (!found) {
      Notification.warning(`There is no dataset called ${name}.`);
    }
    return found;
  }
  const answer = await InputDialog.getItem({
    title: 'Which dataset?',
    items: datasets.items.map(dataset => dataset.name)
  });
  return answer.value === null ? undefined : datasets.byName(answer.value);
}

async function confirmDelete({ name, version }: Dataset): Promise<boolean> {
  const answer = await showDialog({
    title: `Delete ${name}?`,
    body: `${counted(version.sample_count, 'sample')} will leave the list. The files stay where they are.`,
    buttons: [Dialog.cancelButton(), Dialog.warnButton({ label: 'Delete' })]
  });
  return answer.button.accept;
}

async function deleteDataset(
  { datasets }: IBlueno,
  { id, name }: Dataset
): Promise<void> {
  const restore = () =>
    datasets.restore(id).catch(error => {
      Notification.error(`${name} was not restored. ${reasonOf(error)}`);
    });
  try {
    await datasets.delete(id);
    Notification.info(`Deleted ${name}.`, {
      autoClose: 10000,
      actions: [{ label: 'Undo', callback: () => void restore() }]
    });
  } catch (error) {
    Notification.error(`${name} was not deleted. ${reasonOf(error)}`);
  }
}
