import type { CommandRegistry } from '@lumino/commands';
import * as React from 'react';
import type { Job } from '../../api/types';
import { formatFilter, isEverything } from '../../models/filter';
import { isBelowRoot } from '../../models/jobs';
import { Commands } from '../../tokens';
import { useFetch, useModel } from '../hooks';
import { bytes, date } from '../numbers';
import type { JobFeed } from './feed';

const NAMED = 5; // files

/** Notebooks, as far as a job's view goes to them. */
export interface Places {
  /** Which cell it is, from 1, if its notebook is open. */
  cellNumber(notebook: string, cell: string): number | null;
  open(notebook: string, cell: string | null): Promise<void>;
}

/** Where the job came from. */
export function JobFooter(props: {
  feed: JobFeed;
  places: Places;
  commands: CommandRegistry;
}): JSX.Element {
  const { feed, places, commands } = props;
  const { job } = useModel(feed);
  const code = useFetch(feed.id, signal =>
    feed.platform.api
      .get('/jobs/{job_id}/code', { path: { job_id: feed.id }, signal })
      .catch(() => null)
  );
  if (!job) {
    return <div className="jp-blueno-job-footer" />;
  }
  const { commit, diff } = code.value ?? {};
  return (
    <div className="jp-blueno-job-footer">
      <Source job={job} places={places} />
      <Data feed={feed} job={job} commands={commands} />
      <Models feed={feed} commands={commands} />
      <Files feed={feed} job={job} places={places} />
      {commit && (
        <span title={diff ? 'With uncommitted changes' : undefined}>
          commit {commit.slice(0, 7)}
          {diff && '*'}
        </span>
      )}
      {job.kind !== 'ingest' && (
        <>
          <Elsewhere
            name="MLflow"
            title="The job as a run of MLflow, beside others"
            open={() => commands.execute(Commands.openMlflow, { job: job.id })}
          />
          <Elsewhere
            name="TensorBoard"
            title="Its metrics and event files in TensorBoard"
            open={() =>
              commands.execute(Commands.openTensorBoard, { id: job.id })
            }
          />
        </>
      )}
      <span title={date(job.created_at)}>
        {job.attempt > 1 ? `attempt ${job.attempt} · ` : ''}
        {job.id.slice(0, 8)}
      </span>
    </div>
  );
}

function Elsewhere(props: {
  name: string;
  title: string;
  open: () => Promise<unknown>;
}): JSX.Element {
  return (
    <button
      className="jp-blueno-button jp-mod-link"
      title={props.title}
      onClick={() => void props.open()}
    >
      {props.name} ↗
    </button>
  );
}

/** The models that it registered. */
function Models(props: {
  feed: JobFeed;
  commands: CommandRegistry;
}): JSX.Element | null {
  const { feed, commands } = props;
  const wrote = useModel(feed.platform.models).ofJob(feed.id);
  if (!wrote.length) {
    return null;
  }
  return (
    <span>
      model{' '}
      {wrote.map(({ name, version }, at) => (
        <React.Fragment key={`${name} ${version}`}>
          {at > 0 && ', '}
          <button
            className="jp-blueno-button jp-mod-link"
            onClick={() =>
              void commands.execute(Commands.openModel, { id: name, version })
            }
          >
            {name} v{version}
          </button>
        </React.Fragment>
      ))}
    </span>
  );
}

/** The datasets that it read; a click opens the part that was read. */
function Data(props: {
  feed: JobFeed;
  job: Job;
  commands: CommandRegistry;
}): JSX.Element | null {
  const { feed, job, commands } = props;
  const used = useFetch(`${feed.id} ${job.state}`, signal =>
    feed.platform.api.get('/jobs/{job_id}/datasets', {
      path: { job_id: feed.id },
      signal
    })
  );
  const datasets = used.value?.datasets ?? [];
  if (!datasets.length) {
    return null;
  }
  return (
    <span>
      data{' '}
      {datasets.map(({ dataset_id: id, name, version, filter }, at) => (
        <React.Fragment key={at}>
          {at > 0 && ', '}
          <button
            className="jp-blueno-button jp-mod-link"
            onClick={() =>
              void commands.execute(Commands.openDataset, {
                id,
                query: formatFilter(filter)
              })
            }
          >
            {`${name} v${version}`}
            {!isEverything(filter) && ` (${formatFilter(filter)})`}
          </button>
        </React.Fragment>
      ))}
    </span>
  );
}

/** The files that it wrote; a click opens one that Lab can reach. */
function Files(props: {
  feed: JobFeed;
  job: Job;
  places: Places;
}): JSX.Element | null {
  const { feed, job, places } = props;
  const written = useFetch(`${feed.id} ${job.state}`, signal =>
    feed.platform.api.get('/jobs/{job_id}/written', {
      path: { job_id: feed.id },
      signal
    })
  );
  const files = (written.value?.files ?? []).filter(
    ({ size }) => size !== null
  );
  if (!files.length) {
    return null;
  }
  const more = files.slice(NAMED).map(({ path }) => path);
  return (
    <span>
      wrote{' '}
      {files.slice(0, NAMED).map(({ path, size, below }, at) => {
        const name = path.split('/').at(-1);
        const title = `${path} (${bytes(size!)})`;
        return (
          <React.Fragment key={path}>
            {at > 0 && ', '}
            {below === null ? (
              <span title={title}>{name}</span>
            ) : (
              <button
                className="jp-blueno-button jp-mod-link"
                title={title}
                onClick={() => void places.open(below, null)}
              >
                {name}
              </button>
            )}
          </React.Fragment>
        );
      })}
      {more.length > 0 && (
        <span title={more.join('\n')}> and {more.length} more</span>
      )}
    </span>
  );
}

function Source(props: { job: Job; places: Places }): JSX.Element {
  const { job, places } = props;
  const { notebook, cell_id: cell } = job.origin;
  if (!notebook) {
    return <span>a {job.kind}</span>;
  }
  const name = notebook.split('/').at(-1);
  if (!isBelowRoot(notebook)) {
    return <span title={notebook}>from notebook {name}</span>;
  }
  const number = cell ? places.cellNumber(notebook, cell) : null;
  return (
    <span>
      from notebook{' '}
      <button
        className="jp-blueno-button jp-mod-link"
        title={notebook}
        onClick={() => void places.open(notebook, cell)}
      >
        {name}
        {cell && (number ? `, cell ${number}` : ', to its cell')}
      </button>
    </span>
  );
}
