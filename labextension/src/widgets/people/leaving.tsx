import { Notification } from '@jupyterlab/apputils';
import * as React from 'react';
import { reasonOf } from '../../api/client';
import type { Leaving, Person } from '../../api/types';
import type { Platform } from '../../models/platform';
import { Choice } from '../add/form';
import { ask } from '../jobs/asking';
import { tried } from './people';

const NOBODY = '';
const END = ' '; // no name
const PAUSE = 1000; // ms between questions whether somebody is gone

class Asked {
  work = NOBODY;
  error = '';

  get choice() {
    return {
      hand_over_to: this.work.trim() || null,
      cancel_jobs: this.work === END
    };
  }
}

/** Ask what becomes of somebody's work, let them go, and say when that is done. */
export async function letGo(
  platform: Platform,
  person: Person,
  people: Person[]
): Promise<void> {
  const { name } = person;
  const path = { name };
  const plan = (asked: Asked) =>
    platform.api.get('/people/{name}/departure', { path, query: asked.choice });
  let first: Leaving;
  try {
    first = await plan(new Asked());
  } catch (error) {
    Notification.error(reasonOf(error), { autoClose: 8000 });
    return;
  }
  const asked = new Asked();
  const heirs = people.filter(
    one =>
      one.name !== name &&
      first.belongings.every(({ team }) => one.teams.includes(team))
  );
  const begun = await ask<Asked, Leaving, Leaving>({
    title: `Let ${name} go?`,
    accept: 'Let go',
    body: told => <Plan asked={asked} plan={told ?? first} heirs={heirs} />,
    focus: () => '.jp-blueno-job-form select',
    read: () => asked,
    preview: plan,
    start: ({ choice }) =>
      platform.api.put('/people/{name}/departure', { path, body: choice }),
    refused: error => (asked.error = reasonOf(error))
  });
  if (begun) {
    await tried(follow(platform, name, begun));
  }
}

/** Say what is waited for until somebody is gone. The service goes on by itself, too. */
async function follow(
  platform: Platform,
  name: string,
  begun: Leaving
): Promise<void> {
  const id = Notification.emit(`${name} is leaving …`, 'in-progress');
  let now = begun;
  try {
    while (!now.done) {
      const message = now.waits
        ? `${name} is leaving: ${now.waits}.`
        : undefined;
      Notification.update({ id, message });
      await new Promise(resolve => setTimeout(resolve, PAUSE));
      now = await platform.api.put('/people/{name}/departure', {
        path: { name },
        body: {}
      });
    }
  } catch (error) {
    Notification.dismiss(id);
    throw error;
  }
  const place = now.departure?.archive;
  Notification.update({
    id,
    type: 'success',
    message: `${name} is gone. Their folder: home/.left/${place} of the volume.`,
    autoClose: 8000
  });
}

function Plan(props: {
  asked: Asked;
  plan: Leaving;
  heirs: Person[];
}): JSX.Element {
  const { asked, plan, heirs } = props;
  const [, again] = React.useReducer((count: number) => count + 1, 0);
  const has = plan.belongings.length > 0;
  return (
    <div className="jp-blueno-form jp-blueno-people-plan">
      {has && !plan.departure && (
        <Choice
          id="blueno-leaving-work"
          label="Their jobs, schedules and datasets"
          value={asked.work}
          choices={[
            [NOBODY, plan.decide ? 'Choose …' : 'stay as they are'],
            [END, 'Jobs end, schedules pause'],
            ...heirs.map(
              ({ name }) => [name, `become ${name}’s`] as [string, string]
            )
          ]}
          onChange={work => {
            asked.work = work;
            asked.error = '';
            again();
          }}
        />
      )}
      <ul aria-label="What is done">
        {plan.steps.map(step => (
          <li key={step}>{step}</li>
        ))}
      </ul>
      {plan.lost.length > 0 && <p>Lost: {plan.lost.join('; ')}.</p>}
      {asked.error && (
        <p className="jp-blueno-form-error" role="alert">
          {asked.error}
        </p>
      )}
    </div>
  );
}
