import type { CommandRegistry } from '@lumino/commands';
import * as React from 'react';
import type { Job } from '../../api/types';
import type { DatasetModel } from '../../models/dataset';
import { modelIcon } from '../../icons';
import { isOver } from '../../models/jobs';
import { Commands } from '../../tokens';
import { useModel } from '../hooks';
import { StateSign } from '../jobs/words';

const MOST = 5;

/** The newest jobs that read the dataset, and the models that came of it; a click opens one. */
export function UsedBy(props: {
  model: DatasetModel;
  commands: CommandRegistry;
}): JSX.Element | null {
  const { model, commands } = props;
  const { jobs } = model.platform;
  const [ids, setIds] = React.useState<readonly string[]>([]);
  React.useEffect(() => {
    let isCurrent = true;
    const ask = () =>
      void jobs
        .reading(model.id, MOST)
        .then(found => isCurrent && setIds(found.map(({ id }) => id)))
        .catch(() => undefined); // the samples say it when the server is away
    const follow = (
      _: unknown,
      { before, now }: { before: Job | null; now: Job | null }
    ) => {
      if (now && isOver(now) && !(before && isOver(before))) {
        ask();
      }
    };
    ask();
    jobs.itemChanged.connect(follow);
    return () => {
      isCurrent = false;
      jobs.itemChanged.disconnect(follow);
    };
  }, [jobs, model]);
  const found = useModel(jobs);
  const shown = ids.map(id => found.get(id)).filter(job => job !== undefined);
  const made = useModel(model.platform.models).ofDataset(model.id);
  if (!shown.length && !made.length) {
    return null;
  }
  return (
    <section className="jp-blueno-used-by" aria-label="Jobs that used it">
      <h3>used by</h3>
      {shown.map(job => (
        <button
          key={job.id}
          className="jp-blueno-button jp-mod-link"
          onClick={() =>
            void commands.execute(Commands.openJob, { id: job.id })
          }
        >
          <StateSign job={job} /> {job.name}
        </button>
      ))}
      {made.slice(0, MOST).map(({ name, version }) => (
        <button
          key={`${name} ${version}`}
          className="jp-blueno-button jp-mod-link"
          title="A model that came of it"
          onClick={() =>
            void commands.execute(Commands.openModel, { id: name, version })
          }
        >
          <modelIcon.react tag="span" width="14px" /> {name} v{version}
        </button>
      ))}
    </section>
  );
}
