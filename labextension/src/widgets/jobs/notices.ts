import { Notification } from '@jupyterlab/apputils';
import type { CommandRegistry } from '@lumino/commands';
import type { Job } from '../../api/types';
import { isOver } from '../../models/jobs';
import type { Platform } from '../../models/platform';
import { Commands } from '../../tokens';
import { reasonLine, stateLine } from './words';

const SHOWN = 10_000; // ms that a notice stays; the bell keeps it

/** Say it when a job ends that was seen under way in this session. */
export function notifyOfEnds(
  platform: Platform,
  commands: CommandRegistry
): void {
  platform.jobs.itemChanged.connect((_, { before, now }) => {
    if (before && now && !isOver(before) && isOver(now)) {
      if (platform.preferences.values.notifications && wanted(now)) {
        notify(now, commands);
      }
    }
  });
}

/** Who cancelled a job knows that it ended; of a sweep's jobs the sweep tells. */
function wanted(job: Job): boolean {
  return job.state !== 'CANCELLED' && !job.parent;
}

function notify(job: Job, commands: CommandRegistry): void {
  const { id, name, state } = job;
  const run = (command: string) => () => void commands.execute(command, { id });
  const actions: Notification.IAction[] = [
    { label: 'Open', callback: run(Commands.openJob), displayType: 'accent' }
  ];
  if (state === 'SUCCEEDED') {
    Notification.success(`${name} ${stateLine(job)}.`, {
      actions,
      autoClose: SHOWN
    });
  } else {
    const reason = reasonLine(job);
    const { label, resources, resume } = job.failure?.suggestion ?? {};
    const again = () =>
      void commands.execute(Commands.rerunJob, {
        id,
        ...(resources && { resources: { ...resources } }),
        ...(resume && { resume })
      });
    Notification.error(`${name} ${stateLine(job)}${reason && `: ${reason}`}`, {
      actions: [
        ...actions,
        {
          label: ((resources || resume) && label) || 'Run again',
          callback: again
        }
      ],
      autoClose: SHOWN
    });
  }
}
