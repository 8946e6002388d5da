/** One plane of a volume on the screen: canvas, letters, crosshair, pointer. */
import { h, svg } from './dom';
import { type Look, type Placement, painter } from './painter';
import type { Plane, PlaneInfo, Slice } from './source';

/** What a pane tells its view. */
export interface PaneEvents {
  /** By how many slices the wheel was turned. */
  scroll(pane: Pane, steps: number, at: number): void;
  /** A drag that changes window and level, in pixels since it began. */
  shade(pane: Pane, dx: number, dy: number, phase: 'start' | 'move'): void;
  /** A click on a pixel. */
  pick(pane: Pane, row: number, column: number): void;
  /** The pointer is over a pixel, or over none. */
  hover(pane: Pane, at: { row: number; column: number } | null): void;
  reset(pane: Pane): void;
  focus(pane: Pane): void;
  /** Something of the pane itself changed: paint it. */
  changed(pane: Pane): void;
}

const NAMES: Record<Plane, string> = {
  axial: 'Axial',
  coronal: 'Coronal',
  sagittal: 'Sagittal'
};

const NOTCH = 100; // what browsers say for one notch of a wheel
const PASSING = 250; // ms without a wheel event until the page stands still
const CLICK = 4; // pixels the pointer may move in a click

/** When the wheel last turned beside every pane: a notebook is being scrolled. */
let passing = -Infinity;
document.addEventListener(
  'wheel',
  event => {
    if (!(event.target as Element).closest('.blueno-pane')) {
      passing = event.timeStamp;
    }
  },
  { capture: true, passive: true }
);

export class Pane {
  readonly node: HTMLElement;
  readonly canvas = h('canvas', { class: 'blueno-canvas' });

  constructor(
    readonly plane: Plane,
    readonly info: PlaneInfo,
    private readonly events: PaneEvents
  ) {
    this.lines = [0, 1, 2, 3].map(() => svg('line', {}));
    this.cross = svg('svg', { class: 'blueno-cross' }, ...this.lines);
    const edge = (name: 'top' | 'bottom' | 'left' | 'right'): HTMLElement =>
      h('span', { class: `blueno-edge blueno-${name}` }, info[name]);
    this.node = h(
      'div',
      { class: 'blueno-pane', tabindex: 0, 'data-plane': plane },
      this.canvas,
      this.cross as unknown as HTMLElement,
      edge('top'),
      edge('bottom'),
      edge('left'),
      edge('right'),
      this.title,
      this.note
    );
    this.node.setAttribute('role', 'img');
    this.listen();
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(this.node);
  }

  /** 1 is the whole slice; the offset of its middle is in mm. */
  zoom = 1;
  private panX = 0;
  private panY = 0;

  /** The slice that is shown; `exact` is false while it stands in for another. */
  slice: Slice | undefined;
  index = 0;
  exact = false;

  /** Show a slice (painted by the next `paint`). */
  show(slice: Slice | undefined, index: number, exact: boolean): void {
    this.slice = slice;
    this.index = index;
    this.exact = exact;
    if (!exact) {
      this.node.dataset.state = 'loading';
    }
    this.node.dataset.index = String(index);
  }

  /** Draw the present slice; false when there is nothing to draw on. */
  paint(look: Look): boolean {
    const { canvas, slice } = this;
    const context = canvas.getContext('2d');
    if (!context || !slice || !canvas.width || !canvas.height) {
      return false;
    }
    const by = painter();
    by.paint(context, slice, this.placement(), look);
    this.node.dataset.painter = by.name;
    this.node.dataset.state = this.exact ? 'ready' : 'loading';
    return true;
  }

  /** Say which slice this is, on the picture and to a screen reader. */
  describe(stack: boolean, note: string): void {
    const count = this.info.count;
    const name = stack ? 'Picture' : NAMES[this.plane];
    const where = count > 1 ? `${this.index + 1} / ${count}` : '';
    this.title.textContent = stack ? where : `${name}  ${where}`;
    this.note.textContent = note;
    this.node.setAttribute(
      'aria-label',
      `${name}${count > 1 ? ` slice ${this.index + 1} of ${count}` : ''}. ${note}`
    );
  }

