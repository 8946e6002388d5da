/** From numbers to a picture: what every painter gets and gives. */
import { GlPainter } from './gl';
import { SoftwarePainter } from './raster';
import type { Slice } from './source';
import type { Windowing } from './window';

/**
 * How a slice is laid on a canvas: the picture's top left corner and the size
 * of one of its pixels, all in device pixels.
 */
export interface Placement {
  x: number;
  y: number;
  columnSize: number;
  rowSize: number;
}

export interface Look extends Windowing {
  slope: number;
  intercept: number;
  /** Blend neighbouring pixels when enlarged. */
  smooth: boolean;
  invert: boolean;
}

export interface Painter {
  readonly name: 'webgl2' | 'canvas2d';
  /** Draw a slice on a canvas, all of which is painted. */
  paint(
    target: CanvasRenderingContext2D,
    slice: Slice,
    at: Placement,
    look: Look
  ): void;
}

const LATEST = 2000; // ms after which a context is made although the page is busy

const software = new SoftwarePainter();
let gl: GlPainter | null | undefined;
let users = 0;
let warming = false;

/** Whoever paints holds it: the one WebGL context of the page lives as long as there are users. */
export function hold(): () => void {
  users++;
  let held = true;
  return () => {
    if (held && --users === 0) {
      gl?.dispose();
      gl = undefined;
    }
    held = false;
  };
}

/**
 * The painter of this page. All views share one WebGL context (browsers drop
 * the oldest beyond about sixteen) and copy what it draws to their own canvas;
 * without WebGL2, or while the context is lost, the same picture is computed.
 * So is the first one: a context and its shaders take longer than that.
 */
export function painter(): Painter {
  if (gl === undefined && !warming) {
    warming = true;
    whenIdle(() => {
      warming = false;
      if (users > 0) {
        gl = GlPainter.create();
      }
    });
  }
  return gl?.alive ? gl : software;
}

function whenIdle(act: () => void): void {
  if ('requestIdleCallback' in window) {
    window.requestIdleCallback(act, { timeout: LATEST });
  } else {
    globalThis.setTimeout(act, LATEST); // Safari
  }
}
