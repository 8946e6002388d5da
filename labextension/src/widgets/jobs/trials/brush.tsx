import * as React from 'react';
import type { Trial } from '../../../api/types';
import type { Axis } from './axes';

/** Parts of axes that were chosen: name → from, to, in the axis's own values. */
export type Brushes = Readonly<Record<string, readonly [number, number]>>;

/** The trials that cross every axis where it was chosen. */
export function chosenBy(
  brushes: Brushes,
  axes: readonly Axis[],
  trials: readonly Trial[]
): readonly Trial[] {
  const used = axes.filter(({ name }) => name in brushes);
  if (!used.length) {
    return trials;
  }
  return trials.filter(trial =>
    used.every(axis => {
      const at = axis.at(trial);
      const [low, high] = brushes[axis.name].map(axis.placeOf);
      return at !== null && at >= low - NEAR && at <= high + NEAR;
    })
  );
}

const NEAR = 1e-6;
const WIDE = 24; // px of an axis that can be grasped
const LITTLE = 0.02; // of an axis: less is a click, which takes the choice away
const STEP = 0.05; // of an axis, for a key

/** Chooses a part of an axis: by dragging along it, or by keys. */
export function Brush(props: {
  axis: Axis;
  x: number;
  top: number;
  height: number;
  brush?: readonly [number, number];
  set: (brush: readonly [number, number] | null) => void;
}): JSX.Element {
  const { axis, x, top, height, brush, set } = props;
  const from = React.useRef<number | null>(null);
  const at = (event: React.PointerEvent<SVGElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    return within((box.bottom - event.clientY) / box.height);
  };
  const choose = (one: number, other: number) => {
    const [low, high] = [Math.min(one, other), Math.max(one, other)];
    set(high - low < LITTLE ? null : [axis.valueAt(low), axis.valueAt(high)]);
  };
  const [low, high] = brush ? brush.map(axis.placeOf).map(within) : [0, 1];
  const press = (event: React.KeyboardEvent) => {
    const by = { ArrowUp: STEP, ArrowDown: -STEP }[event.key];
    if (by !== undefined) {
      event.preventDefault();
      event.stopPropagation();
      const ends = event.shiftKey
        ? [low, within(high + by)]
        : [within(low + by), high];
      if (ends[1] - ends[0] >= STEP / 2) {
        choose(ends[0], ends[1]);
      }
    } else if (['Escape', 'Delete', 'Backspace'].includes(event.key) && brush) {
      event.stopPropagation();
      set(null);
    }
  };
  const words = brush
    ? `from ${axis.textAt(low)} to ${axis.textAt(high)}`
    : 'all values';
  return (
    <g className="jp-blueno-parallel-brush">
      {brush && (
        <rect
          className="jp-blueno-parallel-chosen"
          x={x - 5}
          width={10}
          y={top + (1 - high) * height}
          height={(high - low) * height}
        />
      )}
      <rect
        className="jp-blueno-parallel-grasp"
        x={x - WIDE / 2}
        width={WIDE}
        y={top}
        height={height}
        tabIndex={0}
        role="slider"
        aria-orientation="vertical"
        aria-label={`Choose by ${axis.name}`}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(100 * low)}
        aria-valuetext={words}
        onKeyDown={press}
        onPointerDown={event => {
          event.currentTarget.setPointerCapture(event.pointerId);
          from.current = at(event);
        }}
        onPointerMove={event => {
          if (from.current !== null) {
            choose(from.current, at(event));
          }
        }}
        onPointerUp={event => {
          if (from.current !== null) {
            choose(from.current, at(event));
            from.current = null;
          }
        }}
      >
        <title>
          {`${axis.name}: drag to choose trials, click to show all again. With keys: arrows move the lower end, with Shift the upper one; Delete shows all.`}
        </title>
      </rect>
    </g>
  );
}

function within(at: number): number {
  return Math.max(0, Math.min(1, at));
}
