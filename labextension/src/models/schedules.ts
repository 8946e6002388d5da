import type { Api } from '../api/client';
import type {
  JobSpec,
  Schedule,
  Standby,
  Timing,
  Upcoming
} from '../api/types';
import { Collection } from './collection';
import type { Changes } from './form';

/** What is asked for when work is scheduled. */
export interface NewSchedule {
  id: string;
  timing: Timing;
  fresh: boolean;
}

/** All schedules, by name, and who starts their jobs. */
export class SchedulesModel extends Collection<Schedule> {
  constructor(private readonly api: Api) {
    super(
      signal => this.fetchAll(signal),
      (a, b) => a.name.localeCompare(b.name, undefined, { numeric: true })
    );
  }

  /** Who starts jobs when no Lab is open; null before it was asked. */
  get standby(): Standby | null {
    return this._standby;
  }

  /** Schedule work, as it is now. */
  create(
    asked: NewSchedule,
    spec: JobSpec,
    { name, values, resources }: Changes
  ): Promise<Schedule> {
    const { id, timing, fresh } = asked;
    return this.taken(
      this.api.post('/schedules', {
        body: {
          id,
          name,
          timing,
          fresh,
          spec: { ...spec, parameters: values, resources }
        }
      })
    );
  }

  /** Schedule what a job ran. */
  createOfJob(
    asked: NewSchedule,
    job_id: string,
    change: Changes
  ): Promise<Schedule> {
    const { id, timing } = asked;
    return this.taken(
      this.api.post('/schedules/of-job', {
        body: { id, job_id, timing, change }
      })
    );
  }

  /** Change when it starts, its name, or let it pause. */
  change(
    id: string,
    body: { timing?: Timing; name?: string; paused?: boolean }
  ): Promise<Schedule> {
    return this.taken(
      this.api.patch('/schedules/{schedule_id}', {
        path: { schedule_id: id },
        body
      })
    );
  }

  /** Start what it runs, now; the id of the job. */
  async runNow(id: string, key: string): Promise<string> {
    const fired = await this.api.post('/schedules/{schedule_id}/run', {
      path: { schedule_id: id },
      body: { key }
    });
    if (fired.job_id === null) {
      throw new Error(fired.reason ?? 'It was not started; try again.');
    }
    return fired.job_id;
  }

  /** End it; jobs that it started stay. */
  async remove(id: string): Promise<void> {
    await this.api.delete('/schedules/{schedule_id}', {
      path: { schedule_id: id }
    });
    this.drop(id);
  }

  /** What a cron line means, or what is wrong with it. */
  describe(cron: string, zone: string, signal: AbortSignal): Promise<Upcoming> {
    return this.api.get('/cron', { query: { cron, zone }, signal });
  }

  private async fetchAll(signal?: AbortSignal): Promise<Schedule[]> {
    const { schedules, standby } = await this.api.get('/schedules', { signal });
    this._standby = standby;
    return schedules;
  }

  private async taken(answer: Promise<Schedule>): Promise<Schedule> {
    const schedule = await answer;
    this.put(schedule);
    return this.get(schedule.id) ?? schedule;
  }

  private _standby: Standby | null = null;
}
