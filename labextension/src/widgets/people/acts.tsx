import * as React from 'react';
import type { Act, Person } from '../../api/types';
import type { Platform } from '../../models/platform';
import { useDebounced, useFetch } from '../hooks';
import { age, date } from '../numbers';
import { Empty, Failed, Loading } from '../states';
import { Heads } from '../heads';

const PAGE = 50;

/** Who did what, the newest first, of one person or of one kind. */
export function Acts(props: {
  platform: Platform;
  people: Person[];
  /** Another number: something was done. */
  round: number;
}): JSX.Element {
  const { platform, people, round } = props;
  const [person, setPerson] = React.useState('');
  const [typed, setTyped] = React.useState('');
  const [pages, setPages] = React.useState<number[]>([]);
  const operation = useDebounced(typed.trim(), 300);
  const before = pages.at(-1);
  const { value, error, again } = useFetch(
    `acts ${person} ${operation} ${before} ${round}`,
    signal =>
      platform.api.get('/acts', {
        query: {
          person: person || undefined,
          operation: operation || undefined,
          before,
          limit: PAGE
        },
        signal
      })
  );
  const first = (set: () => void) => {
    set();
    setPages([]);
  };
  return (
    <section aria-label="Who did what">
      <h2>Who did what</h2>
      <div className="jp-blueno-people-filter">
        <label>
          Person{' '}
          <select
            className="jp-mod-styled"
            value={person}
            onChange={event => first(() => setPerson(event.target.value))}
          >
            <option value="">everybody</option>
            {people.map(({ name }) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
        <label>
          Did{' '}
          <input
            className="jp-mod-styled"
            value={typed}
            placeholder="such as launch_jobs"
            spellCheck={false}
            onChange={event => first(() => setTyped(event.target.value))}
          />
        </label>
        <button className="jp-blueno-button jp-mod-link" onClick={again}>
          Look again
        </button>
      </div>
      {error && !value ? (
        <Failed
          title="The acts could not be listed"
          error={error}
          again={again}
        />
      ) : !value ? (
        <Loading word="Looking them up" />
      ) : value.acts.length === 0 ? (
        <Empty title="Nothing was done">
          What changes something is written down here: who asked, and what for.
        </Empty>
      ) : (
        <Table acts={value.acts} />
      )}
      <div className="jp-blueno-people-pages">
        {pages.length > 0 && (
          <button
            className="jp-blueno-button jp-mod-link"
            onClick={() => setPages(pages.slice(0, -1))}
          >
            Newer
          </button>
        )}
        {value?.acts.length === PAGE && (
          <button
            className="jp-blueno-button jp-mod-link"
            onClick={() => setPages([...pages, value.acts[PAGE - 1].id])}
          >
            Older
          </button>
        )}
      </div>
    </section>
  );
}

function Table({ acts }: { acts: Act[] }): JSX.Element {
  return (
    <table className="jp-blueno-people-table" aria-label="Who did what">
      <Heads names={['When', 'Person', 'Team', 'Did', 'With', 'Refused']} />
      <tbody>
        {acts.map(act => (
          <tr key={act.id}>
            <td title={date(act.at)}>{age(act.at)}</td>
            <td>
              {act.person}
              {act.job_id && ` (job ${act.job_id.slice(0, 8)})`}
            </td>
            <td>{act.team}</td>
            <td>{act.operation}</td>
            <td className="jp-blueno-people-about" title={act.about}>
              {act.about}
            </td>
            <td>{act.code}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
