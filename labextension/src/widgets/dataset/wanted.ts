import { useEffect, useRef } from 'react';
import type { DatasetModel } from '../../models/dataset';
import type { Positions } from '../../models/selection';

/** ms between two requests for tiles while scrolling. */
const PERIOD = 60;

/** Fetch what is in view, and as much above and below; no more often than needed. */
export function useWanted(
  model: DatasetModel,
  positions: Positions,
  first: number,
  last: number,
  withSamples: boolean
): void {
  const asked = useRef(0);
  useEffect(() => {
    if (last <= first) {
      return;
    }
    const margin = Math.ceil((last - first) / 2);
    const ask = () => {
      asked.current = performance.now();
      model.thumbnails.want(positions.range(first - margin, last + margin));
      if (withSamples) {
        model.samples.want(positions.range(first, last));
      }
    };
    const wait = PERIOD - (performance.now() - asked.current);
    if (wait <= 0) {
      ask();
      return;
    }
    const timer = setTimeout(ask, wait);
    return () => clearTimeout(timer);
  }, [model, positions, first, last, withSamples]);
}

/**
 * Measure from the command that opened the tab to its first full screen, as
 * `blueno:gallery-first-paint` of the browser's performance timeline.
 */
export function useFirstPaint(
  model: DatasetModel,
  positions: Positions,
  first: number,
  last: number
): void {
  const done = useRef(false);
  useEffect(() => {
    if (done.current || last <= first) {
      return;
    }
    const check = () => {
      const shown = positions.range(first, last);
      if (done.current || !shown.every(one => model.thumbnails.get(one))) {
        return;
      }
      done.current = true;
      afterPaint(() => {
        const start = `blueno:open-dataset-${model.id}`;
        if (performance.getEntriesByName(start).length) {
          performance.measure('blueno:gallery-first-paint', start);
          performance.clearMarks(start);
        }
      });
    };
    check();
    model.thumbnails.changed.connect(check);
    return () => {
      model.thumbnails.changed.disconnect(check);
    };
  }, [model, positions, first, last]);
}

/** Run once the frame that is being made is on the screen. */
function afterPaint(run: () => void): void {
  requestAnimationFrame(() => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = run;
    port2.postMessage(null);
  });
}
