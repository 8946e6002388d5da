/** A volume on the screen: one plane or three, with everything around. */
import { type Actions, Controls, type Layout } from './controls';
import { h } from './dom';
import { Facts } from './facts';
import { Geometry, type Slices, type Voxel } from './geometry';
import { CheatSheet, type Meaning, meaningOf } from './keys';
import { SliceLoader } from './loader';
import { type Look, hold } from './painter';
import { Pane, type PaneEvents } from './pane';
import { Probe } from './probe';
import { PLANES, type Plane, type VolumeInfo } from './source';
import { type Windowing, dragged, presetsFor, text } from './window';

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

const FRAMES_PER_SECOND = 12;

/** Interaction with one opened volume. The caller disposes of it. */
export class VolumeView {
  readonly node = h('div', { class: 'blueno-volume' });
  readonly state: ViewState;

  constructor(
    readonly info: VolumeInfo,
    private readonly loader: SliceLoader,
    private readonly opened: number,
    start: Partial<ViewState> = {}
  ) {
    this.geometry = new Geometry(info);
    const planes = info.planes ?? PLANES;
    this.state = {
      layout: planes[0],
      plane: planes[0],
      window: info.window || 1,
      level: info.level,
      smooth: planes.length === 3, // single pixels matter in a picture
      invert: info.inverted,
      crosshair: false,
      ...start,
      slices: { ...this.geometry.middle(), ...start.slices }
    };
    this.panes = planes.map(
      plane => new Pane(plane, info[plane], this.paneEvents)
    );
    this.probe = new Probe(info, this.geometry, planes.length === 1);
    this.facts = new Facts(info);
    this.controls = new Controls(info, this.actions);
    this.stage = h(
      'div',
      { class: 'blueno-stage' },
      ...this.panes.map(pane => pane.node),
      ...(planes.length === 3 ? [this.facts.node] : []),
      this.sheet.node
    );
    this.node.append(this.controls.toolbar, this.stage, this.controls.footer);
    this.node.addEventListener('keydown', event => this.key(event));
    this.node.addEventListener('keyup', event => this.spacebar(event, false));
    this.loader.onSlice = (plane, index) => {
      if (this.isShown(plane) && this.state.slices[plane] === index) {
        this.schedule(plane);
      }
    };
    this.observer = new IntersectionObserver(entries =>
      this.setVisible(entries.some(entry => entry.isIntersecting))
    );
    this.observer.observe(this.node);
    this.release = hold();
    this.setLayout(this.state.layout);
    this.setWindowing(this.state, false);
  }

  /** The state changed by somebody at the screen. */
  onChange: (state: ViewState) => void = () => undefined;

  /** Set parts of the state, as a program does. */
  update(to: Partial<ViewState>): void {
    const { slices, window, level, ...rest } = to;
    const layoutBefore = this.state.layout;
    Object.assign(this.state, rest);
    if (slices) {
      for (const plane of PLANES) {
        this.moveTo(plane, slices[plane], performance.now(), false);
      }
    }
    if (window !== undefined || level !== undefined) {
      const { state } = this;
      this.setWindowing(
        { window: window ?? state.window, level: level ?? state.level },
        false
      );
    }
    if (this.state.layout !== layoutBefore) {
      this.setLayout(this.state.layout);
    }
    this.scheduleAll();
  }

  /** The active plane as it is on the screen. */
  get pane(): Pane {
    return (
      this.panes.find(pane => pane.plane === this.state.plane) ?? this.panes[0]
    );
  }

  focus(): void {
    this.pane.node.focus({ preventScroll: true });
  }

  dispose(): void {
    this.disposed = true;
    cancelAnimationFrame(this.frame);
    window.clearInterval(this.playing);
    this.observer.disconnect();
    this.panes.forEach(pane => pane.dispose());
    this.release();
  }

  private readonly paneEvents: PaneEvents = {
    scroll: (pane, steps, at) => {
      this.activate(pane.plane);
      this.moveTo(pane.plane, this.state.slices[pane.plane] + steps, at);
    },
    shade: (_, dx, dy, phase) => {
      if (phase === 'start') {
        this.dragStart = { ...this.state };
        return;
      }
      const smallest = Math.abs(this.info.slope) * 1e-3 || 1e-6;
      this.setWindowing(dragged(this.dragStart, dx, dy, smallest));
    },
    pick: (pane, row, column) => {
      const { plane } = pane;
      const now = performance.now();
      if (this.panes.length === 3) {
        const index = this.state.slices[plane];
        const voxel = this.geometry.voxel(plane, index, row, column);
        const slices = this.geometry.slices(voxel);
        PLANES.forEach(other => this.moveTo(other, slices[other], now));
        this.state.crosshair ||= this.state.layout === 'three';
      }
      this.readout(pane, { row, column });
      this.scheduleAll();
    },
    hover: (pane, at) => this.readout(pane, at),
    reset: () => this.reset(),
    focus: pane => this.activate(pane.plane),
    changed: pane => this.schedule(pane.plane)
  };

