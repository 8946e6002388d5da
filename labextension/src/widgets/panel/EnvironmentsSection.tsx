import { Dialog, Notification, showDialog } from '@jupyterlab/apputils';
import { closeIcon } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import * as React from 'react';
import { reasonOf } from '../../api/client';
import type { Environment } from '../../api/types';
import { isOver, type JobsModel } from '../../models/jobs';
import type { Platform } from '../../models/platform';
import { Commands } from '../../tokens';
import { askForEnvironment } from '../environments/dialog';
import { useFetch, useModel } from '../hooks';
import { age, bytes, counted, date } from '../numbers';
import { Empty } from '../states';
import { NotListed, SearchBox, type SectionProps } from './section';

/** Python environments that were built for jobs. */
export function EnvironmentsSection(props: SectionProps): JSX.Element {
  const { platform, commands, search } = props;
  const { query, shown: searching } = useModel(search);
  const ends = useEnds(platform.jobs);
  const { value, error, again } = useFetch(`environments ${ends}`, signal =>
    platform.api.get('/environments', { signal })
  );
  const build = async () => {
    const job = await askForEnvironment(platform);
    if (job) {
      await commands.execute(Commands.openJob, { id: job.id });
    }
  };
  if (!value) {
    return <NotListed what="environments" error={error} again={again} />;
  }
  const { environments } = value;
  if (!environments.length && !searching) {
    return (
      <Empty
        title="No environments yet"
        action={{ label: 'Build one …', run: () => void build() }}
      >
        A job that names packages (requirements=["torch==2.8"]) or a Python has
        one built, once for all jobs that ask for the same.
      </Empty>
    );
  }
  const found = environments.filter(one =>
    titleOf(one).toLowerCase().includes(query.trim().toLowerCase())
  );
  return (
    <>
      <SearchBox search={search} placeholder="Search environments" />
      {!found.length && <Empty title={`No environment has “${query}”`} />}
      <ul className="jp-blueno-list" aria-label="Environments">
        {found.map(one => (
          <Row
            key={one.key}
            environment={one}
            platform={platform}
            commands={commands}
            again={again}
          />
        ))}
      </ul>
      <button
        className="jp-blueno-button jp-mod-link jp-blueno-environment-build"
        onClick={() => void build()}
      >
        Build one …
      </button>
    </>
  );
}

function Row(props: {
  environment: Environment;
  platform: Platform;
  commands: CommandRegistry;
  again: () => void;
}): JSX.Element {
  const { environment, platform, commands, again } = props;
  const { key, size, created_at, in_use, jobs } = environment;
  const title = titleOf(environment);
  return (
    <li className="jp-blueno-environment" data-environment={key}>
      <div className="jp-blueno-environment-line">
        <span className="jp-blueno-environment-name" title={title}>
          {title}
        </span>
        <span className="jp-blueno-row-count">{bytes(size)}</span>
        <button
          className="jp-blueno-button jp-mod-icon"
          title={in_use ? 'A job uses it now' : 'Remove …'}
          aria-label={`Remove ${title}`}
          disabled={in_use}
          onClick={() => void remove(platform, environment).then(again)}
        >
          <closeIcon.react tag={null} />
        </button>
      </div>
      <div className="jp-blueno-row-second" title={date(created_at)}>
        {pythonOf(environment)} · built {age(created_at)}
        {in_use && ' · in use'}
        {' · '}
        <button
          className="jp-blueno-button jp-mod-link"
          aria-label={`How ${title} was built`}
          onClick={() => void showLog(platform, environment)}
        >
          log
        </button>
        {jobs.length > 0 && (
          <button
            className="jp-blueno-button jp-mod-link"
            title="Open the newest job that used it"
            onClick={() =>
              void commands.execute(Commands.openJob, { id: jobs[0] })
            }
          >
            {counted(jobs.length, 'job')}
          </button>
        )}
      </div>
    </li>
  );
}

function titleOf({ requirements, python }: Environment): string {
  return requirements.join(', ') || `Python ${python}`;
}

/** The version where it was asked for, else the file. */
function pythonOf({ python }: Environment): string {
  return /^\d/.test(python) ? `Python ${python}` : python.split('/').pop()!;
}

/** How often a job ended: then there may be another environment. */
function useEnds(jobs: JobsModel): number {
  const [ends, count] = React.useReducer((before: number) => before + 1, 0);
  React.useEffect(() => {
    const listen: Parameters<typeof jobs.itemChanged.connect>[0] = (
      _,
      { before, now }
    ) => {
      if (now && isOver(now) && !(before && isOver(before))) {
        count();
      }
    };
    jobs.itemChanged.connect(listen);
    return () => void jobs.itemChanged.disconnect(listen);
  }, [jobs]);
  return ends;
}

async function remove(platform: Platform, one: Environment): Promise<void> {
  const { button } = await showDialog({
    title: 'Remove this environment?',
    body: `${titleOf(one)} (${bytes(one.size)}): it is built again when a job asks for it.`,
    buttons: [Dialog.cancelButton(), Dialog.warnButton({ label: 'Remove' })]
  });
  if (button.accept) {
    try {
      await platform.api.delete('/environments/{key}', {
        path: { key: one.key }
      });
    } catch (error) {
      Notification.error(reasonOf(error), { autoClose: 8000 });
    }
  }
}

async function showLog(platform: Platform, one: Environment): Promise<void> {
  try {
    const { body } = await platform.api.bytes('/environments/{key}/log', {
      path: { key: one.key }
    });
    await showDialog({
      title: `How it was built: ${titleOf(one)}`,
      body: (
        <pre className="jp-blueno-environment-log" tabIndex={0}>
          {new TextDecoder().decode(body)}
        </pre>
      ),
      buttons: [Dialog.okButton({ label: 'Close' })]
    });
  } catch (error) {
    Notification.warning(reasonOf(error), { autoClose: 8000 });
  }
}
