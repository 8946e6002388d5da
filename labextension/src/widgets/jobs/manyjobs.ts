import { Dialog, Notification, showDialog } from '@jupyterlab/apputils';
import type { CommandRegistry } from '@lumino/commands';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { reasonOf } from '../../api/client';
import type { Platform } from '../../models/platform';
import { Commands } from '../../tokens';
import { counted } from '../numbers';

const NAMED = 6; // names in a question

/** What one does to several jobs at once. */
export function addManyCommands(
  commands: CommandRegistry,
  { jobs }: Platform
): void {
  const add = (
    command: string,
    label: string,
    about: { title: string; body: string; button: string; done: string },
    act: (ids: string[]) => Promise<{ done: string[]; reasons: string[] }>
  ) =>
    commands.addCommand(command, {
      label,
      describedBy: {
        args: {
          type: 'object',
          required: ['ids'],
          properties: { ids: { type: 'array', items: { type: 'string' } } }
        }
      },
      isEnabled: args => idsIn(args).length > 0,
      execute: async args => {
        const ids = idsIn(args);
        const count = counted(ids.length, 'job');
        const names = ids.map(id => jobs.get(id)?.name ?? id.slice(0, 8));
        const { button } = await showDialog({
          title: `${about.title} ${count}?`,
          body: `${listed(names)}: ${about.body}`,
          buttons: [
            Dialog.cancelButton({ label: 'Keep' }),
            Dialog.warnButton({ label: `${about.button} ${count}` })
          ]
        });
        if (!button.accept) {
          return;
        }
        try {
          const { done, reasons } = await act(ids);
          if (reasons.length) {
            Notification.warning(
              `${counted(done.length, 'job')} ${about.done}; not ${reasons.length}: ${[...new Set(reasons)].join(' ')}`,
              { autoClose: 10_000 }
            );
          }
        } catch (error) {
          Notification.error(reasonOf(error), { autoClose: 8000 });
        }
      }
    });
  add(
    Commands.cancelJobs,
    'Cancel Jobs …',
    {
      title: 'Cancel',
      body: 'they stop, and keep what they have written so far.',
      button: 'Cancel',
      done: 'cancelled'
    },
    ids => jobs.cancelMany(ids)
  );
  add(
    Commands.deleteJobs,
    'Delete Jobs …',
    {
      title: 'Delete',
      body: 'they go off the list, with their logs, results and records.',
      button: 'Delete',
      done: 'deleted'
    },
    ids => jobs.removeMany(ids)
  );
}

function idsIn(args: ReadonlyPartialJSONObject): string[] {
  return Array.isArray(args.ids) ? args.ids.map(String) : [];
}

function listed(names: string[]): string {
  const more = names.length - NAMED;
  return more > 0
    ? `${names.slice(0, NAMED).join(', ')} and ${more} more`
    : names.join(', ');
}
