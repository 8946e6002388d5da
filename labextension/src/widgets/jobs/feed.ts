import { Signal, type ISignal } from '@lumino/signaling';
import type { IDisposable } from '@lumino/disposable';
import type { Checkpoint, Curves, Job, Output, Worker } from '../../api/types';
import { ApiError, reasonOf } from '../../api/client';
import type { ItemChange } from '../../models/collection';
import type { Platform } from '../../models/platform';
import type { LogSource } from './logreader';

/**
 * One job as a view follows it: always as the platform's model knows it, and
 * fetched once if that does not list it.
 */
export class JobFeed implements IDisposable {
  constructor(
    readonly platform: Platform,
    readonly id: string
  ) {
    platform.jobs.itemChanged.connect(this._onItem, this);
    platform.connectionChanged.connect(this._onConnection, this);
    void this.load();
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get job(): Job | undefined {
    return this.platform.jobs.get(this.id);
  }

  /** Why it cannot be shown; empty while it can, or may yet. */
  get problem(): string {
    return this._problem;
  }

  /** There is no such job (any more), and waiting will not help. */
  get gone(): boolean {
    return this._gone;
  }

  get isDisposed(): boolean {
    return this._disposed;
  }

  /** Ranges of its log, or of that of one of its workers. */
  log(worker = 0): LogSource {
    return async (offset, limit) => {
      const { body, headers } = await this.platform.api.bytes(
        '/jobs/{job_id}/log',
        { path: { job_id: this.id }, query: { offset, limit, worker } }
      );
      return {
        bytes: new Uint8Array(body),
        offset: Number(headers.get('X-Blueno-Offset')),
        size: Number(headers.get('X-Blueno-Size'))
      };
    };
  }

  /** How each of its workers stands, by rank. */
  async workers(): Promise<Worker[]> {
    const answer = await this.platform.api.get('/jobs/{job_id}/workers', {
      path: { job_id: this.id }
    });
    return answer.workers;
  }

  /** What it showed after a given output. */
  async outputs(after: number): Promise<Output[]> {
    const answer = await this.platform.api.get('/jobs/{job_id}/outputs', {
      path: { job_id: this.id },
      query: { after }
    });
    return answer.outputs;
  }

  /** Its curves, or what came since an earlier answer. */
  curves(what: 'metrics' | 'usage', after: string): Promise<Curves> {
    return this.platform.api.get(`/jobs/{job_id}/${what}`, {
      path: { job_id: this.id },
      query: { after }
    });
  }

  /** What it kept to go on from, the newest first. */
  async checkpoints(): Promise<Checkpoint[]> {
    const answer = await this.platform.api.get('/jobs/{job_id}/checkpoints', {
      path: { job_id: this.id }
    });
    return answer.checkpoints;
  }

  /** Ask for it, unless it is known. */
  async load(): Promise<void> {
    try {
      await this.platform.jobs.ensure(this.id);
      this._problem = '';
      this._gone = false;
    } catch (error) {
      this._problem = reasonOf(error);
      this._gone = error instanceof ApiError && error.status === 404;
    }
    this._tell();
  }

  dispose(): void {
    this._disposed = true;
    this.platform.jobs.itemChanged.disconnect(this._onItem, this);
    this.platform.connectionChanged.disconnect(this._onConnection, this);
    Signal.clearData(this);
  }

  private _onItem(_: unknown, { before, now }: ItemChange<Job>): void {
    if ((now ?? before)?.id === this.id) {
      this._gone = now === null;
      this._problem = now ? '' : 'This job was deleted.';
      this._tell();
    }
  }

  private _onConnection(): void {
    if (this.platform.connection === 'connected' && !this.job) {
      void this.load();
    }
  }

  private _tell(): void {
    if (!this._disposed) {
      this._changed.emit();
    }
  }

  private _disposed = false;
  private _problem = '';
  private _gone = false;
  private _changed = new Signal<this, void>(this);
}
