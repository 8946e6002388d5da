import { PageConfig } from '@jupyterlab/coreutils';
import type { IDocumentManager } from '@jupyterlab/docmanager';
import { FileDialog } from '@jupyterlab/filebrowser';
import * as React from 'react';
import { Field, fieldErrors, nameOf, type FieldErrors } from './form';
import type { AddProps } from './AddView';

/** A folder on the server: files are registered where they lie. */
export function FolderForm(props: AddProps): JSX.Element {
  const { platform, documents, started } = props;
  const [path, setPath] = React.useState('');
  const [name, setName] = React.useState('');
  const [named, setNamed] = React.useState(false);
  const [busy, setBusy] = React.useState(false);
  const [errors, setErrors] = React.useState<FieldErrors>({});

  const choose = (chosen: string) => {
    setPath(chosen);
    setErrors({});
    if (!named) {
      setName(nameOf(chosen));
    }
  };
  const submit = async (event: React.FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setErrors({});
    try {
      started(
        await platform.datasets.ingest({
          name: name.trim(),
          source: { type: 'folder', path: path.trim() }
        })
      );
    } catch (error) {
      setErrors(fieldErrors(error));
      setBusy(false);
    }
  };
  return (
    <form className="jp-blueno-form" onSubmit={event => void submit(event)}>
      <p>
        Images and volumes are registered where they lie; nothing is copied.
        Sub-folders become labels, and <code>train</code>, <code>test</code> or{' '}
        <code>val</code> above them become splits.
      </p>
      <Field
        id="blueno-folder-path"
        label="Folder"
        value={path}
        placeholder="/data/photos"
        error={errors.source}
        onChange={choose}
      >
        {documents && (
          <button
            type="button"
            className="jp-mod-styled"
            onClick={() =>
              void browse(documents).then(found => found && choose(found))
            }
          >
            Browse …
          </button>
        )}
      </Field>
      <Field
        id="blueno-folder-name"
        label="Name of the dataset"
        value={name}
        error={errors.name}
        onChange={value => {
          setName(value);
          setNamed(value !== '');
        }}
      />
      <button
        type="submit"
        className="jp-mod-styled jp-mod-accept"
        disabled={busy || !path.trim() || !name.trim()}
      >
        {busy ? 'Starting …' : 'Add dataset'}
      </button>
    </form>
  );
}

/** Ask for a folder; its path as the server knows it. */
async function browse(manager: IDocumentManager): Promise<string | null> {
  const answer = await FileDialog.getExistingDirectory({
    manager,
    title: 'Folder of images or volumes'
  });
  const folder = answer.value?.[0];
  if (!answer.button.accept || !folder) {
    return null;
  }
  const root = PageConfig.getOption('serverRoot');
  const below = manager.services.contents.localPath(folder.path);
  // Not by PathExt: it takes the first slash away.
  return below ? `${root.replace(/\/$/, '')}/${below}` : root;
}
