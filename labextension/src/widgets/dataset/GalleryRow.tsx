import * as React from 'react';
import type { DatasetModel } from '../../models/dataset';
import type { Positions } from '../../models/selection';
import { useModel } from '../hooks';
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
  const selection = useModel(model.selection);
  const pick = (event: React.MouseEvent, ordinal: number) => {
    if (event.shiftKey) {
      selection.extend(ordinal, positions);
    } else if (event.ctrlKey || event.metaKey) {
      selection.toggle(ordinal);
    } else {
      selection.look(ordinal);
    }
  };
  return (
    <>
      {ordinals.map((ordinal, column) => (
        <div
          key={ordinal}
          id={`${model.id}-tile-${ordinal}`}
          role="gridcell"
          aria-colindex={column + 1}
          aria-selected={selection.has(ordinal)}
          aria-label={`Sample ${ordinal}`}
          data-ordinal={ordinal}
          className={[
            'jp-blueno-tile',
            selection.current === ordinal ? 'jp-mod-current' : '',
            selection.has(ordinal) ? 'jp-mod-selected' : ''
          ].join(' ')}
          style={{
            left: column * pitch,
            width: tileSize * aspect,
            height: tileSize
          }}
          onClick={event => pick(event, ordinal)}
          onDoubleClick={() => props.open(ordinal)}
        >
          {captioned && <Caption model={model} ordinal={ordinal} />}
        </div>
      ))}
    </>
  );
}

/** Below a picture: its label, or its name where it has none. */
function Caption(props: { model: DatasetModel; ordinal: number }): JSX.Element {
  const { model, ordinal } = props;
  const sample = useModel(model.samples).get(ordinal);
  return (
    <div className="jp-blueno-tile-caption" title={sample?.name}>
      {sample ? (sample.label ?? sample.name) : ''}
    </div>
  );
}
