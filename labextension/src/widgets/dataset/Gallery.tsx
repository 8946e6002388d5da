import { useVirtualizer } from '@tanstack/react-virtual';
import * as React from 'react';
import type { DatasetModel } from '../../models/dataset';
import type { Positions } from '../../models/selection';
import { useModel, useSize } from '../hooks';
import { GalleryRow } from './GalleryRow';
import { Grid } from './Grid';
import type { Steps } from './keyboard';
import { useFirstPaint, useWanted } from './wanted';

const GAP = 4;
const CAPTION = 18;
const PADDING = 8;
/** From this size on there is room for words below a picture. */
const CAPTIONED = 88;

/** Rows of tiles; only what is in view exists. */
export function Gallery(props: {
  model: DatasetModel;
  positions: Positions;
  open: (ordinal: number) => void;
  focusFilter: () => void;
}): JSX.Element {
  const { model, positions, open, focusFilter } = props;
  const { tileSize, aspect } = useModel(model);
  const scroller = React.useRef<HTMLDivElement>(null);
  const [measure, size] = useSize<HTMLDivElement>();
  const ref = React.useCallback(
    (element: HTMLDivElement | null) => {
      (scroller as React.MutableRefObject<HTMLDivElement | null>).current =
        element;
      measure(element);
    },
    [measure]
  );

  const captioned = tileSize * aspect >= CAPTIONED;
  const width = size.width - 2 * PADDING + GAP;
  const columns = Math.max(1, Math.floor(width / (tileSize * aspect + GAP)));
  // What is left over at the right makes all of them a little larger.
  const pitch = Math.max(tileSize + GAP, Math.floor(width / columns));
  const tall = Math.floor((pitch - GAP) / aspect);
  const height = tall + GAP + (captioned ? CAPTION : 0);
  const rows = useVirtualizer({
    count: Math.ceil(positions.total / columns),
    getScrollElement: () => scroller.current,
    estimateSize: () => height,
    paddingStart: PADDING,
    paddingEnd: PADDING,
    overscan: 3,
    initialRect: size
  });
  useSamePlace(rows, columns, height, scroller);

  const items = size.width ? rows.getVirtualItems() : [];
  const first = (items[0]?.index ?? 0) * columns;
  const last = ((items.at(-1)?.index ?? -1) + 1) * columns;
  useWanted(model, positions, first, last, captioned);
  useFirstPaint(model, positions, size.height ? first : 0, last);

  const steps: Steps = {
    columns,
    pageRows: Math.max(1, Math.floor(size.height / height) - 1),
    reveal: position => rows.scrollToIndex(Math.floor(position / columns)),
    open,
    focusFilter
  };
  return (
    <Grid
      ref={ref}
      className="jp-blueno-gallery"
      model={model}
      positions={positions}
      item="tile"
      rows={Math.ceil(positions.total / columns)}
      columns={columns}
      steps={steps}
    >
      <div
        className="jp-blueno-gallery-rows"
        style={{ height: rows.getTotalSize() }}
      >
        {items.map(({ index, start }) => (
          <GalleryRow
            key={index}
            model={model}
            positions={positions}
            row={index}
            columns={columns}
            top={start}
            tileSize={tall}
            pitch={pitch}
            aspect={aspect}
            captioned={captioned}
            open={open}
          />
        ))}
      </div>
    </Grid>
  );
}

/** When the tiles change their size, stay at the samples that are in view. */
function useSamePlace(
  rows: { measure: () => void; scrollToOffset: (offset: number) => void },
  columns: number,
  height: number,
  scroller: React.RefObject<HTMLDivElement>
): void {
  const before = React.useRef({ columns, height });
  React.useLayoutEffect(() => {
    const { columns: oldColumns, height: oldHeight } = before.current;
    if (oldColumns === columns && oldHeight === height) {
      return;
    }
    const top = scroller.current?.scrollTop ?? 0;
    const sample = (top / oldHeight) * oldColumns;
    before.current = { columns, height };
    rows.measure();
    if (top > 0) {
      rows.scrollToOffset((sample / columns) * height);
    }
  }, [columns, height, rows, scroller]);
}
