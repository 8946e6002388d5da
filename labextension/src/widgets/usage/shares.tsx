import * as React from 'react';
import type { Share } from '../../api/types';
import { bytes } from '../numbers';
import { Heads } from '../heads';

/** What may be held and what is: a bar for each thing that has a bound. */
export function Shares(props: {
  team: string;
  share: Share;
  mine: Share;
}): JSX.Element | null {
  const rows = [
    ...bars(`Team ${props.team}`, props.share),
    ...bars('You', props.mine)
  ];
  if (!rows.length) {
    return null;
  }
  return (
    <table className="jp-blueno-usage-table" aria-label="Quotas">
      <Heads names={['Quota', 'Held', '']} />
      <tbody>
        {rows.map(one => (
          <tr key={one.who + one.what}>
            <th scope="row">
              {one.who}: {one.what}
            </th>
            <td>
              {one.held} of {one.most}
            </td>
            <td className="jp-blueno-usage-share">
              <div
                className={one.part >= 1 ? 'jp-mod-full' : undefined}
                style={{ width: `${100 * Math.min(1, one.part)}%` }}
              />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function bars(who: string, share: Share) {
  const things = [
    ['GPUs', share.gpu, share.gpu_held, String],
    ['CPU cores', share.cpu, share.cpu_held, (n: number) => `${+n.toFixed(2)}`],
    ['memory', share.memory, share.memory_held, bytes]
  ] as const;
  return things.flatMap(([what, most, held, word]) =>
    most === null
      ? []
      : [
          {
            who,
            what,
            held: word(held),
            most: word(most),
            part: most ? held / most : 1
          }
        ]
  );
}
