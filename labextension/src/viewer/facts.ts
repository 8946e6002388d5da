/** What is known of a volume, beside its three planes. */
import { h } from './dom';
import { millimetres } from './probe';
import type { VolumeInfo } from './source';
import { text } from './window';

export interface Place {
  voxel: readonly number[];
  mm: readonly number[] | null;
  /** With its unit; null until the slice is here. */
  value: string | null;
}

export class Facts {
  readonly node: HTMLElement;

  constructor(info: VolumeInfo) {
    const size = info.spacing.map(mm => text(Number(mm.toFixed(3))));
    this.node = h(
      'div',
      { class: 'blueno-facts', tabindex: 0, role: 'group' },
      h('h4', { title: info.name }, info.name),
      list([
        ['size', `${info.shape.join(' × ')}`],
        ['time points', info.frames > 1 ? String(info.frames) : ''],
        ['voxel', size.length ? `${size.join(' × ')} mm` : ''],
        ['numbers', info.dtype],
        ['range', `${text(info.low)} … ${text(info.high)} ${info.unit}`],
        ['orientation', info.oriented ? 'from the file' : 'not in the file']
      ]),
      this.place
    );
    this.node.setAttribute('aria-label', 'About the volume');
  }

  /** Where the crosshair is. */
  show({ voxel, mm, value }: Place): void {
    this.place.replaceChildren(
      ...rows([
        ['crosshair', voxel.join(' ')],
        ['mm', mm ? millimetres(mm) : ''],
        ['value', value ?? '…']
      ])
    );
  }

  private readonly place = h('dl', {});
}

type Row = readonly [string, string];

const list = (all: Row[]): HTMLElement => h('dl', {}, ...rows(all));

const rows = (all: Row[]): HTMLElement[] =>
  all
    .filter(([, what]) => what !== '')
    .flatMap(([name, what]) => [h('dt', {}, name), h('dd', {}, what)]);
