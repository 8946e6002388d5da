import { PromiseDelegate } from '@lumino/coreutils';
import type { IDisposable } from '@lumino/disposable';
import { Signal, type ISignal } from '@lumino/signaling';
import { Api } from '../api/client';
import { DatasetsModel } from './datasets';
import { JobsModel } from './jobs';
import { MeModel } from './me';
import { ModelsModel } from './models';
import { Preferences } from './preferences';
import { SchedulesModel } from './schedules';

/** `reconnecting`: the server is away; what is in view may be old. */
export type Connection = 'connecting' | 'connected' | 'reconnecting';

const WAIT = 25; // seconds the server may hold a poll
const BACK_OFF = [500, 1000, 2000, 5000, 10000]; // ms

/**
 * Everything the front end knows of the platform, kept up to date by one
 * long poll from `start` on. Framework-free: views listen to the signals.
 */
export class Platform implements IDisposable {
  constructor(readonly api = new Api()) {
    this.datasets = new DatasetsModel(api);
    this.jobs = new JobsModel(api);
    this.schedules = new SchedulesModel(api);
    this.models = new ModelsModel(api);
    this.me = new MeModel(api);
  }

  readonly datasets: DatasetsModel;
  readonly jobs: JobsModel;
  readonly schedules: SchedulesModel;
  readonly models: ModelsModel;
  readonly me: MeModel;
  readonly preferences = new Preferences();

  get connection(): Connection {
    return this._connection;
  }

  get connectionChanged(): ISignal<this, Connection> {
    return this._connectionChanged;
  }

  /** Resolves when the lists were loaded for the first time; starts loading them. */
  get ready(): Promise<void> {
    this.start();
    return this._ready.promise;
  }

  get isDisposed(): boolean {
    return this._abort.signal.aborted;
  }

  /** Ask the server for the first time; later calls do nothing. */
  start(): void {
    if (!this._started) {
      this._started = true;
      void this.follow();
    }
  }

  dispose(): void {
    this._abort.abort();
    this.retry();
    Signal.clearData(this);
  }

  /** Do not wait out the pause: try again now. */
  retry(): void {
    this._wake?.();
  }

  /** Load, then poll; after a failure pause, load and poll again, for ever. */
  private async follow(): Promise<void> {
    for (let failures = 0; !this.isDisposed;) {
      try {
        let revision = await this.load();
        failures = 0;
        this.setConnection('connected');
        this._ready.resolve();
        while (!this.isDisposed) {
          revision = await this.poll(revision);
        }
      } catch {
        if (this.isDisposed) {
          return;
        }
        this.setConnection('reconnecting');
        await this.pause(BACK_OFF[Math.min(failures++, BACK_OFF.length - 1)]);
      }
    }
  }

  private async load(): Promise<number> {
    const { signal } = this._abort;
    // The revision first: what changes while the lists load is told again.
    const now = await this.api
      .get('/changes', { query: { since: -1 }, signal })
      .catch(() => null);
    await Promise.all([
      this.datasets.load(signal),
      this.jobs.load(signal),
      this.schedules.load(signal),
      this.models.load(signal),
      this.me.load(signal).catch(() => undefined) // the lists do without
    ]);
    if (!now) {
      throw new Error('no revision');
    }
    return now.revision;
  }

  private async poll(since: number): Promise<number> {
    const changes = await this.api.get('/changes', {
      query: { since, wait: WAIT },
      signal: this._abort.signal
    });
    if (changes.revision < since) {
      throw new Error('another database than before: load everything');
    }
    this.datasets.drop(...changes.deleted_datasets);
    this.jobs.drop(...changes.deleted_jobs);
    this.schedules.drop(...changes.deleted_schedules);
    this.models.drop(...changes.deleted_models);
    this.datasets.put(...changes.datasets);
    this.jobs.put(...changes.jobs);
    this.schedules.put(...changes.schedules);
    this.models.take(changes.models);
    return changes.revision;
  }

  private async pause(ms: number): Promise<void> {
    const timer = new Promise<void>(resolve => {
      this._wake = resolve;
    });
    const handle = setTimeout(() => this.retry(), ms);
    await timer;
    clearTimeout(handle);
  }

  private setConnection(connection: Connection): void {
    if (this._connection !== connection) {
      this._connection = connection;
      this._connectionChanged.emit(connection);
    }
  }

  private _abort = new AbortController();
  private _started = false;
  private _wake?: () => void;
  private _ready = new PromiseDelegate<void>();
  private _connection: Connection = 'connecting';
  private _connectionChanged = new Signal<this, Connection>(this);
}
