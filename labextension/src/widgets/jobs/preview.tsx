import * as React from 'react';
import type { Outline, Preview } from '../../api/types';
import { bytes, counted, duration } from '../numbers';

/** What a dry run tells: what would be sent, where, and when it would start. */
export function PreviewTable({ preview }: { preview: Preview }): JSX.Element {
  return <Rows rows={rowsOf(preview)} />;
}

/** The same of a sweep: how many trials, and the first one as a job. */
export function OutlineTable({ outline }: { outline: Outline }): JSX.Element {
  const { trials, points, plan, trial } = outline;
  const of = points === null ? '' : ` of ${counted(points, 'combination')}`;
  const rows: [string, string][] = [
    ['Trials', `at most ${trials}${of}, ${plan.at_once} at once`],
    ['The first', trial.name]
  ];
  return <Rows rows={[...rows, ...rowsOf(trial)]} />;
}

function Rows({ rows }: { rows: [string, string][] }): JSX.Element {
  return (
    <div className="jp-blueno-preview" role="status">
      <p>Nothing was started. This would be:</p>
      <table>
        <tbody>
          {rows.map(([word, text]) => (
            <tr key={word}>
              <th scope="row">{word}</th>
              <td>{text}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function rowsOf(preview: Preview): [string, string][] {
  const { files, payload, parameters, room, before } = preview;
  const size = files.reduce((sum, file) => sum + file.size, payload);
  const values = parameters.map(one =>
    one.fixed
      ? `${one.name} = ${String(one.value)}`
      : `${one.name} = ${JSON.stringify(one.value)}`
  );
  const free = [
    `${room.places_free} of ${counted(room.places, 'place')}`,
    `${room.cpu_free} of ${counted(room.cpu, 'core')}`,
    `${bytes(room.memory_free)} of ${bytes(room.memory)} of memory`
  ];
  if (room.gpus) {
    free.push(`${room.gpus_free} of ${counted(room.gpus, 'GPU')}`);
  }
  const rows: [string, string][] = [
    ['Runs in', preview.folder],
    ['Python', pythonOf(preview)],
    ['Is sent', `${counted(files.length, 'file')}, ${bytes(size)}`],
    ['Values', values.join(', ')],
    ['Variables', preview.variables.join(', ')],
    ['May use', askedOf(preview).join(', ')],
    ['Free now', free.join(', ')],
    ['Before it', before ? `${counted(before, 'job')} in the queue` : ''],
    ['Starts', preview.starts]
  ];
  return rows.filter(([, text]) => text);
}

function askedOf({ resources }: Preview): string[] {
  const { cpu, memory, gpu, timeout } = resources;
  return [
    cpu === null ? 'all cores' : `${cpu} ${cpu === 1 ? 'core' : 'cores'}`,
    memory === null ? 'memory without a limit' : `${bytes(memory)} of memory`,
    gpu ? counted(gpu, 'GPU') : 'no GPU',
    timeout === null ? 'no time limit' : `at most ${duration(timeout)}`
  ];
}

function pythonOf({ built, python, requirements }: Preview): string {
  if (built === null) {
    return python;
  }
  const state = built ? 'is built already' : 'will be built first';
  return `an environment of ${requirements.join(', ') || python}, which ${state}`;
}
