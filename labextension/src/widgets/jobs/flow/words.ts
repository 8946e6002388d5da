/** What is said of a step. */
import type { Part, Step } from '../../../api/types';
import { duration } from '../../numbers';
import type { SignName } from '../words';

export const SIGN: Record<Step['state'], SignName> = {
  WAITING: 'waiting',
  NOT_RUN: 'stopped',
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

const WORDS: Record<Step['state'], string> = {
  WAITING: 'waits for others',
  NOT_RUN: 'not run',
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

/** Its state; of a step that was not run again that it was reused. */
export function stateWords(one: Step | Part): string {
  return one.reused && one.state === 'SUCCEEDED' ? 'reused' : WORDS[one.state];
}

/** How long it ran, short. */
export function took(one: Step | Part): string {
  const { seconds, reused } = one;
  if (seconds === null || reused) {
    return '';
  }
  return seconds < 10 ? `${seconds.toFixed(1)} s` : duration(seconds);
}

/** State, parts and time: what stands below the name in the picture. */
export function below(step: Step): string {
  const parts = partsWords(step);
  return [stateWords(step), parts, took(step)].filter(Boolean).join(' · ');
}

/** Of a step with many jobs: how many there are, or are done. */
export function partsWords(step: Step): string {
  const { mapped, state, parts, parts_done: done } = step;
  if (!mapped) {
    return '';
  }
  return state === 'WAITING' || state === 'NOT_RUN' || done === parts
    ? `${parts} ${parts === 1 ? 'job' : 'jobs'}`
    : `${done} of ${parts}`;
}
