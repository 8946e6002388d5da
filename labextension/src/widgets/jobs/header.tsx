import {
  ellipsesIcon,
  refreshIcon,
  runIcon,
  stopIcon,
  type LabIcon
} from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import * as React from 'react';
import type { Job } from '../../api/types';
import { isOver, isPaused, takesValues } from '../../models/jobs';
import { Commands } from '../../tokens';
import { useModel } from '../hooks';
import {
  age,
  count,
  counted,
  date,
  duration,
  percent,
  short
} from '../numbers';
import { ProgressBar } from '../states';
import { Why } from './failure';
import type { JobFeed } from './feed';
import { openJobMenuAt } from './menu';
import { StateSign, isRunning, stateLine, timeLeft, useNow } from './words';

/** Above the tabs of a job: its name, how it stands, and what one can do. */
export function JobHeader(props: {
  feed: JobFeed;
  commands: CommandRegistry;
}): JSX.Element {
  const { feed, commands } = props;
  const { job } = useModel(feed);
  if (!job) {
    return <div className="jp-blueno-job-header" />;
  }
  return (
    <div className="jp-blueno-job-header" data-state={job.state}>
      <div className="jp-blueno-job-headline">
        <h1 className="jp-blueno-job-title" title={job.name}>
          {job.name}
        </h1>
        <Standing job={job} />
        <span className="jp-blueno-spacer" />
        <JobButtons job={job} commands={commands} />
        <button
          className="jp-blueno-button jp-mod-icon"
          title="More …"
          aria-label="More"
          aria-haspopup="menu"
          onClick={event =>
            openJobMenuAt(commands, job.id, event.currentTarget)
          }
        >
          <ellipsesIcon.react tag={null} />
        </button>
      </div>
      <JobProgress job={job} />
      <JobMetrics job={job} />
      <Why job={job} commands={commands} />
    </div>
  );
}

/** Sign, word, time, percent and time left. */
export function Standing({ job }: { job: Job }): JSX.Element {
  const now = useNow(true, isOver(job) ? 30_000 : 1000);
  const left = timeLeft(job, now);
  return (
    <span className="jp-blueno-job-standing" aria-live="off">
      <StateSign job={job} />
      <span className="jp-blueno-job-state">{stateLine(job, now)}</span>
      {job.resources.workers > 1 && (
        <span className="jp-blueno-job-left">
          {counted(job.resources.workers, 'worker')}
        </span>
      )}
      {isRunning(job) && job.progress?.total && (
        <span className="jp-blueno-job-percent">{percent(job.progress)}</span>
      )}
      {left !== null && (
        <span className="jp-blueno-job-left">~{duration(left)} left</span>
      )}
      {job.finished_at && (
        <span className="jp-blueno-job-left" title={date(job.finished_at)}>
          {age(job.finished_at, now)}
        </span>
      )}
    </span>
  );
}

/** The bar with its message, while there is something to come. */
export function JobProgress({ job }: { job: Job }): JSX.Element | null {
  const { progress } = job;
  if (!isRunning(job) || !progress) {
    return null;
  }
  const { done, total, message } = progress;
  return (
    <div className="jp-blueno-job-progress">
      <ProgressBar
        done={done}
        total={total}
        label={`Progress of ${job.name}`}
      />
      <span className="jp-blueno-job-message">
        {[message, total ? `${count(done)} of ${count(total)}` : count(done)]
          .filter(Boolean)
          .join(' · ')}
      </span>
    </div>
  );
}

/** The newest values of the first few metrics. */
export function JobMetrics({ job }: { job: Job }): JSX.Element | null {
  const metrics = Object.entries(job.metrics ?? {});
  return metrics.length ? (
    <div className="jp-blueno-job-metrics" aria-label="Newest metrics">
      {metrics.map(([name, value]) => (
        <span key={name}>
          {name} <b>{short(Number(value))}</b>
        </span>
      ))}
    </div>
  ) : null;
}

/** Cancel while it is under way, run again when it is over. */
export function JobButtons(props: {
  job: Job;
  commands: CommandRegistry;
  rerun?: () => Promise<unknown>;
}): JSX.Element {
  const { job, commands } = props;
  const rerun =
    props.rerun ?? (() => commands.execute(Commands.rerunJob, { id: job.id }));
  return isOver(job) ? (
    <>
      <Action
        icon={refreshIcon}
        label="Run again"
        disabled={job.kind === 'ingest'}
        run={rerun}
      />
      {takesValues(job) && (
        <button
          className="jp-blueno-action jp-mod-beside"
          title="Run again with other values …"
          aria-label="With other values"
          aria-haspopup="dialog"
          onClick={() =>
            void commands.execute(Commands.rerunJobWith, { id: job.id })
          }
        >
          Other values …
        </button>
      )}
    </>
  ) : (
    <>
      {isPaused(job) && (
        <Action
          icon={runIcon}
          label="Continue"
          run={() => commands.execute(Commands.unpauseJob, { id: job.id })}
        />
      )}
      <Action
        icon={stopIcon}
        label="Cancel"
        disabled={job.desired === 'cancel'}
        run={() => commands.execute(Commands.cancelJob, { id: job.id })}
      />
    </>
  );
}

/** A button that is busy until what it started has answered. */
export function Action(props: {
  icon?: LabIcon;
  label: string;
  disabled?: boolean;
  run: () => Promise<unknown>;
}): JSX.Element {
  const { icon: Icon, label, disabled, run } = props;
  const [busy, setBusy] = React.useState(false);
  return (
    <button
      className="jp-blueno-action"
      disabled={disabled || busy}
      onClick={() => {
        setBusy(true);
        void run().finally(() => setBusy(false));
      }}
    >
      {Icon && <Icon.react tag="span" width="14px" />}
      {label}
    </button>
  );
}
