import * as React from 'react';
import type { Thumbnails } from '../../models/thumbnails';
import { drawTile, prepare } from './tile';

/** A strip of thumbnails on one canvas; draws again as they arrive. */
export function TileCanvas(props: {
  thumbnails: Thumbnails;
  ordinals: readonly number[];
  /** The square for one picture, and the distance of two, in CSS pixels. */
  size: number;
  pitch: number;
  width?: number;
}): JSX.Element {
  const { thumbnails, ordinals, size, pitch } = props;
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
        ordinals.forEach((ordinal, i) =>
          drawTile(context, thumbnails.get(ordinal), i * pitch, 0, size)
        );
      }
    };
    draw();
    thumbnails.changed.connect(draw);
    return () => {
      thumbnails.changed.disconnect(draw);
    };
  }, [thumbnails, ordinals, size, pitch, width]);
  return (
    <canvas
      ref={canvas}
      className="jp-blueno-tiles"
      style={{ width, height: size }}
      aria-hidden="true"
    />
  );
}