  private readonly actions: Actions = {
    layout: layout => {
      this.setLayout(layout);
      this.focus();
      this.onChange(this.state);
    },
    windowing: to => this.setWindowing(to),
    index: (index, at) => this.moveTo(this.state.plane, index, at),
    play: () => this.play(),
    smooth: () => this.toggle('smooth'),
    invert: () => this.toggle('invert'),
    crosshair: () => this.toggle('crosshair'),
    fit: () => this.shownPanes().forEach(pane => pane.fit()),
    help: () => this.sheet.toggle()
  };

  private setLayout(layout: Layout): void {
    this.state.layout = layout;
    this.stage.dataset.layout = layout;
    if (layout !== 'three') {
      this.state.plane = layout;
    }
    const sizes = this.panes.map(pane => pane.size);
    const largest = {
      width: Math.max(...sizes.map(({ width }) => width)),
      height: Math.max(...sizes.map(({ height }) => height))
    };
    for (const pane of this.panes) {
      const shown = this.isShown(pane.plane);
      pane.extent = layout === 'three' ? largest : null;
      pane.node.hidden = !shown;
      if (shown) {
        this.ask(pane.plane, performance.now());
      } else {
        this.loader.forget(pane.plane);
      }
    }
    this.controls.setLayout(layout);
    this.activate(this.state.plane);
    this.scheduleAll();
  }

  private activate(plane: Plane): void {
    this.state.plane = plane;
    for (const pane of this.panes) {
      pane.node.classList.toggle('blueno-active', pane.plane === plane);
    }
    this.controls.setSlice(
      plane,
      this.state.slices[plane],
      this.info[plane].count
    );
  }

  /** Go to a slice; `at` is when the hand moved. */
  private moveTo(plane: Plane, to: number, at: number, tell = true): void {
    const index = Math.max(0, Math.min(this.info[plane].count - 1, to | 0));
    if (index === this.state.slices[plane]) {
      return;
    }
    this.state.slices[plane] = index;
    if (plane === this.state.plane) {
      this.controls.setSlice(plane, index, this.info[plane].count);
    }
    if (this.isShown(plane)) {
      this.ask(plane, at);
    }
    if (tell) {
      this.onChange(this.state);
    }
    // The crosshair of the other planes moves with it.
    this.scheduleAll();
  }

  private ask(plane: Plane, at: number): void {
    this.since.set(plane, at);
    if (this.visible) {
      this.loader.want(plane, this.state.slices[plane]);
    }
  }

  private setWindowing(to: Windowing, tell = true): void {
    this.state.window = to.window;
    this.state.level = to.level;
    this.controls.setWindowing(to);
    this.scheduleAll();
    if (tell) {
      this.onChange(this.state);
    }
  }

  private toggle(what: 'smooth' | 'invert' | 'crosshair'): void {
    this.state[what] = !this.state[what];
    this.scheduleAll();
    this.onChange(this.state);
  }

  private reset(): void {
    const [auto] = presetsFor(this.info);
    this.state.invert = this.info.inverted;
    this.shownPanes().forEach(pane => pane.fit());
    this.setWindowing(auto);
  }

  private play(): void {
    if (this.playing) {
      window.clearInterval(this.playing);
      this.playing = 0;
    } else {
      this.playing = window.setInterval(() => {
        // Not faster than pictures come.
        if (this.pane.exact && this.visible) {
          const { plane, slices } = this.state;
          const next = (slices[plane] + 1) % this.info[plane].count;
          this.moveTo(plane, next, performance.now());
        }
      }, 1000 / FRAMES_PER_SECOND);
    }
    this.controls.setPlaying(this.playing !== 0);
  }

  private key(event: KeyboardEvent): void {
    if (event.key === 'Escape' && this.sheet.open) {
      this.sheet.toggle(false);
    } else if (!this.spacebar(event, true)) {
      const meaning = meaningOf(event);
      if (!meaning) {
        return;
      }
      this.obey(meaning, event.timeStamp);
    }
    event.preventDefault();
    event.stopPropagation(); // a notebook has its own meaning for most keys
  }

  private obey(meaning: Meaning, at: number): void {
    const { plane, slices } = this.state;
    if ('step' in meaning) {
      this.moveTo(plane, slices[plane] + meaning.step, at);
    } else if ('end' in meaning) {
      const last = this.info[plane].count - 1;
      this.moveTo(plane, meaning.end === 'first' ? 0 : last, at);
    } else if ('zoom' in meaning) {
      this.shownPanes().forEach(pane => pane.zoomBy(meaning.zoom));
    } else if ('layout' in meaning) {
      if (this.panes.length === 3) {
        this.actions.layout(meaning.layout);
      }
    } else {
      const { actions } = this;
      ({
        fit: actions.fit,
        reset: () => this.reset(),
        play: actions.play,
        smooth: actions.smooth,
        invert: actions.invert,
        cross: actions.crosshair,
        help: actions.help
      })[meaning.act]();
    }
  }

