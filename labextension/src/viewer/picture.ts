/** A photo on the screen: zoom to the cursor, move, look at single pixels. */
import { h, iconButton } from './dom';
import { answered } from './http';
import { SourceError } from './source';

const LARGEST = 64; // screen pixels for one of the picture's

/** Shows one picture. The caller disposes of it. */
export class PictureView {
  readonly node: HTMLElement;

  constructor(
    private readonly load: (signal: AbortSignal) => Promise<Response>,
    private readonly name = 'the picture'
  ) {
    this.stage = h(
      'div',
      {
        class: 'blueno-pane blueno-active',
        tabindex: 0,
        role: 'img',
        'aria-label': this.name
      },
      this.canvas
    );
    this.node = h(
      'div',
      { class: 'blueno-picture' },
      this.stage,
      h(
        'div',
        { class: 'blueno-footer' },
        this.readout,
        h('span', { class: 'blueno-space' }),
        this.scaleText,
        iconButton('fit', 'Fit to the view (F)', () => this.fit())
      )
    );
    this.listen();
    this.observer = new ResizeObserver(() => this.schedule());
    this.observer.observe(this.stage);
    void this.open(performance.now());
  }

  /** Screen pixels per pixel of the picture; 0 is the whole picture. */
  private zoom = 0;
  private panX = 0;
  private panY = 0;

  focus(): void {
    this.stage.focus({ preventScroll: true });
  }

  fit(): void {
    this.zoom = this.panX = this.panY = 0;
    this.schedule();
  }

  dispose(): void {
    this.abort.abort();
    this.observer.disconnect();
    cancelAnimationFrame(this.frame);
    this.bitmap?.close();
    this.node.remove();
  }

  private async open(opened: number): Promise<void> {
    this.opened = opened;
    try {
      const { signal } = this.abort;
      const response = await answered(this.load(signal), signal);
      const bitmap = await createImageBitmap(await response.blob());
      if (signal.aborted) {
        bitmap.close();
        return;
      }
      this.bitmap = bitmap;
      this.node.dataset.state = 'ready';
      this.schedule();
    } catch (error) {
      if (this.abort.signal.aborted) {
        return;
      }
      if (error instanceof SourceError && error.again) {
        window.setTimeout(() => {
          if (!this.abort.signal.aborted) {
            void this.open(opened);
          }
        }, 1000);
        return;
      }
      const message = error instanceof Error ? error.message : String(error);
      this.node.dataset.state = 'failed';
      this.node.replaceChildren(
        h(
          'div',
          { class: 'blueno-message', role: 'alert' },
          h('p', {}, message)
        )
      );
    }
  }

  /** Screen pixels per pixel now. */
  private scale(): number {
    const { clientWidth, clientHeight } = this.stage;
    const { width, height } = this.bitmap!;
    return this.zoom || Math.min(clientWidth / width, clientHeight / height);
  }

  private corner(): { x: number; y: number } {
    const scale = this.scale();
    const { clientWidth, clientHeight } = this.stage;
    const { width, height } = this.bitmap!;
    return {
      x: (clientWidth - width * scale) / 2 + this.panX,
      y: (clientHeight - height * scale) / 2 + this.panY
    };
  }

  private zoomBy(factor: number, x: number, y: number): void {
    if (!this.bitmap) {
      return;
    }
    const { clientWidth, clientHeight } = this.stage;
    const before = this.scale();
    this.zoom = Math.min(Math.max(before * factor, 0.02), LARGEST);
    const grown = this.zoom / before;
    const fromMiddleX = x - clientWidth / 2;
    const fromMiddleY = y - clientHeight / 2;
    this.panX = fromMiddleX - (fromMiddleX - this.panX) * grown;
    this.panY = fromMiddleY - (fromMiddleY - this.panY) * grown;
    this.schedule();
  }

