import { Dialog, ReactWidget, showDialog } from '@jupyterlab/apputils';
import * as React from 'react';
import { reasonOf } from '../../api/client';
import type { Job } from '../../api/types';
import type { Platform } from '../../models/platform';
import { Field } from '../add/form';
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
export async function askForEnvironment(
  platform: Platform
): Promise<Job | null> {
  const asked = new Asked();
  const id = newId();
  for (;;) {
    const { button } = await showDialog({
      title: 'Build an environment',
      body: new Body(asked),
      buttons: [Dialog.cancelButton(), Dialog.okButton({ label: 'Build' })],
      focusNodeSelector: '.jp-blueno-job-form input'
    });
    if (!button.accept) {
      return null;
    }
    try {
      return await platform.api.post('/environments', {
        body: {
          id,
          requirements: asked.packages.split(/[\s,]+/).filter(Boolean),
          python: asked.python.trim() || null,
          kind: asked.kind
        }
      });
    } catch (error) {
      asked.error = reasonOf(error);
    }
  }
}

class Body extends ReactWidget {
  constructor(private readonly asked: Asked) {
    super();
    this.addClass('jp-blueno');
    this.addClass('jp-blueno-job-form');
  }

  protected render(): JSX.Element {
    return <Fields asked={this.asked} />;
  }
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
