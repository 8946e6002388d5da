/** What is said of a job, in words and signs. */
import * as React from 'react';
import type { Job } from '../../api/types';
import { isOver, isPaused } from '../../models/jobs';
import { duration, short } from '../numbers';

/** What a state looks like; several look alike. */
export type SignName = 'running' | 'waiting' | 'done' | 'failed' | 'stopped';

export const SIGNS: Record<Job['state'], SignName> = {
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

export const WORDS: Record<Job['state'], string> = {
  SUBMITTING: 'being submitted',
  QUEUED: 'waiting',
  STARTING: 'starting',
  RUNNING: 'running',
  FINISHING: 'finishing',
  SUCCEEDED: 'succeeded',
  FAILED: 'failed',
  CANCELLED: 'cancelled',
  TIMED_OUT: 'timed out',
  LOST: 'lost'
};

/** Whether it has begun and not ended. */
export function isRunning(job: Job): boolean {
  return SIGNS[job.state] === 'running';
}

/** Its state as one word or two. */
export function stateWord(job: Job): string {
  return job.desired === 'cancel' && !isOver(job)
    ? 'cancelling'
    : isPaused(job)
      ? 'paused'
      : WORDS[job.state];
}

/** Seconds it ran, or has been running. */
export function runningTime(job: Job, now = Date.now()): number | null {
  if (!job.started_at) {
    return null;
  }
  const end = job.finished_at ? Date.parse(job.finished_at) : now;
  return Math.max(0, (end - Date.parse(job.started_at)) / 1000);
}

/** Seconds left, as far as its progress tells. */
export function timeLeft(job: Job, now = Date.now()): number | null {
  const { progress } = job;
  const ran = runningTime(job, now);
  if (
    !isRunning(job) ||
    isPaused(job) ||
    !progress?.total ||
    progress.done <= 0 ||
    !ran ||
    ran < 3
  ) {
    return null;
  }
  return (ran * Math.max(0, progress.total - progress.done)) / progress.done;
}

/** State and time: `running 2:14`, `succeeded in 0:48`. */
export function stateLine(job: Job, now = Date.now()): string {
  const ran = runningTime(job, now);
  if (ran === null) {
    return stateWord(job);
  }
  const time =
    job.finished_at && ran < 10 ? `${ran.toFixed(1)} s` : duration(ran);
  const word = stateWord(job);
  return !isOver(job)
    ? `${word} ${time}`
    : job.state === 'SUCCEEDED'
      ? `${word} in ${time}`
      : `${word} after ${time}`;
}

/** Why it waits, ended so, or has not been heard of; empty where all is said. */
export function reasonLine(job: Job): string {
  if (job.reason && job.state !== 'SUCCEEDED') {
    return job.reason;
  }
  if (isRunning(job) && job.health === 'silent') {
    return 'No sign of life for a while; it is still being watched.';
  }
  return '';
}

/** The newest values of its first metrics: `loss 0.0312 · accuracy 0.9`. */
export function metricsLine(job: Job): string {
  return Object.entries(job.metrics ?? {})
    .map(([name, value]) => `${name} ${short(Number(value))}`)
    .join(' · ');
}

/** The sign of a state; its word is for those who do not see it. */
export function StateSign({ job }: { job: Job }): JSX.Element {
  const sign = isPaused(job) ? 'waiting' : SIGNS[job.state];
  return <Sign sign={sign} word={stateWord(job)} />;
}

export function Sign(props: { sign: SignName; word: string }): JSX.Element {
  const { sign, word } = props;
  return (
    <svg
      className={`jp-blueno-sign jp-mod-${sign}`}
      viewBox="0 0 16 16"
      width="16"
      height="16"
      role="img"
      aria-label={word}
    >
      <title>{word}</title>
      {DRAWINGS[sign]}
    </svg>
  );
}

const DRAWINGS: Record<SignName, JSX.Element> = {
  running: (
    <>
      <circle className="jp-blueno-sign-halo" cx="8" cy="8" r="6.2" />
      <circle cx="8" cy="8" r="4" fill="currentColor" />
    </>
  ),
  waiting: (
    <circle
      cx="8"
      cy="8"
      r="5"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.6"
      strokeDasharray="2.4 2.83"
    />
  ),
  done: (
    <path
      d="M3 8.4l3.4 3.4L13 4.8"
      fill="none"
      stroke="currentColor"
      strokeWidth="2"
    />
  ),
  failed: (
    <path
      d="M4 4l8 8M12 4l-8 8"
      fill="none"
      stroke="currentColor"
      strokeWidth="2"
    />
  ),
  stopped: (
    <>
      <circle
        cx="8"
        cy="8"
        r="5.6"
        fill="none"
        stroke="currentColor"
        strokeWidth="1.6"
      />
      <path d="M4.2 11.8l7.6-7.6" stroke="currentColor" strokeWidth="1.6" />
    </>
  )
};

/** The present moment, again and again while `ticking`. */
export function useNow(ticking: boolean, ms = 1000): number {
  const [now, setNow] = React.useState(Date.now);
  React.useEffect(() => {
    if (!ticking) {
      return;
    }
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), ms);
    return () => clearInterval(timer);
  }, [ticking, ms]);
  return now;
}
