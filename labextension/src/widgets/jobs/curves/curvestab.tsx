import * as React from 'react';
import { CurvesModel, type Curve } from '../../../models/curves';
import { isOver } from '../../../models/jobs';
import { useModel } from '../../hooks';
import { bytes, count, duration, short } from '../../numbers';
import { Empty, Failed, Loading } from '../../states';
import type { JobFeed } from '../feed';
import { Chart, useTheme } from './chart';
import { extremes, grouped, type Drawn, type Group } from './series';
import { Heads } from '../../heads';

const PERIOD = 1000; // ms between two looks while the job runs

/** What a job logged by `blueno.log_metric`, live. */
export function MetricsTab({ feed }: { feed: JobFeed }): JSX.Element {
  const [drawn, setDrawn] = React.useState<Drawn>({
    along: 'step',
    log: false,
    smoothing: 0
  });
  return (
    <CurvesPage
      feed={feed}
      what="metrics"
      drawn={drawn}
      groups={grouped}
      format={() => short}
      formatStep={step}
      formatAlong={drawn.along === 'step' ? step : minutes}
      controls={<Controls drawn={drawn} setDrawn={setDrawn} />}
      empty={
        <Empty title="No metrics yet">
          One line in the job draws a curve here, live:{' '}
          <code>blueno.log_metric(&quot;loss&quot;, loss)</code>
        </Empty>
      }
    />
  );
}

const PLAIN: Drawn = {
  along: 'step',
  log: false,
  smoothing: 0,
  fromZero: true
};

/** What a job uses of the machine, live. */
export function UsageTab({ feed }: { feed: JobFeed }): JSX.Element {
  return (
    <CurvesPage
      feed={feed}
      what="usage"
      drawn={PLAIN}
      groups={usageGroups}
      format={usageFormat}
      formatStep={duration}
      formatAlong={duration}
      empty={
        <Empty title="Nothing measured">
          Processors, memory, disk and GPUs are measured from the first second
          on; shorter jobs have no curves.
        </Empty>
      }
    />
  );
}

const USAGE: [title: string, names: string[]][] = [
  ['Processors', ['cpu']],
  ['Memory', ['memory']],
  ['GPUs', ['gpu']],
  ['GPU memory', ['gpu_memory']],
  ['Disk', ['disk_read', 'disk_write']],
  ['Processes', ['processes']]
];

const USAGE_NAMES: Record<string, string> = {
  cpu: 'cores in use',
  memory: 'memory',
  gpu: 'busy GPUs',
  gpu_memory: 'GPU memory',
  disk_read: 'read',
  disk_write: 'written',
  processes: 'processes'
};

function usageGroups(curves: readonly Curve[]): Group[] {
  return USAGE.map(([title, names]) => ({
    title,
    curves: curves
      .filter(({ name }) => names.includes(name))
      .map(curve => ({ ...curve, name: USAGE_NAMES[curve.name] }))
  })).filter(group => group.curves.length);
}

function usageFormat(title: string): (value: number) => string {
  return title.includes('emory')
    ? bytes
    : title === 'Disk'
      ? value => `${bytes(value)}/s`
      : short;
}

/** Steps may be millions, and they are exact. */
function step(x: number): string {
  return Number.isInteger(x) ? count(x) : short(x);
}

function minutes(x: number): string {
  return duration(x * 60);
}

