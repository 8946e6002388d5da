import { ellipsesIcon } from '@jupyterlab/ui-components';
import * as React from 'react';
import type { CommandRegistry } from '@lumino/commands';
import type { Job } from '../../api/types';
import { isOver } from '../../models/jobs';
import { Commands } from '../../tokens';
import { openJobMenu, openJobMenuAt, openJobsMenu } from '../jobs/menu';
import {
  StateSign,
  isRunning,
  metricsLine,
  reasonLine,
  runningTime,
  stateWord,
  useNow
} from '../jobs/words';
import { age, date, duration, percent } from '../numbers';

/** How jobs of the list are chosen. */
export interface Choose {
  toggle: (id: string) => void;
  /** Up to this one; `from` is where it begins where none is chosen yet. */
  extend: (id: string, from?: string) => void;
  all: () => void;
  clear: () => void;
  /** The chosen ones where this is one of them, else this one. */
  among: (id: string) => string[];
}

/** One job of the list; it can be chosen beside others. */
export function JobRow(props: {
  job: Job;
  isChosen: boolean;
  choose: Choose;
  commands: CommandRegistry;
}): JSX.Element {
  const { job, isChosen, choose, commands } = props;
  const open = () => void commands.execute(Commands.openJob, { id: job.id });
  const onClick = (event: React.MouseEvent) => {
    if (event.shiftKey) {
      choose.extend(job.id);
    } else if (event.ctrlKey || event.metaKey) {
      choose.toggle(job.id);
    } else {
      open();
    }
  };
  return (
    <li
      className={`jp-blueno-job${isChosen ? ' jp-mod-chosen' : ''}`}
      data-job={job.id}
      data-state={job.state}
      onContextMenu={event => {
        event.preventDefault();
        event.stopPropagation();
        const { clientX: x, clientY: y } = event;
        const ids = choose.among(job.id);
        if (ids.length > 1) {
          openJobsMenu(commands, ids, x, y);
        } else {
          openJobMenu(commands, job.id, x, y);
        }
      }}
    >
      <input
        type="checkbox"
        className="jp-blueno-job-choose"
        aria-label={`Choose ${job.name}`}
        title="Choose it beside others (x)"
        checked={isChosen}
        tabIndex={-1}
        onClick={event =>
          event.shiftKey ? choose.extend(job.id) : choose.toggle(job.id)
        }
        onChange={() => undefined}
      />
      <div
        className="jp-blueno-job-row"
        role="button"
        tabIndex={0}
        aria-keyshortcuts="x"
        onClick={onClick}
        onKeyDown={event => onRowKey(event, job.id, choose, commands)}
      >
        <StateSign job={job} />
        <span className="jp-blueno-job-name" title={job.name}>
          {job.name}
        </span>
        <RowFacts job={job} />
      </div>
      <button
        className="jp-blueno-button jp-mod-icon jp-blueno-job-more"
        aria-label={`What to do with ${job.name}`}
        title="More …"
        aria-haspopup="menu"
        onClick={event => openJobMenuAt(commands, job.id, event.currentTarget)}
      >
        <ellipsesIcon.react tag={null} />
      </button>
    </li>
  );
}

/** Time and percent while it runs, else why it waits or how it ended. */
function RowFacts({ job }: { job: Job }): JSX.Element {
  const over = isOver(job);
  const now = useNow(true, over ? 30_000 : 1000);
  const reason = reasonLine(job) || metricsLine(job);
  if (isRunning(job)) {
    const ran = runningTime(job, now);
    return (
      <>
        <span className="jp-blueno-job-time">
          {job.desired !== 'run'
            ? stateWord(job)
            : ran === null
              ? stateWord(job)
              : duration(ran)}
        </span>
        <span className="jp-blueno-job-percent">{percent(job.progress)}</span>
        {reason && <Reason text={reason} />}
      </>
    );
  }
  const moment = job.finished_at ?? job.created_at;
  return (
    <>
      <span className="jp-blueno-job-time" title={date(moment)}>
        {over ? age(moment, now) : stateWord(job)}
      </span>
      {reason && <Reason text={reason} />}
    </>
  );
}

function Reason({ text }: { text: string }): JSX.Element {
  return (
    <span className="jp-blueno-job-reason" title={text}>
      {text}
    </span>
  );
}

/**
 * Enter opens, the arrows go to the rows above and below, with shift they choose;
 * x chooses one, Ctrl+A all, Escape none; Delete asks whether to delete.
 */
function onRowKey(
  event: React.KeyboardEvent,
  id: string,
  choose: Choose,
  commands: CommandRegistry
): void {
  const row = event.currentTarget.parentElement;
  const other =
    event.key === 'ArrowDown'
      ? row?.nextElementSibling
      : event.key === 'ArrowUp'
        ? row?.previousElementSibling
        : null;
  if (event.key === 'Enter' || event.key === ' ') {
    void commands.execute(Commands.openJob, { id });
  } else if (other instanceof HTMLElement) {
    other.querySelector<HTMLElement>('.jp-blueno-job-row')?.focus();
    if (event.shiftKey && other.dataset.job) {
      choose.extend(other.dataset.job, id);
    }
  } else if (event.key === 'x') {
    choose.toggle(id);
  } else if (event.key === 'a' && (event.ctrlKey || event.metaKey)) {
    choose.all();
  } else if (event.key === 'Escape') {
    choose.clear();
  } else if (event.key === 'Delete') {
    void commands.execute(Commands.deleteJobs, { ids: choose.among(id) });
  } else {
    return;
  }
  event.preventDefault();
  event.stopPropagation();
}
