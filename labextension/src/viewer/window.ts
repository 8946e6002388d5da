/** Window and level: which values become black, grey and white. */
import type { VolumeInfo } from './source';

export interface Windowing {
  /** Width of the range of values that is spread over black … white. */
  window: number;
  /** The value in its middle. */
  level: number;
}

export interface Preset extends Windowing {
  name: string;
}

/** Usual windows for CT, in Hounsfield units. */
const CT: readonly Preset[] = [
  { name: 'Brain', window: 80, level: 40 },
  { name: 'Stroke', window: 40, level: 40 },
  { name: 'Soft tissue', window: 400, level: 40 },
  { name: 'Lung', window: 1500, level: -600 },
  { name: 'Bone', window: 2000, level: 500 }
];

/** Values look like Hounsfield units: air far below zero, bone far above. */
export function looksLikeCt(info: VolumeInfo): boolean {
  return info.unit === 'HU' || (info.low <= -900 && info.high >= 300);
}

/** The presets that make sense for a volume; the first is the automatic one. */
export function presetsFor(info: VolumeInfo): Preset[] {
  const auto = {
    name: 'Auto',
    window: info.window || 1,
    level: info.level
  };
  const width = info.high - info.low;
  const full = {
    name: 'Full range',
    window: width > 0 ? width : 1,
    level: (info.high + info.low) / 2
  };
  return [auto, full, ...(looksLikeCt(info) ? CT : [])];
}

/**
 * A drag of `dx`, `dy` pixels: right widens, up brightens. The steps follow the
 * present window, so that 80 HU and 60,000 counts feel the same.
 */
export function dragged(
  start: Windowing,
  dx: number,
  dy: number,
  smallest: number
): Windowing {
  const window = Math.max(start.window * Math.exp(dx / 180), smallest);
  return { window, level: start.level + (dy * start.window) / 300 };
}

/** A number as people write it: few digits, no exponent where none is needed. */
export function text(value: number): string {
  if (!Number.isFinite(value)) {
    return Number.isNaN(value) ? 'NaN' : value > 0 ? '∞' : '−∞';
  }
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 1e7) {
    return value.toString().replace('-', '−');
  }
  const shown =
    size >= 1e7 || (size > 0 && size < 1e-3)
      ? value.toExponential(2)
      : size >= 100
        ? value.toFixed(0)
        : value.toPrecision(3);
  return shown.replace('-', '−');
}
