/** The anywidget front end: the viewer on slices that come over the comm. */
import { type CommModel, CommSource } from './comm';
import type { Plane } from './source';
import { Viewer } from './viewer';
import type { ViewState } from './volume';

interface Model extends CommModel {
  set(name: string, value: unknown): void;
  save_changes(): void;
}

const TRAITS = ['plane', 'layout', 'index', 'window', 'level'] as const;

function read(model: Model): Partial<ViewState> {
  const plane = model.get('plane') as Plane;
  const index = model.get('index') as Record<Plane, number>;
  return {
    plane,
    layout: model.get('layout') as ViewState['layout'],
    slices: { ...index },
    window: model.get('window') as number,
    level: model.get('level') as number
  };
}

function render({ model, el }: { model: Model; el: HTMLElement }): () => void {
  const source = new CommSource(model);
  let quiet = false; // what we write ourselves is no news
  const viewer = new Viewer(source, {
    name: 'the array',
    start: read(model),
    onChange: state => {
      quiet = true;
      model.set('plane', state.plane);
      model.set('layout', state.layout);
      model.set('index', { ...state.slices });
      model.set('window', state.window);
      model.set('level', state.level);
      quiet = false;
      // One message for a whole drag's frame, not one for each pixel.
      frame ||= requestAnimationFrame(() => {
        frame = 0;
        model.save_changes();
      });
    }
  });
  let frame = 0;
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
