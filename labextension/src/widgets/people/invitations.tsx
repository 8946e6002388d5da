import * as React from 'react';
import type { Invitation, Person } from '../../api/types';
import type { Platform } from '../../models/platform';
import { age, date } from '../numbers';
import { Empty } from '../states';
import { askForInvitation } from './inviting';
import { teamsOf, tried } from './people';
import { Heads } from '../heads';

/** Links by which somebody may still come in, and with a click all others. */
export function Invitations(props: {
  platform: Platform;
  people: Person[];
  invitations: Invitation[];
  again: () => void;
}): JSX.Element {
  const { platform, people, invitations, again } = props;
  const [all, setAll] = React.useState(false);
  const shown = all
    ? invitations
    : invitations.filter(one => one.state === 'open');
  return (
    <section aria-label="Invitations">
      <h2>{all ? 'Invitations' : 'Open invitations'}</h2>
      {shown.length === 0 ? (
        <Empty
          title={all ? 'Nobody was invited yet' : 'No invitation is open'}
          action={{
            label: 'Invite …',
            run: () =>
              void askForInvitation(platform, teamsOf(people)).then(again)
          }}
        >
          A link lets people into the hub and into a team.
        </Empty>
      ) : (
        <table className="jp-blueno-people-table" aria-label="Invitations">
          <Heads names={['For', 'Team', 'Used', 'By', 'Good until', '']} />
          <tbody>
            {shown.map(one => (
              <tr key={one.id} data-invitation={one.id}>
                <th scope="row">
                  {one.admin ? 'an administrator' : (one.person ?? 'anybody')}
                </th>
                <td>{one.team ?? ''}</td>
                <td title={one.uses.join(', ')}>
                  {one.uses.length} of {one.times}
                </td>
                <td title={date(one.made_at)}>
                  {one.made_by}, {age(one.made_at)}
                </td>
                <td>
                  {one.state !== 'open'
                    ? WORDS[one.state]
                    : one.expires_at
                      ? date(one.expires_at)
                      : 'it is used'}
                </td>
                <td>
                  {one.state === 'open' && (
                    <button
                      className="jp-blueno-button jp-mod-link"
                      onClick={() =>
                        void tried(
                          platform.api.delete('/invitations/{id}', {
                            path: { id: one.id }
                          })
                        ).then(again)
                      }
                    >
                      Take back
                    </button>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {invitations.some(one => one.state !== 'open') && (
        <button
          className="jp-blueno-button jp-mod-link"
          aria-pressed={all}
          onClick={() => setAll(!all)}
        >
          {all ? 'Only those that are open' : 'Show those that are over, too'}
        </button>
      )}
    </section>
  );
}

const WORDS = {
  used: 'used up',
  expired: 'expired',
  revoked: 'taken back'
};
