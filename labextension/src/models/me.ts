import { Signal, type ISignal } from '@lumino/signaling';
import type { Api } from '../api/client';
import type { Me } from '../api/types';

/** Who sits here: asked until it is known. */
export class MeModel {
  constructor(private readonly api: Api) {}

  /** Null as long as it is not known. */
  get person(): Me | null {
    return this._person;
  }

  /** Whether they administrate a hub. */
  get administers(): boolean {
    return this._person !== null && this._person.hub && this._person.admin;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  async load(signal: AbortSignal): Promise<void> {
    if (!this._person) {
      this._person = await this.api.get('/me', { signal });
      this._changed.emit();
    }
  }

  private _person: Me | null = null;
  private readonly _changed = new Signal<this, void>(this);
}
