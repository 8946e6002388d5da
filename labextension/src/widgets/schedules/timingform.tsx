/** Asking when: a cron line with what it means, and what becomes of the rest. */
import * as React from 'react';
import { useDebounced, useFetch, useModel } from '../hooks';
import type { Platform } from '../../models/platform';
import {
  CATCH_UP,
  OVERLAP,
  USUAL,
  moment,
  zones,
  type TimingModel
} from '../../models/timing';
import { Choice, Field } from '../add/form';

export function TimingForm(props: {
  model: TimingModel;
  platform: Platform;
}): JSX.Element {
  const { model, platform } = props;
  const [, again] = React.useReducer((count: number) => count + 1, 0);
  const change = (set: () => void) => {
    set();
    model.error = '';
    again();
  };
  return (
    <div className="jp-blueno-form jp-blueno-timing">
      {model.error && (
        <p className="jp-blueno-form-error" role="alert">
          {model.error}
        </p>
      )}
      <CronField model={model} platform={platform} change={change} />
      <DatasetField model={model} platform={platform} change={change} />
      <Choice
        id="blueno-timing-catch-up"
        label="Times that passed while nothing looked"
        value={model.catchUp}
        choices={CATCH_UP}
        onChange={value => change(() => (model.catchUp = value))}
      />
      <Choice
        id="blueno-timing-overlap"
        label="If a run is not over when the next is due"
        value={model.overlap}
        choices={OVERLAP}
        onChange={value => change(() => (model.overlap = value))}
      />
      {model.mayBeFresh && (
        <div className="jp-blueno-field">
          <label className="jp-blueno-field-check">
            <input
              type="checkbox"
              checked={model.fresh}
              onChange={event =>
                change(() => (model.fresh = event.target.checked))
              }
            />
            Read the notebook anew each time
          </label>
          <div className="jp-blueno-field-note">
            Else it runs as it is on screen now.
          </div>
        </div>
      )}
    </div>
  );
}

interface PartProps {
  model: TimingModel;
  platform: Platform;
  change: (set: () => void) => void;
}

/** The line, usual ones to choose from, the zone, and what it all means. */
function CronField({ model, platform, change }: PartProps): JSX.Element {
  const cron = useDebounced(model.cron.trim(), 200);
  const zone = useDebounced(model.zone.trim(), 200);
  const said = useFetch(JSON.stringify([cron, zone]), async signal =>
    cron
      ? { zone, ...(await platform.schedules.describe(cron, zone, signal)) }
      : null
  );
  const { value } = said;
  // Of what stands there now.
  const settled =
    !said.loading && cron === model.cron.trim() && zone === model.zone.trim();
  const problem = settled ? (value?.problem ?? said.error?.message) : undefined;
  const about = problem && /time zone/.test(problem) ? 'zone' : 'cron';
  return (
    <>
      <Field
        id="blueno-timing-cron"
        label="At"
        value={model.cron}
        placeholder="minute hour day month weekday"
        error={about === 'cron' ? problem : undefined}
        onChange={text => change(() => (model.cron = text))}
      />
      <div
        className="jp-blueno-timing-usual"
        role="group"
        aria-label="Usual times"
      >
        {USUAL.map(one => (
          <button
            key={one.cron}
            type="button"
            className="jp-blueno-button jp-blueno-chip"
            aria-pressed={model.cron.trim() === one.cron}
            onClick={() => change(() => (model.cron = one.cron))}
          >
            {one.label}
          </button>
        ))}
      </div>
      <Field
        id="blueno-timing-zone"
        label="Time zone"
        value={model.zone}
        list="blueno-timing-zones"
        error={about === 'zone' ? problem : undefined}
        onChange={text => change(() => (model.zone = text))}
      />
      <datalist id="blueno-timing-zones">
        {zones().map(one => (
          <option key={one} value={one} />
        ))}
      </datalist>
      <div
        className={`jp-blueno-timing-means${problem ? ' jp-mod-empty' : ''}`}
        role="status"
      >
        {value?.words && !problem && (
          <>
            <div>{value.words}. Next:</div>
            <ol>
              {value.times.map(one => (
                <li key={one}>{moment(one, value.zone)}</li>
              ))}
            </ol>
          </>
        )}
      </div>
    </>
  );
}

function DatasetField({ model, platform, change }: PartProps): JSX.Element {
  const datasets = useModel(platform.datasets);
  const names = datasets.items.map(({ name }) => name);
  return (
    <div className="jp-blueno-field">
      <label htmlFor="blueno-timing-dataset">
        When a dataset has a new version
      </label>
      <div className="jp-blueno-field-line">
        <select
          id="blueno-timing-dataset"
          className="jp-mod-styled"
          value={model.dataset}
          onChange={event => change(() => (model.dataset = event.target.value))}
        >
          <option value="">no dataset</option>
          {names.map(name => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </div>
    </div>
  );
}
