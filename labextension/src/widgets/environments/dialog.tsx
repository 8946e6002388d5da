import * as React from 'react';
import { reasonOf } from '../../api/client';
import type { Job } from '../../api/types';
import type { Platform } from '../../models/platform';
import { Field } from '../add/form';
import { ask } from '../jobs/asking';
import { newId } from '../jobs/notebookwork';

type Kind = 'function' | 'notebook' | 'command';

const KINDS: Record<Kind, string> = {
  function: 'functions, and cells with variables',
  notebook: 'notebooks',
  command: 'commands and scripts'
};

class Asked {
  packages = '';
  python = '';
  kind: Kind = 'function';
  error = '';
}

/** Ask for packages, and have an environment built of them now. Null: nothing was started. */
export function askForEnvironment(platform: Platform): Promise<Job | null> {
  const asked = new Asked();
  const id = newId();
  return ask({
    title: 'Build an environment',
    accept: 'Build',
    body: () => <Fields asked={asked} />,
    focus: () => '.jp-blueno-job-form input',
    read: () => asked,
    start: ({ packages, python, kind }) =>
      platform.api.post('/environments', {
        body: {
          id,
          requirements: packages.split(/[\s,]+/).filter(Boolean),
          python: python.trim() || null,
          kind
        }
      }),
    refused: error => (asked.error = reasonOf(error))
  });
}

function Fields({ asked }: { asked: Asked }): JSX.Element {
  const [, again] = React.useReducer((count: number) => count + 1, 0);
  const change = (set: () => void) => {
    set();
    asked.error = '';
    again();
  };
  return (
    <div className="jp-blueno-form">
      <Field
        id="blueno-environment-packages"
        label="Packages"
        value={asked.packages}
        placeholder="such as torch==2.8 pandas"
        error={asked.error || undefined}
        help="As in a requirements file, with blanks between them."
        onChange={text => change(() => (asked.packages = text))}
      />
      <Field
        id="blueno-environment-python"
        label="Python"
        value={asked.python}
        placeholder="that of Jupyter; such as 3.12, or a path"
        onChange={text => change(() => (asked.python = text))}
      />
      <div className="jp-blueno-field">
        <label htmlFor="blueno-environment-kind">It is for</label>
        <div className="jp-blueno-field-line">
          <select
            id="blueno-environment-kind"
            className="jp-mod-styled"
            value={asked.kind}
            onChange={event =>
              change(() => (asked.kind = event.target.value as Kind))
            }
          >
            {Object.entries(KINDS).map(([kind, words]) => (
              <option key={kind} value={kind}>
                {words}
              </option>
            ))}
          </select>
        </div>
      </div>
    </div>
  );
}
