import type { JupyterFrontEnd } from '@jupyterlab/application';
import {
  Clipboard,
  Dialog,
  Notification,
  showDialog
} from '@jupyterlab/apputils';
import {
  copyIcon,
  deleteIcon,
  notebookIcon,
  refreshIcon,
  runIcon,
  stopIcon
} from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { reasonOf } from '../../api/client';
import type { Job, Resources } from '../../api/types';
import { isBelowRoot, isOver, isPaused, takesValues } from '../../models/jobs';
import type { Changes } from '../../models/form';
import type { Platform } from '../../models/platform';
import { Commands } from '../../tokens';
import { exampleNotebook } from './example';
import { askAndStart } from './jobform';
import { askAndSweep } from './sweepform';
import { newId } from './notebookwork';
import type { NotebookPlaces } from './places';

interface JobCommandOptions {
  app: JupyterFrontEnd;
  platform: Platform;
  places: NotebookPlaces;
  /** The job whose tab is in front. */
  current: () => string | null;
}

const ID_ARGUMENTS = {
  args: {
    type: 'object',
    properties: {
      id: {
        type: 'string',
        description: 'The job’s id; without one, the job whose tab is in front'
      }
    }
  }
} as const;

/** Register what one can do to a job. */
export function addJobCommands(options: JobCommandOptions): void {
  const { app, platform, places, current } = options;
  const { commands } = app;
  const { jobs } = platform;

  const jobOf = (args: ReadonlyPartialJSONObject): Job | undefined => {
    const id = typeof args.id === 'string' ? args.id : current();
    return id ? jobs.get(id) : undefined;
  };
  /** A command on one job; a failure is told, never swallowed. */
  const add = (
    command: string,
    run: (job: Job, args: ReadonlyPartialJSONObject) => Promise<unknown> | void,
    can: (job: Job) => boolean,
    about: Pick<
      CommandRegistry.ICommandOptions,
      'label' | 'icon' | 'caption' | 'isVisible' | 'isToggled'
    >
  ) =>
    commands.addCommand(command, {
      ...about,
      describedBy: ID_ARGUMENTS,
      isEnabled: args => {
        const job = jobOf(args);
        return job !== undefined && can(job);
      },
      execute: async args => {
        try {
          const id = typeof args.id === 'string' ? args.id : current();
          if (id) {
            await run(await jobs.ensure(id), args);
          }
        } catch (error) {
          Notification.error(reasonOf(error), { autoClose: 8000 });
        }
      }
    });

  add(
    Commands.cancelJob,
    job => jobs.cancel(job.id),
    job => !isOver(job) && job.desired !== 'cancel',
    { label: 'Cancel Job', icon: stopIcon }
  );
  add(
    Commands.rerunJob,
    async (job, args) => {
      const again = await jobs.rerun(job.id, changesIn(args));
      await commands.execute(Commands.openJob, { id: again.id });
    },
    job => isOver(job) && job.kind !== 'ingest',
    {
      label: 'Run Job Again',
      caption: 'Run the same snapshot as a new job',
      icon: refreshIcon
    }
  );
  add(
    Commands.rerunJobWith,
    async job => {
      const again = await askAndStart(
        await jobs.form(job.id),
        await jobs.environments(),
        `Run ${job.name} again`,
        changes => jobs.rerun(job.id, changes),
        changes => jobs.previewAgain(job.id, changes)
      );
      if (again) {
        await commands.execute(Commands.openJob, { id: again.id });
      }
    },
    takesValues,
    {
      label: 'Run Job Again with Other Values …',
      caption: 'Change parameters and resources, then run the same snapshot',
      icon: refreshIcon
    }
  );
  add(
    Commands.sweepJob,
    async job => {
      const id = newId();
      const sweep = await askAndSweep(
        await jobs.form(job.id),
        await jobs.environments(),
        Object.keys(job.metrics ?? {}),
        (changes, plan) => jobs.sweep(job.id, id, changes, plan),
        (changes, plan) => jobs.previewSweep(job.id, changes, plan)
      );
      if (sweep) {
        await commands.execute(Commands.openJob, { id: sweep.jobs.at(-1) });
      }
    },
    takesValues,
    {
      label: 'Sweep Job …',
      caption: 'Run the same snapshot with many values, and find the best',
      icon: refreshIcon
    }
  );
  add(
    Commands.pauseJob,
    job => jobs.pause(job.id, true),
    job => job.state === 'RUNNING' && job.desired === 'run',
    {
      label: 'Pause Job',
      caption: 'It stands still, and keeps its place, memory and GPUs'
    }
  );
  add(Commands.unpauseJob, job => jobs.pause(job.id, false), isPaused, {
    label: 'Continue Job',
    icon: runIcon
  });
  add(
    Commands.prioritiseJob,
    (job, args) => jobs.prioritise(job.id, Number(args.priority ?? 0)),
    job => job.state === 'QUEUED',
    {
      label: args => priorityWords(Number(args.priority ?? 0)),
      isToggled: args =>
        jobOf(args)?.resources.priority === Number(args.priority ?? 0)
    }
  );
  add(
    Commands.openJobBench,
    job => openBench(app, platform, places, job),
    takesValues,
    {
      label: 'Open a Notebook Here',
      caption:
        'A new notebook with the Python, folder, environment, code and data of this job',
      icon: notebookIcon
    }
  );
  add(
    Commands.copyJobFix,
    job => {
      Clipboard.copyToSystem(job.failure?.suggestion?.command ?? '');
      Notification.success(
        'Copied. Run it in a terminal, then run the job again.',
        {
          autoClose: 4000
        }
      );
    },
    job => Boolean(job.failure?.suggestion?.command),
    { label: 'Copy What Mends the Job', icon: copyIcon }
  );
  add(Commands.deleteJob, job => remove(platform, job), isOver, {
    label: 'Delete Job …',
    icon: deleteIcon
  });
  add(
    Commands.copyJob,
    job => Clipboard.copyToSystem(pythonOf(job)),
    () => true,
    { label: 'Copy Job as Python', icon: copyIcon }
  );
  add(
    Commands.copyJobId,
    job => Clipboard.copyToSystem(job.id),
    () => true,
    { label: 'Copy Job ID' }
  );
  add(
    Commands.openJobOrigin,
    job => places.open(job.origin.notebook ?? '', job.origin.cell_id),
    job => Boolean(job.origin.notebook),
    { label: 'Go to the Job’s Notebook', icon: notebookIcon }
  );
  add(
    Commands.openJobNotebook,
    job => openExecuted(platform, places, job),
    job => job.kind === 'notebook' && isOver(job),
    {
      label: 'Open Executed Notebook',
      caption: 'A copy of the notebook with the outputs of this job',
      icon: notebookIcon
    }
  );

  commands.addCommand(Commands.showJobs, {
    label: 'Show Jobs',
    caption: 'Background jobs in the left sidebar',
    describedBy: { args: { type: 'object', properties: {} } },
    execute: () => commands.execute(Commands.showPanel)
  });
  commands.addCommand(Commands.openExampleJob, {
    label: 'Open an Example of a Background Job',
    describedBy: { args: { type: 'object', properties: {} } },
    execute: async () => {
      try {
        await places.openNew('first-job.ipynb', exampleNotebook());
      } catch (error) {
        Notification.error(reasonOf(error), { autoClose: 8000 });
      }
    }
  });
}

