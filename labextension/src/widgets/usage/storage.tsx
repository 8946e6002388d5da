import * as React from 'react';
import type { Kept, Storage } from '../../api/types';
import { age, bytes, date } from '../numbers';

const SHOWN = 3; // parts of what somebody keeps

/** What the team and its people keep on the volume, and may. */
export function Stored({ storage }: { storage: Storage }): JSX.Element {
  const { at, team, people } = storage;
  const largestFirst = [...people].sort((a, b) => b.bytes - a.bytes);
  return (
    <>
      <h2>
        Storage{' '}
        <small title={date(at)}>
          as it was seen {age(at)}; not by the minute
        </small>
      </h2>
      <table className="jp-blueno-usage-table" aria-label="Storage">
        <thead>
          <tr>
            <th scope="col">Whose</th>
            <th scope="col">Kept</th>
            <th scope="col">Files</th>
            <td />
            <th scope="col" className="jp-blueno-usage-parts">
              Largest
            </th>
          </tr>
        </thead>
        <tbody>
          <Row who={`Team ${team.owner}`} kept={team} />
          {largestFirst.map(one => (
            <Row key={one.owner} who={one.owner} kept={one} />
          ))}
        </tbody>
      </table>
    </>
  );
}

function Row({ who, kept }: { who: string; kept: Kept }): JSX.Element {
  const { most } = kept;
  const part = most ? kept.bytes / most : 1;
  return (
    <tr>
      <th scope="row">{who}</th>
      <td>
        {bytes(kept.bytes)}
        {most !== null && ` of ${bytes(most)}`}
      </td>
      <td>{kept.files.toLocaleString()}</td>
      <td className="jp-blueno-usage-share">
        {most !== null && (
          <div
            className={part >= 1 ? 'jp-mod-full' : undefined}
            style={{ width: `${100 * Math.min(1, part)}%` }}
          />
        )}
      </td>
      <td className="jp-blueno-usage-parts">
        {Object.entries(kept.parts)
          .sort(([, a], [, b]) => b - a)
          .slice(0, SHOWN)
          .map(([name, size]) => `${name} ${bytes(size)}`)
          .join(', ')}
      </td>
    </tr>
  );
}
