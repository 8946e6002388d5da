import { Signal, type ISignal } from '@lumino/signaling';
import { isAbort } from '../api/client';

/** What the server says of one thing; whoever shows it asks again and again. */
export abstract class Asked {
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Why there is no answer; a later one takes it back. */
  get error(): unknown {
    return this._error;
  }

  /** Ask how it stands; once at a time. */
  update(): Promise<void> {
    this._asking ??= this._update().finally(() => (this._asking = null));
    return this._asking;
  }

  /** Ask; whether the answer is another one than before. */
  protected abstract ask(): Promise<boolean>;

  /** Tell those who show it. */
  protected tell(): void {
    this._changed.emit();
  }

  private async _update(): Promise<void> {
    try {
      const changed = await this.ask();
      if (!changed && this._error === undefined) {
        return;
      }
      this._error = undefined;
    } catch (error) {
      if (isAbort(error)) {
        return;
      }
      this._error = error;
    }
    this.tell();
  }

  private _error: unknown;
  private _asking: Promise<void> | null = null;
  private readonly _changed = new Signal<this, void>(this);
}
