import * as React from 'react';
import type { Sweep, Trial } from '../../../api/types';
import { goodness, isComplete } from '../../../models/trials';
import { useSize } from '../../hooks';
import type { Axis } from './axes';
import { Brush, chosenBy, type Brushes } from './brush';
import type { Pointed } from './pointed';
import { valuesInWords } from './words';

const HEIGHT = 230;
const [LEFT, RIGHT, TOP, BOTTOM] = [20, 64, 26, 12];
const TEXT = 15; // characters of a name

/**
 * A line a trial through what it tried, to what came of it; the better, the stronger.
 *
 * Who drags along an axis chooses the trials that cross it there.
 */
export function Parallel(props: {
  sweep: Sweep;
  trials: readonly Trial[];
  axes: Axis[];
  pointed: Pointed;
  brushes: Brushes;
  choose: (brushes: Brushes) => void;
}): JSX.Element {
  const { sweep, trials, axes, pointed, brushes, choose } = props;
  const [measure, { width }] = useSize<HTMLDivElement>();
  const complete = React.useMemo(() => trials.filter(isComplete), [trials]);
  const good = React.useMemo(
    () => goodness(sweep, complete),
    [sweep, complete]
  );
  const wide = Math.max(width, 90 * axes.length);
  const x = (index: number) =>
    LEFT + (index * (wide - LEFT - RIGHT)) / Math.max(1, axes.length - 1);
  // The best are drawn last, above the others; the one that is pointed at above all.
  const chosen = new Set(chosenBy(brushes, axes, complete));
  const rank = (one: Trial) =>
    one.number === pointed.number ? 2 : chosen.has(one) ? (good(one) ?? 0) : -1;
  const drawn = [...complete].sort((a, b) => rank(a) - rank(b));
  return (
    <figure className="jp-blueno-trials-figure" ref={measure}>
      <figcaption>Parameters and {sweep.plan.objective}</figcaption>
      {width > 0 && (
        <svg
          className="jp-blueno-parallel"
          width={wide}
          height={HEIGHT}
          role="group"
          aria-label={`Parallel coordinates of ${complete.length} trials; the table below has the same values`}
        >
          {drawn.map(one => (
            <Line
              key={one.number}
              trial={one}
              axes={axes}
              x={x}
              goodness={good(one) ?? 0}
              out={!chosen.has(one)}
              pointed={pointed}
            />
          ))}
          {axes.map((axis, index) => (
            <React.Fragment key={axis.name}>
              <Upright
                axis={axis}
                x={x(index)}
                last={index === axes.length - 1}
              />
              <Brush
                axis={axis}
                x={x(index)}
                top={y(1)}
                height={y(0) - y(1)}
                brush={brushes[axis.name]}
                set={brush => choose(changed(brushes, axis.name, brush))}
              />
            </React.Fragment>
          ))}
        </svg>
      )}
    </figure>
  );
}

function changed(
  brushes: Brushes,
  name: string,
  brush: readonly [number, number] | null
): Brushes {
  return Object.fromEntries([
    ...Object.entries(brushes).filter(([one]) => one !== name),
    ...(brush ? [[name, brush] as const] : [])
  ]);
}

function y(at: number): number {
  return HEIGHT - BOTTOM - at * (HEIGHT - TOP - BOTTOM);
}

function Line(props: {
  trial: Trial;
  axes: Axis[];
  x: (index: number) => number;
  goodness: number;
  out: boolean;
  pointed: Pointed;
}): JSX.Element {
  const { trial, axes, x, pointed, out } = props;
  const points = axes
    .map((axis, index) => [x(index), axis.at(trial)] as const)
    .filter(([, at]) => at !== null)
    .map(([left, at]) => `${left.toFixed(1)},${y(at as number).toFixed(1)}`)
    .join(' ');
  const is = pointed.number === trial.number;
  return (
    <g
      className={`jp-blueno-parallel-line${is ? ' jp-mod-pointed' : ''}${out ? ' jp-mod-out' : ''}`}
      data-trial={trial.number}
      style={{ '--jp-blueno-good': props.goodness } as React.CSSProperties}
      onPointerEnter={() => pointed.point(trial.number)}
      onPointerLeave={() => pointed.point(null)}
      onClick={() => pointed.open(trial)}
    >
      <title>{`Trial ${trial.number}: ${valuesInWords(trial)}`}</title>
      <polyline className="jp-blueno-parallel-reach" points={points} />
      <polyline className="jp-blueno-parallel-seen" points={points} />
    </g>
  );
}

function Upright(props: { axis: Axis; x: number; last: boolean }): JSX.Element {
  const { axis, x, last } = props;
  const { name, ticks } = axis;
  return (
    <g className="jp-blueno-parallel-axis" aria-hidden="true">
      <line x1={x} x2={x} y1={y(0)} y2={y(1)} />
      <text
        x={last ? x + RIGHT - 4 : x - 6}
        y={14}
        textAnchor={last ? 'end' : undefined}
        className="jp-blueno-parallel-name"
      >
        <title>{name}</title>
        {name.length > TEXT ? `${name.slice(0, TEXT - 1)}…` : name}
      </text>
      {ticks.map(({ at, text }) => (
        <g key={`${at} ${text}`}>
          <line x1={x - 3} x2={x + 3} y1={y(at)} y2={y(at)} />
          <text x={x + 6} y={y(at) + 4}>
            {text.length > TEXT ? `${text.slice(0, TEXT - 1)}…` : text}
          </text>
        </g>
      ))}
    </g>
  );
}
