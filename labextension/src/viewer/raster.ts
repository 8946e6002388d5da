/** The picture of the WebGL painter, computed: for browsers without it. */
import type { Look, Painter, Placement } from './painter';
import type { Slice } from './source';

export class SoftwarePainter implements Painter {
  readonly name = 'canvas2d';

  paint(
    target: CanvasRenderingContext2D,
    slice: Slice,
    at: Placement,
    look: Look
  ): void {
    const { width, height } = target.canvas;
    const image = target.createImageData(width, height);
    const shade = shading(look);
    const across = ticks(
      width,
      at.x,
      at.columnSize,
      slice.columns,
      look.smooth
    );
    const down = ticks(height, at.y, at.rowSize, slice.rows, look.smooth);
    const out = image.data;
    const { columns, channels, data } = slice;
    const colours = channels > 1 ? 3 : 1;
    for (let y = 0, to = 0; y < height; y++) {
      const above = down.first[y];
      const upper = above * columns;
      const lower = down.second[y] * columns;
      const v = down.part[y];
      for (let x = 0; x < width; x++, to += 4) {
        out[to + 3] = 255;
        const left = across.first[x];
        if (above < 0 || left < 0) {
          continue;
        }
        const right = across.second[x];
        const u = across.part[x];
        for (let c = 0; c < colours; c++) {
          const top = mix(
            data[(upper + left) * channels + c],
            data[(upper + right) * channels + c],
            u
          );
          const bottom = mix(
            data[(lower + left) * channels + c],
            data[(lower + right) * channels + c],
            u
          );
          out[to + c] = shade(mix(top, bottom, v));
        }
        if (colours === 1) {
          out[to + 1] = out[to + 2] = out[to];
        }
      }
    }
    target.putImageData(image, 0, 0);
  }
}

const mix = (a: number, b: number, part: number): number =>
  part === 0 ? a : a + (b - a) * part;

/** From a stored number to 0 … 255; the clamped array rounds. */
function shading(look: Look): (stored: number) => number {
  const { slope, intercept, window, level, invert } = look;
  const low = level - window / 2;
  return stored => {
    const part = (stored * slope + intercept - low) / window;
    const grey = part > 0 ? (part < 1 ? part * 255 : 255) : 0; // NaN is black
    return invert ? 255 - grey : grey;
  };
}

/** For each pixel of the canvas the two pixels of the slice it lies between; −1 outside. */
function ticks(
  length: number,
  origin: number,
  size: number,
  count: number,
  smooth: boolean
): { first: Int32Array; second: Int32Array; part: Float32Array } {
  const first = new Int32Array(length).fill(-1);
  const second = new Int32Array(length);
  const part = new Float32Array(length);
  for (let i = 0; i < length; i++) {
    const at = (i + 0.5 - origin) / size;
    if (at < 0 || at >= count) {
      continue;
    }
    const middle = smooth ? at - 0.5 : Math.floor(at);
    const whole = Math.floor(middle);
    first[i] = Math.max(whole, 0);
    second[i] = Math.min(whole + 1, count - 1);
    part[i] = middle - whole;
  }
  return { first, second, part };
}
