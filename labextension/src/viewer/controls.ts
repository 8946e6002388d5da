/** The toolbar and the footer of a volume view. */
import { h, icon, iconButton } from './dom';
import type { Plane, VolumeInfo } from './source';
import { type Preset, type Windowing, presetsFor, text } from './window';

export type Layout = Plane | 'three';

/** What the controls can ask for. */
export interface Actions {
  layout(layout: Layout): void;
  windowing(to: Windowing): void;
  index(index: number, at: number): void;
  play(): void;
  smooth(): void;
  invert(): void;
  crosshair(): void;
  fit(): void;
  help(): void;
}

const LAYOUTS: readonly { layout: Layout; label: string; key: string }[] = [
  { layout: 'axial', label: 'Axial', key: '1' },
  { layout: 'coronal', label: 'Coronal', key: '2' },
  { layout: 'sagittal', label: 'Sagittal', key: '3' },
  { layout: 'three', label: '3 planes', key: '4' }
];

export class Controls {
  readonly toolbar: HTMLElement;
  readonly footer: HTMLElement;

  constructor(
    info: VolumeInfo,
    private readonly actions: Actions
  ) {
    this.presets = presetsFor(info);
    const planes = info.planes;
    const shown = planes?.length === 1 ? [] : LAYOUTS;
    this.layouts = shown.map(({ layout, label, key }) =>
      h(
        'button',
        {
          type: 'button',
          title: `${label} (${key})`,
          'data-layout': layout,
          onclick: () => actions.layout(layout)
        },
        label
      )
    );
    this.toolbar = this.makeToolbar();
    this.footer = this.makeFooter();
  }

  /** Show which layout is on. */
  setLayout(layout: Layout): void {
    for (const button of this.layouts) {
      const on = button.dataset.layout === layout;
      button.setAttribute('aria-pressed', String(on));
    }
  }

  setWindowing(now: Windowing): void {
    // Not while somebody types in it.
    for (const [input, value] of [
      [this.windowInput, now.window],
      [this.levelInput, now.level]
    ] as const) {
      if (input !== input.ownerDocument.activeElement) {
        input.value = String(Number(value.toPrecision(6)));
      }
    }
    const preset = this.presets.findIndex(
      one => one.window === now.window && one.level === now.level
    );
    this.presetSelect.value = String(preset);
  }

  setToggles(on: {
    smooth: boolean;
    invert: boolean;
    crosshair: boolean;
  }): void {
    this.smooth.setAttribute('aria-pressed', String(on.smooth));
    this.invert.setAttribute('aria-pressed', String(on.invert));
    this.cross.setAttribute('aria-pressed', String(on.crosshair));
  }

  setSlice(plane: Plane, index: number, count: number): void {
    this.footer.classList.toggle('blueno-still', count < 2);
    this.slider.max = String(count - 1);
    this.slider.value = String(index);
    const done = count > 1 ? (100 * index) / (count - 1) : 0;
    this.slider.style.setProperty('--blueno-done', `${done}%`);
    this.slider.setAttribute('aria-label', `${plane} slice`);
    this.slider.setAttribute('aria-valuetext', `${index + 1} of ${count}`);
    this.counter.textContent = `${index + 1} / ${count}`;
    this.counter.style.minWidth = `${2 * String(count).length + 3}ch`;
  }

  setPlaying(playing: boolean): void {
    const label = playing ? 'Stop (P)' : 'Play (P)';
    this.playButton.replaceChildren(icon(playing ? 'pause' : 'play'));
    this.playButton.title = label;
    this.playButton.setAttribute('aria-label', label);
  }

  /** What is under the cursor. */
  setReadout(parts: { name: string; value: string }[]): void {
    this.readout.replaceChildren(
      ...parts.map(({ name, value }) =>
        h(
          'span',
          { 'data-name': name },
          h('span', { class: 'blueno-dim' }, `${name} `),
          h('b', {}, value)
        )
      )
    );
  }

  private makeToolbar(): HTMLElement {
    const { actions } = this;
    this.presetSelect.append(
      h('option', { value: -1, hidden: true }, 'Custom'),
      ...this.presets.map((preset, i) =>
        h('option', { value: i, title: this.describe(preset) }, preset.name)
      )
    );
    this.presetSelect.addEventListener('change', () => {
      const preset = this.presets[Number(this.presetSelect.value)];
      if (preset) {
        actions.windowing(preset);
      }
    });
    const typed = (): void => {
      const window = Number(this.windowInput.value);
      const level = Number(this.levelInput.value);
      if (window > 0 && Number.isFinite(level)) {
        actions.windowing({ window, level });
      }
    };
    this.windowInput.addEventListener('change', typed);
    this.levelInput.addEventListener('change', typed);
    const segments = h(
      'div',
      { class: 'blueno-segments', role: 'group', 'aria-label': 'Plane' },
      ...this.layouts
    );
    const numbers = h(
      'div',
      { class: 'blueno-windowing', role: 'group', 'aria-label': 'Window' },
      h(
        'label',
        { title: 'Window: width of the shown range' },
        'W',
        this.windowInput
      ),
      h(
        'label',
        { title: 'Level: middle of the shown range' },
        'L',
        this.levelInput
      ),
      this.presetSelect
    );
    return h(
      'div',
      { class: 'blueno-toolbar', role: 'toolbar', 'aria-label': 'Viewer' },
      ...(this.layouts.length ? [segments] : []),
      numbers,
      h('span', { class: 'blueno-space' }),
      this.invert,
      this.smooth,
      ...(this.layouts.length ? [this.cross] : []),
      iconButton('fit', 'Fit to the view (F)', () => actions.fit()),
      iconButton('help', 'Keys and mouse (?)', () => actions.help())
    );
  }

  private makeFooter(): HTMLElement {
    this.slider.addEventListener('input', event =>
      this.actions.index(Number(this.slider.value), event.timeStamp)
    );
    return h(
      'div',
      { class: 'blueno-footer' },
      h(
        'div',
        { class: 'blueno-scroll' },
        this.playButton,
        this.slider,
        this.counter
      ),
      this.readout
    );
  }

  private describe({ window, level }: Windowing): string {
    return `W ${text(window)}  L ${text(level)}`;
  }

  private readonly presets: Preset[];
  private readonly layouts: HTMLButtonElement[];
  private readonly windowInput = number('Window width');
  private readonly levelInput = number('Window level');
  private readonly presetSelect = h('select', {
    'aria-label': 'Window preset'
  });
  private readonly slider = h('input', { type: 'range', min: 0, step: 1 });
  private readonly counter = h('output', { class: 'blueno-counter' });
  private readonly readout = h('div', {
    class: 'blueno-readout',
    'aria-live': 'off'
  });
  private readonly smooth = iconButton(
    'smooth',
    'Smooth pixels (S)',
    () => this.actions.smooth(),
    true
  );
  private readonly invert = iconButton(
    'invert',
    'Invert (I)',
    () => this.actions.invert(),
    false
  );
  private readonly cross = iconButton(
    'crosshair',
    'Crosshair (X)',
    () => this.actions.crosshair(),
    false
  );
  private readonly playButton = iconButton('play', 'Play (P)', () =>
    this.actions.play()
  );
}

function number(label: string): HTMLInputElement {
  return h('input', {
    type: 'number',
    step: 'any',
    'aria-label': label
  });
}
