import type { CommandRegistry } from '@lumino/commands';
import { Notification } from '@jupyterlab/apputils';
import * as React from 'react';
import { reasonOf } from '../../../api/client';
import type { Sweep, Trial } from '../../../api/types';
import { isOver } from '../../../models/jobs';
import { bestOf, TrialsModel } from '../../../models/trials';
import { Commands } from '../../../tokens';
import { useModel } from '../../hooks';
import { count, short } from '../../numbers';
import { Empty, Failed, Loading } from '../../states';
import type { JobFeed } from '../feed';
import { Action } from '../header';
import { useNow } from '../words';
import { axesOf, textOf } from './axes';
import { chosenBy, type Brushes } from './brush';
import { History } from './history';
import { Parallel } from './parallel';
import type { Pointed } from './pointed';
import { TrialTable } from './table';

const PERIOD = 1000; // ms between two looks while the sweep runs
const COMPARED = 3; // trials that are put side by side
const MORE = 10; // trials that a sweep goes on with, unless said otherwise

/** The trials of a sweep, live: the best, two pictures, all of them as a table. */
export function TrialsTab(props: {
  feed: JobFeed;
  commands: CommandRegistry;
}): JSX.Element {
  const { feed, commands } = props;
  const host = React.useRef<HTMLDivElement>(null);
  const model = useTrials(feed, host);
  const { sweep, trials } = model;
  const [number, point] = React.useState<number | null>(null);
  const open = (trial: Trial) =>
    void commands.execute(Commands.openJob, { id: trial.job_id });
  const pointed: Pointed = { number, point, open };
  const now = useNow(trials.some(({ state }) => state === 'running'));
  return (
    <div ref={host} className="jp-blueno-trials">
      {!sweep ? (
        model.error ? (
          <Failed
            title="The trials could not be read"
            error={model.error}
            again={() => void model.update()}
          />
        ) : (
          <Loading word="Loading trials" />
        )
      ) : (
        <>
          <Bar sweep={sweep} feed={feed} model={model} commands={commands} />
          <Best sweep={sweep} open={open} />
          {trials.length ? (
            <Trials sweep={sweep} trials={trials} pointed={pointed} now={now} />
          ) : (
            <Empty title="No trials yet">
              The first one starts as soon as there is room for it.
            </Empty>
          )}
        </>
      )}
    </div>
  );
}

/** The pictures, and the table of those that are chosen in them. */
function Trials(props: {
  sweep: Sweep;
  trials: readonly Trial[];
  pointed: Pointed;
  now: number;
}): JSX.Element {
  const { sweep, trials, pointed, now } = props;
  const [brushes, choose] = React.useState<Brushes>({});
  const axes = React.useMemo(() => axesOf(sweep, trials), [sweep, trials]);
  const chosen = React.useMemo(
    () => chosenBy(brushes, axes, trials),
    [brushes, axes, trials]
  );
  const picked = Object.keys(brushes);
  return (
    <>
      {Object.keys(sweep.counts).includes('complete') && (
        <div className="jp-blueno-trials-figures">
          <Parallel
            sweep={sweep}
            trials={trials}
            axes={axes}
            pointed={pointed}
            brushes={brushes}
            choose={choose}
          />
          <History sweep={sweep} trials={trials} pointed={pointed} />
        </div>
      )}
      <div className="jp-blueno-trials-chosen" role="status">
        {picked.length > 0 && (
          <>
            {`${count(chosen.length)} of ${count(trials.length)} trials, chosen by ${picked.join(', ')}`}
            <Action label="Show all" run={async () => choose({})} />
          </>
        )}
      </div>
      <TrialTable sweep={sweep} trials={chosen} pointed={pointed} now={now} />
    </>
  );
}

