import { ellipsesIcon } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import * as React from 'react';
import type { Dataset } from '../../api/types';
import { bluenoIcon } from '../../icons';
import { aspectOf } from '../../models/dataset';
import type { Platform } from '../../models/platform';
import { Thumbnails } from '../../models/thumbnails';
import { Commands } from '../../tokens';
import { TileCanvas } from '../dataset/TileCanvas';
import { kindOf } from '../kinds';
import { useModel } from '../hooks';
import { openDatasetMenu } from '../menus';
import { count, counted, percent } from '../numbers';
import { Empty, ProgressBar } from '../states';
import { NotListed, SearchBox, type SectionProps } from './section';

/** The datasets of the panel, by name. */
export function DatasetsSection(props: SectionProps): JSX.Element {
  const { platform, commands, search } = props;
  const datasets = useModel(platform.datasets);
  const { query } = useModel(search);
  if (datasets.state !== 'ready') {
    return (
      <NotListed
        what="datasets"
        error={datasets.reason}
        again={() => platform.retry()}
      />
    );
  }
  if (!datasets.items.length) {
    return (
      <Empty
        title="No datasets yet"
        icon={bluenoIcon}
        action={{
          label: 'Add dataset …',
          run: () => void commands.execute(Commands.addDataset)
        }}
      >
        Prepare a public set, register a folder of images, or upload some.
      </Empty>
    );
  }
  const shown = datasets.items.filter(({ name }) =>
    name.toLowerCase().includes(query.toLowerCase())
  );
  return (
    <>
      <SearchBox search={search} placeholder="Search datasets" />
      {shown.length === 0 && <Empty title={`No dataset matches “${query}”`} />}
      <ul className="jp-blueno-list" aria-label="Datasets">
        {shown.map(dataset => (
          <Row
            key={dataset.id}
            dataset={dataset}
            platform={platform}
            commands={commands}
          />
        ))}
      </ul>
    </>
  );
}

interface RowProps {
  dataset: Dataset;
  platform: Platform;
  commands: CommandRegistry;
}

function Row({ dataset, platform, commands }: RowProps): JSX.Element {
  const { id, name, version } = dataset;
  const { state } = version;
  // While it is being prepared its job has more to say than its samples.
  const open = () =>
    state === 'preparing' &&
    version.job_id !== null &&
    commands.hasCommand(Commands.openJob)
      ? commands.execute(Commands.openJob, { id: version.job_id })
      : commands.execute(Commands.openDataset, { id });
  return (
    <li
      className={`jp-blueno-row jp-mod-${state}`}
      data-dataset-id={id}
      onContextMenu={event => {
        if (!event.shiftKey) {
          event.preventDefault();
          event.stopPropagation();
          const { clientX: left, clientY: bottom } = event;
          openDatasetMenu(commands, id, { left, bottom });
        }
      }}
    >
      <button
        className="jp-blueno-button jp-blueno-row-main"
        title={dataset.description ?? name}
        onClick={() => void open()}
      >
        <Strip dataset={dataset} platform={platform} />
        <span className="jp-blueno-row-text">
          <span className="jp-blueno-row-line">
            <span className="jp-blueno-row-name">{name}</span>
            <span className="jp-blueno-row-count">
              {state === 'preparing'
                ? percent(version.progress) || '…'
                : count(version.sample_count)}
            </span>
          </span>
          <Second dataset={dataset} />
        </span>
      </button>
      <button
        className="jp-blueno-button jp-mod-icon jp-blueno-row-more"
        title="More actions"
        aria-label={`Actions for ${name}`}
        aria-haspopup="menu"
        onClick={event =>
          openDatasetMenu(
            commands,
            id,
            event.currentTarget.getBoundingClientRect()
          )
        }
      >
        <ellipsesIcon.react tag={null} />
      </button>
    </li>
  );
}

/** The second line: what it is, how far it is, or why it failed. */
function Second({ dataset }: { dataset: Dataset }): JSX.Element {
  const { version, kinds, label_count, name } = dataset;
  const { state, progress, reason, problems } = version;
  if (state === 'preparing') {
    return (
      <span className="jp-blueno-row-second">
        <ProgressBar
          label={`Preparing ${name}`}
          done={progress?.done ?? 0}
          total={progress?.total ?? null}
        />
        <span className="jp-blueno-row-message">
          {progress?.message ?? 'Preparing'}
        </span>
      </span>
    );
  }
  if (state === 'failed') {
    return (
      <span className="jp-blueno-row-second jp-mod-error" title={reason ?? ''}>
        ⚠ {reason ?? 'It could not be prepared; its job says why.'}
      </span>
    );
  }
  const facts = [
    kindOf(kinds),
    label_count > 0 && counted(label_count, 'label'),
    `v${version.number}`,
    problems.length > 0 && `⚠ ${count(problems.length)} unreadable`
  ];
  return (
    <span className="jp-blueno-row-second">
      {facts.filter(Boolean).join(' · ')}
    </span>
  );
}

const STRIP = { size: 18, gap: 1, count: 4 };

/** Up to four real thumbnails side by side; one of a volume takes all the room. */
function Strip(props: { dataset: Dataset; platform: Platform }): JSX.Element {
  const { dataset, platform } = props;
  const thumbnails = React.useMemo(
    () => new Thumbnails(platform.api, dataset.id),
    [platform, dataset.id]
  );
  React.useEffect(() => () => thumbnails.dispose(), [thumbnails]);
  const key = dataset.preview.join();
  const aspect = aspectOf(dataset.kinds);
  const most = aspect > 1 ? 1 : STRIP.count;
  const ordinals = React.useMemo(
    () => (key ? key.split(',').map(Number).slice(0, most) : []),
    [key, most]
  );
  const pitch = ((STRIP.size + STRIP.gap) * STRIP.count) / most;
  React.useEffect(() => {
    thumbnails.revision = dataset.revision;
    thumbnails.forget(({ sheet }) => sheet === null);
    thumbnails.want(ordinals);
  }, [thumbnails, ordinals, dataset.revision]);
  return (
    <span className="jp-blueno-strip" aria-hidden="true">
      <TileCanvas
        thumbnails={thumbnails}
        ordinals={ordinals}
        size={(pitch - STRIP.gap) / aspect}
        pitch={pitch}
        aspect={aspect}
      />
    </span>
  );
}
