import type { Tile } from '../../models/thumbnails';

/** Up to this size pixels are shown as squares, not smeared. */
const TINY = 64;

/** Draw a tile into a box, whole and centred; false when it is not there. */
export function drawTile(
  context: CanvasRenderingContext2D,
  tile: Tile | undefined,
  left: number,
  top: number,
  box: { width: number; height: number }
): boolean {
  if (!tile?.sheet) {
    return false;
  }
  const { sheet, x, y, width, height } = tile;
  const scale = Math.min(box.width / width, box.height / height);
  const shown = { width: width * scale, height: height * scale };
  context.imageSmoothingEnabled = Math.max(width, height) > TINY || scale < 1;
  context.imageSmoothingQuality = 'high';
  context.drawImage(
    sheet,
    x,
    y,
    width,
    height,
    Math.round(left + (box.width - shown.width) / 2),
    Math.round(top + (box.height - shown.height) / 2),
    Math.max(1, Math.round(shown.width)),
    Math.max(1, Math.round(shown.height))
  );
  return true;
}

/** Fit a canvas to the screen's pixels and clear it; null when it has no size. */
export function prepare(
  canvas: HTMLCanvasElement,
  width: number,
  height: number
): CanvasRenderingContext2D | null {
  const ratio = window.devicePixelRatio || 1;
  const real = {
    width: Math.round(width * ratio),
    height: Math.round(height * ratio)
  };
  if (canvas.width !== real.width || canvas.height !== real.height) {
    canvas.width = real.width;
    canvas.height = real.height;
  }
  const context = canvas.getContext('2d');
  context?.setTransform(ratio, 0, 0, ratio, 0, 0);
  context?.clearRect(0, 0, width, height);
  return context;
}
