/** What is said of a schedule and its runs, in words and dots. */
import * as React from 'react';
import type { Firing, Job, Schedule } from '../../api/types';
import { moment } from '../../models/timing';

type Look = 'running' | 'waiting' | 'done' | 'failed' | 'stopped';

const LOOKS: Record<Job['state'], Look> = {
  SUBMITTING: 'waiting',
  QUEUED: 'waiting',
  STARTING: 'running',
  RUNNING: 'running',
  FINISHING: 'running',
  SUCCEEDED: 'done',
  FAILED: 'failed',
  CANCELLED: 'stopped',
  TIMED_OUT: 'failed',
  LOST: 'failed'
};

const WORDS: Record<Look, string> = {
  running: 'running',
  waiting: 'waiting',
  done: 'succeeded',
  failed: 'failed',
  stopped: 'stopped'
};

const CAUSES: Record<Firing['cause'], string> = {
  time: '',
  catch_up: 'made up for',
  dataset: 'a new version',
  hand: 'by hand'
};

/** How a run is doing: as its job says now, where that is known. */
export function lookOf(run: Firing, job: Job | undefined): Look {
  const state = job?.state ?? run.job_state;
  if (state) {
    return LOOKS[state];
  }
  return run.state === 'waiting'
    ? 'waiting'
    : run.state === 'failed'
      ? 'failed'
      : 'stopped';
}

/** `Tue 24 Nov, 03:00: succeeded · missed 3, ran once`. */
export function runWords(
  run: Firing,
  job: Job | undefined,
  zone: string
): string {
  const gone = run.state === 'started' && !job && !run.job_state;
  const parts = [
    gone ? 'its job was deleted' : WORDS[lookOf(run, job)],
    CAUSES[run.cause],
    run.missed > 0 &&
      (run.cause === 'catch_up'
        ? `missed ${run.missed}, ran once`
        : `missed ${run.missed} before`),
    run.reason ?? job?.reason
  ];
  return `${moment(run.due, zone)}: ${parts.filter(Boolean).join(' · ')}`;
}

/** When it starts next; empty where only a dataset says so. */
export function nextLine({ paused, next_due, timing }: Schedule): string {
  return paused
    ? 'Paused'
    : next_due === null
      ? ''
      : `Next ${moment(next_due, timing.zone)}`;
}

/** Why the last time came to nothing, or not to a good end; empty where all is well. */
export function trouble(schedule: Schedule, job: Job | undefined): string {
  const [last] = schedule.runs;
  const { skipped } = schedule;
  if (skipped?.reason) {
    return `Left out ${moment(skipped.due, schedule.timing.zone)}: ${skipped.reason}`;
  }
  if (!last || !['failed', 'waiting'].includes(lookOf(last, job))) {
    return '';
  }
  return job?.reason ?? last.reason ?? '';
}

/** One run as a dot; its words are its name. */
export function Dot(props: {
  look: Look;
  words: string;
  open?: () => void;
}): JSX.Element {
  const { look, words, open } = props;
  return (
    <button
      className={`jp-blueno-button jp-blueno-dot jp-mod-${look}`}
      title={words}
      aria-label={words}
      disabled={!open}
      onClick={open}
    >
      <svg viewBox="0 0 10 10" width="10" height="10" aria-hidden="true">
        {SHAPES[look]}
      </svg>
    </button>
  );
}

/** Told apart by shape, too: colours alone do not tell everybody. */
const SHAPES: Record<Look, JSX.Element> = {
  running: <circle cx="5" cy="5" r="3.2" fill="currentColor" opacity="0.7" />,
  waiting: (
    <circle
      cx="5"
      cy="5"
      r="3.6"
      fill="none"
      stroke="currentColor"
      strokeDasharray="1.6 1.6"
    />
  ),
  done: <circle cx="5" cy="5" r="4" fill="currentColor" />,
  failed: (
    <path
      d="M1.5 1.5l7 7M8.5 1.5l-7 7"
      fill="none"
      stroke="currentColor"
      strokeWidth="2"
    />
  ),
  stopped: <circle cx="5" cy="5" r="3.5" fill="none" stroke="currentColor" />
};
