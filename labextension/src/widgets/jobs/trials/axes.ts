import type { Sweep, Trial } from '../../../api/types';
import { isComplete } from '../../../models/trials';
import { short } from '../../numbers';

/** One upright line of the parallel coordinates. */
export interface Axis {
  name: string;
  /** Where a trial crosses it: 0 at the bottom, 1 at the top; null where it does not. */
  at(trial: Trial): number | null;
  ticks: { at: number; text: string }[];
  /** What a place on it stands for, which stays when its ends move; and back. */
  valueAt(at: number): number;
  placeOf(value: number): number;
  /** A place as it is read. */
  textAt(at: number): string;
}

type Domain = Sweep['plan']['space'][string];

/** An axis for each parameter, and the last for the objective. */
export function axesOf(sweep: Sweep, trials: readonly Trial[]): Axis[] {
  const { space, objective } = sweep.plan;
  return [
    ...Object.entries(space).map(([name, domain]) =>
      domain.type === 'choice'
        ? choiceAxis(name, domain)
        : rangeAxis(name, domain.low, domain.high, domain.log, parameter(name))
    ),
    objectiveAxis(objective, trials)
  ];
}

function parameter(name: string): (trial: Trial) => number | null {
  return trial => {
    const value = trial.parameters[name];
    return typeof value === 'number' ? value : null;
  };
}

function choiceAxis(
  name: string,
  { values }: Extract<Domain, { type: 'choice' }>
): Axis {
  const texts = values.map(value => JSON.stringify(value));
  const place = (index: number) =>
    values.length > 1 ? index / (values.length - 1) : 0.5;
  const every = Math.ceil(values.length / 8);
  return {
    name,
    at: trial => {
      const index = texts.indexOf(JSON.stringify(trial.parameters[name]));
      return index < 0 ? null : place(index);
    },
    ticks: values
      .map((value, index) => ({ at: place(index), text: textOf(value) }))
      .filter((_, index) => index % every === 0),
    valueAt: at => at,
    placeOf: value => value,
    textAt: at => textOf(values[Math.round(at * (values.length - 1))])
  };
}

function objectiveAxis(name: string, trials: readonly Trial[]): Axis {
  const values = trials.filter(isComplete).map(({ value }) => value as number);
  const low = values.length ? Math.min(...values) : 0;
  const high = values.length ? Math.max(...values) : 1;
  return rangeAxis(name, low, high, false, trial => trial.value);
}

function rangeAxis(
  name: string,
  low: number,
  high: number,
  log: boolean,
  read: (trial: Trial) => number | null
): Axis {
  const scale = log ? Math.log10 : (value: number) => value;
  const [first, span] = [scale(low), scale(high) - scale(low)];
  const at = (value: number) => (span ? (scale(value) - first) / span : 0.5);
  const valueAt = (place: number) => {
    const found = first + place * span;
    return log ? 10 ** found : found;
  };
  return {
    name,
    at: trial => {
      const value = read(trial);
      return value === null ? null : Math.max(0, Math.min(1, at(value)));
    },
    ticks: (low === high ? [low] : log ? decades(low, high) : steps(low, high))
      .map(value => ({ at: at(value), text: short(value) }))
      .filter(tick => tick.at >= 0 && tick.at <= 1),
    valueAt,
    placeOf: at,
    textAt: place => short(valueAt(place))
  };
}

function decades(low: number, high: number): number[] {
  const first = Math.ceil(Math.log10(low) - 1e-9);
  const last = Math.floor(Math.log10(high) + 1e-9);
  const found = Array.from({ length: last - first + 1 }, (_, index) =>
    Number(`1e${first + index}`)
  );
  return found.length > 1 ? found : [low, high];
}

/** About five round numbers. */
function steps(low: number, high: number): number[] {
  const rough = (high - low) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step =
    power * ([1, 2, 5, 10].find(factor => factor * power >= rough) ?? 10);
  const found: number[] = [];
  for (let n = Math.ceil(low / step); n * step <= high; n += 1) {
    found.push(Number((n * step).toPrecision(12)));
  }
  return found;
}

/** A value of a parameter as it is read. */
export function textOf(value: unknown): string {
  return typeof value === 'number'
    ? short(value)
    : typeof value === 'string'
      ? value
      : JSON.stringify(value);
}
