import * as React from 'react';
import { reasonOf } from '../../api/client';
import type {
  Environment,
  Form,
  Job,
  Parameter,
  Preview
} from '../../api/types';
import { AMOUNTS, FormModel, type Changes } from '../../models/form';
import { Field } from '../add/form';
import { ask } from './asking';
import { PlaceFields } from './placefields';
import { PreviewTable } from './preview';

/** Ask for other values in a dialog, and start the job with them; see `ask`. */
export async function askAndStart(
  form: Form,
  environments: readonly Environment[],
  title: string,
  start: (changes: Changes) => Promise<Job>,
  preview: (changes: Changes) => Promise<Preview>
): Promise<Job | null> {
  const model = new FormModel(form, environments);
  return ask<Changes, Job, Preview>({
    title,
    accept: 'Run',
    body: told => (
      <>
        {told && <PreviewTable preview={told} />}
        <FormView model={model} />
      </>
    ),
    focus: () =>
      model.errors.size
        ? '.jp-blueno-job-form [aria-invalid="true"]'
        : '.jp-blueno-job-form input:not(:disabled)',
    read: () => model.read(),
    start,
    preview,
    refused: error => {
      if (!model.refused(error)) {
        model.errors.set('', reasonOf(error));
      }
    }
  });
}

/** The fields of a job's form. */
export function FormView({ model }: { model: FormModel }): JSX.Element {
  const [, again] = React.useReducer((count: number) => count + 1, 0);
  const { form, errors } = model;
  const change = (key: string, set: () => void) => {
    set();
    errors.delete(key);
    again();
  };
  return (
    <div className="jp-blueno-form">
      {errors.has('') && (
        <p className="jp-blueno-form-error" role="alert">
          {errors.get('')}
        </p>
      )}
      {form.command_line !== null && (
        <Field
          id="blueno-form-command"
          label="Command"
          value={model.commandLine}
          onChange={text => change('', () => (model.commandLine = text))}
        />
      )}
      {form.parameters.map(one => (
        <ParameterField
          key={one.name}
          parameter={one}
          text={model.texts.get(one.name) ?? ''}
          error={errors.get(one.name)}
          onChange={text =>
            change(one.name, () => model.texts.set(one.name, text))
          }
        />
      ))}
      {form.command_line === null && !form.parameters.length && (
        <p>{WITHOUT[form.kind] ?? WITHOUT.cell}</p>
      )}
      <PlaceFields model={model} again={again} />
      <ResourceFields model={model} again={again} />
    </div>
  );
}

/** What it may use, and its name. */
export function ResourceFields(props: {
  model: FormModel;
  again: () => void;
}): JSX.Element {
  const { model, again } = props;
  const { errors } = model;
  const change = (key: string, set: () => void) => {
    set();
    errors.delete(key);
    again();
  };
  return (
    <fieldset className="jp-blueno-form-resources">
      <legend>What it may use</legend>
      {AMOUNTS.map(({ name, label, placeholder, help }) => (
        <Field
          key={name}
          id={`blueno-form-${name}`}
          label={label}
          value={model.amounts[name]}
          placeholder={placeholder}
          help={help}
          error={errors.get(`:${name}`)}
          onChange={text =>
            change(`:${name}`, () => (model.amounts[name] = text))
          }
        />
      ))}
      <Field
        id="blueno-form-name"
        label="Name"
        value={model.name}
        error={errors.get(':name')}
        onChange={text => change(':name', () => (model.name = text))}
      />
    </fieldset>
  );
}

/** How values get into a form, where there are none. */
const WITHOUT: Partial<Record<Form['kind'], string>> = {
  notebook:
    'This notebook has no parameters. Tag the cell that sets them “parameters” (in the property inspector), and they stand here.',
  function: 'This function takes no arguments.',
  cell: 'This cell took no plain values along that could be changed.'
};

export function ParameterField(props: {
  parameter: Parameter;
  text: string;
  error?: string;
  onChange: (text: string) => void;
}): JSX.Element {
  const { parameter, text, error, onChange } = props;
  const { name, type, choices, fixed, help } = parameter;
  const id = `blueno-parameter-${name}`;
  const about = fixed
    ? 'Sent as it was; it can be changed from Python only.'
    : (help ?? undefined);
  if (type === 'bool' && !fixed && !choices.length) {
    return (
      <div className="jp-blueno-field">
        <label className="jp-blueno-field-check">
          <input
            type="checkbox"
            checked={text === 'true'}
            aria-describedby={`${id}-note`}
            onChange={event => onChange(String(event.target.checked))}
          />
          {name}
        </label>
        <div id={`${id}-note`} className="jp-blueno-field-note">
          {error ?? about}
        </div>
      </div>
    );
  }
  if (choices.length && !fixed) {
    return (
      <div className="jp-blueno-field">
        <label htmlFor={id}>{name}</label>
        <div className="jp-blueno-field-line">
          <select
            id={id}
            className="jp-mod-styled"
            value={text}
            aria-describedby={`${id}-note`}
            onChange={event => onChange(event.target.value)}
          >
            {choices.map(choice => {
              const value =
                typeof choice === 'string' && type === 'str'
                  ? choice
                  : JSON.stringify(choice);
              return <option key={value}>{value}</option>;
            })}
          </select>
        </div>
        <div id={`${id}-note`} className="jp-blueno-field-note">
          {error ?? about}
        </div>
      </div>
    );
  }
  return (
    <Field
      id={id}
      label={name}
      value={text}
      placeholder={parameter.default ?? undefined}
      error={error}
      help={about}
      disabled={fixed}
      onChange={onChange}
    />
  );
}
