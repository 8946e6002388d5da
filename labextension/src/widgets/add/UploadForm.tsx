import { fileUploadIcon } from '@jupyterlab/ui-components';
import * as React from 'react';
import { isAbort } from '../../api/client';
import {
  Upload,
  commonFolder,
  filesOf,
  type UploadFile
} from '../../models/upload';
import { useModel } from '../hooks';
import { bytes, counted } from '../numbers';
import { ProgressBar } from '../states';
import { Field, fieldErrors, type FieldErrors } from './form';
import type { AddProps } from './AddView';

/** Files and folders from this computer. */
export function UploadForm({ platform, started }: AddProps): JSX.Element {
  const [files, setFiles] = React.useState<readonly UploadFile[]>([]);
  const [name, setName] = React.useState('');
  const [upload, setUpload] = React.useState<Upload | null>(null);
  const [errors, setErrors] = React.useState<FieldErrors>({});
  React.useEffect(() => () => upload?.cancel(), [upload]);

  const take = (found: readonly UploadFile[]) => {
    const all = [...files, ...found];
    setFiles(all);
    setErrors({});
    if (!name) {
      setName(commonFolder(all));
    }
  };
  const submit = async (event: React.FormEvent) => {
    event.preventDefault();
    const sending = new Upload(platform.api, files);
    setUpload(sending);
    setErrors({});
    try {
      const upload_id = await sending.send();
      started(
        await platform.datasets.ingest({
          name: name.trim(),
          source: { type: 'upload', upload_id }
        })
      );
    } catch (error) {
      setErrors(isAbort(error) ? {} : fieldErrors(error));
      setUpload(null);
    }
  };
  const size = files.reduce((sum, { file }) => sum + file.size, 0);
  return (
    <form className="jp-blueno-form" onSubmit={event => void submit(event)}>
      {!upload && <DropZone take={take} />}
      {files.length > 0 && !upload && (
        <p role="status">
          {counted(files.length, 'file')}, {bytes(size)}{' '}
          <button
            type="button"
            className="jp-blueno-button jp-mod-link"
            onClick={() => setFiles([])}
          >
            clear
          </button>
        </p>
      )}
      {errors.source && (
        <p className="jp-blueno-form-error" role="alert">
          {errors.source}
        </p>
      )}
      <Field
        id="blueno-upload-name"
        label="Name of the dataset"
        value={name}
        error={errors.name}
        disabled={upload !== null}
        onChange={setName}
      />
      {upload ? (
        <Sending upload={upload} />
      ) : (
        <button
          type="submit"
          className="jp-mod-styled jp-mod-accept"
          disabled={!files.length || !name.trim()}
        >
          Upload and add
        </button>
      )}
    </form>
  );
}

/** Where files are dropped; two buttons do the same by keyboard. */
function DropZone(props: {
  take: (files: readonly UploadFile[]) => void;
}): JSX.Element {
  const { take } = props;
  const [over, setOver] = React.useState(false);
  const choose = (list: FileList | null) =>
    take(
      [...(list ?? [])].map(file => ({
        path: file.webkitRelativePath || file.name,
        file
      }))
    );
  return (
    <div
      className={`jp-blueno-dropzone${over ? ' jp-mod-over' : ''}`}
      onDragOver={event => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={event => {
        event.preventDefault();
        event.stopPropagation();
        setOver(false);
        void filesOf(event.dataTransfer.items).then(take);
      }}
    >
      <fileUploadIcon.react tag="div" width="32px" />
      <div>Drop images, volumes or whole folders here</div>
      <div className="jp-blueno-dropzone-buttons">
        <Picker label="Choose files …" choose={choose} />
        <Picker label="Choose a folder …" folder choose={choose} />
      </div>
    </div>
  );
}

function Picker(props: {
  label: string;
  folder?: boolean;
  choose: (files: FileList | null) => void;
}): JSX.Element {
  const { label, folder, choose } = props;
  const input = React.useRef<HTMLInputElement>(null);
  React.useEffect(() => {
    // React does not know this attribute.
    input.current?.toggleAttribute('webkitdirectory', Boolean(folder));
  }, [folder]);
  return (
    <>
      <input
        ref={input}
        type="file"
        multiple
        hidden
        aria-label={label}
        onChange={event => {
          choose(event.target.files);
          event.target.value = '';
        }}
      />
      <button
        type="button"
        className="jp-mod-styled"
        onClick={() => input.current?.click()}
      >
        {label}
      </button>
    </>
  );
}

function Sending({ upload }: { upload: Upload }): JSX.Element {
  const { sent, total, files } = useModel(upload);
  const done = sent >= total;
  return (
    <div className="jp-blueno-sending" role="status">
      <span>
        {done
          ? 'Starting …'
          : `Uploading ${counted(files.length, 'file')}: ${bytes(sent)} of ${bytes(total)}`}
      </span>
      <button
        type="button"
        className="jp-mod-styled"
        onClick={() => upload.cancel()}
      >
        Cancel
      </button>
      <ProgressBar label="Uploading" done={sent} total={total} />
    </div>
  );
}
