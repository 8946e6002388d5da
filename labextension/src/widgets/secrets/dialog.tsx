import { Dialog, ReactWidget, showDialog } from '@jupyterlab/apputils';
import * as React from 'react';
import { reasonOf } from '../../api/client';
import type { Platform } from '../../models/platform';
import { Field } from '../add/form';

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
  for (;;) {
    const { button } = await showDialog({
      title: name ? `Set ${name} anew` : 'Set a secret',
      body: new Body(asked, !name),
      buttons: [Dialog.cancelButton(), Dialog.okButton({ label: 'Set' })],
      focusNodeSelector: '.jp-blueno-job-form input'
    });
    if (!button.accept) {
      return false;
    }
    try {
      await platform.api.put('/secrets/{name}', {
        path: { name: asked.name.trim() || ' ' },
        body: { value: asked.value }
      });
      return true;
    } catch (error) {
      asked.error = reasonOf(error);
    }
  }
}

class Body extends ReactWidget {
  constructor(
    private readonly asked: Asked,
    private readonly isNew: boolean
  ) {
    super();
    this.addClass('jp-blueno');
    this.addClass('jp-blueno-job-form');
  }

  protected render(): JSX.Element {
    return <Fields asked={this.asked} isNew={this.isNew} />;
  }
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
