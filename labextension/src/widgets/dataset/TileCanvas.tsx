import * as React from 'react';
import type { Thumbnails } from '../../models/thumbnails';
import { drawTile, prepare } from './tile';

/** A strip of thumbnails on one canvas; draws again as they arrive. */
export function TileCanvas(props: {
  thumbnails: Thumbnails;
  ordinals: readonly number[];
  /** The height of one picture, and the distance of two, in CSS pixels. */
  size: number;
  pitch: number;
  /** How many times as wide as high a picture's place is. */
  aspect?: number;
  width?: number;
}): JSX.Element {
  const { thumbnails, ordinals, size, pitch, aspect = 1 } = props;
  const width = props.width ?? ordinals.length * pitch;
  const canvas = React.useRef<HTMLCanvasElement>(null);
  React.useLayoutEffect(() => {
    const element = canvas.current;
    if (!element) {
      return;
    }
    let drawn = -1;
    const draw = () => {
      const there = ordinals.filter(ordinal => thumbnails.get(ordinal)).length;
      if (there === drawn) {
        return;
      }
      drawn = there;
      const context = prepare(element, width, size);
      if (context) {
        const box = { width: size * aspect, height: size };
        ordinals.forEach((ordinal, i) =>
          drawTile(context, thumbnails.get(ordinal), i * pitch, 0, box)
        );
      }
    };
    draw();
    thumbnails.changed.connect(draw);
    return () => {
      thumbnails.changed.disconnect(draw);
    };
  }, [thumbnails, ordinals, size, pitch, aspect, width]);
  return (
    <canvas
      ref={canvas}
      className="jp-blueno-tiles"
      style={{ width, height: size }}
      aria-hidden="true"
    />
  );
}
