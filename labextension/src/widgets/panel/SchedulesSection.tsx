import { ellipsesIcon } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import * as React from 'react';
import type { Firing, Schedule, Standby } from '../../api/types';
import { scheduleIcon } from '../../icons';
import type { Platform } from '../../models/platform';
import { Commands } from '../../tokens';
import { copyPython } from '../copy';
import { useModel } from '../hooks';
import { openMenu } from '../menus';
import { Dot, lookOf, nextLine, runWords, trouble } from '../schedules/words';
import { Empty } from '../states';
import { NotListed, SearchBox, type SectionProps } from './section';

/** The schedules of the panel, by name. */
export function SchedulesSection(props: SectionProps): JSX.Element {
  const { platform, commands, search } = props;
  const schedules = useModel(platform.schedules);
  useModel(platform.jobs); // how the runs are doing
  const { query } = useModel(search);
  if (schedules.state !== 'ready') {
    return (
      <NotListed
        what="schedules"
        error={schedules.reason}
        again={() => platform.retry()}
      />
    );
  }
  if (!schedules.items.length) {
    return (
      <Empty title="No schedules yet" icon={scheduleIcon}>
        “Schedule …” above a notebook, or in the menu of a job, has it run every
        night, or with each new version of a dataset.
      </Empty>
    );
  }
  const shown = schedules.items.filter(({ name }) =>
    name.toLowerCase().includes(query.trim().toLowerCase())
  );
  return (
    <>
      <SearchBox search={search} placeholder="Search schedules" />
      {shown.length === 0 && (
        <Empty title={`No schedule is called “${query}”`} />
      )}
      <ul className="jp-blueno-list" aria-label="Schedules">
        {shown.map(schedule => (
          <Row
            key={schedule.id}
            schedule={schedule}
            platform={platform}
            commands={commands}
          />
        ))}
      </ul>
      {schedules.standby && <Unattended standby={schedules.standby} />}
    </>
  );
}

interface RowProps {
  schedule: Schedule;
  platform: Platform;
  commands: CommandRegistry;
}

function Row({ schedule, platform, commands }: RowProps): JSX.Element {
  const { id, name, paused, runs } = schedule;
  const job = (run: Firing | undefined) =>
    run?.job_id ? platform.jobs.get(run.job_id) : undefined;
  const wrong = trouble(schedule, job(runs[0]));
  const menu = (left: number, bottom: number) =>
    openMenu(commands, OF_SCHEDULE, { id }, left, bottom);
  return (
    <li
      className={`jp-blueno-schedule${paused ? ' jp-mod-paused' : ''}`}
      data-schedule={name}
      onContextMenu={event => {
        if (!event.shiftKey) {
          event.preventDefault();
          event.stopPropagation();
          menu(event.clientX, event.clientY);
        }
      }}
    >
      <div className="jp-blueno-schedule-line">
        <button
          className="jp-blueno-button jp-blueno-schedule-name"
          title={`Change ${name}`}
          aria-label={`Change ${name}`}
          onClick={() => void commands.execute(Commands.editSchedule, { id })}
        >
          {name}
        </button>
        <Switch
          label={`${name} starts by itself`}
          on={!paused}
          toggle={() => void commands.execute(Commands.pauseSchedule, { id })}
        />
        <button
          className="jp-blueno-button jp-mod-icon"
          title="More actions"
          aria-label={`Actions for ${name}`}
          aria-haspopup="menu"
          onClick={event => {
            const { left, bottom } =
              event.currentTarget.getBoundingClientRect();
            menu(left, bottom);
          }}
        >
          <ellipsesIcon.react tag={null} />
        </button>
      </div>
      <div className="jp-blueno-schedule-when">{nextLine(schedule)}</div>
      <div className="jp-blueno-schedule-when" title={schedule.words}>
        {schedule.words}
      </div>
      {runs.length > 0 && (
        <div
          className="jp-blueno-schedule-runs"
          role="group"
          aria-label="Last runs"
        >
          {runs.toReversed().map(run => (
            <Dot
              key={run.key}
              look={lookOf(run, job(run))}
              words={runWords(run, job(run), schedule.timing.zone)}
              open={
                run.job_id && (run.job_state ?? job(run))
                  ? () =>
                      void commands.execute(Commands.openJob, {
                        id: run.job_id
                      })
                  : undefined
              }
            />
          ))}
        </div>
      )}
      {wrong && <div className="jp-blueno-schedule-wrong">{wrong}</div>}
    </li>
  );
}

const OF_SCHEDULE = [
  Commands.runSchedule,
  Commands.editSchedule,
  Commands.pauseSchedule,
  Commands.copySchedule,
  Commands.deleteSchedule
];

function Switch(props: {
  label: string;
  on: boolean;
  toggle: () => void;
}): JSX.Element {
  const { label, on, toggle } = props;
  return (
    <button
      className="jp-blueno-button jp-blueno-switch"
      role="switch"
      aria-checked={on}
      aria-label={label}
      title={on ? 'Pause' : 'Let it go on'}
      onClick={toggle}
    >
      <span />
    </button>
  );
}

/** What would not be started once Lab is closed, and the command that changes it. */
function Unattended({ standby }: { standby: Standby }): JSX.Element | null {
  const { sentence, command } = standby;
  if (!sentence || !command) {
    return null;
  }
  return (
    <div className="jp-blueno-unattended" role="note">
      {sentence}
      <div className="jp-blueno-unattended-command">
        <code>{command}</code>
        <button
          className="jp-blueno-button jp-mod-link"
          onClick={() => copyPython(command)}
        >
          Copy
        </button>
      </div>
    </div>
  );
}
