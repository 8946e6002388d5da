import * as React from 'react';
import type { Step } from '../../../api/types';
import { useSize } from '../../hooks';
import { Sign } from '../words';
import { HEIGHT, WIDTH, useLayout, type Layout } from './layout';
import { SIGN, below } from './words';

const SHOWN = 20; // characters of a name
const SMALLEST = 0.65; // of its size; a wider flow is scrolled

/** The steps and what needs what, live. A step is opened by a click or Enter. */
export function FlowPicture(props: {
  steps: readonly Step[];
  open: (step: Step) => void;
}): JSX.Element {
  const { steps, open } = props;
  const layout = useLayout(steps);
  const [host, { width }] = useSize<HTMLDivElement>();
  const [at, setAt] = React.useState(0);
  const picture = React.useRef<SVGSVGElement>(null);
  const go = (name: string | undefined) => {
    const next = steps.findIndex(step => step.name === name);
    if (next >= 0) {
      setAt(next);
      const nodes =
        picture.current?.querySelectorAll<SVGGElement>('[role="button"]');
      nodes?.[next].focus();
    }
  };
  const onKey = (event: React.KeyboardEvent, step: Step) => {
    if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault();
      open(step);
    } else if (layout && event.key.startsWith('Arrow')) {
      event.preventDefault();
      go(neighbour(event.key, step, steps, layout));
    }
  };
  const scale = layout
    ? Math.max(SMALLEST, Math.min(1, width / layout.width))
    : 1;
  return (
    <div ref={host} className="jp-blueno-flow-picture">
      {layout && width > 0 && (
        <svg
          ref={picture}
          width={layout.width * scale}
          height={layout.height * scale}
          viewBox={`0 0 ${layout.width} ${layout.height}`}
          role="group"
          aria-label="Steps of the flow; arrow keys go from one to the next"
        >
          {layout.lines.map(({ from, to, path }) => (
            <path
              key={`${from}\n${to}`}
              className={lineClass(steps, from, to)}
              d={path}
            />
          ))}
          {steps.map((step, place) => (
            <Node
              key={step.name}
              step={step}
              layout={layout}
              tabIndex={place === Math.min(at, steps.length - 1) ? 0 : -1}
              open={() => {
                setAt(place);
                open(step);
              }}
              onKey={event => onKey(event, step)}
            />
          ))}
        </svg>
      )}
    </div>
  );
}

function Node(props: {
  step: Step;
  layout: Layout;
  tabIndex: number;
  open: () => void;
  onKey: (event: React.KeyboardEvent) => void;
}): JSX.Element | null {
  const { step, layout, tabIndex, open, onKey } = props;
  const place = layout.places.get(step.name);
  if (!place) {
    return null; // the layout of what is new is on its way
  }
  const words = below(step);
  const sign = SIGN[step.state];
  const { progress } = step;
  const running = sign === 'running' && progress !== null;
  return (
    <g
      className={`jp-blueno-flow-step jp-mod-${sign}${step.reused ? ' jp-mod-reused' : ''}`}
      data-step={step.name}
      data-state={step.state}
      transform={`translate(${place.x - WIDTH / 2} ${place.y - HEIGHT / 2})`}
      role="button"
      tabIndex={tabIndex}
      aria-label={[`${step.name}: ${words}`, step.reason]
        .filter(Boolean)
        .join('. ')}
      aria-disabled={!step.job_id && !step.mapped}
      onClick={open}
      onKeyDown={onKey}
    >
      <title>
        {[step.name, words, step.reason].filter(Boolean).join('\n')}
      </title>
      {step.mapped && (
        <rect x="4" y="-4" width={WIDTH} height={HEIGHT} rx="6" />
      )}
      <rect width={WIDTH} height={HEIGHT} rx="6" />
      <g transform="translate(10 8)" aria-hidden="true">
        <Sign sign={sign} word="" />
      </g>
      <text className="jp-blueno-flow-name" x="32" y="21">
        {cut(step.name)}
      </text>
      <text className="jp-blueno-flow-words" x="32" y="39">
        {words}
      </text>
      {running && (
        <rect
          className="jp-blueno-flow-progress"
          y={HEIGHT - 3}
          width={WIDTH * progress}
          height="3"
        />
      )}
    </g>
  );
}

/** A dashed line where nothing is handed over, only waited for. */
function lineClass(steps: readonly Step[], from: string, to: string): string {
  const target = steps.find(step => step.name === to);
  const plain = target?.takes.includes(from);
  return `jp-blueno-flow-line${plain ? '' : ' jp-mod-after'}`;
}

/** Where an arrow key leads: along the lines, or to the one above or below. */
function neighbour(
  key: string,
  step: Step,
  steps: readonly Step[],
  { places }: Layout
): string | undefined {
  const here = places.get(step.name);
  if (!here) {
    return undefined;
  }
  if (key === 'ArrowLeft') {
    return step.needs[0];
  }
  if (key === 'ArrowRight') {
    return steps.find(({ needs }) => needs.includes(step.name))?.name;
  }
  const down = key === 'ArrowDown';
  return steps
    .map(({ name }) => ({ name, ...places.get(name)! }))
    .filter(one => (down ? one.y > here.y : one.y < here.y))
    .sort(
      (a, b) =>
        Math.hypot(3 * (a.x - here.x), a.y - here.y) -
        Math.hypot(3 * (b.x - here.x), b.y - here.y)
    )[0]?.name;
}

function cut(name: string): string {
  return name.length > SHOWN ? `${name.slice(0, SHOWN - 1)}…` : name;
}