  /** While space is held on a picture, a drag moves it. */
  private spacebar(event: KeyboardEvent, down: boolean): boolean {
    const on = event.target as HTMLElement;
    if (event.key !== ' ' || !on.classList.contains('blueno-pane')) {
      return false;
    }
    this.panes.forEach(pane => (pane.panning = down));
    this.stage.classList.toggle('blueno-panning', down);
    return true;
  }

  /** Say what is under the cursor. */
  private readout(
    pane: Pane,
    at: { row: number; column: number } | null
  ): void {
    this.hovered = at ? { pane, ...at } : null;
    if (!at || !pane.slice || !pane.exact) {
      this.controls.setReadout([]);
      return;
    }
    this.controls.setReadout(this.probe.read(pane, at.row, at.column));
  }

  private setVisible(visible: boolean): void {
    if (visible === this.visible) {
      return;
    }
    this.visible = visible;
    this.release();
    if (visible) {
      this.release = hold();
      const now = performance.now();
      this.shownPanes().forEach(pane => this.ask(pane.plane, now));
      this.scheduleAll();
    } else {
      PLANES.forEach(plane => this.loader.forget(plane));
    }
  }

  private isShown(plane: Plane): boolean {
    const { layout } = this.state;
    return layout === 'three' || layout === plane;
  }

  private shownPanes(): Pane[] {
    return this.panes.filter(pane => this.isShown(pane.plane));
  }

  private scheduleAll(): void {
    this.shownPanes().forEach(pane => this.schedule(pane.plane));
  }

  private schedule(plane: Plane): void {
    this.dirty.add(plane);
    if (!this.frame && !this.disposed) {
      this.frame = requestAnimationFrame(() => this.paint());
    }
  }

  /** Draw whatever changed since the last frame. */
  private paint(): void {
    this.frame = 0;
    const { state, info } = this;
    const { slope, intercept } = info;
    const look: Look = { ...state, slope, intercept };
    this.controls.setToggles(state);
    const crossing = this.geometry.meeting(state.slices);
    const note = `W ${text(state.window)}  L ${text(state.level)}`;
    for (const pane of this.shownPanes()) {
      if (!this.dirty.has(pane.plane)) {
        continue;
      }
      const index = state.slices[pane.plane];
      const slice = this.loader.get(pane.plane, index);
      pane.show(
        slice ?? this.loader.nearest(pane.plane, index),
        index,
        slice !== undefined
      );
      const painted = pane.paint(look);
      pane.describe(this.panes.length === 1, note);
      pane.mark(
        state.crosshair ? this.geometry.pixel(pane.plane, crossing) : null
      );
      if (painted && slice) {
        this.measure(pane.plane, index);
      }
      if (this.hovered?.pane === pane) {
        this.readout(pane, this.hovered);
      }
    }
    this.dirty.clear();
    this.tellPlace(crossing);
  }

  /** What is where the planes meet. */
  private tellPlace(voxel: Voxel): void {
    if (this.state.layout !== 'three') {
      return;
    }
    const pane = this.panes.find(one => one.exact);
    const at = pane && this.geometry.pixel(pane.plane, voxel);
    const value = at ? this.probe.value(pane, at.row, at.column) : null;
    const mm = this.geometry.millimetres(voxel);
    this.facts.show({ voxel, mm, value });
  }

  /** Leave a mark for whoever measures: from the hand's movement to the picture. */
  private measure(plane: Plane, index: number): void {
    const start = this.since.get(plane);
    if (start === undefined) {
      return;
    }
    this.since.delete(plane);
    const first = !this.measured;
    this.measured = true;
    performance.measure('blueno:slice-paint', {
      start: first ? this.opened : start,
      end: performance.now(),
      detail: { kind: first ? 'open' : 'scroll', plane, index }
    });
  }

  private readonly geometry: Geometry;
  private readonly probe: Probe;
  private readonly panes: Pane[];
  private readonly controls: Controls;
  private readonly stage: HTMLElement;
  private readonly facts: Facts;
  private readonly sheet = new CheatSheet();
  private readonly observer: IntersectionObserver;
  private readonly dirty = new Set<Plane>();
  private readonly since = new Map<Plane, number>();
  private dragStart: Windowing = { window: 1, level: 0 };
  private hovered: { pane: Pane; row: number; column: number } | null = null;
  private release: () => void;
  private visible = true;
  private measured = false;
  private frame = 0;
  private playing = 0;
  private disposed = false;
}
