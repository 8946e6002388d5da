import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { addingPlugin } from './plugins/adding';
import { jobsPlugin } from './plugins/jobs';
import { datasetsPlugin } from './plugins/datasets';
import { giveBackPlugin } from './plugins/giveback';
import { idlePlugin } from './plugins/idle';
import { modelsPlugin } from './plugins/models';
import { peoplePlugin } from './plugins/people';
import { panelPlugin } from './plugins/panel';
import { platformPlugin } from './plugins/platform';
import { runJobPlugin } from './plugins/runjob';
import { runSelectionPlugin } from './plugins/runselection';
import { schedulesPlugin } from './plugins/schedules';
import { trackingPlugin } from './plugins/tracking';
import { tensorBoardPlugin } from './plugins/tensorboard';
import { writtenPlugin } from './plugins/written';
import { usagePlugin } from './plugins/usage';
import { viewerPlugin } from './plugins/viewer';

/** The extension is the list of its plugins; each is a file of its own. */
const plugins: JupyterFrontEndPlugin<unknown>[] = [
  platformPlugin,
  panelPlugin,
  jobsPlugin,
  runJobPlugin,
  runSelectionPlugin,
  schedulesPlugin,
  datasetsPlugin,
  addingPlugin,
  modelsPlugin,
  trackingPlugin,
  tensorBoardPlugin,
  viewerPlugin,
  usagePlugin,
  peoplePlugin,
  writtenPlugin,
  idlePlugin,
  giveBackPlugin
];

export default plugins;
