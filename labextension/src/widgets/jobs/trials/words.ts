import type { Trial } from '../../../api/types';
import { duration, short } from '../../numbers';
import type { SignName } from '../words';
import { textOf } from './axes';

export const SIGNS: Record<Trial['state'], SignName> = {
  waiting: 'waiting',
  running: 'running',
  complete: 'done',
  pruned: 'stopped',
  failed: 'failed',
  cancelled: 'stopped'
};

/** `lr 0.01, batch 32 → 0.97`. */
export function valuesInWords(trial: Trial): string {
  const values = Object.entries(trial.parameters)
    .map(([name, value]) => `${name} ${textOf(value)}`)
    .join(', ');
  return trial.value === null ? values : `${values} → ${short(trial.value)}`;
}

/** How long it ran, or has been running. */
export function ranFor(trial: Trial, now: number): string {
  if (!trial.started_at) {
    return '';
  }
  const end = trial.finished_at ? Date.parse(trial.finished_at) : now;
  const seconds = Math.max(0, (end - Date.parse(trial.started_at)) / 1000);
  return trial.finished_at && seconds < 10
    ? `${seconds.toFixed(1)} s`
    : duration(seconds);
}