  private schedule(): void {
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      this.paint();
    });
  }

  private paint(): void {
    const { canvas, bitmap, stage } = this;
    const ratio = devicePixelRatio || 1;
    canvas.width = Math.round(stage.clientWidth * ratio);
    canvas.height = Math.round(stage.clientHeight * ratio);
    const context = canvas.getContext('2d');
    if (!context || !bitmap || !canvas.width || !canvas.height) {
      return;
    }
    const scale = this.scale();
    const { x, y } = this.corner();
    context.imageSmoothingEnabled = scale * ratio < 2; // enlarged: square pixels
    context.imageSmoothingQuality = 'high';
    context.drawImage(
      bitmap,
      x * ratio,
      y * ratio,
      bitmap.width * scale * ratio,
      bitmap.height * scale * ratio
    );
    this.scaleText.textContent = `${Math.round(scale * 100)} %`;
    if (this.opened) {
      performance.measure('blueno:slice-paint', {
        start: this.opened,
        end: performance.now(),
        detail: { kind: 'open', plane: 'picture', index: 0 }
      });
      this.opened = 0;
    }
  }

  private listen(): void {
    const { stage } = this;
    stage.addEventListener(
      'wheel',
      event => {
        event.preventDefault();
        const box = stage.getBoundingClientRect();
        const delta = Math.max(-100, Math.min(100, event.deltaY));
        this.zoomBy(
          Math.exp(-delta / 300),
          event.clientX - box.left,
          event.clientY - box.top
        );
      },
      { passive: false }
    );
    stage.addEventListener('pointerdown', event => {
      if (event.button !== 2) {
        stage.setPointerCapture(event.pointerId);
      }
    });
    stage.addEventListener('pointermove', event => {
      if (stage.hasPointerCapture(event.pointerId)) {
        this.panX += event.movementX;
        this.panY += event.movementY;
        this.schedule();
      }
      this.tell(event);
    });
    stage.addEventListener('pointerleave', () =>
      this.readout.replaceChildren()
    );
    stage.addEventListener('dblclick', () => this.fit());
    stage.addEventListener('keydown', event => this.key(event));
  }

  private key(event: KeyboardEvent): void {
    const { clientWidth, clientHeight } = this.stage;
    const middle = [clientWidth / 2, clientHeight / 2] as const;
    if (event.ctrlKey || event.metaKey || event.altKey) {
      return;
    } else if (event.key === '+' || event.key === '=') {
      this.zoomBy(1.25, ...middle);
    } else if (event.key === '-') {
      this.zoomBy(0.8, ...middle);
    } else if (event.key === 'f' || event.key === 'r') {
      this.fit();
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  /** Say which pixel is under the cursor, and its colour. */
  private tell(event: PointerEvent): void {
    if (!this.bitmap) {
      return;
    }
    const box = this.stage.getBoundingClientRect();
    const scale = this.scale();
    const { x, y } = this.corner();
    const column = Math.floor((event.clientX - box.left - x) / scale);
    const row = Math.floor((event.clientY - box.top - y) / scale);
    const { width, height } = this.bitmap;
    if (column < 0 || row < 0 || column >= width || row >= height) {
      this.readout.replaceChildren();
      return;
    }
    this.probe.width = this.probe.height = 1;
    const context = this.probe.getContext('2d', { willReadFrequently: true });
    context?.drawImage(this.bitmap, -column, -row);
    const [red, green, blue] = context?.getImageData(0, 0, 1, 1).data ?? [];
    const grey = red === green && green === blue;
    this.readout.replaceChildren(
      h('span', { class: 'blueno-dim' }, 'row, column '),
      h('b', {}, `${row} ${column}`),
      h('span', { class: 'blueno-dim' }, '  value '),
      h('b', {}, grey ? String(red) : `${red} ${green} ${blue}`)
    );
  }

  private readonly canvas = h('canvas', { class: 'blueno-canvas' });
  private readonly stage: HTMLElement;
  private readonly readout = h('div', { class: 'blueno-readout' });
  private readonly scaleText = h('span', { class: 'blueno-dim' });
  private readonly probe = h('canvas', {});
  private readonly observer: ResizeObserver;
  private readonly abort = new AbortController();
  private bitmap: ImageBitmap | null = null;
  private opened = 0;
  private frame = 0;
}
