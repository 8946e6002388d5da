import { FilterBox } from '@jupyterlab/ui-components';
import * as React from 'react';
import { reasonOf } from '../../api/client';
import type { PublicSet } from '../../api/types';
import { useFetch, useModel } from '../hooks';
import { bytes, count, counted, percent } from '../numbers';
import { Empty, Failed, Loading } from '../states';
import type { AddProps } from './AddView';

/** Public image sets by name: choose some, prepare them in the background. */
export function PublicSets({ platform }: AddProps): JSX.Element {
  const { value, error, again } = useFetch('public-sets', signal =>
    platform.api.get('/ingests/public-sets', { signal })
  );
  if (error) {
    return (
      <Failed
        title="The public sets could not be listed"
        error={error}
        again={again}
      />
    );
  }
  return value ? (
    <Choice platform={platform} sets={value.sets} />
  ) : (
    <Loading word="Loading the list of public sets" rows={8} />
  );
}

function Choice(props: {
  platform: AddProps['platform'];
  sets: readonly PublicSet[];
}): JSX.Element {
  const { platform, sets } = props;
  const [query, setQuery] = React.useState('');
  const [chosen, setChosen] = React.useState<ReadonlySet<string>>(new Set());
  const [failures, setFailures] = React.useState<ReadonlyMap<string, string>>(
    new Map()
  );
  const [busy, setBusy] = React.useState(false);
  const shown = React.useMemo(() => matching(sets, query), [sets, query]);

  const toggle = (name: string) => {
    const next = new Set(chosen);
    if (!next.delete(name)) {
      next.add(name);
    }
    setChosen(next);
  };
  const prepare = async () => {
    setBusy(true);
    const failed = new Map<string, string>();
    for (const name of chosen) {
      try {
        await platform.datasets.ingest({
          name,
          source: { type: 'public', builder: name }
        });
      } catch (error) {
        failed.set(name, reasonOf(error));
      }
    }
    setFailures(failed);
    setChosen(new Set(failed.keys()));
    setBusy(false);
  };
  return (
    <div className="jp-blueno-public">
      <FilterBox
        placeholder={`Search ${count(sets.length)} public sets`}
        showIcon={true}
        updateFilter={(_, text) => setQuery(text ?? '')}
      />
      {shown.length === 0 && (
        <Empty title={`No public set matches “${query}”`} />
      )}
      <ul className="jp-blueno-public-list" aria-label="Public sets">
        {shown.map(set => (
          <Row
            key={set.name}
            set={set}
            platform={platform}
            chosen={chosen.has(set.name)}
            failure={failures.get(set.name)}
            toggle={() => toggle(set.name)}
          />
        ))}
      </ul>
      <div className="jp-blueno-public-foot">
        <span role="status">{summary(sets, chosen)}</span>
        <button
          className="jp-mod-styled jp-mod-accept"
          disabled={busy || !chosen.size}
          onClick={() => void prepare()}
        >
          {busy ? 'Starting …' : 'Prepare'}
        </button>
      </div>
    </div>
  );
}

function Row(props: {
  set: PublicSet;
  platform: AddProps['platform'];
  chosen: boolean;
  failure?: string;
  toggle: () => void;
}): JSX.Element {
  const { set, platform, chosen, failure, toggle } = props;
  const version = useModel(platform.datasets).byName(set.name)?.version;
  const state =
    version?.state === 'preparing'
      ? `preparing ${percent(version.progress)}`
      : version?.state === 'ready'
        ? 'in your datasets'
        : set.prepared
          ? 'downloaded'
          : '';
  const disabled = version?.state === 'preparing' || version?.state === 'ready';
  return (
    <li>
      <label
        className={`jp-blueno-public-set${chosen ? ' jp-mod-chosen' : ''}`}
      >
        <input
          type="checkbox"
          checked={chosen}
          disabled={disabled}
          onChange={toggle}
        />
        <span className="jp-blueno-public-text">
          <span className="jp-blueno-public-line">
            <strong>{set.title || set.name}</strong>
            {set.original && (
              <span
                className="jp-blueno-mark"
                title="One of the sets that Blueno had from the start"
              >
                classic
              </span>
            )}
            {state && (
              <span className="jp-blueno-mark jp-mod-state">{state}</span>
            )}
            <span className="jp-blueno-public-size">
              {set.download_bytes ? bytes(set.download_bytes) : 'size unknown'}
            </span>
          </span>
          <span className="jp-blueno-public-description">
            {set.title && set.title !== set.name ? `${set.name}: ` : ''}
            {set.description}
          </span>
          {set.manual && (
            <span className="jp-blueno-public-manual">
              Needs files that only you can fetch
              {set.homepage && (
                <>
                  {' '}
                  from{' '}
                  <a href={set.homepage} target="_blank" rel="noreferrer">
                    its page
                  </a>
                </>
              )}
              .
            </span>
          )}
          {failure && (
            <span className="jp-blueno-form-error" role="alert">
              {failure}
            </span>
          )}
        </span>
      </label>
    </li>
  );
}

/** The first ones first; all words of the query anywhere. */
function matching(sets: readonly PublicSet[], query: string): PublicSet[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  return sets
    .filter(({ name, title, description }) => {
      const text = `${name} ${title} ${description}`.toLowerCase();
      return words.every(word => text.includes(word));
    })
    .sort((a, b) => Number(b.original) - Number(a.original));
}

function summary(
  sets: readonly PublicSet[],
  chosen: ReadonlySet<string>
): string {
  if (!chosen.size) {
    return 'Choose one or more.';
  }
  const size = sets
    .filter(({ name }) => chosen.has(name))
    .reduce((sum, { download_bytes }) => sum + (download_bytes ?? 0), 0);
  const download = size ? `, ${bytes(size)} to download` : '';
  return `${counted(chosen.size, 'set')} chosen${download}`;
}
