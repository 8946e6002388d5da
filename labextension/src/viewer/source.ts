/** Where slices come from: what the viewer asks, whoever answers. */
import type { PlaneInfo, VolumeInfo as AnsweredVolume } from '../api/types';

export type { PlaneInfo };
export type Plane = 'axial' | 'coronal' | 'sagittal';
export type WireType = AnsweredVolume['wire_type'];

/**
 * A volume as the viewer sees it. `planes` are those that can be shown: a stack
 * of pictures has only one.
 */
export interface VolumeInfo extends AnsweredVolume {
  planes?: Plane[];
}

export type Pixels =
  Uint8Array | Int8Array | Uint16Array | Int16Array | Float32Array;

/** The stored numbers of one slice, row by row from the top left. */
export interface Slice {
  readonly rows: number;
  readonly columns: number;
  readonly channels: 1 | 3 | 4;
  readonly data: Pixels;
}

/** Answers for one volume. Every method may be called again after it failed. */
export interface SliceSource {
  info(signal?: AbortSignal): Promise<VolumeInfo>;
  slice(
    plane: Plane,
    index: number,
    frame: number,
    signal?: AbortSignal
  ): Promise<Slice>;
}

/** Why a source cannot answer; with `again` it is worth to go on asking. */
export class SourceError extends Error {
  constructor(
    message: string,
    readonly code: string,
    readonly again = false
  ) {
    super(message);
    this.name = 'SourceError';
  }
}

export const PLANES: readonly Plane[] = ['axial', 'coronal', 'sagittal'];

/** Read little-endian numbers; typed arrays are little-endian wherever browsers run. */
export function pixelsOf(
  type: WireType,
  buffer: ArrayBuffer,
  offset = 0
): Pixels {
  switch (type) {
    case 'uint8':
      return new Uint8Array(buffer, offset);
    case 'int8':
      return new Int8Array(buffer, offset);
    case 'uint16':
      return new Uint16Array(buffer, offset);
    case 'int16':
      return new Int16Array(buffer, offset);
    case 'float32':
      return new Float32Array(buffer, offset);
  }
}
