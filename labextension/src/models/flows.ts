import { UUID } from '@lumino/coreutils';
import { Signal, type ISignal } from '@lumino/signaling';
import { isAbort, type Api } from '../api/client';
import type { Flow, Part, Step } from '../api/types';

/** A flow and how its steps stand. */
export class FlowModel {
  constructor(
    private readonly api: Api,
    readonly id: string
  ) {}

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Undefined before there was an answer. */
  get flow(): Flow | undefined {
    return this._flow;
  }

  /** Why there is no answer; a later one takes it back. */
  get error(): unknown {
    return this._error;
  }

  /** Ask how it stands. */
  update(): Promise<void> {
    this._asking ??= this._update().finally(() => (this._asking = null));
    return this._asking;
  }

  /** The jobs of one step. */
  async parts(step: string): Promise<Part[]> {
    const answer = await this.api.get('/flows/{flow_id}/parts', {
      path: { flow_id: this.id },
      query: { step }
    });
    return answer.parts;
  }

  /** Run what is left, as a new flow; its id. */
  async resume(): Promise<string> {
    const job = await this.api.post('/flows/{flow_id}/resume', {
      path: { flow_id: this.id },
      body: { id: UUID.uuid4().replace(/-/g, '') }
    });
    return job.id;
  }

  private async _update(): Promise<void> {
    try {
      const flow = await this.api.get('/flows/{flow_id}', {
        path: { flow_id: this.id }
      });
      const same = JSON.stringify(flow) === JSON.stringify(this._flow);
      if (same && this._error === undefined) {
        return;
      }
      this._flow = flow;
      this._error = undefined;
    } catch (error) {
      if (isAbort(error)) {
        return;
      }
      this._error = error;
    }
    this._changed.emit();
  }

  private _flow: Flow | undefined;
  private _error: unknown;
  private _asking: Promise<void> | null = null;
  private readonly _changed = new Signal<this, void>(this);
}

/** Whether nothing more will become of a step. */
export function isStepOver({ state }: Step): boolean {
  return OVER.has(state);
}

const OVER = new Set<Step['state']>([
  'SUCCEEDED',
  'FAILED',
  'CANCELLED',
  'TIMED_OUT',
  'LOST',
  'NOT_RUN'
]);
