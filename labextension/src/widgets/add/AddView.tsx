import type { IDocumentManager } from '@jupyterlab/docmanager';
import * as React from 'react';
import type { Dataset } from '../../api/types';
import type { Platform } from '../../models/platform';
import { FolderForm } from './FolderForm';
import { PublicSets } from './PublicSets';
import { Snippets } from './Snippet';
import { UploadForm } from './UploadForm';

export type Choice = 'public' | 'folder' | 'upload' | 'notebook';

/** What each way of adding is given. */
export interface AddProps {
  platform: Platform;
  documents: IDocumentManager | null;
  /** A dataset is being made. */
  started: (dataset: Dataset) => void;
}

const CHOICES: {
  choice: Choice;
  label: string;
  hint: string;
  Form: (props: AddProps) => JSX.Element;
}[] = [
  {
    choice: 'public',
    label: 'Public sets',
    hint: 'MNIST, CIFAR-10, and a hundred more',
    Form: PublicSets
  },
  {
    choice: 'folder',
    label: 'Folder on this server',
    hint: 'Images or volumes, registered in place',
    Form: FolderForm
  },
  {
    choice: 'upload',
    label: 'Upload',
    hint: 'Files or folders from this computer',
    Form: UploadForm
  },
  {
    choice: 'notebook',
    label: 'From a notebook',
    hint: 'Arrays and files, by a line of Python',
    Form: Snippets
  }
];

/** Four ways to add a dataset: the choice on the left, its form on the right. */
export function AddView(
  props: AddProps & { choice: Choice; choose: (choice: Choice) => void }
): JSX.Element {
  const { choice, choose } = props;
  const { Form, label } =
    CHOICES.find(one => one.choice === choice) ?? CHOICES[0];
  const move = (event: React.KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) {
      event.preventDefault();
      const at = CHOICES.findIndex(one => one.choice === choice) + step;
      const next = CHOICES[(at + CHOICES.length) % CHOICES.length].choice;
      choose(next);
      document.getElementById(`blueno-add-${next}`)?.focus();
    }
  };
  return (
    <div className="jp-blueno jp-blueno-add">
      <h1>Add a dataset</h1>
      <div className="jp-blueno-add-body">
        <div
          role="tablist"
          aria-orientation="vertical"
          aria-label="Where from"
          className="jp-blueno-add-choices"
          onKeyDown={move}
        >
          {CHOICES.map(one => (
            <button
              key={one.choice}
              id={`blueno-add-${one.choice}`}
              role="tab"
              aria-selected={one.choice === choice}
              tabIndex={one.choice === choice ? 0 : -1}
              className="jp-blueno-button"
              onClick={() => choose(one.choice)}
            >
              <strong>{one.label}</strong>
              <span>{one.hint}</span>
            </button>
          ))}
        </div>
        <div role="tabpanel" aria-label={label} className="jp-blueno-add-form">
          <Form {...props} />
        </div>
      </div>
    </div>
  );
}
