import {
  PanelWithToolbar,
  ReactWidget,
  SidePanel,
  ToolbarButton,
  addIcon,
  searchIcon,
  usersIcon
} from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type { Message } from '@lumino/messaging';
import { Signal, type ISignal } from '@lumino/signaling';
import { AccordionPanel, Panel } from '@lumino/widgets';
import * as React from 'react';
import { bluenoIcon } from '../../icons';
import type { Platform } from '../../models/platform';
import { Commands } from '../../tokens';
import { useModel, useSignal } from '../hooks';
import { DatasetsSection } from './DatasetsSection';
import { EnvironmentsSection } from './EnvironmentsSection';
import { JobsSection } from './JobsSection';
import { ModelsSection } from './ModelsSection';
import { SchedulesSection } from './SchedulesSection';
import { SecretsSection } from './SecretsSection';
import { SectionSearch, type SectionProps } from './section';

/** Of the panel's height, what an open section has at least. */
const LEAST = 0.12;

interface Listing {
  items: readonly unknown[];
}

/** The left panel: datasets, jobs, models, schedules, environments and secrets, each collapsible. */
export class BluenoPanel extends SidePanel {
  constructor(
    private readonly platform: Platform,
    commands: CommandRegistry
  ) {
    super({ header: new Panel() });
    this.id = 'jp-blueno-panel';
    this.addClass('jp-blueno-panel');
    this.title.icon = bluenoIcon;
    this.title.caption = 'Blueno: datasets and jobs';
    this.node.setAttribute('role', 'region');
    this.node.setAttribute('aria-label', 'Blueno');

    this.header.addWidget(
      ReactWidget.create(<Header platform={platform} commands={commands} />)
    );
    this.addSection('Datasets', DatasetsSection, platform, commands);
    this.addSection('Jobs', JobsSection, platform, commands);
    this.addSection('Models', ModelsSection, platform, commands);
    this.addSection('Schedules', SchedulesSection, platform, commands);
    this.addSection('Environments', EnvironmentsSection, platform, commands);
    this.addSection('Secrets', SecretsSection, platform, commands);
    this.unfold('Environments', false);
    this.unfold('Secrets', false);
    if (this.content instanceof AccordionPanel) {
      this.content.expansionToggled.connect((_, index) =>
        this.giveHeight(index)
      );
    }
    this.unfoldWhenThereIsOne('Models', platform.models);
    this.unfoldWhenThereIsOne('Schedules', platform.schedules);
  }

  /** Open or close a section. */
  unfold(label: string, open = true): void {
    const { content } = this;
    const index = content.widgets.findIndex(one => one.title.label === label);
    if (content instanceof AccordionPanel && index >= 0) {
      if (open) {
        content.expand(index);
        this.giveHeight(index);
      } else {
        content.collapse(index);
      }
    }
  }

  /** One that was folded before it ever had a height would get none. */
  private giveHeight(index: number): void {
    const { content } = this;
    if (
      content instanceof AccordionPanel &&
      !content.widgets[index].isHidden &&
      content.relativeSizes()[index] < LEAST
    ) {
      content.setRelativeSizes(
        content.widgets.map(({ isHidden }) => (isHidden ? 0 : 1))
      );
    }
  }

  dispose(): void {
    Signal.clearData(this);
    super.dispose();
  }

  protected onBeforeShow(message: Message): void {
    super.onBeforeShow(message);
    this.platform.start();
  }

  private unfoldWhenThereIsOne<L extends Listing>(
    label: string,
    list: L & { changed: ISignal<L, void> }
  ): void {
    this.unfold(label, false);
    const look = () => {
      if (list.items.length) {
        list.changed.disconnect(look);
        this.unfold(label);
      }
    };
    list.changed.connect(look);
    this.disposed.connect(() => list.changed.disconnect(look));
  }

  private addSection(
    label: string,
    Section: React.ComponentType<SectionProps>,
    platform: Platform,
    commands: CommandRegistry
  ): void {
    const search = new SectionSearch();
    const section = new PanelWithToolbar();
    section.title.label = label;
    section.addClass('jp-blueno-section');
    section.toolbar.addItem(
      'search',
      new ToolbarButton({
        icon: searchIcon,
        tooltip: `Search ${label.toLowerCase()}`,
        onClick: () => search.toggle()
      })
    );
    const body = ReactWidget.create(
      <Section platform={platform} commands={commands} search={search} />
    );
    body.addClass('jp-blueno-section-body');
    section.addWidget(body);
    this.addWidget(section);
  }
}

function Header(props: {
  platform: Platform;
  commands: CommandRegistry;
}): JSX.Element {
  const { platform, commands } = props;
  const me = useModel(platform.me);
  const connection = useSignal(
    platform.connectionChanged,
    () => platform.connection
  );
  return (
    <div className="jp-blueno-header">
      <div className="jp-blueno-header-line">
        <span className="jp-blueno-header-title">Blueno</span>
        {me.administers && (
          <button
            className="jp-blueno-button jp-mod-icon"
            title="People and teams"
            aria-label="People and teams"
            onClick={() => void commands.execute(Commands.openPeople)}
          >
            <usersIcon.react tag={null} />
          </button>
        )}
        <button
          className="jp-blueno-button jp-mod-icon"
          title="Add dataset …"
          aria-label="Add dataset"
          onClick={() => void commands.execute(Commands.addDataset)}
        >
          <addIcon.react tag={null} />
        </button>
      </div>
      {connection === 'reconnecting' && (
        <div className="jp-blueno-away" role="status">
          The server does not answer; reconnecting …
          <button
            className="jp-blueno-button jp-mod-link"
            onClick={() => platform.retry()}
          >
            Try now
          </button>
        </div>
      )}
    </div>
  );
}
