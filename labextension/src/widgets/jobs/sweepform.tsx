import * as React from 'react';
import type {
  Environment,
  Form,
  Outline,
  Parameter,
  Sweep
} from '../../api/types';
import type { Changes } from '../../models/form';
import {
  SweepFormModel,
  modesOf,
  type Mode,
  type Plan,
  type Rule
} from '../../models/sweepform';
import { Choice, Field } from '../add/form';
import { ask } from './asking';
import { ParameterField, ResourceFields } from './jobform';
import { PlaceFields } from './placefields';
import { OutlineTable } from './preview';

/** Ask what of a job is to vary, and start the sweep; see `ask`. */
export async function askAndSweep(
  form: Form,
  environments: readonly Environment[],
  metrics: readonly string[],
  start: (changes: Changes, plan: Plan) => Promise<Sweep>,
  preview: (changes: Changes, plan: Plan) => Promise<Outline>
): Promise<Sweep | null> {
  const model = new SweepFormModel(form, metrics, environments);
  return ask<{ changes: Changes; plan: Plan }, Sweep, Outline>({
    title: `Sweep ${form.name}`,
    accept: 'Start Sweep',
    body: told => (
      <>
        {told && <OutlineTable outline={told} />}
        <SweepForm model={model} />
      </>
    ),
    focus: () =>
      model.errors.size || model.work.errors.size
        ? '.jp-blueno-job-form [aria-invalid="true"]'
        : '.jp-blueno-job-form select, .jp-blueno-job-form input',
    read: () => model.read(),
    start: ({ changes, plan }) => start(changes, plan),
    preview: ({ changes, plan }) => preview(changes, plan),
    refused: error => model.refused(error)
  });
}

const RULES: readonly { name: Rule; label: string; placeholder: string }[] = [
  { name: 'patience', label: 'Stop when not better', placeholder: 'trials' },
  { name: 'target', label: 'Stop when reached', placeholder: 'objective' },
  { name: 'hours', label: 'Stop after', placeholder: 'hours' },
  { name: 'failures', label: 'Stop when failed', placeholder: 'trials' }
];

function SweepForm({ model }: { model: SweepFormModel }): JSX.Element {
  const [, again] = React.useReducer((count: number) => count + 1, 0);
  const { errors, form, rules, work } = model;
  const change = (key: string, set: () => void) => {
    set();
    errors.delete(key);
    errors.delete('');
    again();
  };
  const rule = (name: Rule, label: string, placeholder: string) => (
    <Field
      key={name}
      id={`blueno-sweep-${name}`}
      label={label}
      value={rules[name]}
      placeholder={placeholder}
      error={errors.get(`:${name}`)}
      onChange={text => change(`:${name}`, () => (rules[name] = text))}
    />
  );
  return (
    <div className="jp-blueno-form">
      {errors.has('') && (
        <p className="jp-blueno-form-error" role="alert">
          {errors.get('')}
        </p>
      )}
      {form.command_line !== null && (
        <Field
          id="blueno-sweep-command"
          label="Command"
          value={work.commandLine}
          help="Write a name in braces where a value belongs: --lr {lr}"
          onChange={text => change('', () => (work.commandLine = text))}
        />
      )}
      {model.parameters.map(one => (
        <WayField key={one.name} model={model} parameter={one} again={again} />
      ))}
      {form.command_line === null && !model.parameters.length && (
        <p>This job took no values that could vary.</p>
      )}
      <fieldset className="jp-blueno-form-resources">
        <legend>What counts, and how it is looked for</legend>
        <Field
          id="blueno-sweep-objective"
          label="Objective"
          value={model.objective}
          placeholder="a metric that it logs"
          list="blueno-sweep-metrics"
          error={errors.get(':objective')}
          onChange={text =>
            change(':objective', () => (model.objective = text))
          }
        />
        <datalist id="blueno-sweep-metrics">
          {model.metrics.map(name => (
            <option key={name} value={name} />
          ))}
        </datalist>
        <Choice
          id="blueno-sweep-direction"
          label="Better is"
          value={model.minimizes ? 'minimize' : 'maximize'}
          choices={[
            ['maximize', 'more'],
            ['minimize', 'less']
          ]}
          onChange={value =>
            change(
              '',
              () => (model.direction = value as typeof model.direction)
            )
          }
        />
        <Choice
          id="blueno-sweep-sampler"
          label="Values are chosen"
          value={model.sampler}
          choices={[
            ['tpe', 'by what was good so far (TPE)'],
            ['random', 'by chance'],
            ['grid', 'one after the other (grid)']
          ]}
          onChange={value =>
            change('', () => (model.sampler = value as typeof model.sampler))
          }
        />
        {rule('trials', 'Trials', model.sampler === 'grid' ? 'all' : '20')}
        {rule('at_once', 'At once', '2')}
        <label className="jp-blueno-field-check">
          <input
            type="checkbox"
            checked={model.prune}
            onChange={event =>
              change('', () => (model.prune = event.target.checked))
            }
          />
          End bad trials early
        </label>
      </fieldset>
      <details
        className="jp-blueno-timing-work"
        open={RULES.some(({ name }) => errors.has(`:${name}`))}
      >
        <summary>When it stops</summary>
        <div className="jp-blueno-form-resources">
          {RULES.map(({ name, label, placeholder }) =>
            rule(name, label, placeholder)
          )}
        </div>
      </details>
      <details className="jp-blueno-timing-work" open={work.errors.size > 0}>
        <summary>Name, environment and resources of a trial</summary>
        <PlaceFields model={work} again={again} />
        <ResourceFields model={work} again={again} />
      </details>
    </div>
  );
}

