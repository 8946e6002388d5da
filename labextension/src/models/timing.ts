import type { Timing } from '../api/types';

/** When people usually want something to be run. */
export const USUAL: readonly { label: string; cron: string }[] = [
  { label: 'every night', cron: '0 3 * * *' },
  { label: 'on workdays', cron: '30 6 * * 1-5' },
  { label: 'every Monday', cron: '0 6 * * 1' },
  { label: 'every hour', cron: '0 * * * *' },
  { label: 'every 15 minutes', cron: '*/15 * * * *' }
];

export const CATCH_UP: readonly [Timing['catch_up'], string][] = [
  ['once', 'make up for them with one run'],
  ['all', 'make up for each, one after another'],
  ['skip', 'leave them out']
];

export const OVERLAP: readonly [Timing['overlap'], string][] = [
  ['skip', 'leave the next one out'],
  ['queue', 'let the next one wait'],
  ['allow', 'start the next one beside it']
];

/** The texts of the form of a schedule while they are typed, and what is wrong with them. */
export class TimingModel {
  constructor(
    timing: Timing | null,
    /** Whether its notebook can be read anew each time; null: it is no notebook. */
    readonly mayBeFresh: boolean
  ) {
    this.cron = timing ? (timing.cron ?? '') : USUAL[0].cron;
    this.zone = timing?.zone ?? localZone();
    this.dataset = timing?.dataset ?? '';
    this.catchUp = timing?.catch_up ?? 'once';
    this.overlap = timing?.overlap ?? 'skip';
    this.limit = timing?.limit ?? 10;
  }

  cron: string;
  zone: string;
  dataset: string;
  catchUp: Timing['catch_up'];
  overlap: Timing['overlap'];
  readonly limit: number;
  fresh = false;
  /** What is wrong with it as a whole. */
  error = '';

  /** What was typed, or null where it says nothing: then `error` does. */
  read(): Timing | null {
    this.error = '';
    const cron = this.cron.trim();
    if (!cron && !this.dataset) {
      this.error = 'Give times, or a dataset.';
      return null;
    }
    return {
      cron: cron || null,
      zone: this.zone.trim(),
      dataset: this.dataset || null,
      catch_up: this.catchUp,
      overlap: this.overlap,
      limit: this.limit
    };
  }
}

/** The time zone that the browser is in. */
export function localZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';
}

/** All that the browser knows. */
export function zones(): string[] {
  return ['UTC', ...Intl.supportedValuesOf('timeZone')];
}

/** `Tue, 24 Nov, 03:00` in a time zone; with the year where it is another one. */
export function moment(iso: string, zone: string): string {
  const other = iso.slice(0, 4) !== new Date().toISOString().slice(0, 4);
  return new Intl.DateTimeFormat('en-GB', {
    timeZone: zone,
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    year: other ? 'numeric' : undefined,
    hour: '2-digit',
    minute: '2-digit'
  }).format(new Date(iso));
}
