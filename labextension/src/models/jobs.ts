import type { Api } from '../api/client';
import type {
  Environment,
  Form,
  Job,
  JobSpec,
  Outline,
  Preview,
  Sweep
} from '../api/types';
import { Collection } from './collection';
import type { Changes } from './form';
import type { Plan } from './sweepform';

const TERMINAL: ReadonlySet<Job['state']> = new Set([
  'SUCCEEDED',
  'FAILED',
  'CANCELLED',
  'TIMED_OUT',
  'LOST'
]);

/** Whether a job is over; such a state never changes. */
export function isOver(job: Job): boolean {
  return TERMINAL.has(job.state);
}

/** Whether it stands still because somebody wants it. */
export function isPaused(job: Job): boolean {
  return job.desired === 'pause' && job.state === 'RUNNING';
}

/** Whether it may run again with other values. */
export function takesValues({ kind }: Job): boolean {
  return kind !== 'ingest' && kind !== 'sweep' && kind !== 'flow';
}

/** Whether a notebook can be opened here: those of elsewhere have absolute paths. */
export function isBelowRoot(notebook: string | null): notebook is string {
  return notebook !== null && !notebook.startsWith('/');
}

/** To which jobs something was done, and why not to the others. */
export interface Many {
  done: string[];
  reasons: string[];
}

async function many(
  answer: Promise<{ done: string[]; exempt: { reason: string }[] }>
): Promise<Many> {
  const { done, exempt } = await answer;
  return { done, reasons: exempt.map(({ reason }) => reason) };
}

function newestFirst(a: Job, b: Job): number {
  return b.created_at.localeCompare(a.created_at) || b.id.localeCompare(a.id);
}

/**
 * The newest jobs first, page by page, and any other that a view asked for.
 *
 * What one does to a job is here too, so that every view knows of it at once.
 */
export class JobsModel extends Collection<Job> {
  constructor(private readonly api: Api) {
    super(signal => this.fetchFirst(signal), newestFirst);
  }

  /** The jobs of the pages loaded so far: no gaps between them, no parts of others. */
  get listed(): readonly Job[] {
    const { _oldest: oldest } = this;
    return this.items.filter(
      job => !job.parent && (!oldest || newestFirst(job, oldest) <= 0)
    );
  }

  /** Whether there are older jobs than those listed. */
  get hasMore(): boolean {
    return this._next !== null;
  }

  /** A job, and the newest one before it that is called so too: what one mostly compares. */
  withEarlier(id: string): string[] {
    const job = this.get(id);
    const earlier = this.items.find(
      other =>
        job &&
        other.id !== id &&
        other.name === job.name &&
        newestFirst(job, other) < 0
    );
    return earlier ? [earlier.id, id] : [id];
  }

  /** List the next page. */
  more(): Promise<void> {
    this._more ??= this.fetchMore().finally(() => (this._more = null));
    return this._more;
  }

  /** The job with this id, fetched if it is not known yet. */
  async ensure(id: string): Promise<Job> {
    return this.get(id) ?? this.refresh(id);
  }

  /** Jobs whose name matches, wherever in the list they are. */
  async find(search: string, signal?: AbortSignal): Promise<Job[]> {
    const { jobs } = await this.api.get('/jobs', { query: { search }, signal });
    this.put(...jobs);
    return jobs.map(job => this.get(job.id) ?? job);
  }

  /** The newest job that wrote a file, by its path below the server's root. */
  async writing(path: string): Promise<Job | null> {
    const { jobs } = await this.api.get('/written', { query: { path } });
    return jobs[0] ?? null;
  }

  /** The newest jobs that read a dataset. */
  async reading(dataset: number, limit: number): Promise<Job[]> {
    const { jobs } = await this.api.get('/jobs', {
      query: { dataset, limit }
    });
    this.put(...jobs);
    return jobs.map(job => this.get(job.id) ?? job);
  }

  /** Start a job; asking again with the same id is the same job. */
  submit(id: string, name: string, spec: JobSpec): Promise<Job> {
    return this.taken(this.api.post('/jobs', { body: { id, name, spec } }));
  }

  cancel(id: string): Promise<Job> {
    return this.taken(
      this.api.post('/jobs/{job_id}/cancel', { path: { job_id: id } })
    );
  }

  /** Run the same snapshot again as a new job, with other values where some are given. */
  rerun(id: string, changes: Partial<Changes> = {}): Promise<Job> {
    return this.taken(
      this.api.post('/jobs/{job_id}/rerun', {
        path: { job_id: id },
        body: changes
      })
    );
  }

