/** What a view of a volume shows at the moment. */
import type { Layout } from './controls';
import type { Geometry, Slices } from './geometry';
import { PLANES, type Plane, type VolumeInfo } from './source';
import type { Windowing } from './window';

/** What can be read and set from outside, and is worth keeping in a layout. */
export interface ViewState extends Windowing {
  layout: Layout;
  /** The plane that keys and slider move. */
  plane: Plane;
  /** The slice of each plane. */
  slices: Slices;
  /** The point of time, from 0. */
  frame: number;
  smooth: boolean;
  invert: boolean;
  crosshair: boolean;
}

/** The state to begin with: the middle of the volume, but for what is given. */
export function beginning(
  info: VolumeInfo,
  geometry: Geometry,
  given: Partial<ViewState>
): ViewState {
  const planes = info.planes ?? PLANES;
  return {
    layout: planes[0],
    plane: planes[0],
    window: info.window || 1,
    level: info.level,
    smooth: planes.length === 3, // single pixels matter in a picture
    invert: info.inverted,
    crosshair: false,
    ...given,
    frame: Math.min(given.frame ?? 0, info.frames - 1), // the file may have changed
    slices: { ...geometry.middle(), ...given.slices }
  };
}
