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
    slices: { ...geometry.middle(), ...given.slices }
  };
}
