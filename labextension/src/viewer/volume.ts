/** A volume on the screen: one plane or three, with everything around. */
import { Controls, type Layout } from './controls';
import { h } from './dom';
import { Facts } from './facts';
import { Geometry } from './geometry';
import { type KeyActions, Keyboard } from './keyboard';
import { CheatSheet } from './keys';
import { SliceLoader } from './loader';
import { hold } from './painter';
import { Pane, type PaneEvents } from './pane';
import { Player } from './player';
import { Screen } from './screen';
import { PLANES, type Plane, type VolumeInfo } from './source';
import { type ViewState, beginning } from './state';
import { Stopwatch } from './stopwatch';
import { type Windowing, dragged, presetsFor } from './window';

/** Interaction with one opened volume. The caller disposes of it. */
export class VolumeView {
  readonly node = h('div', { class: 'blueno-volume' });
  readonly state: ViewState;

  constructor(
    readonly info: VolumeInfo,
    private readonly loader: SliceLoader,
    opened: number,
    start: Partial<ViewState> = {}
  ) {
    this.geometry = new Geometry(info);
    this.stopwatch = new Stopwatch(opened);
    this.state = beginning(info, this.geometry, start);
    const planes = info.planes ?? PLANES;
    this.panes = planes.map(
      plane => new Pane(plane, info[plane], this.paneEvents)
    );
    this.controls = new Controls(info, this.actions);
    const facts = new Facts(info);
    this.screen = new Screen({
      info,
      geometry: this.geometry,
      state: this.state,
      panes: this.panes,
      loader,
      controls: this.controls,
      facts,
      stopwatch: this.stopwatch
    });
    this.stage = h(
      'div',
      { class: 'blueno-stage' },
      ...this.panes.map(pane => pane.node),
      ...(planes.length === 3 ? [facts.node] : []),
      this.sheet.node
    );
    this.node.append(this.controls.toolbar, this.stage, this.controls.footer);
    new Keyboard(
      this.node,
      this.actions,
      planes.length === 3 ? [...PLANES, 'three'] : []
    );
    this.loader.onSlice = (plane, index) => {
      if (this.screen.isShown(plane) && this.state.slices[plane] === index) {
        this.screen.schedule(plane);
      }
    };
    this.observer = new IntersectionObserver(entries =>
      this.setVisible(entries.some(entry => entry.isIntersecting))
    );
    this.observer.observe(this.node);
    this.release = hold();
    this.loader.setFrame(this.state.frame);
    this.controls.setFrame(this.state.frame, info.frames);
    this.setLayout(this.state.layout);
    this.setWindowing(this.state, false);
  }

  /** The state changed by somebody at the screen. */
  onChange: (state: ViewState) => void = () => undefined;

  /** Set parts of the state, as a program does. */
  update(to: Partial<ViewState>): void {
    const { slices, frame, window, level, ...rest } = to;
    const layoutBefore = this.state.layout;
    Object.assign(this.state, rest);
    if (slices) {
      for (const plane of PLANES) {
        this.moveTo(plane, slices[plane], performance.now(), false);
      }
    }
    if (frame !== undefined) {
      this.moveInTime(frame, performance.now(), false);
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
    this.screen.scheduleAll();
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
    this.screen.dispose();
    this.player.dispose();
    this.clock.dispose();
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
      this.screen.readout(pane, { row, column });
      this.screen.scheduleAll();
    },
    hover: (pane, at) => this.screen.readout(pane, at),
    reset: () => this.actions.reset(),
    focus: pane => this.activate(pane.plane),
    changed: pane => this.screen.schedule(pane.plane)
  };

