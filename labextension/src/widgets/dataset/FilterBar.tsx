import {
  LabIcon,
  closeIcon,
  listIcon,
  searchIcon
} from '@jupyterlab/ui-components';
import * as React from 'react';
import type { ColumnInfo } from '../../api/types';
import { DatasetModel, type View } from '../../models/dataset';
import { galleryIcon } from '../../icons';
import { useModel } from '../hooks';

const VIEWS: { view: View; label: string; icon: LabIcon }[] = [
  { view: 'gallery', label: 'Gallery', icon: galleryIcon },
  { view: 'table', label: 'Table', icon: listIcon }
];
const STEP = 1.25;

/** The filter as text, the choice of view, the zoom. */
export function FilterBar(props: {
  model: DatasetModel;
  input: React.RefObject<HTMLInputElement>;
  /** Back to the samples, when Enter or Escape leaves the text. */
  leave: () => void;
}): JSX.Element {
  const { model, input, leave } = props;
  const { query, view, columns } = useModel(model);
  return (
    <div className="jp-blueno-filterbar">
      <div className="jp-blueno-filter">
        <searchIcon.react tag="span" className="jp-blueno-filter-icon" />
        <input
          ref={input}
          type="text"
          className="jp-mod-styled"
          aria-label="Filter"
          placeholder={
            columns.length
              ? `Filter by name or label, or split:test ${example(columns[0])}`
              : 'Filter by name or label, or split:test label:7'
          }
          spellCheck={false}
          value={query}
          onChange={event => model.type(event.target.value)}
          onKeyDown={event => {
            if (event.key === 'Escape' && query) {
              model.setFilter();
            } else if (event.key === 'Escape' || event.key === 'Enter') {
              leave();
            } else {
              return;
            }
            event.preventDefault();
          }}
        />
        {query && (
          <button
            className="jp-blueno-button jp-mod-icon"
            title="Clear the filter"
            aria-label="Clear the filter"
            onClick={() => model.setFilter()}
          >
            <closeIcon.react tag={null} />
          </button>
        )}
      </div>
      {columns.length > 0 && <Order model={model} />}
      <div role="radiogroup" aria-label="View" className="jp-blueno-views">
        {VIEWS.map(({ view: one, label, icon: Icon }) => (
          <button
            key={one}
            role="radio"
            aria-checked={view === one}
            aria-label={label}
            title={label}
            className={`jp-blueno-button jp-mod-icon${view === one ? ' jp-mod-active' : ''}`}
            onClick={() => (model.view = one)}
          >
            <Icon.react tag={null} />
          </button>
        ))}
      </div>
      {view === 'gallery' && <Zoom model={model} />}
    </div>
  );
}

/** A condition as it might be typed. */
function example({ name, type }: ColumnInfo): string {
  return type === 'number' ? `${name}<0.5` : `${name}=…`;
}

/** In which order the samples are: their own, or that of a column. */
function Order({ model }: { model: DatasetModel }): JSX.Element {
  const { sort, columns } = useModel(model);
  return (
    <select
      className="jp-mod-styled jp-blueno-order"
      aria-label="Order of the samples"
      title="Order of the samples"
      value={sort}
      onChange={event => (model.sort = event.target.value)}
    >
      <option value="">as stored</option>
      {columns.map(({ name, type }) => (
        <React.Fragment key={name}>
          <option value={name}>
            {name} {type === 'number' ? '↑ least first' : 'A–Z'}
          </option>
          <option value={`-${name}`}>
            {name} {type === 'number' ? '↓ most first' : 'Z–A'}
          </option>
        </React.Fragment>
      ))}
    </select>
  );
}

/** Logarithmic: each step of the slider looks like the same step. */
function Zoom({ model }: { model: DatasetModel }): JSX.Element {
  const { least, most } = DatasetModel.tileSizes;
  return (
    <div className="jp-blueno-zoom" role="group" aria-label="Tile size">
      <button
        className="jp-blueno-button jp-mod-icon"
        title="Smaller tiles"
        aria-label="Smaller tiles"
        disabled={model.tileSize <= least}
        onClick={() => (model.tileSize /= STEP)}
      >
        −
      </button>
      <input
        type="range"
        aria-label="Tile size"
        aria-valuetext={`${model.tileSize} pixels`}
        min={Math.log2(least)}
        max={Math.log2(most)}
        step={0.05}
        value={Math.log2(model.tileSize)}
        onChange={event => (model.tileSize = 2 ** Number(event.target.value))}
      />
      <button
        className="jp-blueno-button jp-mod-icon"
        title="Larger tiles"
        aria-label="Larger tiles"
        disabled={model.tileSize >= most}
        onClick={() => (model.tileSize *= STEP)}
      >
        +
      </button>
    </div>
  );
}
