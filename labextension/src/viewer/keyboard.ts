/** Keys pressed on a view become what the view does. */
import type { Actions, Layout } from './controls';
import { type Meaning, meaningOf } from './keys';

/** What keys can ask for: all that the controls can, and more. */
export interface KeyActions extends Actions {
  step(by: number, at: number): void;
  end(which: 'first' | 'last', at: number): void;
  /** Move on in time. */
  later(by: number, at: number): void;
  zoom(factor: number): void;
  reset(): void;
  /** While space is held on a picture, a drag moves it. */
  grab(on: boolean): void;
  /** Close what lies over the view; false if nothing does. */
  escape(): boolean;
}

export class Keyboard {
  constructor(
    node: HTMLElement,
    private readonly actions: KeyActions,
    private readonly layouts: readonly Layout[]
  ) {
    node.addEventListener('keydown', event => this.press(event));
    node.addEventListener('keyup', event => this.spacebar(event, false));
  }

  private press(event: KeyboardEvent): void {
    const escaped = event.key === 'Escape' && this.actions.escape();
    if (!escaped && !this.spacebar(event, true)) {
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
    const { actions } = this;
    if ('step' in meaning) {
      actions.step(meaning.step, at);
    } else if ('end' in meaning) {
      actions.end(meaning.end, at);
    } else if ('frame' in meaning) {
      actions.later(meaning.frame, at);
    } else if ('zoom' in meaning) {
      actions.zoom(meaning.zoom);
    } else if ('layout' in meaning) {
      if (this.layouts.includes(meaning.layout)) {
        actions.layout(meaning.layout);
      }
    } else {
      actions[meaning.act]();
    }
  }

  private spacebar(event: KeyboardEvent, down: boolean): boolean {
    const on = event.target as HTMLElement;
    if (event.key !== ' ' || !on.classList.contains('blueno-pane')) {
      return false;
    }
    this.actions.grab(down);
    return true;
  }
}
