import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { Api } from '../api/client';
import { Platform } from '../models/platform';
import type { PreferenceValues } from '../models/preferences';
import { IBlueno } from '../tokens';

const LAB_PAINTS = 1000; // ms after its layout is there

/** Everything else builds on this one; its settings are those of the extension. */
export const platformPlugin: JupyterFrontEndPlugin<IBlueno> = {
  id: 'jupyter-blueno:plugin',
  description: 'The platform: datasets and jobs, kept up to date.',
  autoStart: true,
  provides: IBlueno,
  optional: [ISettingRegistry],
  activate: (app: JupyterFrontEnd, registry: ISettingRegistry | null) => {
    const platform = new Platform(new Api(app.serviceManager.serverSettings));
    registry
      ?.load(platformPlugin.id)
      .then(settings => {
        const read = () =>
          platform.preferences.set(
            settings.composite as Partial<PreferenceValues>
          );
        settings.changed.connect(read);
        read();
      })
      .catch(error => console.warn('Blueno: settings are not there', error));
    // The first question wakes the database: what Lab shows first goes first.
    // Views of ours that are in sight do not wait for this.
    void app.restored.then(() =>
      setTimeout(() => platform.start(), LAB_PAINTS)
    );
    return platform;
  }
};
