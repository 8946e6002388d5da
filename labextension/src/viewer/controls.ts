/** The toolbar and the footer of a volume view. */
import { h, iconButton } from './dom';
import { Slider } from './slider';
import type { Plane, VolumeInfo } from './source';
import { type Preset, type Windowing, presetsFor, text } from './window';

export type Layout = Plane | 'three';

/** What the controls can ask for. */
export interface Actions {
  layout(layout: Layout): void;
  windowing(to: Windowing): void;
  index(index: number, at: number): void;
  frame(frame: number, at: number): void;
  play(): void;
  playTime(): void;
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
    this.footer = this.makeFooter(info.frames);
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
    this.slices.set(index, count, `${plane} slice`);
  }

  setFrame(frame: number, count: number): void {
    this.time.set(frame, count, 'time point', 't ');
  }

  setPlaying(playing: boolean): void {
    this.slices.setPlaying(playing);
  }

  setPlayingTime(playing: boolean): void {
    this.time.setPlaying(playing);
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

  private makeFooter(frames: number): HTMLElement {
    return h(
      'div',
      { class: 'blueno-footer' },
      ...(frames > 1 ? [this.time.node] : []),
      this.slices.node,
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
  private readonly slices = new Slider(
    'slices',
    { play: 'Play (P)', stop: 'Stop (P)' },
    {
      move: (index, at) => this.actions.index(index, at),
      play: () => this.actions.play()
    }
  );
  private readonly time = new Slider(
    'time',
    { play: 'Play through time (T)', stop: 'Stop time (T)' },
    {
      move: (frame, at) => this.actions.frame(frame, at),
      play: () => this.actions.playTime()
    }
  );
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
}

function number(label: string): HTMLInputElement {
  return h('input', {
    type: 'number',
    step: 'any',
    'aria-label': label
  });
}