  /** Run the same snapshot with many values; asking again with the same `sweep` is the same one. */
  sweep(
    id: string,
    sweep: string,
    changes: Changes,
    plan: Plan
  ): Promise<Sweep> {
    return this.api.post('/jobs/{job_id}/sweep', {
      path: { job_id: id },
      body: { ...changes, id: sweep, plan }
    });
  }

  /** Have a running job stand still, or go on. */
  pause(id: string, paused: boolean): Promise<Job> {
    return this.taken(
      this.api.patch('/jobs/{job_id}', {
        path: { job_id: id },
        body: { paused }
      })
    );
  }

  /** Let a job that waits start earlier or later than others. */
  prioritise(id: string, priority: number): Promise<Job> {
    return this.taken(
      this.api.patch('/jobs/{job_id}', {
        path: { job_id: id },
        body: { priority }
      })
    );
  }

  /** What may be changed of a job to run it again. */
  form(id: string): Promise<Form> {
    return this.api.get('/jobs/{job_id}/form', { path: { job_id: id } });
  }

  /** What may be changed of work before it is submitted. */
  describe(name: string, spec: JobSpec): Promise<Form> {
    return this.api.post('/work/form', { body: { name, spec } });
  }

  /** What would be sent, where, and when it would start: nothing is started. */
  preview(name: string, spec: JobSpec): Promise<Preview> {
    return this.api.post('/work/preview', { body: { name, spec } });
  }

  /** What running a job again would be: nothing is started. */
  previewAgain(id: string, changes: Changes): Promise<Preview> {
    return this.api.post('/jobs/{job_id}/rerun/preview', {
      path: { job_id: id },
      body: changes
    });
  }

  /** What a sweep of a job would be: nothing is started. */
  previewSweep(id: string, changes: Changes, plan: Plan): Promise<Outline> {
    return this.api.post('/jobs/{job_id}/sweep/preview', {
      path: { job_id: id },
      body: { ...changes, plan }
    });
  }

  /** Environments that are built; none where they cannot be listed: a form does without. */
  async environments(): Promise<Environment[]> {
    try {
      return (await this.api.get('/environments')).environments;
    } catch {
      return [];
    }
  }

  /** Names that a cell needs of its kernel. */
  async names(source: string): Promise<string[]> {
    return (await this.api.post('/work/names', { body: { source } })).names;
  }

  /** Ask several to stop. */
  cancelMany(ids: string[]): Promise<Many> {
    return many(this.api.post('/work/cancel', { body: { jobs: ids } }));
  }

  /** Take several that are over off the list. */
  async removeMany(ids: string[]): Promise<Many> {
    const answer = await many(
      this.api.post('/work/delete', { body: { jobs: ids } })
    );
    this.drop(...answer.done);
    return answer;
  }

  /** Take a finished job off the list, with its folder. */
  async remove(id: string): Promise<void> {
    await this.api.delete('/jobs/{job_id}', { path: { job_id: id } });
    this.drop(id);
  }

  private refresh(id: string): Promise<Job> {
    return this.taken(this.api.get('/jobs/{job_id}', { path: { job_id: id } }));
  }

  private async taken(answer: Promise<Job>): Promise<Job> {
    const job = await answer;
    this.put(job);
    return this.get(job.id) ?? job;
  }

  private async fetchFirst(signal?: AbortSignal): Promise<Job[]> {
    const page = await this.api.get('/jobs', { signal });
    this.setPage(page.jobs, page.next);
    // After a pause: what was known besides, and could have gone on meanwhile.
    const listed = new Set(page.jobs.map(job => job.id));
    const others = this.items.filter(job => !listed.has(job.id));
    const fresh = await Promise.all(
      others.map(job =>
        isOver(job)
          ? job
          : this.api
              .get('/jobs/{job_id}', { path: { job_id: job.id }, signal })
              .catch(() => null)
      )
    );
    return [...page.jobs, ...fresh.filter(job => job !== null)];
  }

  private async fetchMore(): Promise<void> {
    if (this._next !== null) {
      const page = await this.api.get('/jobs', {
        query: { before: this._next }
      });
      this.setPage(page.jobs, page.next);
      this.put(...page.jobs);
    }
  }

  private setPage(jobs: Job[], next: string | null): void {
    this._next = next;
    this._oldest = next === null ? null : (jobs.at(-1) ?? null);
  }

  private _next: string | null = null;
  private _oldest: Job | null = null;
  private _more: Promise<void> | null = null;
}
