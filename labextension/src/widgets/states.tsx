/** What a list shows instead of its items: nothing yet, on its way, or broken. */
import type { LabIcon } from '@jupyterlab/ui-components';
import * as React from 'react';
import { reasonOf } from '../api/client';
import { useDelay } from './hooks';

/** Nothing there: what it would be, and what to do first. */
export function Empty(props: {
  title: string;
  icon?: LabIcon;
  children?: React.ReactNode;
  action?: { label: string; run: () => void };
}): JSX.Element {
  const { title, icon: Icon, children, action } = props;
  return (
    <div className="jp-blueno-state jp-mod-empty" role="status">
      {Icon && (
        <Icon.react tag="div" className="jp-blueno-state-icon" width="32px" />
      )}
      <div className="jp-blueno-state-title">{title}</div>
      {children && <div className="jp-blueno-state-text">{children}</div>}
      {action && (
        <button className="jp-mod-styled jp-mod-accept" onClick={action.run}>
          {action.label}
        </button>
      )}
    </div>
  );
}

/** Grey shapes of what comes, after a moment; `word` says what is awaited. */
export function Loading({
  word,
  rows = 3
}: {
  word: string;
  rows?: number;
}): JSX.Element {
  const shown = useDelay(150);
  return (
    <div
      className="jp-blueno-state jp-mod-loading"
      role="status"
      aria-live="polite"
    >
      {shown && (
        <>
          {Array.from({ length: rows }, (_, row) => (
            <div key={row} className="jp-blueno-skeleton" />
          ))}
          <div className="jp-blueno-state-text">{word} …</div>
        </>
      )}
    </div>
  );
}

/** What went wrong, and a way to try again. */
export function Failed(props: {
  title: string;
  error: unknown;
  again?: () => void;
}): JSX.Element {
  const { title, error, again } = props;
  return (
    <div className="jp-blueno-state jp-mod-failed" role="alert">
      <div className="jp-blueno-state-title">{title}</div>
      <div className="jp-blueno-state-text">{reasonOf(error)}</div>
      {again && (
        <button className="jp-mod-styled" onClick={again}>
          Try again
        </button>
      )}
    </div>
  );
}

/** A bar; without a total it only says that something goes on. */
export function ProgressBar(props: {
  done: number;
  total: number | null;
  label: string;
}): JSX.Element {
  const { done, total, label } = props;
  const known = total !== null && total > 0;
  const percent = known ? Math.min(100, (100 * done) / total) : undefined;
  return (
    <div
      className={`jp-blueno-progress${known ? '' : ' jp-mod-unknown'}`}
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={percent === undefined ? undefined : Math.round(percent)}
    >
      <div
        style={{ width: percent === undefined ? undefined : `${percent}%` }}
      />
    </div>
  );
}