  private readonly actions: KeyActions = {
    layout: layout => {
      this.setLayout(layout);
      this.focus();
      this.onChange(this.state);
    },
    windowing: to => this.setWindowing(to),
    index: (index, at) => this.moveTo(this.state.plane, index, at),
    step: (by, at) => {
      const { plane, slices } = this.state;
      this.moveTo(plane, slices[plane] + by, at);
    },
    end: (which, at) => {
      const { plane } = this.state;
      const last = this.info[plane].count - 1;
      this.moveTo(plane, which === 'first' ? 0 : last, at);
    },
    frame: (frame, at) => this.moveInTime(frame, at),
    later: (by, at) => this.moveInTime(this.state.frame + by, at),
    play: () => {
      this.clock.stop();
      this.player.toggle();
    },
    playTime: () => {
      if (this.info.frames > 1) {
        this.player.stop();
        this.clock.toggle();
      }
    },
    smooth: () => this.toggle('smooth'),
    invert: () => this.toggle('invert'),
    crosshair: () => this.toggle('crosshair'),
    fit: () => this.screen.shown.forEach(pane => pane.fit()),
    zoom: factor => this.screen.shown.forEach(pane => pane.zoomBy(factor)),
    reset: () => {
      const [auto] = presetsFor(this.info);
      this.state.invert = this.info.inverted;
      this.actions.fit();
      this.setWindowing(auto);
    },
    grab: on => {
      this.panes.forEach(pane => (pane.panning = on));
      this.stage.classList.toggle('blueno-panning', on);
    },
    help: () => this.sheet.toggle(),
    escape: () => {
      const { open } = this.sheet;
      this.sheet.toggle(false);
      return open;
    }
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
      const shown = this.screen.isShown(pane.plane);
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
    this.screen.scheduleAll();
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
    if (this.screen.isShown(plane)) {
      this.ask(plane, at);
    }
    if (tell) {
      this.onChange(this.state);
    }
    // The crosshair of the other planes moves with it.
    this.screen.scheduleAll();
  }

  /** Go to a point of time; every plane that is shown goes with it. */
  private moveInTime(to: number, at: number, tell = true): void {
    const { frames } = this.info;
    const frame = Math.max(0, Math.min(frames - 1, to | 0));
    if (frame === this.state.frame) {
      return;
    }
    this.state.frame = frame;
    this.loader.setFrame(frame);
    this.controls.setFrame(frame, frames);
    this.screen.shown.forEach(pane => this.ask(pane.plane, at));
    if (tell) {
      this.onChange(this.state);
    }
    this.screen.scheduleAll();
  }

  private ask(plane: Plane, at: number): void {
    this.stopwatch.start(plane, at);
    if (this.visible) {
      this.loader.want(plane, this.state.slices[plane]);
    }
  }

  private setWindowing(to: Windowing, tell = true): void {
    this.state.window = to.window;
    this.state.level = to.level;
    this.controls.setWindowing(to);
    this.screen.scheduleAll();
    if (tell) {
      this.onChange(this.state);
    }
  }

  private toggle(what: 'smooth' | 'invert' | 'crosshair'): void {
    this.state[what] = !this.state[what];
    this.screen.scheduleAll();
    this.onChange(this.state);
  }

  /** The next slice while playing; not faster than pictures come. */
  private advance(): void {
    if (this.pane.exact && this.visible) {
      const { plane, slices } = this.state;
      const next = (slices[plane] + 1) % this.info[plane].count;
      this.moveTo(plane, next, performance.now());
    }
  }

  private advanceInTime(): void {
    if (this.visible && this.screen.shown.every(pane => pane.exact)) {
      const next = (this.state.frame + 1) % this.info.frames;
      this.moveInTime(next, performance.now());
    }
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
      this.screen.shown.forEach(pane => this.ask(pane.plane, now));
      this.screen.scheduleAll();
    } else {
      PLANES.forEach(plane => this.loader.forget(plane));
    }
  }

  private readonly geometry: Geometry;
  private readonly stopwatch: Stopwatch;
  private readonly panes: Pane[];
  private readonly controls: Controls;
  private readonly screen: Screen;
  private readonly stage: HTMLElement;
  private readonly sheet = new CheatSheet();
  private readonly player = new Player(
    () => this.advance(),
    playing => this.controls.setPlaying(playing)
  );
  private readonly clock = new Player(
    () => this.advanceInTime(),
    playing => this.controls.setPlayingTime(playing)
  );
  private readonly observer: IntersectionObserver;
  private dragStart: Windowing = { window: 1, level: 0 };
  private release: () => void;
  private visible = true;
}
