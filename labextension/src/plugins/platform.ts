import type {
  JupyterFrontEnd,
  JupyterFrontEndPlugin
} from '@jupyterlab/application';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { Api } from '../api/client';
import { Platform } from '../models/platform';
import type { PreferenceValues } from '../models/preferences';
import { IBlueno } from '../tokens';

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
    // The first question wakes the database: Lab's own files go first.
    void app.restored.then(() => whenIdle(() => platform.start()));
    return platform;
  }
};

/** Do something once the browser has painted and has nothing else to do. */
function whenIdle(action: () => void): void {
  if ('requestIdleCallback' in window) {
    window.requestIdleCallback(action, { timeout: 1000 });
  } else {
    setTimeout(action, 200);
  }
}
