import { closeIcon } from '@jupyterlab/ui-components';
import * as React from 'react';
import type { CommandRegistry } from '@lumino/commands';
import type { ChosenJobs } from '../../models/chosen';
import { MOST } from '../../models/comparison';
import { isOver } from '../../models/jobs';
import type { Platform } from '../../models/platform';
import { Commands } from '../../tokens';
import { counted } from '../numbers';

/** What can be done to the jobs that are chosen. */
export function ChosenBar(props: {
  platform: Platform;
  commands: CommandRegistry;
  chosen: ChosenJobs;
}): JSX.Element {
  const { platform, commands, chosen } = props;
  const { ids } = chosen;
  const over = ids.filter(id => {
    const job = platform.jobs.get(id);
    return job && isOver(job);
  });
  const active = ids.filter(id => !over.includes(id));
  const button = (
    label: string,
    command: string,
    on: string[],
    can: boolean,
    title: string
  ) => (
    <button
      className="jp-blueno-action"
      disabled={!can}
      title={title}
      onClick={() => void commands.execute(command, { ids: on })}
    >
      {label}
    </button>
  );
  return (
    <div
      className="jp-blueno-chosen"
      role="toolbar"
      aria-label="What to do with the chosen jobs"
    >
      <span className="jp-blueno-chosen-count" role="status">
        {counted(ids.length, 'job')} chosen
      </span>
      <button
        className="jp-blueno-button jp-mod-icon"
        title="Choose none (Escape)"
        aria-label="Choose none"
        onClick={() => chosen.clear()}
      >
        <closeIcon.react tag={null} />
      </button>
      <div className="jp-blueno-chosen-actions">
        {button(
          'Compare',
          Commands.compareJobs,
          ids,
          ids.length > 1 && ids.length <= MOST,
          ids.length > MOST
            ? `At most ${MOST} are compared`
            : 'Parameters, metrics, code and environment side by side'
        )}
        {button(
          'TensorBoard',
          Commands.openTensorBoard,
          ids,
          true,
          'Their metrics and event files in one TensorBoard'
        )}
        {button(
          'Cancel …',
          Commands.cancelJobs,
          active,
          active.length > 0,
          active.length ? 'Stop those that are not over' : 'They are all over'
        )}
        {button(
          'Delete …',
          Commands.deleteJobs,
          over,
          over.length > 0,
          over.length ? 'Take those off the list that are over' : 'None is over'
        )}
      </div>
    </div>
  );
}
