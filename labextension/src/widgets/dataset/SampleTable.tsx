import { useVirtualizer } from '@tanstack/react-virtual';
import * as React from 'react';
import type { Sample } from '../../api/types';
import type { DatasetModel } from '../../models/dataset';
import type { Positions } from '../../models/selection';
import { useModel, useSize } from '../hooks';
import { count } from '../numbers';
import { shapeOf, textOf, valueOf } from './Details';
import { Grid, sampleProps } from './Grid';
import { TileCanvas } from './TileCanvas';
import { useFirstPaint, useWanted } from './wanted';

const ROW = 30;
const TILE = 26;
const HEADINGS = [
  'picture',
  '#',
  'name',
  'split',
  'label',
  'size',
  'values',
  'attributes'
];

/** The samples as lines; only those in view exist. */
export function SampleTable(props: {
  model: DatasetModel;
  positions: Positions;
  open: (ordinal: number) => void;
  focusFilter: () => void;
}): JSX.Element {
  const { model, positions, open, focusFilter } = props;
  const { aspect } = useModel(model);
  const scroller = React.useRef<HTMLDivElement>(null);
  const [measure, size] = useSize<HTMLDivElement>();
  const rows = useVirtualizer({
    count: positions.total,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW,
    overscan: 8,
    scrollPaddingStart: ROW,
    initialRect: size
  });
  const items = size.height ? rows.getVirtualItems() : [];
  const first = items[0]?.index ?? 0;
  const last = (items.at(-1)?.index ?? -1) + 1;
  useWanted(model, positions, first, last, true);
  useFirstPaint(model, positions, first, last);
  return (
    <div
      className="jp-blueno-table-frame"
      ref={measure}
      style={
        { '--jp-blueno-tile': `${TILE * aspect}px` } as React.CSSProperties
      }
    >
      <Grid
        ref={scroller}
        className="jp-blueno-table"
        model={model}
        positions={positions}
        item="line"
        rows={positions.total + 1}
        steps={{
          columns: 1,
          pageRows: Math.max(1, Math.floor(size.height / ROW) - 2),
          reveal: position => rows.scrollToIndex(position),
          open,
          focusFilter
        }}
      >
        <div className="jp-blueno-table-head" role="row">
          {HEADINGS.map(heading => (
            <span key={heading} role="columnheader">
              {heading === HEADINGS[0] ? (
                <span className="jp-blueno-unseen">{heading}</span>
              ) : (
                heading
              )}
            </span>
          ))}
        </div>
        <div style={{ height: rows.getTotalSize(), position: 'relative' }}>
          {items.map(({ index, start }) => (
            <Line
              key={index}
              model={model}
              positions={positions}
              position={index}
              top={start}
              open={open}
            />
          ))}
        </div>
      </Grid>
    </div>
  );
}

function Line(props: {
  model: DatasetModel;
  positions: Positions;
  position: number;
  top: number;
  open: (ordinal: number) => void;
}): JSX.Element {
  const { model, positions, position, top, open } = props;
  useModel(model.selection);
  const ordinal = positions.at(position);
  const sample = useModel(model.samples).get(ordinal);
  const ordinals = React.useMemo(() => [ordinal], [ordinal]);
  return (
    <div
      {...sampleProps(model, positions, 'line', ordinal, open)}
      role="row"
      aria-rowindex={position + 2}
      style={{ transform: `translateY(${top}px)`, height: ROW }}
    >
      <span role="gridcell">
        <TileCanvas
          thumbnails={model.thumbnails}
          ordinals={ordinals}
          size={TILE}
          pitch={TILE * model.aspect}
          aspect={model.aspect}
        />
      </span>
      <span role="gridcell" className="jp-mod-number">
        {count(ordinal)}
      </span>
      {sample ? <Fields sample={sample} /> : <Unknown />}
    </div>
  );
}

function Fields({ sample }: { sample: Sample }): JSX.Element {
  const attributes = Object.entries(sample.attributes)
    .map(([name, value]) => `${name} ${textOf(value)}`)
    .join(' · ');
  const values = Object.entries(sample.results ?? {})
    .map(([name, value]) => `${name} ${valueOf(value)}`)
    .join(' · ');
  return (
    <>
      {[
        sample.name,
        sample.split,
        sample.label,
        shapeOf(sample),
        values,
        attributes
      ].map((text, column) => (
        <span key={column} role="gridcell" title={text ?? undefined}>
          {text}
        </span>
      ))}
    </>
  );
}

/** The cells of a line that is on its way. */
function Unknown(): JSX.Element {
  return (
    <>
      {HEADINGS.slice(2).map(heading => (
        <span key={heading} role="gridcell" />
      ))}
    </>
  );
}
