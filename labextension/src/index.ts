import type { JupyterFrontEndPlugin } from '@jupyterlab/application';
import { panelPlugin } from './plugins/panel';
import { platformPlugin } from './plugins/platform';

/** The extension is the list of its plugins; each is a file of its own. */
const plugins: JupyterFrontEndPlugin<unknown>[] = [platformPlugin, panelPlugin];

export default plugins;
