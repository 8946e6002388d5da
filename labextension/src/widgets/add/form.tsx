import * as React from 'react';
import { ApiError, reasonOf } from '../../api/client';

/** A labelled input with what is wrong with it below. */
export function Field(props: {
  id: string;
  label: string;
  value: string;
  placeholder?: string;
  error?: string;
  help?: string;
  disabled?: boolean;
  type?: 'text' | 'password';
  /** The id of a list of proposals. */
  list?: string;
  onChange: (value: string) => void;
  children?: React.ReactNode;
}): JSX.Element {
  const { id, label, value, error, help, children } = props;
  // Not `jp-mod-error`: Lab's dialogs cannot be left with that, even when it is gone again.
  return (
    <div className={`jp-blueno-field${error ? ' jp-mod-wrong' : ''}`}>
      <label htmlFor={id}>{label}</label>
      <div className="jp-blueno-field-line">
        <input
          id={id}
          type={props.type ?? 'text'}
          autoComplete={props.type === 'password' ? 'new-password' : undefined}
          className="jp-mod-styled"
          value={value}
          placeholder={props.placeholder}
          disabled={props.disabled}
          list={props.list}
          spellCheck={false}
          aria-invalid={Boolean(error)}
          aria-describedby={`${id}-note`}
          onChange={event => props.onChange(event.target.value)}
        />
        {children}
      </div>
      <div
        id={`${id}-note`}
        className="jp-blueno-field-note"
        role={error ? 'alert' : undefined}
      >
        {error ?? help}
      </div>
    </div>
  );
}

/** Which field an error is about: the name, or where the data comes from. */
export interface FieldErrors {
  name?: string;
  source?: string;
}

export function fieldErrors(error: unknown): FieldErrors {
  const about =
    error instanceof ApiError &&
    (error.code === 'already_exists' || error.code.includes('name'))
      ? 'name'
      : 'source';
  return { [about]: reasonOf(error) };
}

/** A name for what lies at a path: its last part. */
export function nameOf(path: string): string {
  return path.replace(/\/+$/, '').split('/').pop() ?? '';
}

/** A field with one of some values. */
export function Choice<T extends string>(props: {
  id: string;
  label: string;
  value: T;
  choices: readonly [T, string][];
  onChange: (value: T) => void;
}): JSX.Element {
  const { id, label, value, choices, onChange } = props;
  return (
    <div className="jp-blueno-field">
      <label htmlFor={id}>{label}</label>
      <div className="jp-blueno-field-line">
        <select
          id={id}
          className="jp-mod-styled"
          value={value}
          onChange={event => onChange(event.target.value as T)}
        >
          {choices.map(([one, words]) => (
            <option key={one} value={one}>
              {words}
            </option>
          ))}
        </select>
      </div>
    </div>
  );
}
