import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { CommandRegistry } from '@lumino/commands';
import * as React from 'react';
import { reasonOf } from '../../api/client';
import type { Output } from '../../api/types';
import { isOver } from '../../models/jobs';
import { useModel } from '../hooks';
import { Empty, Failed, Loading } from '../states';
import { Checkpoints } from './checkpoints';
import type { JobFeed } from './feed';
import { MimeOutput } from './output';

/**
 * Outputs as far as they are there; more are fetched as they come, and those
 * that they replace go. All are fetched once more when the job is over.
 */
export function useOutputs(
  feed: JobFeed,
  wanted: number,
  newest = Infinity
): {
  outputs: Output[];
  cleared: boolean;
  error: unknown;
  again: () => void;
} {
  const [outputs, setOutputs] = React.useState<Output[]>([]);
  const [error, setError] = React.useState<unknown>(null);
  const [attempt, setAttempt] = React.useState(0);
  const shown = React.useRef(outputs);
  shown.current = outputs;
  const last = outputs.at(-1)?.index ?? -1;
  React.useEffect(() => {
    if (wanted - 1 <= last) {
      return;
    }
    let current = true;
    feed
      .outputs(Math.max(last, wanted - 1 - newest))
      .then(async more => {
        // Between two looks an output may have come and gone: what it had
        // replaced is not known then.
        const all = missed(shown.current, more)
          ? await feed.outputs(Math.max(-1, wanted - 1 - newest))
          : null;
        if (current) {
          setError(null);
          setOutputs(old => (all ? kept(old, all) : merged(old, more)));
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
        .then(all => setOutputs(old => kept(old, all)))
        .catch(() => undefined);
    }
  }, [feed, over, wanted, newest]);
  // A cleared display leaves an output that shows nothing.
  const filled = React.useMemo(
    () => outputs.filter(({ data }) => Object.keys(data).length),
    [outputs]
  );
  return {
    outputs: filled,
    cleared: outputs.length > 0 && !filled.length,
    error,
    again: () => setAttempt(n => n + 1)
  };
}

/** The outputs with those that came since, without those that these replace. */
function merged(old: Output[], more: Output[]): Output[] {
  const gone = new Set(more.flatMap(one => one.replaces ?? []));
  const last = old.at(-1)?.index ?? -1;
  return [...old, ...more.filter(one => one.index > last)].filter(
    one => !gone.has(one.index)
  );
}

/** Whether `more` replaces what was never here, so that its forerunner may still be. */
function missed(old: Output[], more: Output[]): boolean {
  const known = new Set([...old, ...more].map(one => one.index));
  const first = old.at(0)?.index ?? Infinity;
  return more.some(one =>
    (one.replaces ?? []).some(index => index > first && !known.has(index))
  );
}

/** All outputs; those that are here already need not be redrawn. */
function kept(old: Output[], all: Output[]): Output[] {
  return all.map(one => unchanged(old, one));
}

/** The output as it is here already, if it is the same: it need not be redrawn. */
function unchanged(old: Output[], one: Output): Output {
  const here = old.find(({ index }) => index === one.index);
  return here && JSON.stringify(here) === JSON.stringify(one) ? here : one;
}

/** What the job kept, showed and returned, in order, live. */
export function Results(props: {
  feed: JobFeed;
  rendermime: IRenderMimeRegistry;
  commands: CommandRegistry;
}): JSX.Element {
  return (
    <>
      <Checkpoints feed={props.feed} commands={props.commands} />
      <Shown {...props} />
    </>
  );
}

function Shown(props: {
  feed: JobFeed;
  rendermime: IRenderMimeRegistry;
}): JSX.Element {
  const { feed, rendermime } = props;
  const { job } = useModel(feed);
  const wanted = job?.output_count ?? 0;
  const { outputs, cleared, error, again } = useOutputs(feed, wanted);
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
  if (!wanted || cleared) {
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
