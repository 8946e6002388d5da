import * as React from 'react';
import type { Sweep, Trial } from '../../../api/types';
import { isBetter } from '../../../models/trials';
import { count, short } from '../../numbers';
import { Sign } from '../words';
import { textOf } from './axes';
import type { Pointed } from './pointed';
import { SIGNS, ranFor } from './words';

const FIRST = 200; // rows that are shown before somebody asks for all

/** Which column it is sorted by; `up` is from small to large. */
interface Order {
  by: string;
  up: boolean;
}

const BEST = ' best'; // a blank first: no parameter is called so

/** All trials; a heading sorts, a row opens the trial's job. */
export function TrialTable(props: {
  sweep: Sweep;
  trials: readonly Trial[];
  pointed: Pointed;
  now: number;
}): JSX.Element {
  const { sweep, trials, pointed, now } = props;
  const [order, setOrder] = React.useState<Order>({ by: BEST, up: true });
  const [all, setAll] = React.useState(false);
  const sorted = React.useMemo(
    () => [...trials].sort(comparing(sweep, order)),
    [sweep, trials, order]
  );
  const names = Object.keys(sweep.plan.space);
  const shown = all ? sorted : sorted.slice(0, FIRST);
  const heading = (by: string, text: string) => (
    <Heading key={by} by={by} text={text} order={order} set={setOrder} />
  );
  return (
    <>
      <table className="jp-blueno-curves-table jp-blueno-trials-table">
        <thead>
          <tr>
            {heading('number', 'Trial')}
            {heading(BEST, sweep.plan.objective)}
            {names.map(name => heading(`=${name}`, name))}
            {heading('ran', 'Ran')}
          </tr>
        </thead>
        <tbody>
          {shown.map(one => (
            <Row
              key={one.number}
              trial={one}
              names={names}
              best={sweep.best?.number === one.number}
              pointed={pointed}
              now={now}
            />
          ))}
        </tbody>
      </table>
      {shown.length < sorted.length && (
        <button
          className="jp-blueno-action jp-blueno-trials-all"
          onClick={() => setAll(true)}
        >
          Show all {count(sorted.length)} trials
        </button>
      )}
    </>
  );
}

function Heading(props: {
  by: string;
  text: string;
  order: Order;
  set: (order: Order) => void;
}): JSX.Element {
  const { by, text, order, set } = props;
  const is = order.by === by;
  return (
    <th
      scope="col"
      aria-sort={is ? (order.up ? 'ascending' : 'descending') : undefined}
    >
      <button
        title={`Sort by ${text}`}
        onClick={() => set({ by, up: is ? !order.up : true })}
      >
        {text}
        <span aria-hidden="true">{is ? (order.up ? ' ↓' : ' ↑') : ''}</span>
      </button>
    </th>
  );
}

function Row(props: {
  trial: Trial;
  names: string[];
  best: boolean;
  pointed: Pointed;
  now: number;
}): JSX.Element {
  const { trial, names, best, pointed, now } = props;
  const { number, state, value, reason } = trial;
  const is = pointed.number === number;
  const word = best ? `${state}, the best` : state;
  return (
    <tr
      className={[best && 'jp-mod-best', is && 'jp-mod-pointed']
        .filter(Boolean)
        .join(' ')}
      data-trial={number}
      data-state={state}
      onPointerEnter={() => pointed.point(number)}
      onPointerLeave={() => pointed.point(null)}
      onClick={() => pointed.open(trial)}
    >
      <th scope="row">
        <Sign sign={SIGNS[state]} word={word} />
        <button
          className="jp-blueno-button jp-mod-link"
          title={reason ?? `Open the job of trial ${number}`}
          aria-label={`Open trial ${number}`}
        >
          {number}
        </button>
      </th>
      <td className={state === 'running' ? 'jp-mod-passing' : undefined}>
        {value === null ? '' : short(value)}
        {state !== 'complete' && state !== 'running' && (
          <span className="jp-blueno-hint"> {state}</span>
        )}
      </td>
      {names.map(name => (
        <td key={name} title={String(trial.parameters[name])}>
          {name in trial.parameters ? textOf(trial.parameters[name]) : ''}
        </td>
      ))}
      <td>{ranFor(trial, now)}</td>
    </tr>
  );
}

type Comparison = (one: Trial, other: Trial) => number;

function comparing(sweep: Sweep, { by, up }: Order): Comparison {
  const sign = up ? 1 : -1;
  const inner: Comparison =
    by === BEST
      ? (a, b) => byWorth(sweep, a, b)
      : by === 'number'
        ? () => 0
        : by === 'ran'
          ? (a, b) => seconds(a) - seconds(b)
          : (a, b) =>
              byValue(a.parameters[by.slice(1)], b.parameters[by.slice(1)]);
  return (a, b) => sign * (inner(a, b) || a.number - b.number);
}

/** Those under way first, then the best. */
function byWorth(sweep: Sweep, a: Trial, b: Trial): number {
  const group = ({ state }: Trial) =>
    state === 'running'
      ? 0
      : state === 'complete'
        ? 1
        : state === 'waiting'
          ? 2
          : 3;
  if (group(a) !== group(b) || a.state !== 'complete') {
    return group(a) - group(b);
  }
  const [one, other] = [a.value as number, b.value as number];
  return one === other ? 0 : isBetter(sweep, one, other) ? -1 : 1;
}

function byValue(a: unknown, b: unknown): number {
  return typeof a === 'number' && typeof b === 'number'
    ? a - b
    : textOf(a).localeCompare(textOf(b));
}

function seconds({ started_at, finished_at }: Trial): number {
  return started_at && finished_at
    ? Date.parse(finished_at) - Date.parse(started_at)
    : Infinity;
}
