import { Dialog, Notification, showDialog } from '@jupyterlab/apputils';
import { closeIcon } from '@jupyterlab/ui-components';
import * as React from 'react';
import { reasonOf } from '../../api/client';
import type { Person } from '../../api/types';
import type { Platform } from '../../models/platform';
import { ask } from '../jobs/asking';
import { Field } from '../add/form';
import { age, counted, date } from '../numbers';
import { askForInvitation } from './inviting';
import { letGo } from './leaving';
import { Heads } from '../heads';

interface PeopleProps {
  platform: Platform;
  people: Person[];
  again: () => void;
}

/** The teams that there are. */
export function teamsOf(people: Person[]): string[] {
  return [...new Set(people.flatMap(one => one.teams))].sort();
}

/** Who is there, in which teams, with which notebook. */
export function People({ platform, people, again }: PeopleProps): JSX.Element {
  const running = people.filter(one => one.notebook).length;
  return (
    <>
      <div className="jp-blueno-people-head">
        <h1>People and teams</h1>
        <span role="status">
          {people.length === 1 ? '1 person' : `${people.length} people`},{' '}
          {counted(running, 'notebook')}
        </span>
        <button
          className="jp-mod-styled jp-mod-accept"
          onClick={() =>
            void askForInvitation(platform, teamsOf(people)).then(again)
          }
        >
          Invite …
        </button>
        <button className="jp-blueno-button jp-mod-link" onClick={again}>
          Look again
        </button>
      </div>
      <table className="jp-blueno-people-table" aria-label="People">
        <Heads names={['Person', 'Teams', 'Notebook', 'Last seen', '']} />
        <tbody>
          {people.map(person => (
            <Row key={person.name} {...{ platform, person, people, again }} />
          ))}
        </tbody>
      </table>
    </>
  );
}

function Row(props: PeopleProps & { person: Person }): JSX.Element {
  const { platform, person, people, again } = props;
  const { name, notebook } = person;
  const mine = platform.me.person?.name === name;
  return (
    <tr data-person={name}>
      <th scope="row">
        {name}
        {person.admin && <span className="jp-blueno-people-role">admin</span>}
        {person.left && <span className="jp-blueno-people-role">left</span>}
      </th>
      <td>
        {person.teams.map(team => (
          <span key={team} className="jp-blueno-people-team">
            {team}
            <button
              className="jp-blueno-button jp-mod-icon"
              title={`Take out of ${team}`}
              aria-label={`Take ${name} out of ${team}`}
              onClick={() => void remove(platform, name, team).then(again)}
            >
              <closeIcon.react tag={null} />
            </button>
          </span>
        ))}
        <button
          className="jp-blueno-button jp-mod-link"
          aria-label={`Put ${name} into a team`}
          onClick={() =>
            void add(platform, name, teamsOf(people)).then(
              done => done && again()
            )
          }
        >
          Add …
        </button>
      </td>
      <td>
        {notebook && (
          <>
            <span
              title={
                notebook.started_at ? date(notebook.started_at) : undefined
              }
            >
              {notebook.profile ?? 'runs'}
              {notebook.pending && `, ${PENDING[notebook.pending] ?? ''}`}
              {notebook.started_at && ` since ${age(notebook.started_at)}`}
            </span>{' '}
            <button
              className="jp-blueno-button jp-mod-link"
              aria-label={`Stop the notebook of ${name}`}
              disabled={notebook.pending !== null}
              onClick={() => void stop(platform, name).then(again)}
            >
              Stop …
            </button>
          </>
        )}
      </td>
      <td title={person.last_activity ? date(person.last_activity) : undefined}>
        {person.last_activity ? age(person.last_activity) : 'never'}
      </td>
      <td>
        {!mine && (
          <button
            className="jp-blueno-button jp-mod-link"
            aria-label={`Let ${name} go`}
            onClick={() => void letGo(platform, person, people).then(again)}
          >
            Let go …
          </button>
        )}
      </td>
    </tr>
  );
}

const PENDING: Record<string, string> = {
  spawn: 'starting',
  stop: 'stopping',
  check: 'being looked at'
};

async function stop(platform: Platform, name: string): Promise<void> {
  const { button } = await showDialog({
    title: `Stop the notebook of ${name}?`,
    body: 'What its kernels hold is lost. Files and background jobs stay.',
    buttons: [Dialog.cancelButton(), Dialog.warnButton({ label: 'Stop' })]
  });
  if (button.accept) {
    await tried(
      platform.api.delete('/people/{name}/server', { path: { name } })
    );
  }
}

async function remove(
  platform: Platform,
  name: string,
  team: string
): Promise<void> {
  const { button } = await showDialog({
    title: `Take ${name} out of ${team}?`,
    body: 'What they own there stays the team’s. A notebook that runs keeps its team until it is started again.',
    buttons: [Dialog.cancelButton(), Dialog.warnButton({ label: 'Take out' })]
  });
  if (button.accept) {
    const path = { team, name };
    await tried(platform.api.delete('/teams/{team}/people/{name}', { path }));
  }
}

async function add(
  platform: Platform,
  name: string,
  teams: string[]
): Promise<boolean> {
  const asked = { team: '', error: '' };
  const made = await ask({
    title: `Put ${name} into a team`,
    accept: 'Put into it',
    body: () => <TeamField asked={asked} teams={teams} />,
    focus: () => '.jp-blueno-job-form input',
    read: () => asked,
    start: ({ team }) =>
      platform.api.put('/teams/{team}/people/{name}', {
        path: { team: team.trim() || ' ', name }
      }),
    refused: error => (asked.error = reasonOf(error))
  });
  return made !== null;
}

/** A team, one that is there or a new one. */
export function TeamField(props: {
  asked: { team: string; error: string };
  teams: string[];
  help?: string;
}): JSX.Element {
  const { asked, teams } = props;
  const [, again] = React.useReducer((count: number) => count + 1, 0);
  return (
    <div className="jp-blueno-form">
      <Field
        id="blueno-people-team"
        label="Team"
        value={asked.team}
        list="blueno-people-teams"
        error={asked.error || undefined}
        help={props.help ?? 'It is made if there is none of this name.'}
        onChange={text => {
          asked.team = text;
          asked.error = '';
          again();
        }}
      >
        <datalist id="blueno-people-teams">
          {teams.map(team => (
            <option key={team} value={team} />
          ))}
        </datalist>
      </Field>
    </div>
  );
}

/** Say what was refused. */
export async function tried(done: Promise<unknown>): Promise<void> {
  try {
    await done;
  } catch (error) {
    Notification.error(reasonOf(error), { autoClose: 8000 });
  }
}
