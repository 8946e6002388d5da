import {
  ILayoutRestorer,
  type JupyterFrontEnd,
  type JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { WidgetTracker } from '@jupyterlab/apputils';
import type { IDocumentWidget } from '@jupyterlab/docregistry';
import { INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { bluenoIcon } from '../icons';
import { Commands, IBlueno } from '../tokens';
import { addTab, reveal } from '../widgets/placing';
import { ARRAY_MIME, ArrayOutput } from '../widgets/viewing/array';
import type { ImageContent } from '../widgets/viewing/content';
import {
  ImageDocumentFactory,
  MODEL,
  RemoteModelFactory
} from '../widgets/viewing/document';
import { VIEW_MIME, ViewOutput } from '../widgets/viewing/output';
import { SampleTab } from '../widgets/viewing/sampletab';

const FACTORY = 'Blueno Viewer';
/** Rank of our output of an array: widgets have −10. */
const BEFORE_WIDGETS = -20;

/** Files that the file browser opens in the viewer. */
const FILE_TYPES = [
  {
    name: 'nifti',
    displayName: 'NIfTI Volume',
    extensions: ['.nii', '.nii.gz']
  },
  { name: 'dicom', displayName: 'DICOM Image', extensions: ['.dcm'] },
  { name: 'npy', displayName: 'NumPy Array', extensions: ['.npy'] }
];

/** Pictures and volumes: sample tabs, documents, outputs. */
export const viewerPlugin: JupyterFrontEndPlugin<void> = {
  id: 'jupyter-blueno:viewer',
  description: 'Shows pictures and volumes: samples, files and outputs.',
  autoStart: true,
  requires: [IBlueno],
  optional: [IRenderMimeRegistry, ILayoutRestorer, INotebookTracker],
  activate: (
    app: JupyterFrontEnd,
    platform: IBlueno,
    rendermime: IRenderMimeRegistry | null,
    restorer: ILayoutRestorer | null,
    notebooks: INotebookTracker | null
  ) => {
    addSamples(app, platform, restorer);
    addDocuments(app, platform, restorer);
    rendermime?.addFactory(
      {
        safe: true,
        mimeTypes: [VIEW_MIME],
        createRenderer: () => new ViewOutput(platform.api, app.commands)
      },
      0
    );
    // Each notebook has the widgets of its own kernel.
    const add = (_: unknown, { content: { rendermime } }: NotebookPanel) =>
      rendermime.addFactory(
        {
          safe: false,
          mimeTypes: [ARRAY_MIME],
          createRenderer: () => new ArrayOutput(rendermime)
        },
        BEFORE_WIDGETS
      );
    notebooks?.forEach(panel => add(null, panel));
    notebooks?.widgetAdded.connect(add);
  }
};

function addSamples(
  app: JupyterFrontEnd,
  platform: IBlueno,
  restorer: ILayoutRestorer | null
): void {
  const { commands } = app;
  const tabs = new WidgetTracker<SampleTab>({ namespace: 'blueno-sample' });
  commands.addCommand(Commands.openSample, {
    label: 'Open Sample',
    icon: bluenoIcon,
    describedBy: {
      args: {
        type: 'object',
        required: ['datasetId', 'ordinal'],
        properties: {
          datasetId: { type: 'number', description: 'The id of the dataset' },
          ordinal: { type: 'number', description: 'The sample’s number in it' },
          query: {
            type: 'string',
            description:
              'A filter, as "split:test", for what is before and after'
          }
        }
      }
    },
    isVisible: args => typeof args.ordinal === 'number',
    execute: async args => {
      const opened = performance.now();
      const datasetId = Number(args.datasetId);
      const ordinal = Number(args.ordinal);
      const query = String(args.query ?? '');
      if (!platform.datasets.get(datasetId)) {
        await platform.ready; // then its kind is known
      }
      let tab = tabs.find(
        one =>
          one.datasetId === datasetId &&
          one.ordinal === ordinal &&
          one.query === query
      );
      if (!tab) {
        const made = (tab = new SampleTab(
          platform,
          datasetId,
          ordinal,
          query,
          opened
        ));
        addTab(app, made, 'Blueno Sample');
        made.moved.connect(() => void tabs.save(made));
        void tabs.add(made);
      }
      reveal(app, tab);
      return tab;
    }
  });
  void restorer?.restore(tabs, {
    command: Commands.openSample,
    args: ({ datasetId, ordinal, query }) => ({ datasetId, ordinal, query }),
    name: ({ datasetId, ordinal, query }) => `${datasetId}:${ordinal}:${query}`
  });
}

function addDocuments(
  app: JupyterFrontEnd,
  platform: IBlueno,
  restorer: ILayoutRestorer | null
): void {
  const { docRegistry } = app;
  docRegistry.addModelFactory(new RemoteModelFactory());
  for (const type of FILE_TYPES) {
    docRegistry.addFileType({
      ...type,
      contentType: 'file',
      fileFormat: 'base64',
      mimeTypes: ['application/octet-stream'],
      icon: bluenoIcon
    });
  }
  const names = FILE_TYPES.map(({ name }) => name);
  const factory = new ImageDocumentFactory(
    {
      name: FACTORY,
      modelName: MODEL,
      fileTypes: names,
      defaultFor: names,
      readOnly: true
    },
    platform.api
  );
  const tracker = new WidgetTracker<IDocumentWidget<ImageContent>>({
    namespace: 'blueno-file'
  });
  factory.widgetCreated.connect((_, widget) => {
    widget.context.pathChanged.connect(() => void tracker.save(widget));
    void tracker.add(widget);
  });
  docRegistry.addWidgetFactory(factory);
  void restorer?.restore(tracker, {
    command: 'docmanager:open',
    args: widget => ({ path: widget.context.path, factory: FACTORY }),
    name: widget => widget.context.path
  });
}