  /** Draw the crosshair through a pixel, or none. */
  mark(at: { row: number; column: number } | null): void {
    this.cross.style.display = at ? '' : 'none';
    if (!at) {
      return;
    }
    const ratio = devicePixelRatio || 1;
    const place = this.placement();
    const x = (place.x + (at.column + 0.5) * place.columnSize) / ratio;
    const y = (place.y + (at.row + 0.5) * place.rowSize) / ratio;
    const { clientWidth: width, clientHeight: height } = this.node;
    const gap = 10;
    const ends = [
      [0, y, x - gap, y],
      [x + gap, y, width, y],
      [x, 0, x, y - gap],
      [x, y + gap, x, height]
    ];
    this.lines.forEach((line, i) =>
      ['x1', 'y1', 'x2', 'y2'].forEach((name, j) =>
        line.setAttribute(name, String(ends[i][j]))
      )
    );
  }

  /** Enlarge around a point of the pane (default: its middle). */
  zoomBy(factor: number, x?: number, y?: number): void {
    const { clientWidth, clientHeight } = this.node;
    const ratio = devicePixelRatio || 1;
    const dx = ((x ?? clientWidth / 2) - clientWidth / 2) * ratio;
    const dy = ((y ?? clientHeight / 2) - clientHeight / 2) * ratio;
    const before = this.scale();
    this.zoom = Math.min(Math.max(this.zoom * factor, 0.2), 64);
    const after = this.scale();
    this.panX += dx / after - dx / before;
    this.panY += dy / after - dy / before;
    this.events.changed(this);
  }

  /** Move the picture by pixels of the screen. */
  panBy(dx: number, dy: number): void {
    const perPixel = (devicePixelRatio || 1) / this.scale();
    this.panX += dx * perPixel;
    this.panY += dy * perPixel;
    this.events.changed(this);
  }

  /** The whole slice, in the middle. */
  fit(): void {
    this.zoom = 1;
    this.panX = this.panY = 0;
    this.events.changed(this);
  }

  /** The pixel of the slice at a point of the window, or null beside it. */
  pixelAt(
    clientX: number,
    clientY: number
  ): { row: number; column: number } | null {
    const box = this.node.getBoundingClientRect();
    const ratio = devicePixelRatio || 1;
    const place = this.placement();
    // The middle of the device pixel, as the painter takes it.
    const x = Math.floor((clientX - box.left) * ratio) + 0.5 - place.x;
    const y = Math.floor((clientY - box.top) * ratio) + 0.5 - place.y;
    const column = Math.floor(x / place.columnSize);
    const row = Math.floor(y / place.rowSize);
    const { rows, columns } = this.info;
    const inside = row >= 0 && column >= 0 && row < rows && column < columns;
    return inside ? { row, column } : null;
  }

  /** The slice's size in mm. */
  get size(): { width: number; height: number } {
    const { rows, columns, row_mm, column_mm } = this.info;
    return { width: columns * column_mm, height: rows * row_mm };
  }

  /** What must fit into the pane, where panes beside it have the same scale. */
  extent: { width: number; height: number } | null = null;

  /** Space is held: a drag pans. */
  panning = false;

  dispose(): void {
    this.observer.disconnect();
  }

  /** Device pixels per mm. */
  private scale(): number {
    const { width, height } = this.canvas;
    const fit = this.extent ?? this.size;
    return this.zoom * Math.min(width / fit.width, height / fit.height);
  }

  private placement(): Placement {
    const { rows, columns, row_mm, column_mm } = this.info;
    const scale = this.scale();
    const columnSize = scale * column_mm;
    const rowSize = scale * row_mm;
    return {
      x: (this.canvas.width - columns * columnSize) / 2 + this.panX * scale,
      y: (this.canvas.height - rows * rowSize) / 2 + this.panY * scale,
      columnSize,
      rowSize
    };
  }

