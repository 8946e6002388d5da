/** What keys and the mouse do, and the sheet that tells. */
import { h } from './dom';

/** Shown by `?`. */
const SHEET: readonly (readonly [string, string])[] = [
  ['Wheel, ↑ ↓ ← →', 'previous, next slice'],
  ['Page Up, Page Down', 'ten slices'],
  ['Home, End', 'first, last slice'],
  [',  .', 'previous, next point of time'],
  ['1  2  3  4', 'axial, coronal, sagittal, all three'],
  ['Drag', 'window (left, right) and level (up, down)'],
  ['Click', 'crosshair: the other planes follow'],
  ['Ctrl + wheel, +, −', 'zoom'],
  ['Space or Shift + drag, middle drag', 'move the picture'],
  ['F', 'fit to the view'],
  ['R, double click', 'reset window, zoom and place'],
  ['P', 'play, stop'],
  ['T', 'play through time, stop'],
  ['S', 'smooth or square pixels'],
  ['I', 'invert'],
  ['X', 'crosshair on, off'],
  ['?', 'this sheet']
];

/** A dialog over the view; it closes on Escape, on a click, and on `?`. */
export class CheatSheet {
  readonly node = h(
    'div',
    { class: 'blueno-sheet', role: 'dialog', 'aria-label': 'Keys and mouse' },
    h(
      'div',
      { class: 'blueno-sheet-card' },
      h('h3', {}, 'Keys and mouse'),
      h(
        'dl',
        {},
        ...SHEET.flatMap(([keys, what]) => [
          h(
            'dt',
            {},
            ...keys.split(/(?<=\S) {2}(?=\S)/).map(k => h('kbd', {}, k))
          ),
          h('dd', {}, what)
        ])
      )
    )
  );

  constructor() {
    this.node.hidden = true;
    this.node.addEventListener('click', () => this.toggle(false));
  }

  get open(): boolean {
    return !this.node.hidden;
  }

  toggle(open = !this.open): void {
    this.node.hidden = !open;
  }
}

/** What a key means to a volume view. */
export type Meaning =
  | { step: number }
  | { end: 'first' | 'last' }
  | { frame: number }
  | { zoom: number }
  | { layout: 'axial' | 'coronal' | 'sagittal' | 'three' }
  | {
      act:
        | 'fit'
        | 'reset'
        | 'play'
        | 'playTime'
        | 'smooth'
        | 'invert'
        | 'crosshair'
        | 'help';
    };

const MEANINGS: Record<string, Meaning> = {
  ArrowDown: { step: 1 },
  ArrowRight: { step: 1 },
  ArrowUp: { step: -1 },
  ArrowLeft: { step: -1 },
  PageDown: { step: 10 },
  PageUp: { step: -10 },
  Home: { end: 'first' },
  End: { end: 'last' },
  ',': { frame: -1 },
  '.': { frame: 1 },
  '+': { zoom: 1.25 },
  '=': { zoom: 1.25 },
  '-': { zoom: 0.8 },
  '1': { layout: 'axial' },
  '2': { layout: 'coronal' },
  '3': { layout: 'sagittal' },
  '4': { layout: 'three' },
  f: { act: 'fit' },
  r: { act: 'reset' },
  p: { act: 'play' },
  t: { act: 'playTime' },
  s: { act: 'smooth' },
  i: { act: 'invert' },
  x: { act: 'crosshair' },
  '?': { act: 'help' }
};

/** The meaning of a key, or nothing where the key belongs to a control. */
export function meaningOf(event: KeyboardEvent): Meaning | undefined {
  if (event.ctrlKey || event.metaKey || event.altKey) {
    return undefined;
  }
  const on = event.target as HTMLElement;
  if (on.matches('input:not([type=range]), select, textarea')) {
    return undefined;
  }
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const meaning = MEANINGS[key];
  // The slider knows its own keys.
  if (on.matches('input') && meaning && 'step' in meaning) {
    return undefined;
  }
  return meaning;
}
