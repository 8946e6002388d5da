import { Dialog, Notification, showDialog } from '@jupyterlab/apputils';
import { closeIcon } from '@jupyterlab/ui-components';
import * as React from 'react';
import { reasonOf } from '../../api/client';
import type { Secret } from '../../api/types';
import type { Platform } from '../../models/platform';
import { useFetch, useModel } from '../hooks';
import { age, date } from '../numbers';
import { askForSecret } from '../secrets/dialog';
import { Empty } from '../states';
import { NotListed, SearchBox, type SectionProps } from './section';

/** Secrets of the team by name: their values are set here and shown nowhere. */
export function SecretsSection(props: SectionProps): JSX.Element {
  const { platform, search } = props;
  const { query, shown: searching } = useModel(search);
  const { value, error, again } = useFetch('secrets', signal =>
    platform.api.get('/secrets', { signal })
  );
  const set = (name?: string) =>
    void askForSecret(platform, name).then(done => done && again());
  if (!value) {
    return <NotListed what="secrets" error={error} again={again} />;
  }
  const { secrets } = value;
  if (!secrets.length && !searching) {
    return (
      <Empty
        title="No secrets yet"
        action={{ label: 'Set one …', run: () => set() }}
      >
        Tokens and passwords of the team, such as HF_TOKEN. A job gets those
        that it names (secrets=["HF_TOKEN"]), a notebook reads one by
        blueno.secret("HF_TOKEN").
      </Empty>
    );
  }
  const found = secrets.filter(({ name }) =>
    name.toLowerCase().includes(query.trim().toLowerCase())
  );
  return (
    <>
      <SearchBox search={search} placeholder="Search secrets" />
      {!found.length && <Empty title={`No secret has “${query}”`} />}
      <ul className="jp-blueno-list" aria-label="Secrets">
        {found.map(one => (
          <Row
            key={one.name}
            secret={one}
            set={() => set(one.name)}
            remove={() => void remove(platform, one).then(again)}
          />
        ))}
      </ul>
      <button
        className="jp-blueno-button jp-mod-link jp-blueno-secret-set"
        onClick={() => set()}
      >
        Set one …
      </button>
    </>
  );
}

function Row(props: {
  secret: Secret;
  set: () => void;
  remove: () => void;
}): JSX.Element {
  const { name, owner, updated_at } = props.secret;
  return (
    <li className="jp-blueno-secret" data-secret={name}>
      <div className="jp-blueno-secret-line">
        <span className="jp-blueno-secret-name" title={name}>
          {name}
        </span>
        <button
          className="jp-blueno-button jp-mod-icon"
          title="Delete …"
          aria-label={`Delete ${name}`}
          onClick={props.remove}
        >
          <closeIcon.react tag={null} />
        </button>
      </div>
      <div className="jp-blueno-row-second" title={date(updated_at)}>
        set by {owner} {age(updated_at)}
        {' · '}
        <button
          className="jp-blueno-button jp-mod-link"
          aria-label={`Set ${name} anew`}
          onClick={props.set}
        >
          set anew …
        </button>
      </div>
    </li>
  );
}

async function remove(platform: Platform, { name }: Secret): Promise<void> {
  const { button } = await showDialog({
    title: 'Delete this secret?',
    body: `${name}: jobs that name it fail from now on. Its value cannot be brought back.`,
    buttons: [Dialog.cancelButton(), Dialog.warnButton({ label: 'Delete' })]
  });
  if (button.accept) {
    try {
      await platform.api.delete('/secrets/{name}', { path: { name } });
    } catch (error) {
      Notification.error(reasonOf(error), { autoClose: 8000 });
    }
  }
}
