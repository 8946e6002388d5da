import { UUID } from '@lumino/coreutils';
import type { Api } from '../api/client';
import type { Flow, Part, Step } from '../api/types';
import { Asked } from './asked';

/** A flow and how its steps stand. */
export class FlowModel extends Asked {
  constructor(
    private readonly api: Api,
    readonly id: string
  ) {
    super();
  }

  /** Undefined before there was an answer. */
  get flow(): Flow | undefined {
    return this._flow;
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

  protected async ask(): Promise<boolean> {
    const flow = await this.api.get('/flows/{flow_id}', {
      path: { flow_id: this.id }
    });
    if (JSON.stringify(flow) === JSON.stringify(this._flow)) {
      return false;
    }
    this._flow = flow;
    return true;
  }

  private _flow: Flow | undefined;
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
