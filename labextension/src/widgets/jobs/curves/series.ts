/** From curves to what a chart draws. No framework, no drawing. */
import type { Curve } from '../../../models/curves';

/** What runs along the bottom: the step that was logged, or minutes since the first point. */
export type Along = 'step' | 'time';

export interface Drawn {
  along: Along;
  log: boolean;
  /** From 0 to 0.99: how much of the past is in each point. */
  smoothing: number;
  /** The scale begins at nothing. */
  fromZero?: boolean;
}

/** Several curves in one picture. */
export interface Group {
  title: string;
  curves: Curve[];
}

const SIDES = /^(?:train|training|val|valid|validation|test|eval)$/i;

/**
 * Curves that are compared share a picture: `loss`, `val_loss` and `test/loss`
 * do, since they differ only in which samples they are of.
 */
export function grouped(curves: readonly Curve[]): Group[] {
  const groups = new Map<string, Curve[]>();
  for (const curve of curves) {
    const parts = curve.name.split(/[/_. -]/);
    const rest = parts.filter(part => !SIDES.test(part)).join('_');
    const title = rest || curve.name;
    groups.set(title, [...(groups.get(title) ?? []), curve]);
  }
  return [...groups].map(([title, members]) => ({
    title: members.length === 1 ? members[0].name : title,
    curves: members
  }));
}

/** Numbers along the bottom, ascending, and the value of each curve there; null is a gap. */
export type Table = [number[], ...(number | null)[][]];

/** The table of one curve: sorted, gaps where there is nothing to draw. */
export function tableOf(curve: Curve, begin: number, drawn: Drawn): Table {
  const { steps, times, values } = curve;
  const along =
    drawn.along === 'step' ? steps : times.map(time => (time - begin) / 60);
  const order = along.map((_, index) => index);
  if (along.some((x, index) => index > 0 && x < along[index - 1])) {
    order.sort((a, b) => along[a] - along[b] || a - b);
  }
  const drawable = (value: number): number | null =>
    Number.isFinite(value) && !(drawn.log && value <= 0) ? value : null;
  return [
    order.map(index => along[index]),
    order.map(index => drawable(values[index]))
  ];
}

/**
 * An exponential moving average, corrected for its beginning so that it starts
 * at the first value; gaps stay gaps and are not carried on.
 */
export function smoothed(
  values: (number | null)[],
  weight: number
): (number | null)[] {
  let mean = 0;
  let known = 0;
  return values.map(value => {
    if (value === null) {
      return null;
    }
    mean = weight * mean + (1 - weight) * value;
    known = weight * known + (1 - weight);
    return mean / known;
  });
}

/** How many values are no finite numbers, and where the first is. */
export function gaps({ steps, values }: Curve): {
  count: number;
  first: number;
} {
  let count = 0;
  let first = NaN;
  values.forEach((value, index) => {
    if (!Number.isFinite(value)) {
      first = count ? first : steps[index];
      count += 1;
    }
  });
  return { count, first };
}

/** Lowest and highest value and where they are; `undefined` where there is no number. */
export function extremes({ steps, values }: Curve): {
  low?: [value: number, step: number];
  high?: [value: number, step: number];
} {
  let low: [number, number] | undefined;
  let high: [number, number] | undefined;
  values.forEach((value, index) => {
    if (!Number.isNaN(value)) {
      low = !low || value < low[0] ? [value, steps[index]] : low;
      high = !high || value > high[0] ? [value, steps[index]] : high;
    }
  });
  return { low, high };
}
