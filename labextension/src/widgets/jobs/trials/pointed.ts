import type { Trial } from '../../../api/types';

/** The trial that somebody points at, in the table and in the pictures alike. */
export interface Pointed {
  number: number | null;
  point: (number: number | null) => void;
  open: (trial: Trial) => void;
}
