import * as React from 'react';
import { reasonOf } from '../../api/client';
import type { Platform } from '../../models/platform';
import { Field } from '../add/form';
import { ask } from '../jobs/asking';

class Asked {
  name = '';
  value = '';
  error = '';
}

/** Ask for a secret, or for another value of the one of this name; whether it was set. */
export async function askForSecret(
  platform: Platform,
  name?: string
): Promise<boolean> {
  const asked = new Asked();
  asked.name = name ?? '';
  const made = await ask({
    title: name ? `Set ${name} anew` : 'Set a secret',
    accept: 'Set',
    body: () => <Fields asked={asked} isNew={!name} />,
    focus: () => '.jp-blueno-job-form input',
    read: () => asked,
    start: ({ name, value }) =>
      platform.api.put('/secrets/{name}', {
        path: { name: name.trim() || ' ' },
        body: { value }
      }),
    refused: error => (asked.error = reasonOf(error))
  });
  return made !== null;
}

function Fields(props: { asked: Asked; isNew: boolean }): JSX.Element {
  const { asked, isNew } = props;
  const [, again] = React.useReducer((count: number) => count + 1, 0);
  const change = (set: () => void) => {
    set();
    asked.error = '';
    again();
  };
  return (
    <div className="jp-blueno-form">
      {isNew && (
        <Field
          id="blueno-secret-name"
          label="Name"
          value={asked.name}
          placeholder="such as HF_TOKEN"
          onChange={text => change(() => (asked.name = text))}
        />
      )}
      <Field
        id="blueno-secret-value"
        label="Value"
        type="password"
        value={asked.value}
        error={asked.error || undefined}
        help="Everybody in the team may use it; it is shown to nobody again."
        onChange={text => change(() => (asked.value = text))}
      />
    </div>
  );
}
