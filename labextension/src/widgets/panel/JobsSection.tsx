import { ellipsesIcon } from '@jupyterlab/ui-components';
import * as React from 'react';
import type { CommandRegistry } from '@lumino/commands';
import type { Job } from '../../api/types';
import { isOver } from '../../models/jobs';
import { Commands } from '../../tokens';
import { useDebounced, useFetch, useModel } from '../hooks';
import { openJobMenu, openJobMenuAt } from '../jobs/menu';
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
import { Empty, Failed, Loading } from '../states';
import { SearchBox, type SectionProps } from './section';

const NEAR_END = 400; // px from the end at which the next page is fetched

/** The jobs of the panel, newest first. */
export function JobsSection(props: SectionProps): JSX.Element {
  const { platform, commands, search } = props;
  const jobs = useModel(platform.jobs);
  const { query } = useModel(search);
  const wanted = useDebounced(query.trim(), 200);
  const found = useFetch(wanted, async signal =>
    wanted && jobs.hasMore ? jobs.find(wanted, signal) : []
  );
  const end = React.useRef<HTMLDivElement>(null);
  useNearEnd(end, () => {
    if (!query && jobs.hasMore) {
      void jobs.more().catch(() => undefined);
    }
  });
  if (jobs.state === 'loading') {
    return <Loading word="Loading jobs" />;
  }
  if (jobs.state === 'failed') {
    return (
      <Failed
        title="The jobs could not be listed"
        error={jobs.reason}
        again={() => platform.retry()}
      />
    );
  }
  if (!jobs.items.length) {
    return (
      <Empty
        title="No jobs yet"
        action={{
          label: 'Open an example',
          run: () => void commands.execute(Commands.openExampleJob)
        }}
      >
        Run a notebook or one cell in the background with the “Run as job”
        button above it. It goes on when the browser or Jupyter is closed.
      </Empty>
    );
  }
  const shown = matching(jobs.items, jobs.listed, found.value ?? [], query);
  return (
    <>
      <SearchBox search={search} placeholder="Search jobs" />
      <ul className="jp-blueno-list jp-blueno-jobs" aria-label="Jobs">
        {shown.map(job => (
          <JobRow key={job.id} job={job} commands={commands} />
        ))}
      </ul>
      {query && !shown.length && !found.loading && (
        <Empty title={`No job is called “${query}”`} />
      )}
      <div ref={end} className="jp-blueno-list-end">
        {!query && jobs.hasMore ? 'Loading older jobs …' : ''}
      </div>
    </>
  );
}

/** Those of the pages loaded, or of all that are known those with the text. */
function matching(
  known: readonly Job[],
  listed: readonly Job[],
  found: readonly Job[],
  query: string
): readonly Job[] {
  const text = query.trim().toLowerCase();
  if (!text) {
    return listed;
  }
  const ids = new Set(found.map(job => job.id));
  return known.filter(
    job =>
      ids.has(job.id) ||
      job.name.toLowerCase().includes(text) ||
      job.id.startsWith(text)
  );
}

function JobRow(props: { job: Job; commands: CommandRegistry }): JSX.Element {
  const { job, commands } = props;
  const open = () => void commands.execute(Commands.openJob, { id: job.id });
  return (
    <li
      className="jp-blueno-job"
      data-job={job.id}
      data-state={job.state}
      onContextMenu={event => {
        event.preventDefault();
        event.stopPropagation();
        openJobMenu(commands, job.id, event.clientX, event.clientY);
      }}
    >
      <div
        className="jp-blueno-job-row"
        role="button"
        tabIndex={0}
        onClick={open}
        onKeyDown={event => onRowKey(event, open)}
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

/** Enter opens; the arrows go to the rows above and below. */
function onRowKey(event: React.KeyboardEvent, open: () => void): void {
  const row = event.currentTarget.parentElement;
  const other =
    event.key === 'ArrowDown'
      ? row?.nextElementSibling
      : event.key === 'ArrowUp'
        ? row?.previousElementSibling
        : null;
  if (event.key === 'Enter' || event.key === ' ') {
    event.preventDefault();
    open();
  } else if (other) {
    event.preventDefault();
    other.querySelector<HTMLElement>('.jp-blueno-job-row')?.focus();
  }
}

/** Call back when the end of a list comes near the view. */
function useNearEnd(
  end: React.RefObject<HTMLElement>,
  reached: () => void
): void {
  const latest = React.useRef(reached);
  latest.current = reached;
  React.useEffect(() => {
    if (!end.current) {
      return;
    }
    const observer = new IntersectionObserver(
      ([entry]) => entry.isIntersecting && latest.current(),
      { rootMargin: `${NEAR_END}px` }
    );
    observer.observe(end.current);
    return () => observer.disconnect();
  });
}
