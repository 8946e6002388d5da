/** Draws the panes of a view: what changed, once a frame. */
import type { Controls } from './controls';
import type { Facts } from './facts';
import type { Geometry, Voxel } from './geometry';
import type { SliceLoader } from './loader';
import type { Look } from './painter';
import type { Pane } from './pane';
import { Probe } from './probe';
import type { Plane, VolumeInfo } from './source';
import type { ViewState } from './state';
import type { Stopwatch } from './stopwatch';
import { text } from './window';

/** What is drawn, where it comes from, and who is told. */
export interface Parts {
  info: VolumeInfo;
  geometry: Geometry;
  state: Readonly<ViewState>;
  panes: readonly Pane[];
  loader: SliceLoader;
  controls: Controls;
  facts: Facts;
  stopwatch: Stopwatch;
}

export class Screen {
  constructor(private readonly parts: Parts) {
    const { info, geometry, panes } = parts;
    this.probe = new Probe(info, geometry, panes.length === 1);
  }

  /** Whether the layout has room for a plane. */
  isShown(plane: Plane): boolean {
    const { layout } = this.parts.state;
    return layout === 'three' || layout === plane;
  }

  get shown(): Pane[] {
    return this.parts.panes.filter(pane => this.isShown(pane.plane));
  }

  /** Draw a plane in the next frame. */
  schedule(plane: Plane): void {
    this.dirty.add(plane);
    if (!this.request && !this.disposed) {
      this.request = requestAnimationFrame(() => this.paint());
    }
  }

  scheduleAll(): void {
    this.shown.forEach(pane => this.schedule(pane.plane));
  }

  /** Say what is under the cursor. */
  readout(pane: Pane, at: { row: number; column: number } | null): void {
    const { controls } = this.parts;
    this.hovered = at ? { pane, ...at } : null;
    if (!at || !pane.slice || !pane.exact) {
      controls.setReadout([]);
      return;
    }
    controls.setReadout(this.probe.read(pane, at.row, at.column));
  }

  dispose(): void {
    this.disposed = true;
    cancelAnimationFrame(this.request);
  }

  private paint(): void {
    this.request = 0;
    const { state, info, geometry, controls } = this.parts;
    const { slope, intercept } = info;
    const look: Look = { ...state, slope, intercept };
    controls.setToggles(state);
    const crossing = geometry.meeting(state.slices);
    for (const pane of this.shown) {
      if (this.dirty.has(pane.plane)) {
        this.paintPane(pane, look, crossing);
      }
    }
    this.dirty.clear();
    this.tellPlace(crossing);
  }

  private paintPane(pane: Pane, look: Look, crossing: Voxel): void {
    const { state, panes, loader, geometry, stopwatch } = this.parts;
    const { plane } = pane;
    const index = state.slices[plane];
    const slice = loader.get(plane, index);
    pane.show(
      slice ?? loader.nearest(plane, index),
      index,
      slice !== undefined
    );
    const painted = pane.paint(look);
    const { frames } = this.parts.info;
    const time = frames > 1 ? `t ${state.frame + 1} / ${frames}  ` : '';
    const note = `${time}W ${text(state.window)}  L ${text(state.level)}`;
    pane.node.dataset.frame = String(state.frame);
    pane.describe(panes.length === 1, note);
    pane.mark(state.crosshair ? geometry.pixel(plane, crossing) : null);
    if (painted && slice) {
      stopwatch.stop(plane, index);
      loader.lookAhead();
    }
    if (this.hovered?.pane === pane) {
      this.readout(pane, this.hovered);
    }
  }

  /** What is where the planes meet. */
  private tellPlace(voxel: Voxel): void {
    const { state, panes, geometry, facts } = this.parts;
    if (state.layout !== 'three') {
      return;
    }
    const pane = panes.find(one => one.exact);
    const at = pane && geometry.pixel(pane.plane, voxel);
    const value = at ? this.probe.value(pane, at.row, at.column) : null;
    facts.show({ voxel, mm: geometry.millimetres(voxel), value });
  }

  private readonly probe: Probe;
  private readonly dirty = new Set<Plane>();
  private hovered: { pane: Pane; row: number; column: number } | null = null;
  private request = 0;
  private disposed = false;
}
