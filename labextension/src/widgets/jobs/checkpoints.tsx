import { copyIcon, refreshIcon } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import * as React from 'react';
import type { Checkpoint } from '../../api/types';
import { isOver } from '../../models/jobs';
import { Commands } from '../../tokens';
import { copyPython } from '../copy';
import { useModel } from '../hooks';
import { age, bytes, counted, date, short } from '../numbers';
import type { JobFeed } from './feed';
import { Action } from './header';
import { Heads } from '../heads';

const PAUSE = 2000; // ms between two looks while the job runs

/** What a job kept by `blueno.checkpoint`; nothing where it kept nothing. */
export function Checkpoints(props: {
  feed: JobFeed;
  commands: CommandRegistry;
}): JSX.Element {
  const { feed, commands } = props;
  const host = React.useRef<HTMLDivElement>(null);
  const { job } = useModel(feed);
  const found = useCheckpoints(feed, host);
  return (
    <div ref={host}>
      {found.length > 0 && <List found={found} />}
      {found.length > 0 && job && isOver(job) && (
        <Action
          icon={refreshIcon}
          label="Go on from the newest"
          run={() =>
            commands.execute(Commands.rerunJob, { id: job.id, resume: true })
          }
        />
      )}
    </div>
  );
}

function List({ found }: { found: Checkpoint[] }): JSX.Element {
  return (
    <section className="jp-blueno-checkpoints">
      <h2>Checkpoints</h2>
      <table className="jp-blueno-curves-table">
        <Heads names={['Name', 'Step', 'Size', 'Saved', 'Path']} />
        <tbody>
          {found.map(one => {
            const saved = new Date(one.saved_at * 1000).toISOString();
            return (
              <tr key={one.index}>
                <th scope="row">{one.name}</th>
                <td>{one.step === null ? '–' : short(one.step)}</td>
                <td title={counted(one.files, 'file')}>{bytes(one.size)}</td>
                <td title={date(saved)}>{age(saved)}</td>
                <td>
                  <button
                    className="jp-blueno-button jp-mod-icon"
                    title={one.path}
                    aria-label={`Copy the path of ${one.name}`}
                    onClick={() => copyPython(one.path)}
                  >
                    <copyIcon.react tag={null} />
                  </button>
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </section>
  );
}

/** The newest first; looked for while the job runs, and once more at its end. */
function useCheckpoints(
  feed: JobFeed,
  host: React.RefObject<HTMLElement>
): Checkpoint[] {
  const [found, setFound] = React.useState<Checkpoint[]>([]);
  const { job } = useModel(feed);
  const over = job !== undefined && isOver(job);
  React.useEffect(() => {
    let current = true;
    const look = () =>
      feed
        .checkpoints()
        .then(now => current && setFound(now))
        .catch(() => undefined); // the outputs below say what is wrong
    void look();
    const timer = over
      ? undefined
      : setInterval(() => {
          if (host.current?.offsetParent && !document.hidden) {
            void look();
          }
        }, PAUSE);
    return () => {
      current = false;
      clearInterval(timer);
    };
  }, [feed, host, over]);
  return found;
}