/** The line of Python that reaches the same job. */
function pythonOf(job: Job): string {
  return `import jupyter_blueno as blueno\n\njob = blueno.job("${job.id}")  # ${job.name.replace(/\s+/g, ' ')}`;
}

async function remove(platform: Platform, job: Job): Promise<void> {
  const { button } = await showDialog({
    title: 'Delete this job?',
    body: `“${job.name}” goes off the list, with its log, results and record.`,
    buttons: [Dialog.cancelButton(), Dialog.warnButton({ label: 'Delete' })]
  });
  if (button.accept) {
    await platform.jobs.remove(job.id);
  }
}

/** Put a notebook with what the job had beside where it came from, and open it. */
async function openBench(
  app: JupyterFrontEnd,
  platform: Platform,
  places: NotebookPlaces,
  job: Job
): Promise<void> {
  const bench = await platform.api.get('/jobs/{job_id}/workbench', {
    path: { job_id: job.id }
  });
  await app.serviceManager.kernelspecs.refreshSpecs(); // one may be new
  const from = isBelowRoot(job.origin.notebook) ? job.origin.notebook : '';
  const folder = from.slice(0, from.lastIndexOf('/') + 1);
  await places.openNew(`${folder}${bench.name}`, bench.content);
  if (bench.python) {
    Notification.info(
      `The job’s Python has no kernel. For one: ${bench.python} -m pip install ipykernel. Then open it again.`,
      { autoClose: false }
    );
  }
}

/** The `resources` of a command's arguments, as changes. */
function changesIn(args: ReadonlyPartialJSONObject): Partial<Changes> {
  return {
    ...(args.resources ? { resources: args.resources as Resources } : {}),
    ...(args.resume === true ? { resume: true } : {})
  };
}

/** What a priority means, from -10 to 10. */
function priorityWords(priority: number): string {
  const words =
    { 10: 'Before All Others', 5: 'Sooner', 0: 'Usual', [-5]: 'Later' }[
      priority
    ] ?? (priority === -10 ? 'When Nobody Else Waits' : 'Priority');
  return `${words} (${priority})`;
}

/** Write what the job executed beside its notebook, and open it. */
async function openExecuted(
  platform: Platform,
  places: NotebookPlaces,
  job: Job
): Promise<void> {
  const { body } = await platform.api.bytes('/jobs/{job_id}/files/{name}', {
    path: { job_id: job.id, name: 'notebook' }
  });
  const content = JSON.parse(new TextDecoder().decode(body)) as object;
  const { notebook } = job.origin;
  const from = isBelowRoot(notebook) ? notebook : `${job.name}.ipynb`;
  const stem = from.replace(/\.ipynb$/, '');
  await places.openNew(`${stem}-${job.id.slice(0, 8)}.ipynb`, content);
}
