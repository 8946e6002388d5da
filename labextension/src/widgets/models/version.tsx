import { closeIcon } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import * as React from 'react';
import type { ModelVersion } from '../../api/types';
import { formatFilter, isEverything } from '../../models/filter';
import { loadLine } from '../../models/models';
import type { Platform } from '../../models/platform';
import { Commands } from '../../tokens';
import { copyPython } from '../copy';
import { useModel } from '../hooks';
import { StateSign } from '../jobs/words';
import { bytes, counted, date, short } from '../numbers';
import { changed } from './commands';

interface VersionProps {
  version: ModelVersion;
  platform: Platform;
  commands: CommandRegistry;
}

/** All that is known of a version: what it is, what it came from, how to load it. */
export function Version(props: VersionProps): JSX.Element {
  const { version, commands } = props;
  const { metrics, parameters, tags, definition, description } = version;
  return (
    <>
      {description && <p>{description}</p>}
      <Load version={version} />
      <dl className="jp-blueno-model-facts">
        <dt>alias</dt>
        <dd>
          <Names {...props} />
        </dd>
        <dt>from</dt>
        <dd>
          <Origin {...props} />
        </dd>
        <dt>data</dt>
        <dd>
          <Data version={version} commands={commands} />
        </dd>
        <dt>files</dt>
        <dd>
          {[version.form, version.size !== null && bytes(version.size)]
            .filter(Boolean)
            .join(', ')}
          <code className="jp-blueno-model-path">{version.source}</code>
        </dd>
      </dl>
      <Table
        title="Metrics"
        rows={Object.entries(metrics).map(([key, value]) => [
          key,
          short(Number(value))
        ])}
      />
      <Table title="Parameters" rows={Object.entries(parameters)} />
      <Table title="Tags" rows={Object.entries(tags)} />
      {definition && (
        <section aria-label="Definition">
          <h3>Definition</h3>
          <pre tabIndex={0}>{definition}</pre>
        </section>
      )}
      <Environment version={version} />
    </>
  );
}

function Load({ version }: { version: ModelVersion }): JSX.Element {
  const line = loadLine(version);
  return (
    <div className="jp-blueno-model-load">
      <div className="jp-blueno-model-line">
        <code>{line}</code>
        <span className="jp-blueno-spacer" />
        <button
          className="jp-blueno-button jp-mod-link"
          aria-label="Copy the line that loads it"
          onClick={() =>
            copyPython(
              `import jupyter_blueno as blueno\n\nmodel = ${line}`,
              line
            )
          }
        >
          Copy
        </button>
      </div>
      <div className="jp-blueno-model-second">{version.loading}</div>
    </div>
  );
}

function Names({ version, platform, commands }: VersionProps): JSX.Element {
  const { name, aliases } = version;
  return (
    <>
      {aliases.map(alias => (
        <span key={alias} className="jp-blueno-alias">
          {alias}
          <button
            className="jp-blueno-button jp-blueno-alias-away"
            title={`${alias} means no version any more`}
            aria-label={`Take ${alias} away`}
            onClick={() =>
              void changed(
                platform,
                platform.models.setAlias(name, alias, null),
                `${alias} means no version of ${name} now.`
              )
            }
          >
            <closeIcon.react tag={null} width="12px" height="12px" />
          </button>
        </span>
      ))}
      <button
        className="jp-blueno-button jp-mod-link"
        onClick={() =>
          void commands.execute(Commands.setModelAlias, {
            id: name,
            version: version.version
          })
        }
      >
        Set alias …
      </button>
    </>
  );
}

function Origin({ version, platform, commands }: VersionProps): JSX.Element {
  const jobs = useModel(platform.jobs);
  const { job_id: id, owner, created_at, commit } = version;
  React.useEffect(() => {
    if (id) {
      void platform.jobs.ensure(id).catch(() => undefined); // it was deleted
    }
  }, [id, platform]);
  const job = id ? jobs.get(id) : undefined;
  return (
    <>
      {job ? (
        <button
          className="jp-blueno-button jp-mod-link"
          title="The job that wrote it: its code, log and curves"
          onClick={() => void commands.execute(Commands.openJob, { id })}
        >
          <StateSign job={job} /> {job.name}
        </button>
      ) : (
        <span>
          {id ? `job ${id.slice(0, 8)}, deleted` : 'registered by hand'}
        </span>
      )}
      {commit && <span>commit {commit.slice(0, 7)}</span>}
      {owner && <span>{owner}</span>}
      <span>{date(created_at)}</span>
    </>
  );
}

function Data(props: {
  version: ModelVersion;
  commands: CommandRegistry;
}): JSX.Element {
  const { version, commands } = props;
  if (!version.datasets.length) {
    return <span>none that Blueno knows of</span>;
  }
  return (
    <>
      {version.datasets.map(
        ({ dataset_id: id, name, version: number, filter }, at) => (
          <button
            key={at}
            className="jp-blueno-button jp-mod-link"
            title="The samples that it was made from"
            onClick={() =>
              void commands.execute(Commands.openDataset, {
                id,
                query: formatFilter(filter)
              })
            }
          >
            {`${name} v${number}`}
            {!isEverything(filter) && ` (${formatFilter(filter)})`}
          </button>
        )
      )}
    </>
  );
}

const FIRST = 12; // rows that are seen at once

function Table(props: {
  title: string;
  rows: [string, string][];
}): JSX.Element | null {
  const { title } = props;
  const rows = props.rows.toSorted(([a], [b]) => a.localeCompare(b));
  const [all, setAll] = React.useState(false);
  if (!rows.length) {
    return null;
  }
  return (
    <section aria-label={title}>
      <h3>{title}</h3>
      <table className="jp-blueno-model-table">
        <tbody>
          {rows.slice(0, all ? undefined : FIRST).map(([key, value]) => (
            <tr key={key}>
              <th scope="row">{key}</th>
              <td>{value}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {!all && rows.length > FIRST && (
        <button
          className="jp-blueno-button jp-mod-link"
          onClick={() => setAll(true)}
        >
          {rows.length - FIRST} more
        </button>
      )}
    </section>
  );
}

function Environment({
  version
}: {
  version: ModelVersion;
}): JSX.Element | null {
  const { python, packages } = version;
  if (!python) {
    return null;
  }
  return (
    <section aria-label="Environment">
      <h3>Environment</h3>
      <details>
        <summary>
          Python {python}, {counted(packages.length, 'package')}
        </summary>
        <pre tabIndex={0}>{packages.join('\n')}</pre>
      </details>
    </section>
  );
}
