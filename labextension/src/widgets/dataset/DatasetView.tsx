import type { CommandRegistry } from '@lumino/commands';
import * as React from 'react';
import { reasonOf } from '../../api/client';
import type { Dataset } from '../../api/types';
import { bluenoIcon } from '../../icons';
import type { DatasetModel } from '../../models/dataset';
import { formatFilter, isEverything } from '../../models/filter';
import { Commands } from '../../tokens';
import { useModel } from '../hooks';
import { count, counted, percent } from '../numbers';
import { Empty, Failed, Loading, ProgressBar } from '../states';
import { Details } from './Details';
import { FacetPanel } from './FacetList';
import { FilterBar } from './FilterBar';
import { Gallery } from './Gallery';
import { SampleTable } from './SampleTable';

/** Facets, samples, details. */
export function DatasetView(props: {
  model: DatasetModel;
  commands: CommandRegistry;
}): JSX.Element {
  const { model, commands } = props;
  const { dataset, facets, positions, view } = useModel(model);
  const input = React.useRef<HTMLInputElement>(null);
  const body = React.useRef<HTMLDivElement>(null);
  const open = React.useCallback(
    (ordinal: number) => {
      if (commands.hasCommand(Commands.openSample)) {
        void commands.execute(Commands.openSample, {
          datasetId: model.id,
          ordinal,
          query: formatFilter(model.filter)
        });
      }
    },
    [commands, model]
  );
  const focusFilter = React.useCallback(() => input.current?.focus(), []);
  const leave = React.useCallback(
    () => body.current?.querySelector<HTMLElement>('[role="grid"]')?.focus(),
    []
  );
  const listed = Boolean(positions?.total);
  React.useEffect(() => {
    // The tab was activated before there was anything to focus.
    const { activeElement } = document;
    if (listed && activeElement?.contains(body.current)) {
      leave();
    }
  }, [listed, view, leave]);
  const filtered = !isEverything(model.filter);
  return (
    <div className="jp-blueno jp-blueno-dataset">
      <FilterBar model={model} input={input} leave={leave} />
      {dataset && <Preparing dataset={dataset} commands={commands} />}
      {filtered && facets && (
        <div className="jp-blueno-matches" role="status">
          {count(facets.total)} of{' '}
          {counted(dataset?.version.sample_count ?? facets.total, 'sample')}
        </div>
      )}
      <div className="jp-blueno-dataset-body" ref={body}>
        <FacetPanel model={model} />
        <Content model={model} open={open} focusFilter={focusFilter} />
        <Details model={model} open={open} commands={commands} />
      </div>
    </div>
  );
}

function Content(props: {
  model: DatasetModel;
  open: (ordinal: number) => void;
  focusFilter: () => void;
}): JSX.Element {
  const { model } = props;
  const { positions, error, view, dataset } = useModel(model);
  const { error: tileError } = useModel(model.thumbnails);
  if (model.isDeleted) {
    return <Deleted model={model} />;
  }
  if (error && !positions) {
    return (
      <Failed
        title="The samples could not be listed"
        error={error}
        again={() => void model.load()}
      />
    );
  }
  if (!positions) {
    return <Loading word="Loading samples" rows={8} />;
  }
  if (!positions.total) {
    return <Nothing model={model} dataset={dataset} />;
  }
  const View = view === 'gallery' ? Gallery : SampleTable;
  return (
    <div className="jp-blueno-content">
      {error !== null && (
        <div className="jp-blueno-notice jp-mod-error" role="alert">
          {reasonOf(error)}
        </div>
      )}
      {tileError !== null && (
        <div className="jp-blueno-notice" role="alert">
          Some thumbnails could not be loaded.
          <button
            className="jp-blueno-button jp-mod-link"
            onClick={() => void model.load()}
          >
            Try again
          </button>
        </div>
      )}
      <View {...props} positions={positions} />
    </div>
  );
}

function Nothing(props: {
  model: DatasetModel;
  dataset: Dataset | null;
}): JSX.Element {
  const { model, dataset } = props;
  if (!isEverything(model.filter)) {
    return (
      <Empty
        title="No sample matches"
        action={{ label: 'Clear the filter', run: () => model.setFilter() }}
      >
        {model.query}
      </Empty>
    );
  }
  switch (dataset?.version.state) {
    case 'preparing':
      return (
        <Empty title="On its way">
          The first samples show up here as soon as they are read.
        </Empty>
      );
    case 'failed':
      return (
        <Failed
          title="The dataset could not be prepared"
          error={dataset.version.reason ?? 'Its job says why.'}
        />
      );
    default:
      return (
        <Empty title="No samples yet" icon={bluenoIcon}>
          Add some from a notebook with <code>blueno.ingest(…)</code>.
        </Empty>
      );
  }
}

function Deleted({ model }: { model: DatasetModel }): JSX.Element {
  return (
    <Empty
      title="This dataset is in the trash"
      action={{
        label: 'Restore',
        run: () => void model.platform.datasets.restore(model.id)
      }}
    >
      Its files are where they were.
    </Empty>
  );
}

/** While it fills, or when that went wrong with samples already there. */
function Preparing(props: {
  dataset: Dataset;
  commands: CommandRegistry;
}): JSX.Element | null {
  const { dataset, commands } = props;
  const { state, progress, job_id, sample_count, reason } = dataset.version;
  const job = job_id !== null && commands.hasCommand(Commands.openJob) && (
    <button
      className="jp-blueno-button jp-mod-link"
      onClick={() => void commands.execute(Commands.openJob, { id: job_id })}
    >
      open its job
    </button>
  );
  if (state === 'failed' && sample_count > 0) {
    return (
      <div className="jp-blueno-notice jp-mod-error" role="alert">
        Preparing stopped: {reason ?? 'its job says why'} {job}
      </div>
    );
  }
  if (state !== 'preparing') {
    return null;
  }
  return (
    <div className="jp-blueno-preparing" role="status">
      <span>
        {progress?.message ?? 'Preparing'} {percent(progress)}{' '}
        {progress &&
          progress.done > 0 &&
          `· ${counted(progress.done, 'sample')} read`}
      </span>
      {job}
      <ProgressBar
        label={`Preparing ${dataset.name}`}
        done={progress?.done ?? 0}
        total={progress?.total ?? null}
      />
    </div>
  );
}
