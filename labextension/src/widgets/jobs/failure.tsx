import type { CommandRegistry } from '@lumino/commands';
import { copyIcon, notebookIcon, refreshIcon } from '@jupyterlab/ui-components';
import * as React from 'react';
import type { Failure, Job, Resources } from '../../api/types';
import { isOver, takesValues } from '../../models/jobs';
import { Commands } from '../../tokens';
import { Action } from './header';
import { reasonLine } from './words';

/** Runs a job again, with other resources where some are given. */
export type Rerun = (resources?: Resources) => Promise<unknown>;

/** Why a job waits or how it ended; of a failure the line, its values, and what to do. */
export function Why(props: {
  job: Job;
  commands: CommandRegistry;
  rerun?: Rerun;
}): JSX.Element | null {
  const { job, commands } = props;
  const reason = reasonLine(job);
  if (!reason) {
    return null;
  }
  const rerun: Rerun =
    props.rerun ??
    (resources =>
      commands.execute(Commands.rerunJob, {
        id: job.id,
        ...(resources && { resources })
      }));
  return (
    <div className="jp-blueno-job-why" role="status">
      <div>{reason}</div>
      {job.failure && <Place failure={job.failure} />}
      {isOver(job) && job.state !== 'CANCELLED' && takesValues(job) && (
        <div className="jp-blueno-job-next">
          <Suggested job={job} commands={commands} rerun={rerun} />
          <Action
            icon={notebookIcon}
            label="Open a notebook here"
            run={() => commands.execute(Commands.openJobBench, { id: job.id })}
          />
        </div>
      )}
    </div>
  );
}

/** The line that failed, and what its names were. */
function Place({ failure }: { failure: Failure }): JSX.Element | null {
  const { line, variables } = failure;
  if (!line) {
    return null;
  }
  const within =
    line.function && !line.function.startsWith('<')
      ? ` in ${line.function}`
      : '';
  return (
    <div className="jp-blueno-failure">
      <div className="jp-blueno-failure-place">
        {`${line.file}, line ${line.number}${within}`}
      </div>
      {line.text && <pre className="jp-blueno-failure-line">{line.text}</pre>}
      {variables.length > 0 && (
        <dl
          className="jp-blueno-failure-values"
          aria-label="Values in this line"
        >
          {variables.map(({ name, value }) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      )}
    </div>
  );
}

/** The button that mends it, where there is one. */
function Suggested(props: {
  job: Job;
  commands: CommandRegistry;
  rerun: Rerun;
}): JSX.Element | null {
  const { job, commands, rerun } = props;
  const suggestion = job.failure?.suggestion;
  if (!suggestion) {
    return null;
  }
  const { label, resources, command, resume } = suggestion;
  return resume ? (
    <Action
      icon={refreshIcon}
      label={label}
      run={() =>
        commands.execute(Commands.rerunJob, { id: job.id, resume: true })
      }
    />
  ) : command ? (
    <Action
      icon={copyIcon}
      label={label}
      run={() => commands.execute(Commands.copyJobFix, { id: job.id })}
    />
  ) : (
    <Action
      icon={refreshIcon}
      label={label}
      run={() => rerun(resources ?? undefined)}
    />
  );
}
