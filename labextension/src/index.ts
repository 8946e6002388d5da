import type { JupyterFrontEndPlugin } from '@jupyterlab/application';

/** The extension is the list of its plugins; each is a file of its own. */
const plugins: JupyterFrontEndPlugin<unknown>[] = [];

export default plugins;
