import { Signal, type ISignal } from '@lumino/signaling';

/** What the settings editor offers; see `schema/plugin.json`. */
export interface PreferenceValues {
  tileSize: number;
  defaultView: 'gallery' | 'table';
  notifications: boolean;
}

/** The user's settings, with their defaults where there is no settings system. */
export class Preferences {
  get values(): Readonly<PreferenceValues> {
    return this._values;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  set(values: Partial<PreferenceValues>): void {
    this._values = { ...this._values, ...values };
    this._changed.emit();
  }

  private _values: PreferenceValues = {
    tileSize: 64,
    defaultView: 'gallery',
    notifications: true
  };
  private _changed = new Signal<this, void>(this);
}
