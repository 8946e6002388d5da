import * as React from 'react';
import type { DatasetModel } from '../../models/dataset';
import type { Positions } from '../../models/selection';
import { useModel } from '../hooks';
import { valueOf } from './Details';
import { sampleProps } from './Grid';
import { TileCanvas } from './TileCanvas';

interface RowProps {
  model: DatasetModel;
  positions: Positions;
  row: number;
  columns: number;
  top: number;
  /** The height of a tile, and the distance from one to the next. */
  tileSize: number;
  pitch: number;
  aspect: number;
  captioned: boolean;
  open: (ordinal: number) => void;
}

/** One row: a canvas with the pictures, over it the cells that are clicked. */
export const GalleryRow = React.memo(function GalleryRow(
  props: RowProps
): JSX.Element {
  const { model, positions, row, columns, top, tileSize, pitch, aspect } =
    props;
  const ordinals = React.useMemo(
    () => positions.range(row * columns, (row + 1) * columns),
    [positions, row, columns]
  );
  return (
    <div
      className="jp-blueno-gallery-row"
      role="row"
      aria-rowindex={row + 1}
      style={{ transform: `translateY(${top}px)` }}
    >
      <TileCanvas
        thumbnails={model.thumbnails}
        ordinals={ordinals}
        size={tileSize}
        pitch={pitch}
        aspect={aspect}
        width={columns * pitch}
      />
      <Cells {...props} ordinals={ordinals} />
    </div>
  );
});

function Cells(props: RowProps & { ordinals: readonly number[] }): JSX.Element {
  const { model, positions, ordinals, tileSize, pitch, aspect, captioned } =
    props;
  useModel(model.selection);
  return (
    <>
      {ordinals.map((ordinal, column) => (
        <div
          {...sampleProps(model, positions, 'tile', ordinal, props.open)}
          key={ordinal}
          role="gridcell"
          aria-colindex={column + 1}
          aria-label={`Sample ${ordinal}`}
          style={{
            left: column * pitch,
            width: tileSize * aspect,
            height: tileSize
          }}
        >
          {captioned && <Caption model={model} ordinal={ordinal} />}
        </div>
      ))}
    </>
  );
}

/** Below a picture: its label, or its name where it has none; and what it is sorted or filtered by. */
function Caption(props: { model: DatasetModel; ordinal: number }): JSX.Element {
  const { model, ordinal } = props;
  const sample = useModel(model.samples).get(ordinal);
  const { column } = useModel(model);
  const value = column === null ? undefined : sample?.results?.[column];
  return (
    <div className="jp-blueno-tile-caption" title={sample?.name}>
      {sample ? (sample.label ?? sample.name) : ''}
      {value !== undefined && <b> {valueOf(value)}</b>}
    </div>
  );
}
