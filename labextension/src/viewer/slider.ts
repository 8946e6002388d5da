/** A row to go along slices or time with: play button, slider, counter. */
import { h, icon, iconButton } from './dom';

export class Slider {
  readonly node: HTMLElement;

  /** `name` is of the kind `Play (P)`; `part` tells the rows of a footer apart. */
  constructor(
    part: 'slices' | 'time',
    private readonly name: { play: string; stop: string },
    on: { move(index: number, at: number): void; play(): void }
  ) {
    this.button = iconButton('play', name.play, () => on.play());
    this.range.addEventListener('input', event =>
      on.move(Number(this.range.value), event.timeStamp)
    );
    this.node = h(
      'div',
      { class: 'blueno-scroll', 'data-part': part },
      this.button,
      this.range,
      this.counter
    );
  }

  /** Show a place of `count`; `label` says of what. */
  set(index: number, count: number, label: string, before = ''): void {
    const { range, counter } = this;
    range.max = String(count - 1);
    range.value = String(index);
    const done = count > 1 ? (100 * index) / (count - 1) : 0;
    range.style.setProperty('--blueno-done', `${done}%`);
    range.setAttribute('aria-label', label);
    range.setAttribute('aria-valuetext', `${index + 1} of ${count}`);
    counter.textContent = `${before}${index + 1} / ${count}`;
    const width = 2 * String(count).length + 3 + before.length;
    counter.style.minWidth = `${width}ch`;
  }

  setPlaying(playing: boolean): void {
    const label = playing ? this.name.stop : this.name.play;
    this.button.replaceChildren(icon(playing ? 'pause' : 'play'));
    this.button.title = label;
    this.button.setAttribute('aria-label', label);
  }

  private readonly button: HTMLButtonElement;
  private readonly range = h('input', { type: 'range', min: 0, step: 1 });
  private readonly counter = h('output', { class: 'blueno-counter' });
}
