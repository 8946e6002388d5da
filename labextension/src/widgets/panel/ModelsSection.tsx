import { ellipsesIcon } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import * as React from 'react';
import { modelIcon } from '../../icons';
import type { ListedModel } from '../../models/models';
import { Commands } from '../../tokens';
import { useModel } from '../hooks';
import { openMenu } from '../menus';
import { Aliases, OF_VERSION, metricsOf } from '../models/words';
import { age, counted, date } from '../numbers';
import { Empty } from '../states';
import { NotListed, SearchBox, type SectionProps } from './section';

/** The registered models of the panel, by name. */
export function ModelsSection(props: SectionProps): JSX.Element {
  const { platform, commands, search } = props;
  const models = useModel(platform.models);
  const { query } = useModel(search);
  if (models.state !== 'ready') {
    return (
      <NotListed
        what="models"
        error={models.reason}
        again={() => platform.retry()}
      />
    );
  }
  if (!models.items.length) {
    return (
      <Empty title="No models yet" icon={modelIcon}>
        <code>blueno.register_model("digits", model)</code> at the end of a job
        keeps a model here, with its metrics, parameters, data and code.
      </Empty>
    );
  }
  const shown = models.items.filter(({ name }) =>
    name.toLowerCase().includes(query.trim().toLowerCase())
  );
  return (
    <>
      <SearchBox search={search} placeholder="Search models" />
      {shown.length === 0 && <Empty title={`No model is called “${query}”`} />}
      <ul className="jp-blueno-list" aria-label="Models">
        {shown.map(model => (
          <Row key={model.id} model={model} commands={commands} />
        ))}
      </ul>
    </>
  );
}

function Row(props: {
  model: ListedModel;
  commands: CommandRegistry;
}): JSX.Element {
  const { model, commands } = props;
  const { id, name, versions } = model;
  const [newest] = versions;
  const meant = versions.find(({ aliases }) => aliases.length);
  const menu = (left: number, bottom: number) =>
    openMenu(
      commands,
      [Commands.openModel, ...OF_VERSION],
      { id },
      left,
      bottom
    );
  return (
    <li
      className="jp-blueno-row"
      data-model={name}
      onContextMenu={event => {
        if (!event.shiftKey) {
          event.preventDefault();
          event.stopPropagation();
          menu(event.clientX, event.clientY);
        }
      }}
    >
      <button
        className="jp-blueno-button jp-blueno-row-main"
        onClick={() => void commands.execute(Commands.openModel, { id })}
      >
        <span className="jp-blueno-row-text">
          <span className="jp-blueno-row-line">
            <span className="jp-blueno-row-name" title={name}>
              {name}
            </span>
            <span
              className="jp-blueno-row-count"
              title={`${counted(versions.length, 'version')}, the newest ${date(newest.created_at)}`}
            >
              v{newest.version} · {age(newest.created_at)}
            </span>
          </span>
          <span className="jp-blueno-row-second">
            {meant && (
              <>
                <Aliases version={meant} />
                {meant !== newest && ` v${meant.version}`}{' '}
              </>
            )}
            {metricsOf(newest) || newest.description || newest.form}
          </span>
        </span>
      </button>
      <button
        className="jp-blueno-button jp-mod-icon jp-blueno-row-more"
        title="More actions"
        aria-label={`Actions for ${name}`}
        aria-haspopup="menu"
        onClick={event => {
          const { left, bottom } = event.currentTarget.getBoundingClientRect();
          menu(left, bottom);
        }}
      >
        <ellipsesIcon.react tag={null} />
      </button>
    </li>
  );
}
