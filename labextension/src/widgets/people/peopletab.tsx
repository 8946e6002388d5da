import { MainAreaWidget } from '@jupyterlab/apputils';
import { ReactWidget } from '@jupyterlab/ui-components';
import * as React from 'react';
import { bluenoIcon } from '../../icons';
import type { Platform } from '../../models/platform';
import { useFetch } from '../hooks';
import { Failed, Loading } from '../states';
import { Shares } from '../usage/shares';
import { Acts } from './acts';
import { Invitations } from './invitations';
import { People } from './people';

/** People and teams of a hub, invitations, and who did what; for its administrators. */
export class PeopleTab extends MainAreaWidget<ReactWidget> {
  constructor({ platform }: { platform: Platform }) {
    const content = ReactWidget.create(<PeopleView platform={platform} />);
    content.addClass('jp-blueno');
    super({ content });
    this.toolbar.hide();
    this.addClass('jp-blueno-people-tab');
    this.id = 'jp-blueno-people';
    this.title.icon = bluenoIcon;
    this.title.closable = true;
    this.title.label = 'People';
    this.title.caption = 'People and teams of the hub';
  }
}

function PeopleView({ platform }: { platform: Platform }): JSX.Element {
  const people = useFetch('people', signal =>
    platform.api.get('/people', { signal })
  );
  const invitations = useFetch('invitations', signal =>
    platform.api.get('/invitations', { signal })
  );
  const me = useFetch('me', signal => platform.api.get('/me', { signal }));
  const [round, count] = React.useReducer((n: number) => n + 1, 0);
  const again = () => {
    count();
    people.again();
    me.again();
    invitations.again();
  };
  const error = people.error ?? invitations.error;
  if (error && !(people.value && invitations.value)) {
    return (
      <Failed
        title="The people could not be listed"
        error={error}
        again={again}
      />
    );
  }
  if (!people.value || !invitations.value) {
    return <Loading word="Asking the hub" />;
  }
  return (
    <div className="jp-blueno-people">
      <People platform={platform} people={people.value.people} again={again} />
      {me.value?.of_team && me.value.of_person && (
        <Shares
          team={me.value.team}
          share={me.value.of_team}
          mine={me.value.of_person}
        />
      )}
      <Invitations
        platform={platform}
        people={people.value.people}
        invitations={invitations.value.invitations}
        again={again}
      />
      <Acts platform={platform} people={people.value.people} round={round} />
    </div>
  );
}
