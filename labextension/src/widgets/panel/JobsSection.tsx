import * as React from 'react';
import { useModel } from '../hooks';
import { Empty, Failed, Loading } from '../states';
import { SearchBox, type SectionProps } from './section';

/** The jobs of the panel, newest first. */
export function JobsSection({ platform, search }: SectionProps): JSX.Element {
  const jobs = useModel(platform.jobs);
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
    return <Empty title="No jobs yet" />;
  }
  return (
    <>
      <SearchBox search={search} placeholder="Search jobs" />
      <ul className="jp-blueno-list">
        {jobs.items.map(job => (
          <li key={job.id}>{job.name}</li>
        ))}
      </ul>
    </>
  );
}
