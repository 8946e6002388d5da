import { MainAreaWidget } from '@jupyterlab/apputils';
import { ReactWidget, ellipsesIcon } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import * as React from 'react';
import { modelIcon } from '../../icons';
import type { Platform } from '../../models/platform';
import { Commands } from '../../tokens';
import { useFetch, useModel } from '../hooks';
import { openMenu } from '../menus';
import { age, counted, date } from '../numbers';
import { Empty, Failed, Loading } from '../states';
import { Version } from './version';
import { Aliases, OF_VERSION, metricsOf } from './words';

interface ModelTabOptions {
  platform: Platform;
  commands: CommandRegistry;
  name: string;
}

/** A model: its versions at the left, one of them beside. */
export class ModelTab extends MainAreaWidget<ModelContent> {
  constructor(options: ModelTabOptions) {
    super({ content: new ModelContent(options) });
    this.toolbar.hide();
    this.addClass('jp-blueno-model-tab');
    this.id = `jp-blueno-model-${options.name}`;
    this.title.icon = modelIcon;
    this.title.closable = true;
    this.title.label = options.name;
    this.title.caption = `Model ${options.name}`;
  }
}

class ModelContent extends ReactWidget {
  constructor(readonly options: ModelTabOptions) {
    super();
    this.addClass('jp-blueno');
  }

  /** Show this version; the newest if there is none of this number. */
  choose(version: number): void {
    this._chosen = version;
    this.update();
  }

  protected render(): JSX.Element {
    return (
      <ModelView
        {...this.options}
        chosen={this._chosen}
        choose={version => this.choose(version)}
      />
    );
  }

  private _chosen: number | null = null;
}

function ModelView(
  props: ModelTabOptions & {
    chosen: number | null;
    choose: (version: number) => void;
  }
): JSX.Element {
  const { platform, commands, name, chosen, choose } = props;
  const models = useModel(platform.models);
  const listed = models.get(name);
  const found = useFetch(`${name} ${listed?.revision ?? 0}`, signal =>
    models.whole(name, signal)
  );
  const versions = found.value?.versions ?? [];
  const shown = versions.find(one => one.version === chosen) ?? versions[0];
  if (!listed && models.state === 'ready' && !found.loading) {
    return (
      <Empty title={`There is no model “${name}” any more`} icon={modelIcon}>
        Its last version was deleted.
      </Empty>
    );
  }
  if (found.error && !shown) {
    return (
      <Failed
        title="The model could not be read"
        error={found.error}
        again={found.again}
      />
    );
  }
  if (!shown) {
    return <Loading word="Reading the model" />;
  }
  return (
    <div className="jp-blueno-model">
      <nav className="jp-blueno-model-versions" aria-label="Versions">
        <h1 title={name}>{name}</h1>
        <div className="jp-blueno-model-second">
          {counted(versions.length, 'version')}
        </div>
        <ul className="jp-blueno-list">
          {versions.map(one => (
            <li key={one.version}>
              <button
                className="jp-blueno-button jp-blueno-model-choice"
                aria-current={one === shown}
                onClick={() => choose(one.version)}
                onKeyDown={toNext}
              >
                <span className="jp-blueno-model-line">
                  <b>v{one.version}</b>
                  <Aliases version={one} />
                  <span className="jp-blueno-spacer" />
                  <span title={date(one.created_at)}>
                    {age(one.created_at)}
                  </span>
                </span>
                <span className="jp-blueno-model-second">
                  {metricsOf(one) || one.description || one.form}
                </span>
              </button>
            </li>
          ))}
        </ul>
      </nav>
      <article
        className="jp-blueno-model-about"
        aria-label={`Version ${shown.version}`}
      >
        <header className="jp-blueno-model-line">
          <h2>Version {shown.version}</h2>
          {shown.stage && <span>{shown.stage}</span>}
          <span className="jp-blueno-spacer" />
          <button
            className="jp-blueno-button jp-mod-link"
            title="This version in MLflow’s registry"
            onClick={() =>
              void commands.execute(Commands.openMlflow, {
                path: `#/models/${encodeURIComponent(name)}/versions/${shown.version}`
              })
            }
          >
            MLflow ↗
          </button>
          <button
            className="jp-blueno-button jp-mod-icon"
            title="More actions"
            aria-label={`Actions for version ${shown.version}`}
            aria-haspopup="menu"
            onClick={event => {
              const { left, bottom } =
                event.currentTarget.getBoundingClientRect();
              const args = { id: name, version: shown.version };
              openMenu(commands, OF_VERSION, args, left, bottom);
            }}
          >
            <ellipsesIcon.react tag={null} />
          </button>
        </header>
        <Version version={shown} platform={platform} commands={commands} />
      </article>
    </div>
  );
}

/** The arrows go to the versions above and below. */
function toNext(event: React.KeyboardEvent): void {
  const row = event.currentTarget.parentElement;
  const other =
    event.key === 'ArrowDown'
      ? row?.nextElementSibling
      : event.key === 'ArrowUp'
        ? row?.previousElementSibling
        : null;
  if (other) {
    event.preventDefault();
    other.querySelector('button')?.focus();
  }
}
