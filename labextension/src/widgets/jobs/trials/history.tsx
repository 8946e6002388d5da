import * as React from 'react';
import type { Sweep, Trial } from '../../../api/types';
import { isBetter, isComplete } from '../../../models/trials';
import { useSize } from '../../hooks';
import { axesOf } from './axes';
import type { Pointed } from './pointed';
import { valuesInWords } from './words';

const HEIGHT = 230;
const [LEFT, RIGHT, TOP, BOTTOM] = [56, 12, 12, 26];

/** What each trial was worth, in their order, and the best so far as a line of steps. */
export function History(props: {
  sweep: Sweep;
  trials: readonly Trial[];
  pointed: Pointed;
}): JSX.Element {
  const { sweep, trials, pointed } = props;
  const [measure, { width }] = useSize<HTMLDivElement>();
  const complete = React.useMemo(() => trials.filter(isComplete), [trials]);
  const axis = React.useMemo(
    () => axesOf(sweep, complete).at(-1),
    [sweep, complete]
  );
  const last = Math.max(1, (trials.at(-1)?.number ?? 0) + 1);
  const x = (number: number) =>
    LEFT + ((number + 0.5) * (width - LEFT - RIGHT)) / last;
  const y = (at: number) => HEIGHT - BOTTOM - at * (HEIGHT - TOP - BOTTOM);
  const steps = bestSoFar(sweep, complete)
    .map(one => [x(one.number), y(axis?.at(one.trial) ?? 0)])
    .map(([left, top], index) => `${index ? `H${left}V` : `M${left} `}${top}`)
    .join('');
  const every = Math.ceil(last / 6);
  return (
    <figure className="jp-blueno-trials-figure" ref={measure}>
      <figcaption>{sweep.plan.objective} of each trial</figcaption>
      {width > 0 && axis && (
        <svg
          className="jp-blueno-history"
          width={width}
          height={HEIGHT}
          role="img"
          aria-label={`${sweep.plan.objective} of ${complete.length} trials in their order, and the best so far`}
        >
          <g className="jp-blueno-parallel-axis" aria-hidden="true">
            {axis.ticks.map(({ at, text }) => (
              <g key={text}>
                <line
                  className="jp-mod-faint"
                  x1={LEFT}
                  x2={width - RIGHT}
                  y1={y(at)}
                  y2={y(at)}
                />
                <text x={LEFT - 8} y={y(at) + 4} textAnchor="end">
                  {text}
                </text>
              </g>
            ))}
            {Array.from({ length: Math.ceil(last / every) }, (_, index) => (
              <text
                key={index}
                x={x(index * every)}
                y={HEIGHT - 8}
                textAnchor="middle"
              >
                {index * every}
              </text>
            ))}
          </g>
          {steps && (
            <path
              className="jp-blueno-history-best"
              d={`${steps}H${width - RIGHT}`}
            />
          )}
          {complete.map(one => (
            <circle
              key={one.number}
              className={
                one.number === pointed.number
                  ? 'jp-mod-pointed'
                  : one.number === sweep.best?.number
                    ? 'jp-mod-best'
                    : undefined
              }
              cx={x(one.number)}
              cy={y(axis.at(one) ?? 0)}
              r={one.number === pointed.number ? 6 : 4}
              onPointerEnter={() => pointed.point(one.number)}
              onPointerLeave={() => pointed.point(null)}
              onClick={() => pointed.open(one)}
            >
              <title>{`Trial ${one.number}: ${valuesInWords(one)}`}</title>
            </circle>
          ))}
        </svg>
      )}
    </figure>
  );
}

/** Where the best so far changes. */
function bestSoFar(
  sweep: Sweep,
  complete: readonly Trial[]
): { number: number; trial: Trial }[] {
  const found: { number: number; trial: Trial }[] = [];
  for (const trial of complete) {
    const best = found.at(-1)?.trial.value ?? null;
    if (best === null || isBetter(sweep, trial.value as number, best)) {
      found.push({ number: trial.number, trial });
    }
  }
  return found;
}
