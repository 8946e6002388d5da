/** What is under the cursor and under the crosshair. */
import type { Geometry } from './geometry';
import type { Pane } from './pane';
import type { VolumeInfo } from './source';
import { text } from './window';

/** A named value of the line below the picture. */
export interface Reading {
  name: string;
  value: string;
}

export class Probe {
  constructor(
    private readonly info: VolumeInfo,
    private readonly geometry: Geometry,
    private readonly isStack: boolean
  ) {}

  /** The value of a pixel in the file's own numbers, with its unit. */
  value(pane: Pane, row: number, column: number): string {
    const { data, columns, channels } = pane.slice!;
    const { slope, intercept, unit } = this.info;
    const first = (row * columns + column) * channels;
    const values = Array.from(data.subarray(first, first + channels), stored =>
      text(stored * slope + intercept)
    );
    return `${values.join(' ')} ${unit}`.trim();
  }

  /** Everything about a pixel. */
  read(pane: Pane, row: number, column: number): Reading[] {
    const value = { name: 'value', value: this.value(pane, row, column) };
    if (this.isStack) {
      return [value, { name: 'row, column', value: `${row} ${column}` }];
    }
    const voxel = this.geometry.voxel(pane.plane, pane.index, row, column);
    const mm = this.geometry.millimetres(voxel);
    return [
      value,
      { name: 'voxel', value: voxel.join(' ') },
      ...(mm ? [{ name: 'mm', value: millimetres(mm) }] : [])
    ];
  }
}

/** Coordinates to a tenth of a millimetre. */
export function millimetres(at: readonly number[]): string {
  return at.map(one => text(Number(one.toFixed(1)))).join(' ');
}
