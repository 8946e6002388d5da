import type { JupyterFrontEnd } from '@jupyterlab/application';
import { Dialog, Notification, showDialog } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import type { INotebookTracker } from '@jupyterlab/notebook';
import {
  copyIcon,
  deleteIcon,
  editIcon,
  runIcon
} from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { reasonOf } from '../../api/client';
import type { Schedule } from '../../api/types';
import { scheduleIcon } from '../../icons';
import { takesValues } from '../../models/jobs';
import type { Platform } from '../../models/platform';
import { moment } from '../../models/timing';
import { Commands } from '../../tokens';
import { copyPython } from '../copy';
import { isPython, localPath, newId, specOf } from '../jobs/notebookwork';
import { askAndChange, askAndSchedule } from './dialog';

const NO_ARGUMENTS = { args: { type: 'object', properties: {} } } as const;
const ID_ARGUMENT = {
  args: {
    type: 'object',
    required: ['id'],
    properties: { id: { type: 'string', description: 'The schedule’s id' } }
  }
} as const;

/** Register what one can do to a schedule. */
export function addScheduleCommands(
  commands: CommandRegistry,
  platform: Platform
): void {
  const { schedules } = platform;
  const scheduleOf = (args: ReadonlyPartialJSONObject) =>
    schedules.get(String(args.id));
  const add = (
    command: string,
    run: (schedule: Schedule) => Promise<unknown> | void,
    about: Pick<CommandRegistry.ICommandOptions, 'label' | 'icon' | 'caption'>
  ) =>
    commands.addCommand(command, {
      ...about,
      describedBy: ID_ARGUMENT,
      isEnabled: args => scheduleOf(args) !== undefined,
      execute: async args => {
        const schedule = scheduleOf(args);
        if (schedule) {
          await told(async () => run(schedule));
        }
      }
    });

  add(
    Commands.runSchedule,
    async ({ id }) => {
      const job = await schedules.runNow(id, newId());
      await commands.execute(Commands.openJob, { id: job });
    },
    { label: 'Run Now', icon: runIcon }
  );
  add(Commands.editSchedule, schedule => askAndChange(platform, schedule), {
    label: 'Change …',
    caption: 'Times, time zone, dataset, name',
    icon: editIcon
  });
  add(
    Commands.pauseSchedule,
    ({ id, paused }) => schedules.change(id, { paused: !paused }),
    { label: args => (scheduleOf(args)?.paused ? 'Let It Go On' : 'Pause') }
  );
  add(
    Commands.copySchedule,
    ({ name }) =>
      copyPython(
        `import jupyter_blueno as blueno\n\nschedule = blueno.schedule(${JSON.stringify(name)})`,
        `blueno.schedule(${JSON.stringify(name)})`
      ),
    { label: 'Copy as Python', icon: copyIcon }
  );
  add(Commands.deleteSchedule, schedule => remove(platform, schedule), {
    label: 'Delete …',
    icon: deleteIcon
  });
}

/** Register what makes a schedule: of a job, and of the notebook in front. */
export function addScheduling(
  app: JupyterFrontEnd,
  platform: Platform,
  notebooks: INotebookTracker | null
): void {
  const { commands, serviceManager } = app;
  const { jobs, schedules } = platform;
  commands.addCommand(Commands.scheduleJob, {
    label: 'Schedule Job …',
    caption: 'Run the same snapshot at certain times',
    icon: scheduleIcon,
    describedBy: ID_ARGUMENT,
    isEnabled: args => {
      const job = jobs.get(String(args.id));
      return job !== undefined && takesValues(job);
    },
    execute: args =>
      told(async () => {
        const of = String(args.id);
        const id = newId();
        const made = await askAndSchedule(
          platform,
          await jobs.form(of),
          false,
          ({ timing, fresh, changes }) =>
            schedules.createOfJob({ id, timing, fresh }, of, changes)
        );
        await show(commands, made);
      })
  });
  if (!notebooks) {
    return;
  }
  commands.addCommand(Commands.scheduleNotebook, {
    label: 'Schedule Notebook …',
    caption: 'Schedule: run this notebook at certain times, in the background',
    icon: scheduleIcon,
    describedBy: NO_ARGUMENTS,
    isEnabled: () => notebooks.currentWidget !== null,
    execute: async () => {
      const panel = notebooks.currentWidget;
      if (!panel || !isPython(panel)) {
        return;
      }
      await told(async () => {
        await panel.context.ready;
        await serviceManager.kernelspecs.ready;
        const spec = specOf(panel, app);
        const name = PathExt.basename(localPath(panel, app), '.ipynb');
        const id = newId();
        const made = await askAndSchedule(
          platform,
          await jobs.describe(name, spec),
          true,
          ({ timing, fresh, changes }) =>
            schedules.create({ id, timing, fresh }, spec, changes)
        );
        await show(commands, made);
      });
    }
  });
}

/** Show where it stands now, and say when it starts first. */
async function show(
  commands: CommandRegistry,
  made: Schedule | null
): Promise<void> {
  if (made) {
    await commands.execute(Commands.showSchedules);
    const when = made.next_due
      ? `starts ${moment(made.next_due, made.timing.zone)}`
      : 'is scheduled';
    Notification.success(`${made.name} ${when}.`, { autoClose: 5000 });
  }
}

async function remove(platform: Platform, schedule: Schedule): Promise<void> {
  const { button } = await showDialog({
    title: 'Delete this schedule?',
    body: `“${schedule.name}” starts no more jobs. Those that it started stay.`,
    buttons: [Dialog.cancelButton(), Dialog.warnButton({ label: 'Delete' })]
  });
  if (button.accept) {
    await platform.schedules.remove(schedule.id);
  }
}

/** Do something; a failure is told, never swallowed. */
async function told(run: () => Promise<unknown> | void): Promise<void> {
  try {
    await run();
  } catch (error) {
    Notification.error(reasonOf(error), { autoClose: 8000 });
  }
}
