import * as React from 'react';
import type { Job } from '../../api/types';
import { ChosenJobs } from '../../models/chosen';
import type { JobsModel } from '../../models/jobs';
import { Commands } from '../../tokens';
import { useDebounced, useFetch, useModel } from '../hooks';
import { Empty } from '../states';
import { ChosenBar } from './ChosenBar';
import { JobRow, type Choose } from './JobRow';
import { NotListed, SearchBox, type SectionProps } from './section';

const NEAR_END = 400; // px from the end at which the next page is fetched

/** The jobs of the panel, newest first. */
export function JobsSection(props: SectionProps): JSX.Element {
  const { platform, commands, search } = props;
  const jobs = useModel(platform.jobs);
  const { query, shown: searching } = useModel(search);
  const wanted = useDebounced(query.trim(), 200);
  const found = useFetch(wanted, async signal =>
    wanted && jobs.hasMore ? jobs.find(wanted, signal) : []
  );
  const chosen = useChosen(platform.jobs);
  const end = React.useRef<HTMLDivElement>(null);
  useNearEnd(end, () => {
    if (!query && jobs.hasMore) {
      void jobs.more().catch(() => undefined);
    }
  });
  if (jobs.state !== 'ready') {
    return (
      <NotListed
        what="jobs"
        error={jobs.reason}
        again={() => platform.retry()}
      />
    );
  }
  if (!jobs.items.length && !searching) {
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
  const choose: Choose = {
    toggle: id => chosen.toggle(id),
    extend: (id, from) => {
      if (from) {
        chosen.begin(from);
      }
      chosen.extend(
        id,
        shown.map(job => job.id)
      );
    },
    all: () => chosen.choose(shown.map(job => job.id)),
    clear: () => chosen.clear(),
    among: id => (chosen.has(id) ? chosen.ids : [id])
  };
  return (
    <>
      <SearchBox search={search} placeholder="Search jobs" />
      {chosen.size > 0 && (
        <ChosenBar platform={platform} commands={commands} chosen={chosen} />
      )}
      <ul
        className={`jp-blueno-list jp-blueno-jobs${chosen.size ? ' jp-mod-choosing' : ''}`}
        aria-label="Jobs"
      >
        {shown.map(job => (
          <JobRow
            key={job.id}
            job={job}
            isChosen={chosen.has(job.id)}
            choose={choose}
            commands={commands}
          />
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

/** What is chosen, for as long as the list is there. */
function useChosen(jobs: JobsModel): ChosenJobs {
  const [chosen] = React.useState(() => new ChosenJobs(jobs));
  React.useEffect(() => () => chosen.dispose(), [chosen]);
  return useModel(chosen);
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
