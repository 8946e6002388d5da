import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import * as React from 'react';
import { reasonOf } from '../../api/client';
import type { Output } from '../../api/types';
import { isOver } from '../../models/jobs';
import { useModel } from '../hooks';
import { Empty, Failed, Loading } from '../states';
import type { JobFeed } from './feed';
import { MimeOutput } from './output';

/**
 * Outputs as far as they are there; more are fetched as they come, and all of
 * them once more when the job is over: some may have been replaced meanwhile.
 */
export function useOutputs(
  feed: JobFeed,
  wanted: number,
  newest = Infinity
): { outputs: Output[]; error: unknown; again: () => void } {
  const [outputs, setOutputs] = React.useState<Output[]>([]);
  const [error, setError] = React.useState<unknown>(null);
  const [attempt, setAttempt] = React.useState(0);
  const last = outputs.at(-1)?.index ?? -1;
  React.useEffect(() => {
    if (wanted - 1 <= last) {
      return;
    }
    let current = true;
    feed
      .outputs(Math.max(last, wanted - 1 - newest))
      .then(more => {
        if (current) {
          setError(null);
          setOutputs(old => [...old, ...more.filter(one => one.index > last)]);
        }
      })
      .catch(reason => current && setError(reason));
    return () => {
      current = false;
    };
  }, [feed, wanted, newest, last, attempt]);
  const over = feed.job !== undefined && isOver(feed.job);
  const seenLive = React.useRef(false);
  seenLive.current ||= !over && outputs.length > 0;
  React.useEffect(() => {
    if (over && seenLive.current) {
      feed
        .outputs(Math.max(-1, wanted - 1 - newest))
        .then(all => setOutputs(old => all.map(one => unchanged(old, one))))
        .catch(() => undefined);
    }
  }, [feed, over, wanted, newest]);
  return { outputs, error, again: () => setAttempt(n => n + 1) };
}

/** The output as it is here already, if it is the same: it need not be redrawn. */
function unchanged(old: Output[], one: Output): Output {
  const here = old.find(({ index }) => index === one.index);
  return here && JSON.stringify(here) === JSON.stringify(one) ? here : one;
}

/** Everything the job showed and returned, in order, live. */
export function Results(props: {
  feed: JobFeed;
  rendermime: IRenderMimeRegistry;
}): JSX.Element {
  const { feed, rendermime } = props;
  const { job } = useModel(feed);
  const { outputs, error, again } = useOutputs(feed, job?.output_count ?? 0);
  if (!job) {
    return <Loading word="Loading the job" />;
  }
  if (error && !outputs.length) {
    return (
      <Failed
        title="The results could not be read"
        error={reasonOf(error)}
        again={again}
      />
    );
  }
  if (!job.output_count) {
    return isOver(job) ? (
      <Empty title="It showed nothing">
        Pictures, tables and the value of the last line appear here.
      </Empty>
    ) : (
      <Empty title="Nothing shown yet">
        Pictures and tables appear here as the job shows them.
      </Empty>
    );
  }
  if (!outputs.length) {
    return <Loading word="Loading results" />;
  }
  return (
    <div className="jp-blueno-results">
      {outputs.map(output => (
        <MimeOutput
          key={output.index}
          output={output}
          rendermime={rendermime}
        />
      ))}
    </div>
  );
}
