import type { Api } from '../api/client';
import type { Job } from '../api/types';
import { Collection } from './collection';

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

/** The newest jobs first. */
export class JobsModel extends Collection<Job> {
  constructor(api: Api) {
    super(
      async signal => (await api.get('/jobs', { signal })).jobs,
      (a, b) =>
        b.created_at.localeCompare(a.created_at) || b.id.localeCompare(a.id)
    );
  }
}
