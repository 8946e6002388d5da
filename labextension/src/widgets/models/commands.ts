import {
  Dialog,
  InputDialog,
  Notification,
  showDialog
} from '@jupyterlab/apputils';
import { copyIcon, deleteIcon, editIcon } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { reasonOf } from '../../api/client';
import type { ModelVersion } from '../../api/types';
import { loadLine } from '../../models/models';
import type { Platform } from '../../models/platform';
import { Commands } from '../../tokens';
import { copyPython } from '../copy';

export const MODEL_ARGUMENTS = {
  args: {
    type: 'object',
    required: ['id'],
    properties: {
      id: { type: 'string', description: 'The model’s name' },
      version: { type: 'integer', description: 'Default: the newest' }
    }
  }
} as const;

/** Register what one can do to a version of a model. */
export function addModelCommands(
  commands: CommandRegistry,
  platform: Platform
): void {
  const { models } = platform;
  const versionOf = (args: ReadonlyPartialJSONObject) => {
    const versions = models.get(String(args.id))?.versions ?? [];
    return 'version' in args
      ? versions.find(({ version }) => version === args.version)
      : versions[0];
  };
  const add = (
    command: string,
    run: (version: ModelVersion) => Promise<unknown> | void,
    about: Pick<CommandRegistry.ICommandOptions, 'label' | 'icon' | 'caption'>
  ) =>
    commands.addCommand(command, {
      ...about,
      describedBy: MODEL_ARGUMENTS,
      isEnabled: args => versionOf(args) !== undefined,
      execute: async args => {
        const version = versionOf(args);
        if (version) {
          await run(version);
        }
      }
    });

  add(
    Commands.copyModel,
    version =>
      copyPython(
        `import jupyter_blueno as blueno\n\nmodel = ${loadLine(version)}`,
        loadLine(version)
      ),
    {
      label: 'Copy as Python',
      caption: 'The line that loads it',
      icon: copyIcon
    }
  );
  add(Commands.setModelAlias, version => askAlias(platform, version), {
    label: 'Set Alias …',
    caption: 'A name such as production that means this version',
    icon: editIcon
  });
  add(Commands.describeModel, version => askDescription(platform, version), {
    label: 'Describe …'
  });
  add(Commands.deleteModel, version => askAndDelete(platform, version), {
    label: 'Delete Version …',
    icon: deleteIcon
  });
}

async function askAlias(
  platform: Platform,
  { name, version }: ModelVersion
): Promise<void> {
  const { value } = await InputDialog.getText({
    title: `What is ${name} v${version}?`,
    label:
      'A name that means this version from now on, and no other; ' +
      'blueno.model finds it by that.',
    text: 'production',
    selectionRange: 'production'.length,
    okLabel: 'Set'
  });
  if (value?.trim()) {
    await changed(
      platform,
      platform.models.setAlias(name, value.trim(), version),
      `${value.trim()} is ${name} v${version} now.`
    );
  }
}

async function askDescription(
  platform: Platform,
  { name, version, description }: ModelVersion
): Promise<void> {
  const { value } = await InputDialog.getText({
    title: `What is ${name} v${version}?`,
    label: 'Description',
    text: description,
    okLabel: 'Keep'
  });
  if (value !== null && value !== description) {
    await changed(
      platform,
      platform.models.describe(name, version, value),
      `${name} v${version} is described.`
    );
  }
}

async function askAndDelete(
  platform: Platform,
  { name, version, aliases }: ModelVersion
): Promise<void> {
  const meant = aliases.length
    ? ` It is what “${aliases.join('”, “')}” means now.`
    : '';
  const { button } = await showDialog({
    title: `Delete ${name} v${version}?`,
    body: `It leaves the list and MLflow’s registry for good.${meant} Its files stay with the run that wrote them.`,
    buttons: [Dialog.cancelButton(), Dialog.warnButton({ label: 'Delete' })]
  });
  if (button.accept) {
    await changed(
      platform,
      platform.models.remove(name, version),
      `Deleted ${name} v${version}.`
    );
  }
}

/** Tell how a change goes: MLflow, which makes it, may have to start first. */
export async function changed(
  platform: Platform,
  change: Promise<void>,
  done: string
): Promise<void> {
  const asleep = await platform.models.isAsleep().catch(() => false);
  Notification.promise(
    change.then(() => done),
    {
      pending: {
        message: asleep
          ? 'MLflow is starting for it: some seconds …'
          : 'MLflow is told …'
      },
      success: { message: () => done, options: { autoClose: 4000 } },
      error: {
        message: error => reasonOf(error),
        options: { autoClose: 12_000 }
      }
    }
  );
  await change.catch(() => undefined);
}
