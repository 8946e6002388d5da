import * as React from 'react';
import type { DatasetModel } from '../../models/dataset';
import type { Positions } from '../../models/selection';
import { useModel } from '../hooks';
import { handleKey, type Steps } from './keyboard';

interface GridProps {
  model: DatasetModel;
  positions: Positions;
  className: string;
  /** What stands for a sample: it is in the ids of `sampleProps`. */
  item: 'tile' | 'line';
  rows: number;
  columns?: number;
  steps: Steps;
  children: React.ReactNode;
}

/** What scrolls in gallery and table: it has the keyboard and knows the current sample. */
export const Grid = React.forwardRef(function Grid(
  props: GridProps,
  ref: React.Ref<HTMLDivElement>
): JSX.Element {
  const { model, positions, item, steps } = props;
  const selection = useModel(model.selection);
  const current =
    selection.current === null ? -1 : positions.of(selection.current);
  return (
    <div
      ref={ref}
      className={props.className}
      role="grid"
      tabIndex={0}
      aria-label="Samples"
      aria-rowcount={props.rows}
      aria-colcount={props.columns}
      aria-multiselectable="true"
      aria-activedescendant={
        current >= 0 ? idOf(model, item, positions.at(current)) : undefined
      }
      onKeyDown={event => handleKey(event, model, steps)}
    >
      {props.children}
    </div>
  );
});

/** Of the element that stands for a sample: its marks, and what clicks do. */
export function sampleProps(
  model: DatasetModel,
  positions: Positions,
  item: GridProps['item'],
  ordinal: number,
  open: (ordinal: number) => void
): React.HTMLAttributes<HTMLDivElement> & { 'data-ordinal': number } {
  const { selection } = model;
  return {
    id: idOf(model, item, ordinal),
    'aria-selected': selection.has(ordinal),
    'data-ordinal': ordinal,
    className: [
      `jp-blueno-${item}`,
      selection.current === ordinal ? 'jp-mod-current' : '',
      selection.has(ordinal) ? 'jp-mod-selected' : ''
    ].join(' '),
    onClick: event => {
      if (event.shiftKey) {
        selection.extend(ordinal, positions);
      } else if (event.ctrlKey || event.metaKey) {
        selection.toggle(ordinal);
      } else {
        selection.look(ordinal);
      }
    },
    onDoubleClick: () => open(ordinal)
  };
}

function idOf(model: DatasetModel, item: string, ordinal: number): string {
  return `${model.id}-${item}-${ordinal}`;
}