  private resize(): void {
    const ratio = devicePixelRatio || 1;
    const width = Math.round(this.node.clientWidth * ratio);
    const height = Math.round(this.node.clientHeight * ratio);
    if (width !== this.canvas.width || height !== this.canvas.height) {
      this.canvas.width = width;
      this.canvas.height = height;
      this.events.changed(this);
    }
  }

  private listen(): void {
    const { node } = this;
    node.addEventListener('wheel', event => this.wheel(event), {
      passive: false
    });
    node.addEventListener('pointerdown', event => this.press(event));
    node.addEventListener('pointermove', event => {
      if (!this.pressed && event.pointerType !== 'touch') {
        this.events.hover(this, this.pixelAt(event.clientX, event.clientY));
      }
    });
    node.addEventListener('pointerleave', () => this.events.hover(this, null));
    node.addEventListener('dblclick', () => this.events.reset(this));
    node.addEventListener('focus', () => this.events.focus(this));
    // A middle click would start the browser's own scrolling.
    node.addEventListener('mousedown', event => {
      if (event.button === 1) {
        event.preventDefault();
      }
    });
  }

  private wheel(event: WheelEvent): void {
    if (event.timeStamp - passing < PASSING) {
      passing = event.timeStamp; // the page is being scrolled past us
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE;
    const delta = event.deltaY * (lines ? NOTCH / 3 : 1);
    if (event.ctrlKey || event.metaKey) {
      const box = this.node.getBoundingClientRect();
      const factor = Math.exp(-Math.max(-NOTCH, Math.min(NOTCH, delta)) / 400);
      this.zoomBy(factor, event.clientX - box.left, event.clientY - box.top);
      return;
    }
    // A notch is a slice; a touchpad's small steps are gathered.
    this.turned =
      Math.sign(delta) === Math.sign(this.turned) ? this.turned + delta : delta;
    const step = Math.abs(delta) >= NOTCH / 2 ? Math.abs(delta) : NOTCH / 3;
    const steps = Math.trunc(this.turned / Math.min(step, NOTCH));
    if (steps) {
      this.turned = 0;
      this.events.scroll(this, steps, event.timeStamp);
    }
  }

  private press(event: PointerEvent): void {
    if (event.button === 2 || this.pressed) {
      return;
    }
    const { node } = this;
    node.focus({ preventScroll: true });
    node.setPointerCapture(event.pointerId);
    const pan = event.button === 1 || this.panning || event.shiftKey;
    const touch = event.pointerType === 'touch';
    let { clientX: x, clientY: y } = event;
    const start = { x, y };
    let moved = false;
    let slices = 0;
    this.pressed = true;
    this.events.shade(this, 0, 0, 'start');
    const move = (now: PointerEvent): void => {
      const dx = now.clientX - start.x;
      const dy = now.clientY - start.y;
      moved ||= Math.hypot(dx, dy) >= CLICK;
      if (!moved) {
        return;
      }
      if (pan) {
        this.panBy(now.clientX - x, now.clientY - y);
      } else if (touch) {
        const steps = Math.trunc(dy / 8) - slices;
        slices += steps;
        this.events.scroll(this, steps, now.timeStamp);
      } else {
        this.events.shade(this, dx, dy, 'move');
      }
      ({ clientX: x, clientY: y } = now);
    };
    const end = (now: PointerEvent): void => {
      node.removeEventListener('pointermove', move);
      node.removeEventListener('pointerup', end);
      node.removeEventListener('pointercancel', end);
      this.pressed = false;
      const at = this.pixelAt(now.clientX, now.clientY);
      if (!moved && !pan && at && now.type === 'pointerup') {
        this.events.pick(this, at.row, at.column);
      }
    };
    node.addEventListener('pointermove', move);
    node.addEventListener('pointerup', end);
    node.addEventListener('pointercancel', end);
  }

  private readonly title = h('span', { class: 'blueno-corner blueno-title' });
  private readonly note = h('span', { class: 'blueno-corner blueno-note' });
  private readonly cross: SVGElement;
  private readonly lines: SVGElement[];
  private readonly observer: ResizeObserver;
  private pressed = false;
  private turned = 0;
}
