import * as React from 'react';
import type { FormModel } from '../../models/form';
import { PACKAGES, PYTHON, SAME } from '../../models/place';
import { Choice, Field } from '../add/form';

/** Where it runs: as before, in an environment that is built, of packages, in another Python. */
export function PlaceFields(props: {
  model: FormModel;
  again: () => void;
}): JSX.Element | null {
  const { model, again } = props;
  const { place, errors } = model;
  if (!place) {
    return null;
  }
  const change = (set: () => void) => {
    set();
    errors.delete(':place');
    again();
  };
  const error = errors.get(':place');
  return (
    <>
      <Choice
        id="blueno-form-place"
        label="Environment"
        value={place.choice}
        choices={[
          [SAME, place.before],
          ...place.environments.map((one): [string, string] => [
            one.key,
            one.requirements.join(', ')
          ]),
          [PACKAGES, 'of packages …'],
          [PYTHON, 'another Python …']
        ]}
        onChange={choice => change(() => (place.choice = choice))}
      />
      {place.choice === PACKAGES && (
        <Field
          id="blueno-form-packages"
          label="Packages"
          value={place.packages}
          placeholder="such as torch==2.8 pandas"
          help="As in a requirements file, with blanks between them. Built once, for all jobs that ask for the same."
          error={error}
          onChange={text => change(() => (place.packages = text))}
        />
      )}
      {place.choice === PYTHON && (
        <Field
          id="blueno-form-python"
          label="Python"
          value={place.python}
          placeholder="3.12, a path, a conda environment"
          error={error}
          onChange={text => change(() => (place.python = text))}
        />
      )}
      {error && place.choice !== PACKAGES && place.choice !== PYTHON && (
        <p className="jp-blueno-form-error" role="alert">
          {error}
        </p>
      )}
    </>
  );
}
