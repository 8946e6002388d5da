import * as React from 'react';
import type { Part, Step } from '../../../api/types';
import type { FlowModel } from '../../../models/flows';
import { useFetch } from '../../hooks';
import { short } from '../../numbers';
import { Failed, Loading } from '../../states';
import { Sign } from '../words';
import { SIGN, stateWords, took } from './words';

/** The jobs of a step that has many: what each was given and what it measured. */
export function Parts(props: {
  model: FlowModel;
  step: Step;
  open: (job: string) => void;
}): JSX.Element {
  const { model, step, open } = props;
  const { name, state, parts_done: done, parts_failed: failed } = step;
  const { value, error, again } = useFetch(
    [model.id, name, state, done, failed].join(' '),
    () => model.parts(name)
  );
  const [order, setOrder] = React.useState<Order>({ by: '', down: false });
  if (!value) {
    return error ? (
      <Failed title="Its jobs could not be read" error={error} again={again} />
    ) : (
      <Loading word="Loading its jobs" />
    );
  }
  const given = columns(value, part => part.parameters);
  const measured = columns(value, part => part.metrics);
  const heads = [...given, ...measured];
  return (
    <div className="jp-blueno-flow-parts">
      <table className="jp-blueno-table" aria-label={`Jobs of ${name}`}>
        <thead>
          <tr>
            <th scope="col">Job</th>
            {heads.map((head, at) => (
              <th
                key={at}
                scope="col"
                aria-sort={
                  order.by !== `${at}`
                    ? undefined
                    : order.down
                      ? 'descending'
                      : 'ascending'
                }
              >
                <button
                  className="jp-blueno-button"
                  onClick={() =>
                    setOrder(({ by, down }) => ({
                      by: `${at}`,
                      down: by === `${at}` && !down
                    }))
                  }
                >
                  {head}
                  {order.by === `${at}` && (order.down ? ' ▾' : ' ▴')}
                </button>
              </th>
            ))}
            <th scope="col">Took</th>
          </tr>
        </thead>
        <tbody>
          {sorted(value, order, given).map(part => (
            <tr key={part.number} title={part.reason ?? ''}>
              <td>
                <Sign sign={SIGN[part.state]} word={stateWords(part)} />
                <button
                  className="jp-blueno-button jp-mod-link"
                  disabled={!part.job_id}
                  onClick={() => part.job_id && open(part.job_id)}
                >
                  {part.label || `${name} ${part.number + 1}`}
                </button>
              </td>
              {given.map(head => (
                <td key={head}>{textOf(part.parameters[head])}</td>
              ))}
              {measured.map(head => (
                <td key={head} className="jp-mod-number">
                  {head in part.metrics
                    ? short(Number(part.metrics[head]))
                    : ''}
                </td>
              ))}
              <td>{part.reused ? 'reused' : took(part)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

interface Order {
  /** The column's place, as text; empty: as they were written. */
  by: string;
  down: boolean;
}

function columns(
  parts: readonly Part[],
  of: (part: Part) => Record<string, unknown>
): string[] {
  return [...new Set(parts.flatMap(part => Object.keys(of(part))))];
}

function sorted(
  parts: readonly Part[],
  { by, down }: Order,
  given: string[]
): readonly Part[] {
  if (!by) {
    return parts;
  }
  const at = Number(by);
  const measured = columns(parts, part => part.metrics);
  const valueOf = (part: Part): unknown =>
    at < given.length
      ? part.parameters[given[at]]
      : part.metrics[measured[at - given.length]];
  const found = [...parts].sort((a, b) => compared(valueOf(a), valueOf(b)));
  return down ? found.reverse() : found;
}

/** Numbers as numbers, the rest as text; what is not there comes last. */
function compared(a: unknown, b: unknown): number {
  if (a === undefined || b === undefined) {
    return Number(a === undefined) - Number(b === undefined);
  }
  const difference = Number(a) - Number(b);
  return Number.isNaN(difference)
    ? textOf(a).localeCompare(textOf(b))
    : difference;
}

function textOf(value: unknown): string {
  return value === undefined
    ? ''
    : typeof value === 'string'
      ? value
      : JSON.stringify(value);
}