function CurvesPage(props: {
  feed: JobFeed;
  what: 'metrics' | 'usage';
  drawn: Drawn;
  groups: (curves: readonly Curve[]) => Group[];
  format: (title: string) => (value: number) => string;
  formatStep: (x: number) => string;
  formatAlong: (x: number) => string;
  controls?: JSX.Element;
  empty: JSX.Element;
}): JSX.Element {
  const { feed, what, drawn, format, formatAlong } = props;
  const host = React.useRef<HTMLDivElement>(null);
  const model = useCurves(feed, what, host);
  const [asTable, setAsTable] = React.useState(false);
  const theme = useTheme();
  const { groups: group } = props;
  const groups = React.useMemo(
    () => group(model.curves),
    [group, model.curves]
  );
  const begin = Math.min(...model.curves.map(({ times }) => times[0]));
  return (
    <div ref={host} className="jp-blueno-curves">
      {!model.loaded ? (
        model.error ? (
          <Failed
            title="The curves could not be read"
            error={model.error}
            again={() => void model.update()}
          />
        ) : (
          <Loading word="Loading curves" />
        )
      ) : !groups.length ? (
        props.empty
      ) : (
        <>
          <div
            className="jp-blueno-curves-bar"
            role="toolbar"
            aria-label="How curves are drawn"
          >
            {!asTable && props.controls}
            <span className="jp-blueno-spacer" />
            <button
              className="jp-blueno-action"
              aria-pressed={asTable}
              onClick={() => setAsTable(!asTable)}
            >
              Table
            </button>
          </div>
          {asTable ? (
            <CurvesTable
              groups={groups}
              format={format}
              step={props.formatStep}
            />
          ) : (
            <div className="jp-blueno-charts">
              {groups.map(group => (
                <Chart
                  key={group.title}
                  group={group}
                  drawn={drawn}
                  begin={begin}
                  word={formatAlong === step ? 'step ' : ''}
                  theme={theme}
                  sync={`${feed.id}-${what}`}
                  format={format(group.title)}
                  formatAlong={formatAlong}
                />
              ))}
            </div>
          )}
        </>
      )}
    </div>
  );
}

/** The job's curves: asked for again and again while it runs and they are in sight. */
function useCurves(
  feed: JobFeed,
  what: 'metrics' | 'usage',
  host: React.RefObject<HTMLElement>
): CurvesModel {
  const model = React.useMemo(
    () => new CurvesModel(after => feed.curves(what, after)),
    [feed, what]
  );
  const { job } = useModel(feed);
  const over = job !== undefined && isOver(job);
  React.useEffect(() => {
    void model.update();
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

function Controls(props: {
  drawn: Drawn;
  setDrawn: (drawn: Drawn) => void;
}): JSX.Element {
  const { drawn, setDrawn } = props;
  const set = (some: Partial<Drawn>) => setDrawn({ ...drawn, ...some });
  return (
    <>
      <label>
        <input
          type="checkbox"
          checked={drawn.log}
          onChange={event => set({ log: event.target.checked })}
        />
        Log scale
      </label>
      <label>
        Smoothing
        <input
          type="range"
          min={0}
          max={0.99}
          step={0.01}
          value={drawn.smoothing}
          onChange={event => set({ smoothing: Number(event.target.value) })}
        />
        <span className="jp-blueno-curves-amount">
          {drawn.smoothing.toFixed(2)}
        </span>
      </label>
      <label>
        Over
        <select
          value={drawn.along}
          onChange={event =>
            set({ along: event.target.value as Drawn['along'] })
          }
        >
          <option value="step">steps</option>
          <option value="time">time</option>
        </select>
      </label>
    </>
  );
}

/** The same in numbers. */
function CurvesTable(props: {
  groups: Group[];
  format: (title: string) => (value: number) => string;
  step: (x: number) => string;
}): JSX.Element {
  return (
    <table className="jp-blueno-curves-table">
      <Heads names={['Curve', 'Newest', 'Lowest', 'Highest', 'Points']} />
      <tbody>
        {props.groups.flatMap(({ title, curves }) =>
          curves.map(curve => {
            const { low, high } = extremes(curve);
            const format = props.format(title);
            return (
              <tr key={`${title}/${curve.name}`}>
                <th scope="row">{curve.name}</th>
                <td>{format(curve.values.at(-1) ?? NaN)}</td>
                {[low, high].map((one, index) => (
                  <td key={index}>
                    {one ? (
                      <>
                        {format(one[0])}{' '}
                        <span className="jp-blueno-hint">
                          at {props.step(one[1])}
                        </span>
                      </>
                    ) : (
                      '–'
                    )}
                  </td>
                ))}
                <td>{count(curve.count)}</td>
              </tr>
            );
          })
        )}
      </tbody>
    </table>
  );
}
