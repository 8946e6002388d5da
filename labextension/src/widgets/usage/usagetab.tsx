import { MainAreaWidget } from '@jupyterlab/apputils';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import * as React from 'react';
import type { Holder, JobUsage, PersonUsage } from '../../api/types';
import { bluenoIcon } from '../../icons';
import type { Platform } from '../../models/platform';
import { Commands } from '../../tokens';
import { useFetch } from '../hooks';
import { age, bytes, counted, date } from '../numbers';
import { Empty, Failed, Loading } from '../states';
import { Shares } from './shares';
import { Stored } from './storage';
import { Heads } from '../heads';

const PERIODS = [1, 7, 30, 90, 365];

interface UsageTabOptions {
  platform: Platform;
  commands: CommandRegistry;
}

/** What the team's jobs took of GPUs and cores, by person; who holds GPUs now. */
export class UsageTab extends MainAreaWidget<ReactWidget> {
  constructor(options: UsageTabOptions) {
    const content = ReactWidget.create(<UsageView {...options} />);
    content.addClass('jp-blueno');
    super({ content });
    this.toolbar.hide();
    this.addClass('jp-blueno-usage-tab');
    this.id = 'jp-blueno-usage';
    this.title.icon = bluenoIcon;
    this.title.closable = true;
    this.title.label = 'Usage';
    this.title.caption = 'What the team’s jobs took';
  }
}

function UsageView({ platform, commands }: UsageTabOptions): JSX.Element {
  const [days, setDays] = React.useState(30);
  const { value, error, again } = useFetch(`usage ${days}`, signal =>
    platform.api.get('/usage', { query: { days }, signal })
  );
  if (error && !value) {
    return (
      <Failed title="The usage could not be read" error={error} again={again} />
    );
  }
  if (!value) {
    return <Loading word="Adding up" />;
  }
  const open = (id: string) => void commands.execute(Commands.openJob, { id });
  return (
    <div className="jp-blueno-usage">
      <div className="jp-blueno-usage-head">
        <h1>Usage</h1>
        <label>
          of the last{' '}
          <select
            className="jp-mod-styled"
            value={days}
            onChange={event => setDays(Number(event.target.value))}
          >
            {PERIODS.map(period => (
              <option key={period} value={period}>
                {counted(period, 'day')}
              </option>
            ))}
          </select>
        </label>
        <button className="jp-blueno-button jp-mod-link" onClick={again}>
          Add up again
        </button>
      </div>
      <Shares team={value.team} share={value.of_team} mine={value.of_person} />
      {value.waiting > 0 && (
        <p>
          {counted(value.waiting, 'job')} of the team{' '}
          {value.waiting === 1 ? 'waits' : 'wait'} for room in the quota.
        </p>
      )}
      {value.holders.length > 0 && (
        <>
          <h2>Held now</h2>
          <Holders holders={value.holders} open={open} />
        </>
      )}
      {value.storage && <Stored storage={value.storage} />}
      {value.storage && value.people.length > 0 && <h2>Jobs by person</h2>}
      {value.people.length ? (
        <People people={value.people} />
      ) : (
        <Empty title="No job ran in this time">
          What jobs take of GPUs and cores is added up here, by person.
        </Empty>
      )}
      {value.people.length > 0 && (
        <>
          <h2>Jobs that took most</h2>
          <Jobs label="Jobs that took most" jobs={value.jobs} open={open} />
        </>
      )}
    </div>
  );
}

function Holders(props: {
  holders: Holder[];
  open: (id: string) => void;
}): JSX.Element {
  return (
    <table className="jp-blueno-usage-table" aria-label="Held now">
      <Heads
        names={['What', 'Person', 'GPUs', 'Busy', 'Cores', 'Memory', 'Since']}
      />
      <tbody>
        {props.holders.map(one => (
          <tr key={`${one.kind} ${one.owner} ${one.id}`}>
            <th scope="row">
              {one.kind === 'job' ? (
                <button
                  className="jp-blueno-button jp-mod-link"
                  onClick={() => props.open(one.id)}
                >
                  {one.name}
                </button>
              ) : (
                `Notebook${one.name && ` (${one.name})`}`
              )}
            </th>
            <td>{one.owner}</td>
            <td>{one.gpu || ''}</td>
            <td>
              {one.busy === null ? '' : `${Math.round(100 * one.busy)} %`}
            </td>
            <td>{+one.cpu.toFixed(2)}</td>
            <td>{one.memory ? bytes(one.memory) : ''}</td>
            <td title={date(one.since)}>{age(one.since)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function People({ people }: { people: PersonUsage[] }): JSX.Element {
  const byGpu = people.some(one => one.gpu_hours > 0);
  const hours = (one: PersonUsage) => (byGpu ? one.gpu_hours : one.core_hours);
  const most = Math.max(...people.map(hours), 1e-9);
  return (
    <table className="jp-blueno-usage-table" aria-label="Usage by person">
      <Heads
        names={[
          'Person',
          'Jobs',
          'GPU-hours',
          'Core-hours',
          'Running',
          'GPUs now',
          ''
        ]}
      />
      <tbody>
        {people.map(one => (
          <tr key={one.owner}>
            <th scope="row">{one.owner}</th>
            <td>{one.jobs}</td>
            <td>{one.gpu_hours.toFixed(1)}</td>
            <td>{one.core_hours.toFixed(1)}</td>
            <td>{one.running}</td>
            <td>{one.gpus}</td>
            <td className="jp-blueno-usage-share">
              <div style={{ width: `${(100 * hours(one)) / most}%` }} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Jobs(props: {
  label: string;
  jobs: JobUsage[];
  open: (id: string) => void;
}): JSX.Element {
  return (
    <table className="jp-blueno-usage-table" aria-label={props.label}>
      <Heads
        names={['Job', 'Person', 'GPUs', 'GPU-hours', 'Core-hours', 'Begun']}
      />
      <tbody>
        {props.jobs.map(one => (
          <tr key={one.id}>
            <th scope="row">
              <button
                className="jp-blueno-button jp-mod-link"
                onClick={() => props.open(one.id)}
              >
                {one.name}
              </button>
            </th>
            <td>{one.owner}</td>
            <td>{one.gpus}</td>
            <td>{one.gpu_hours.toFixed(1)}</td>
            <td>{one.core_hours.toFixed(1)}</td>
            <td title={date(one.started_at)}>{age(one.started_at)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
