import { Dialog, showDialog } from '@jupyterlab/apputils';
import { ReactWidget } from '@jupyterlab/ui-components';
import * as React from 'react';
import type { Unreadable } from '../../api/types';
import { count } from '../numbers';
import { Heads } from '../heads';

/** `3 could not be read`: opens the list of them with the reasons. */
export function ProblemsButton(props: {
  problems: readonly Unreadable[];
}): JSX.Element | null {
  const { problems } = props;
  if (!problems.length) {
    return null;
  }
  return (
    <button
      className="jp-blueno-button jp-mod-link jp-blueno-problems"
      onClick={() => void showProblems(problems)}
    >
      {count(problems.length)} could not be read
    </button>
  );
}

async function showProblems(problems: readonly Unreadable[]): Promise<void> {
  const body = ReactWidget.create(
    <table className="jp-blueno-problem-list">
      <Heads names={['Sample', 'Why']} />
      <tbody>
        {problems.map(({ name, message, code }) => (
          <tr key={name}>
            <td>{name}</td>
            <td title={code}>{message}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
  body.addClass('jp-blueno-problem-body');
  await showDialog({
    title: 'Samples that could not be read',
    body,
    buttons: [Dialog.okButton({ label: 'Close' })]
  });
}