/** What is wanted, how far it is, and how it may go on. */
function Bar(props: {
  sweep: Sweep;
  feed: JobFeed;
  model: TrialsModel;
  commands: CommandRegistry;
}): JSX.Element {
  const { sweep, feed, model, commands } = props;
  const { job } = useModel(feed);
  const over = job !== undefined && isOver(job);
  const { counts } = sweep;
  const best = bestOf(sweep, model.trials).slice(0, COMPARED);
  const words = (
    ['running', 'waiting', 'complete', 'pruned', 'failed', 'cancelled'] as const
  )
    .filter(state => counts[state])
    .map(state => `${count(counts[state])} ${state}`)
    .join(' · ');
  return (
    <div
      className="jp-blueno-curves-bar"
      role="toolbar"
      aria-label="About the sweep"
    >
      <span>
        {sweep.plan.direction} <b>{sweep.plan.objective}</b>
        <span className="jp-blueno-hint"> {samplerInWords(sweep)}</span>
      </span>
      <span className="jp-blueno-trials-counts">{words}</span>
      <span className="jp-blueno-spacer" />
      {best.length > 1 && (
        <Action
          label={`Compare the best ${best.length}`}
          run={() =>
            commands.execute(Commands.compareJobs, {
              ids: best.map(({ job_id }) => job_id)
            })
          }
        />
      )}
      {over ? (
        <GoOn model={model} commands={commands} />
      ) : (
        <>
          <Amount
            label="At once"
            value={sweep.plan.at_once}
            set={at_once => model.change({ at_once })}
          />
          <Amount
            label="Trials"
            value={sweep.plan.stop.trials ?? sweep.points ?? 20}
            set={trials => model.change({ trials })}
          />
        </>
      )}
    </div>
  );
}

function samplerInWords({ plan }: Sweep): string {
  const how = { tpe: 'Optuna TPE', random: 'by chance', grid: 'grid' };
  return `${how[plan.sampler]}${plan.prune ? ', with pruning' : ''}`;
}

/** A number that counts at once when it is changed. */
function Amount(props: {
  label: string;
  value: number;
  set: (value: number) => Promise<void>;
}): JSX.Element {
  const { label, value, set } = props;
  const [text, setText] = React.useState(String(value));
  React.useEffect(() => setText(String(value)), [value]);
  const take = () => {
    const wanted = Number(text);
    if (Number.isInteger(wanted) && wanted > 0 && wanted !== value) {
      set(wanted).catch(error => {
        Notification.error(reasonOf(error), { autoClose: 8000 });
        setText(String(value));
      });
    } else {
      setText(String(value));
    }
  };
  return (
    <label>
      {label}
      <input
        type="number"
        min={1}
        value={text}
        onChange={event => setText(event.target.value)}
        onBlur={take}
        onKeyDown={event => event.key === 'Enter' && take()}
      />
    </label>
  );
}

/** More trials of a sweep that is over, by a new job. */
function GoOn(props: {
  model: TrialsModel;
  commands: CommandRegistry;
}): JSX.Element {
  const { model, commands } = props;
  const [text, setText] = React.useState(String(MORE));
  const more = Number(text);
  const run = async () => {
    try {
      const id = await model.resume(more);
      await commands.execute(Commands.openJob, { id });
    } catch (error) {
      Notification.error(reasonOf(error), { autoClose: 8000 });
    }
  };
  return (
    <>
      <label>
        More trials
        <input
          type="number"
          min={1}
          value={text}
          onChange={event => setText(event.target.value)}
        />
      </label>
      <Action
        label="Go on"
        disabled={!Number.isInteger(more) || more < 1}
        run={run}
      />
    </>
  );
}

/** The best so far, in large letters. */
function Best(props: {
  sweep: Sweep;
  open: (trial: Trial) => void;
}): JSX.Element | null {
  const { sweep, open } = props;
  const { best } = sweep;
  if (!best || best.value === null) {
    return null;
  }
  return (
    <div
      className="jp-blueno-trials-best"
      role="group"
      aria-label="Best so far"
    >
      <span className="jp-blueno-trials-value">{short(best.value)}</span>
      <dl>
        {Object.entries(best.parameters).map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd title={String(value)}>{textOf(value)}</dd>
          </div>
        ))}
      </dl>
      <span className="jp-blueno-spacer" />
      <Action
        label={`Open trial ${best.number}`}
        run={async () => open(best)}
      />
    </div>
  );
}

/** Asked for when the sweep's job changed, and again and again while trials run in sight. */
function useTrials(
  feed: JobFeed,
  host: React.RefObject<HTMLElement>
): TrialsModel {
  const model = React.useMemo(
    () => new TrialsModel(feed.platform.api, feed.id),
    [feed]
  );
  const { job } = useModel(feed);
  const over = job !== undefined && isOver(job);
  React.useEffect(() => void model.update(), [model, job?.revision]);
  React.useEffect(() => {
    if (over) {
      return;
    }
    const timer = setInterval(() => {
      if (host.current?.offsetParent && !document.hidden) {
        void model.update();
      }
    }, PERIOD);
    return () => clearInterval(timer);
  }, [model, host, over]);
  return useModel(model);
}
