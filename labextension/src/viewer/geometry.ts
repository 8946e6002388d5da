/**
 * Where a pixel of a slice is in the volume, and back.
 *
 * Each plane has a matrix from (slice, row, column, 1) to the voxel's indices in
 * the file: a signed permutation, since a slice never cuts through voxels.
 */
import { PLANES, type Plane, type VolumeInfo } from './source';

/** A voxel by its indices in the file. */
export type Voxel = readonly [number, number, number];

/** A voxel by the slice of each plane that shows it. */
export type Slices = Record<Plane, number>;

export class Geometry {
  constructor(private readonly info: VolumeInfo) {}

  /** The voxel that a pixel of a slice shows. */
  voxel(plane: Plane, index: number, row: number, column: number): Voxel {
    const [a, b, c] = this.info[plane].to_voxel.map(
      m => m[0] * index + m[1] * row + m[2] * column + m[3]
    );
    return [a, b, c];
  }

  /** The slices that show a voxel. */
  slices(voxel: Voxel): Slices {
    return {
      axial: this.back('axial', voxel, 0),
      coronal: this.back('coronal', voxel, 0),
      sagittal: this.back('sagittal', voxel, 0)
    };
  }

  /** The voxel in which one slice of each plane meet. */
  meeting(slices: Slices): Voxel {
    const voxel: [number, number, number] = [0, 0, 0];
    for (const plane of PLANES) {
      this.info[plane].to_voxel.forEach((m, axis) => {
        if (m[0]) {
          voxel[axis] = m[0] * slices[plane] + m[3];
        }
      });
    }
    return voxel;
  }

  /** The pixel of a plane's picture that shows a voxel. */
  pixel(plane: Plane, voxel: Voxel): { row: number; column: number } {
    return {
      row: this.back(plane, voxel, 1),
      column: this.back(plane, voxel, 2)
    };
  }

  /** The slices through the middle of the volume. */
  middle(): Slices {
    const { axial, coronal, sagittal } = this.info;
    return {
      axial: axial.count >> 1,
      coronal: coronal.count >> 1,
      sagittal: sagittal.count >> 1
    };
  }

  /** A voxel's place in mm (right, anterior, superior), if the file tells. */
  millimetres(voxel: Voxel): number[] | null {
    return (
      this.info.affine
        ?.slice(0, 3)
        .map(
          row =>
            row[0] * voxel[0] + row[1] * voxel[1] + row[2] * voxel[2] + row[3]
        ) ?? null
    );
  }

  /** Slice (0), row (1) or column (2) of a voxel in a plane. */
  private back(plane: Plane, voxel: Voxel, place: 0 | 1 | 2): number {
    const m = this.info[plane].to_voxel;
    const axis = m.findIndex(row => row[place] !== 0);
    return (voxel[axis] - m[axis][3]) * m[axis][place];
  }
}
