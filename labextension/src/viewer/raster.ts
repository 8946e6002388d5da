/** The picture of the WebGL painter, computed: for browsers without a graphics card. */
import type { Look, Painter, Placement } from './painter';
import type { Pixels, Slice } from './source';

const BLACK = 0xff000000; // little-endian RGBA, as everywhere where browsers run

export class SoftwarePainter implements Painter {
  readonly name = 'canvas2d';

  /**
   * Row by row: two lines of the slice are blended and shaded first, then the
   * pixels between its columns. A screen is drawn in a few milliseconds.
   */
  paint(
    target: CanvasRenderingContext2D,
    slice: Slice,
    at: Placement,
    look: Look
  ): void {
    const { width, height } = target.canvas;
    const { smooth, invert } = look;
    const { columns, rows, channels, data } = slice;
    const { image, pixels } = this.surface(target, width, height);
    const across = ticks(width, at.x, at.columnSize, columns, smooth);
    const down = ticks(height, at.y, at.rowSize, rows, smooth);
    const colours = channels > 1 ? 3 : 1;
    const line = new Float32Array(columns);
    const flip = invert ? 255 : 0;
    pixels.fill(BLACK);
    for (let y = down.begin; y < down.end; y++) {
      const start = y * width;
      if (y > down.begin && down.same(y)) {
        pixels.copyWithin(start, start - width, start);
        continue;
      }
      for (let c = 0; c < colours; c++) {
        blend(line, data, slice, c, down, y, look);
        const place = colours === 1 ? 0x010101 : 1 << (8 * c);
        spread(pixels, start, line, across, flip, place);
      }
    }
    target.putImageData(image, 0, 0);
  }

  /** Memory for a picture, the same for as long as the size is the same. */
  private surface(
    target: CanvasRenderingContext2D,
    width: number,
    height: number
  ): { image: ImageData; pixels: Uint32Array } {
    if (this.image?.width !== width || this.image.height !== height) {
      this.image = target.createImageData(width, height);
    }
    const { image } = this;
    return { image, pixels: new Uint32Array(image.data.buffer) };
  }

  private image: ImageData | null = null;
}

/** Blend the two lines that a row of the canvas lies between, as 0 … 255, not yet clamped. */
function blend(
  line: Float32Array,
  data: Pixels,
  { columns, channels }: Slice,
  channel: number,
  down: Ticks,
  y: number,
  { slope, intercept, window, level }: Look
): void {
  const factor = (255 * slope) / window;
  const offset = (255 * (intercept - level + window / 2)) / window;
  const part = down.part[y];
  let upper = down.first[y] * columns * channels + channel;
  let lower = down.second[y] * columns * channels + channel;
  for (let i = 0; i < columns; i++, upper += channels, lower += channels) {
    const top = data[upper];
    // At a part of 0 the lower number does not count, not even if it is NaN.
    const found = part === 0 ? top : top + (data[lower] - top) * part;
    line[i] = found * factor + offset;
  }
}

/** Blend neighbours of a line, and add them at their `place` in the bytes of the pixels. */
function spread(
  pixels: Uint32Array,
  start: number,
  line: Float32Array,
  { first, second, part, begin, end }: Ticks,
  flip: number,
  place: number
): void {
  for (let x = begin; x < end; x++) {
    const left = line[first[x]];
    const share = part[x];
    const value = share === 0 ? left : left + (line[second[x]] - left) * share;
    // NaN is black: it is neither, and becomes 0.
    const grey = value <= 0 ? 0 : value >= 255 ? 255 : (value + 0.5) | 0;
    pixels[start + x] |= (grey ^ flip) * place;
  }
}

/** For each pixel of the canvas from `begin` to `end`, the two of the slice it lies between. */
class Ticks {
  constructor(readonly length: number) {
    this.first = new Int32Array(length);
    this.second = new Int32Array(length);
    this.part = new Float32Array(length);
  }

  /** Whether a pixel shows just what the one before it shows. */
  same(i: number): boolean {
    const { first, part } = this;
    return first[i] === first[i - 1] && part[i] === 0 && part[i - 1] === 0;
  }

  readonly first: Int32Array;
  readonly second: Int32Array;
  readonly part: Float32Array;
  begin = 0;
  end = 0;
}

function ticks(
  length: number,
  origin: number,
  size: number,
  count: number,
  smooth: boolean
): Ticks {
  const made = new Ticks(length);
  made.begin = length;
  for (let i = 0; i < length; i++) {
    const at = (i + 0.5 - origin) / size;
    if (at < 0 || at >= count) {
      continue;
    }
    made.begin = Math.min(made.begin, i);
    made.end = i + 1;
    const middle = smooth ? at - 0.5 : Math.floor(at);
    const whole = Math.floor(middle);
    made.first[i] = Math.max(whole, 0);
    made.second[i] = Math.min(whole + 1, count - 1);
    made.part[i] = middle - whole;
  }
  return made;
}
