/** Marks for whoever measures: from the hand's movement to the picture. */
import type { Plane } from './source';

export class Stopwatch {
  /** `opened` is when the volume was asked for (`performance.now()`). */
  constructor(private readonly opened: number) {}

  start(plane: Plane, at: number): void {
    this.since.set(plane, at);
  }

  /** The slice that was asked for is on the screen. */
  stop(plane: Plane, index: number): void {
    const start = this.since.get(plane);
    if (start === undefined) {
      return;
    }
    this.since.delete(plane);
    const first = !this.measured;
    this.measured = true;
    performance.measure('blueno:slice-paint', {
      start: first ? this.opened : start,
      end: performance.now(),
      detail: { kind: first ? 'open' : 'scroll', plane, index }
    });
  }

  private readonly since = new Map<Plane, number>();
  private measured = false;
}
