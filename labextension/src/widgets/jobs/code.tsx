import type { CodeEditor, IEditorServices } from '@jupyterlab/codeeditor';
import {
  CodeEditor as Editor,
  CodeEditorWrapper
} from '@jupyterlab/codeeditor';
import { Widget } from '@lumino/widgets';
import * as React from 'react';
import type { Code } from '../../api/types';
import { useFetch, useModel, type Fetched } from '../hooks';
import { counted } from '../numbers';
import { Empty, Failed, Loading } from '../states';
import type { JobFeed } from './feed';

const FEW = 5; // local modules that are shown unfolded

interface CodeProps {
  feed: JobFeed;
  editors: IEditorServices;
}

/** What ran; asked for once it is looked at. */
function useCode(feed: JobFeed): Fetched<Code> {
  return useFetch(feed.id, signal =>
    feed.platform.api.get('/jobs/{job_id}/code', {
      path: { job_id: feed.id },
      signal
    })
  );
}

/** The text that ran, and the local modules it used. */
export function CodeTab({ feed, editors }: CodeProps): JSX.Element {
  const code = useCode(feed);
  const { job } = useModel(feed);
  if (code.error) {
    return (
      <Failed
        title="The code could not be read"
        error={code.error}
        again={code.again}
      />
    );
  }
  if (!code.value) {
    return <Loading word="Loading the code" />;
  }
  const { language, modules } = code.value;
  const cells = job?.kind === 'notebook' ? cellsOf(code.value.source) : null;
  return (
    <div className="jp-blueno-code">
      {(cells ?? [code.value.source]).map((source, at) => (
        <section key={at}>
          {cells && <div className="jp-blueno-code-title">Cell {at + 1}</div>}
          <ReadOnly
            label={cells ? `Cell ${at + 1}` : 'Code'}
            text={source}
            language={language}
            editors={editors}
          />
        </section>
      ))}
      {Object.entries(modules).map(([name, text], _, all) => (
        <Module
          key={name}
          name={name}
          text={text}
          unfolded={all.length <= FEW}
          editors={editors}
        />
      ))}
    </div>
  );
}

/** A local module; its editor is made when it is unfolded: a package may have hundreds. */
function Module(props: {
  name: string;
  text: string;
  unfolded: boolean;
  editors: IEditorServices;
}): JSX.Element {
  const { name, text, editors } = props;
  const [open, setOpen] = React.useState(props.unfolded);
  return (
    <details open={open} onToggle={event => setOpen(event.currentTarget.open)}>
      <summary className="jp-blueno-code-title">{name}</summary>
      {open && (
        <ReadOnly
          label={name}
          text={text}
          language="python"
          editors={editors}
        />
      )}
    </details>
  );
}

/** Interpreter, commit, uncommitted changes, packages: as far as is known. */
export function EnvironmentTab({ feed, editors }: CodeProps): JSX.Element {
  const code = useCode(feed);
  const [wanted, setWanted] = React.useState('');
  if (code.error) {
    return (
      <Failed
        title="The environment could not be read"
        error={code.error}
        again={code.again}
      />
    );
  }
  if (!code.value) {
    return <Loading word="Loading the environment" />;
  }
  const { python, commit, diff, packages } = code.value;
  if (!python && !commit && !packages.length) {
    return <Empty title="Nothing was recorded of its environment" />;
  }
  const shown = packages.filter(one =>
    one.toLowerCase().includes(wanted.toLowerCase())
  );
  return (
    <div className="jp-blueno-environment">
      <dl>
        {python && (
          <>
            <dt>Python</dt>
            <dd>{python}</dd>
          </>
        )}
        {commit && (
          <>
            <dt>Commit</dt>
            <dd>
              <code>{commit}</code>
              {diff && ' with uncommitted changes'}
            </dd>
          </>
        )}
      </dl>
      {diff && (
        <details>
          <summary>Uncommitted changes</summary>
          <ReadOnly
            label="Uncommitted changes"
            text={diff}
            language="diff"
            editors={editors}
          />
        </details>
      )}
      {packages.length > 0 && (
        <>
          <div className="jp-blueno-environment-packages">
            <span>{counted(packages.length, 'package')}</span>
            <input
              className="jp-mod-styled"
              type="search"
              placeholder="Filter"
              aria-label="Filter packages"
              value={wanted}
              onChange={event => setWanted(event.target.value)}
            />
          </div>
          <ul>
            {shown.map(one => (
              <li key={one}>{one}</li>
            ))}
          </ul>
        </>
      )}
    </div>
  );
}

/** Lab's own editor, not to be typed in. */
export function ReadOnly(props: {
  /** For who cannot see what is above it. */
  label: string;
  text: string;
  language: string;
  editors: IEditorServices;
}): JSX.Element {
  const { label, text, language, editors } = props;
  const host = React.useRef<HTMLDivElement>(null);
  // The layout effect's clean-up is while the host is still in the page.
  React.useLayoutEffect(() => {
    if (!host.current) {
      return;
    }
    const model: CodeEditor.IModel = new Editor.Model();
    model.mimeType = editors.mimeTypeService.getMimeTypeByLanguage({
      name: language
    });
    model.sharedModel.setSource(text);
    const editor = new CodeEditorWrapper({
      model,
      factory: editors.factoryService.newInlineEditor,
      editorOptions: {
        config: { readOnly: true, lineNumbers: true, lineWrap: true }
      }
    });
    Widget.attach(editor, host.current);
    host.current
      .querySelector('.cm-content')
      ?.setAttribute('aria-label', label);
    return () => {
      editor.dispose();
      model.dispose();
    };
  }, [label, text, language, editors]);
  return <div ref={host} className="jp-blueno-code-text" />;
}

/** The sources of a notebook's code cells; null if it is not a notebook. */
function cellsOf(source: string): string[] | null {
  try {
    const { cells } = JSON.parse(source) as {
      cells: { cell_type: string; source: string | string[] }[];
    };
    return cells
      .filter(cell => cell.cell_type === 'code')
      .map(cell => [cell.source].flat().join(''))
      .filter(text => text.trim());
  } catch {
    return null;
  }
}