const MODES: Record<Mode, string> = {
  same: 'stays',
  list: 'is one of',
  range: 'from … to',
  log: 'from … to (log)'
};

/** How one parameter varies. */
function WayField(props: {
  model: SweepFormModel;
  parameter: Parameter;
  again: () => void;
}): JSX.Element {
  const { model, parameter, again } = props;
  const { name } = parameter;
  const way = model.way(parameter);
  const error = model.errors.get(name) ?? model.work.errors.get(name);
  const id = `blueno-way-${name}`;
  const change = (set: () => void) => {
    set();
    model.errors.delete(name);
    model.errors.delete('');
    model.work.errors.delete(name);
    again();
  };
  const end = (key: 'low' | 'high' | 'list', label: string) => (
    <input
      type="text"
      className="jp-mod-styled"
      aria-label={`${name} ${label}`}
      aria-invalid={Boolean(error)}
      aria-describedby={`${id}-note`}
      spellCheck={false}
      value={way[key]}
      onChange={event => change(() => (way[key] = event.target.value))}
    />
  );
  return (
    <div className="jp-blueno-way">
      <select
        className="jp-mod-styled"
        aria-label={`How ${name} varies`}
        value={way.mode}
        onChange={event =>
          change(() => (way.mode = event.target.value as Mode))
        }
      >
        {modesOf(parameter).map(mode => (
          <option key={mode} value={mode}>
            {MODES[mode]}
          </option>
        ))}
      </select>
      {way.mode === 'same' ? (
        <ParameterField
          parameter={parameter}
          text={model.work.texts.get(name) ?? ''}
          error={error}
          onChange={text => change(() => model.work.texts.set(name, text))}
        />
      ) : (
        <div className={`jp-blueno-field${error ? ' jp-mod-wrong' : ''}`}>
          <label>{name}</label>
          <div className="jp-blueno-field-line">
            {way.mode === 'list' ? (
              end('list', 'values')
            ) : (
              <>
                {end('low', 'from')}
                <span>…</span>
                {end('high', 'to')}
              </>
            )}
          </div>
          <div
            id={`${id}-note`}
            className="jp-blueno-field-note"
            role={error ? 'alert' : undefined}
          >
            {error ?? (way.mode === 'list' ? 'Between commas.' : '')}
          </div>
        </div>
      )}
    </div>
  );
}
