import { checkIcon } from '@jupyterlab/ui-components';
import * as React from 'react';
import type { FacetValue } from '../../api/types';
import type { DatasetModel } from '../../models/dataset';
import type { Facet } from '../../models/filter';
import { useModel } from '../hooks';
import { count } from '../numbers';

/** Values shown before "show all". */
const FEW = 30;

/** The facets on the left: what there is, how much of it; a click filters. */
export function FacetPanel(props: { model: DatasetModel }): JSX.Element | null {
  const { model } = props;
  const { facets } = useModel(model);
  // Until they are known their place is kept, so that the tiles do not move.
  if (facets && !hasValues(facets.splits) && !hasValues(facets.labels)) {
    return null;
  }
  return (
    <div className="jp-blueno-facets" role="group" aria-label="Filter">
      {facets && (
        <>
          <FacetList model={model} facet="split" values={facets.splits} />
          <FacetList model={model} facet="label" values={facets.labels} />
        </>
      )}
    </div>
  );
}

function FacetList(props: {
  model: DatasetModel;
  facet: Facet;
  values: FacetValue[];
}): JSX.Element | null {
  const { model, facet } = props;
  const [all, setAll] = React.useState(false);
  const chosen = model.filter[facet];
  // What is chosen stays in the list when the other filters leave none of it.
  const missing = chosen
    .filter(one => !props.values.some(({ value }) => (value ?? '') === one))
    .map(value => ({ value: value || null, count: 0 }));
  const values = [...props.values, ...missing];
  if (!hasValues(values)) {
    return null;
  }
  const most = Math.max(1, ...values.map(value => value.count));
  const shown = all
    ? values
    : values.filter(({ value }, i) => i < FEW || chosen.includes(value ?? ''));
  return (
    <section className="jp-blueno-facet" aria-label={facet}>
      <header>
        <h3>{facet}</h3>
        {chosen.length > 0 && (
          <button
            className="jp-blueno-button jp-mod-link"
            onClick={() => model.setFilter({ ...model.filter, [facet]: [] })}
          >
            clear
          </button>
        )}
      </header>
      <ul>
        {shown.map(value => (
          <li key={value.value ?? ''}>
            <FacetButton
              facet={facet}
              value={value}
              part={value.count / most}
              chosen={chosen.includes(value.value ?? '')}
              toggle={() => model.toggle(facet, value.value ?? '')}
            />
          </li>
        ))}
      </ul>
      {values.length > FEW && (
        <button
          className="jp-blueno-button jp-mod-link"
          onClick={() => setAll(!all)}
        >
          {all ? 'Show fewer' : `Show all ${count(values.length)}`}
        </button>
      )}
    </section>
  );
}

/** Whether there is anything to choose: a lone "none" says nothing. */
function hasValues(values: readonly FacetValue[]): boolean {
  return values.some(({ value }) => value !== null);
}

function FacetButton(props: {
  facet: Facet;
  value: FacetValue;
  part: number;
  chosen: boolean;
  toggle: () => void;
}): JSX.Element {
  const { facet, value, part, chosen, toggle } = props;
  return (
    <button
      className={`jp-blueno-facet-value${chosen ? ' jp-mod-chosen' : ''}`}
      aria-pressed={chosen}
      title={`${value.value ?? `no ${facet}`}: ${count(value.count)}`}
      onClick={toggle}
    >
      <span className="jp-blueno-facet-name">
        {value.value ?? <em>no {facet}</em>}
      </span>
      <span className="jp-blueno-facet-count">{count(value.count)}</span>
      {chosen && (
        <checkIcon.react tag="span" className="jp-blueno-facet-check" />
      )}
      <span className="jp-blueno-facet-bar" aria-hidden="true">
        <span style={{ width: `${100 * part}%` }} />
      </span>
    </button>
  );
}
