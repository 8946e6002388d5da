import {
  Clipboard,
  Dialog,
  Notification,
  showDialog
} from '@jupyterlab/apputils';
import { ReactWidget } from '@jupyterlab/ui-components';
import * as React from 'react';
import { reasonOf } from '../../api/client';
import type { Platform } from '../../models/platform';
import { Field } from '../add/form';
import { ask } from '../jobs/asking';

class Asked {
  team = '';
  person = '';
  times = '1';
  days = '7';
  error = '';
}

/** Ask whom to invite, and show the link, which is told once. */
export async function askForInvitation(
  platform: Platform,
  teams: string[]
): Promise<void> {
  const asked = new Asked();
  asked.team = teams.length === 1 ? teams[0] : '';
  const made = await ask({
    title: 'Invite people',
    accept: 'Make a link',
    body: () => <Fields asked={asked} teams={teams} />,
    focus: () => '.jp-blueno-job-form input',
    read: () => asked,
    start: ({ team, person, times, days }) =>
      platform.api.post('/invitations', {
        body: {
          team: team.trim() || null,
          person: person.trim() || null,
          times: Number(times) || 0,
          days: Number(days) || 0
        }
      }),
    refused: error => (asked.error = reasonOf(error))
  });
  if (made) {
    await show(new URL(made.url, window.location.origin).href);
  }
}

async function show(link: string): Promise<void> {
  const { button } = await showDialog({
    title: 'Send them this link',
    body: new Link(link),
    buttons: [
      Dialog.cancelButton({ label: 'Close' }),
      Dialog.okButton({ label: 'Copy' })
    ]
  });
  if (button.accept) {
    Clipboard.copyToSystem(link);
    Notification.success('The link is copied.', { autoClose: 3000 });
  }
}

class Link extends ReactWidget {
  constructor(private readonly link: string) {
    super();
    this.addClass('jp-blueno');
    this.addClass('jp-blueno-people-link');
  }

  protected render(): JSX.Element {
    return (
      <>
        <input
          className="jp-mod-styled"
          aria-label="Link"
          readOnly
          value={this.link}
          onFocus={event => event.target.select()}
        />
        <p>
          It is shown only now. Whoever has it can come in, so send it to them
          alone.
        </p>
      </>
    );
  }
}

function Fields(props: { asked: Asked; teams: string[] }): JSX.Element {
  const { asked, teams } = props;
  const [, again] = React.useReducer((count: number) => count + 1, 0);
  const field = (
    name: Exclude<keyof Asked, 'error'>,
    label: string,
    help: string,
    more: { list?: string; error?: string; children?: React.ReactNode } = {}
  ) => (
    <Field
      id={`blueno-invite-${name}`}
      label={label}
      value={asked[name]}
      help={help}
      onChange={text => {
        asked[name] = text;
        asked.error = '';
        again();
      }}
      {...more}
    />
  );
  return (
    <div className="jp-blueno-form">
      {field('team', 'Team', 'It is made if there is none of this name.', {
        list: 'blueno-invite-teams',
        children: (
          <datalist id="blueno-invite-teams">
            {teams.map(team => (
              <option key={team} value={team} />
            ))}
          </datalist>
        )
      })}
      {field(
        'person',
        'Only for',
        'A name, or nothing. Who has an account can choose a new password by the link.'
      )}
      {field('times', 'People', 'How many may use it.')}
      {field('days', 'Days', 'How long it is good.', {
        error: asked.error || undefined
      })}
    </div>
  );
}
