/** What is said of a step. */
import type { Part, Step } from '../../../api/types';
import { duration } from '../../numbers';
import { SIGNS, type SignName, WORDS } from '../words';

/** A step is a job, or is not one yet, or never will be. */
export const SIGN: Record<Step['state'], SignName> = {
  ...SIGNS,
  WAITING: 'waiting',
  NOT_RUN: 'stopped'
};

const STEP_WORDS: Record<Step['state'], string> = {
  ...WORDS,
  WAITING: 'waits for others',
  NOT_RUN: 'not run'
};

/** Its state; of a step that was not run again that it was reused. */
export function stateWords(one: Step | Part): string {
  return one.reused && one.state === 'SUCCEEDED'
    ? 'reused'
    : STEP_WORDS[one.state];
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
