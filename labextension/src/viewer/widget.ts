/** The anywidget front end: the viewer on slices that come over the comm. */
import { type CommModel, CommSource } from './comm';
import { Geometry } from './geometry';
import type { Plane, VolumeInfo } from './source';
import type { ViewState } from './state';
import { Viewer } from './viewer';

interface Model extends CommModel {
  set(name: string, value: unknown): void;
  save_changes(): void;
}

const TRAITS = [
  'plane',
  'index',
  'frame',
  'crosshair',
  'layout_mode',
  'window',
  'level'
] as const;

/** The view's state as the traits say. */
function read(model: Model): Partial<ViewState> {
  const geometry = new Geometry(model.get('_info') as VolumeInfo);
  const plane = model.get('plane') as Plane;
  const crosshair = model.get('crosshair') as number[];
  const [a, b, c] = crosshair;
  const slices = crosshair.length
    ? geometry.slices([a, b, c])
    : { ...geometry.middle() };
  slices[plane] = model.get('index') as number;
  return {
    plane,
    layout: model.get('layout_mode') === 'three' ? 'three' : plane,
    slices,
    frame: model.get('frame') as number,
    window: model.get('window') as number,
    level: model.get('level') as number
  };
}

/** The traits as somebody at the screen changed them. */
function write(model: Model, state: ViewState): void {
  const info = model.get('_info') as VolumeInfo;
  model.set('plane', state.plane);
  model.set('index', state.slices[state.plane]);
  model.set('frame', state.frame);
  if (info.planes?.length !== 1) {
    const voxel = new Geometry(info).meeting(state.slices);
    model.set('crosshair', [...voxel]);
    model.set('layout_mode', state.layout === 'three' ? 'three' : 'one');
  }
  model.set('window', state.window);
  model.set('level', state.level);
}

function render({ model, el }: { model: Model; el: HTMLElement }): () => void {
  const source = new CommSource(model);
  let quiet = false; // what is written here is no news
  let frame = 0;
  const viewer = new Viewer(source, {
    name: 'the array',
    start: read(model),
    onChange: state => {
      quiet = true;
      write(model, state);
      quiet = false;
      // One message for a frame of a drag, not one for each pixel.
      frame ||= requestAnimationFrame(() => {
        frame = 0;
        model.save_changes();
      });
    }
  });
  const changed = (): void => {
    if (!quiet) {
      viewer.view?.update(read(model));
    }
  };
  const reload = (): void => viewer.reload();
  TRAITS.forEach(name => model.on(`change:${name}`, changed));
  model.on('change:_info', reload);
  el.classList.add('blueno-output');
  el.append(viewer.node);
  return () => {
    TRAITS.forEach(name => model.off(`change:${name}`, changed));
    model.off('change:_info', reload);
    viewer.dispose();
    source.dispose();
  };
}

export default { render };
