import { MainAreaWidget } from '@jupyterlab/apputils';
import {
  ReactWidget,
  Toolbar,
  ToolbarButton,
  copyIcon,
  ellipsesIcon
} from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type { Message } from '@lumino/messaging';
import * as React from 'react';
import { bluenoIcon, runAsJobIcon } from '../../icons';
import type { DatasetModel } from '../../models/dataset';
import { Commands } from '../../tokens';
import { copyPython } from '../copy';
import { useModel } from '../hooks';
import { kindOf } from '../kinds';
import { openDatasetMenu } from '../menus';
import { counted, date } from '../numbers';
import { ProblemsButton } from './Problems';
import { DatasetView } from './DatasetView';

/** The content of a dataset's tab; it owns its model. */
class DatasetContent extends ReactWidget {
  constructor(
    readonly model: DatasetModel,
    private readonly commands: CommandRegistry
  ) {
    super();
  }

  dispose(): void {
    this.model.dispose();
    super.dispose();
  }

  protected onActivateRequest(msg: Message): void {
    super.onActivateRequest(msg);
    this.node.querySelector<HTMLElement>('[role="grid"]')?.focus();
  }

  protected render(): JSX.Element {
    return <DatasetView model={this.model} commands={this.commands} />;
  }
}

/** A dataset's tab: its line of facts and buttons, below it the samples. */
export class DatasetTab extends MainAreaWidget<DatasetContent> {
  constructor(model: DatasetModel, commands: CommandRegistry) {
    super({ content: new DatasetContent(model, commands) });
    this.id = `jp-blueno-dataset-${model.id}`;
    this.addClass('jp-blueno-tab');
    this.title.icon = bluenoIcon;
    this.title.closable = true;
    this.nameTab();
    model.changed.connect(this.nameTab, this);

    this.toolbar.addItem('title', new TabTitle(model));
    this.toolbar.addItem('spacer', Toolbar.createSpacerItem());
    this.toolbar.addItem(
      'copy',
      new ToolbarButton({
        icon: copyIcon,
        label: 'Copy as Python',
        tooltip: 'Copy the line of Python that makes this selection',
        onClick: () => copyPython(model.asPython())
      })
    );
    this.toolbar.addItem(
      'run',
      new ToolbarButton({
        icon: runAsJobIcon,
        label: 'Run on these …',
        tooltip: 'Run a notebook on the samples that are filtered or selected',
        onClick: () =>
          void commands.execute(Commands.runOnSelection, model.asked())
      })
    );
    const more = new ToolbarButton({
      icon: ellipsesIcon,
      tooltip: 'More actions',
      onClick: () =>
        openDatasetMenu(commands, model.id, more.node.getBoundingClientRect())
    });
    this.toolbar.addItem('more', more);
  }

  get model(): DatasetModel {
    return this.content.model;
  }

  private nameTab(): void {
    const { dataset } = this.model;
    this.title.label = dataset?.name ?? 'Dataset';
    this.title.caption = dataset
      ? `${dataset.name}\n${counted(dataset.version.sample_count, 'sample')}\nOwner: ${dataset.owner}`
      : '';
  }
}

class TabTitle extends ReactWidget {
  constructor(private readonly model: DatasetModel) {
    super();
    this.addClass('jp-blueno-tab-title');
  }

  protected render(): JSX.Element {
    return <Title model={this.model} />;
  }
}

/** `mnist-5k  v1  5,000 samples · 2D · team`. */
function Title({ model }: { model: DatasetModel }): JSX.Element | null {
  const { dataset } = useModel(model);
  if (!dataset) {
    return null;
  }
  const { version, kinds, visibility, label_count, name } = dataset;
  const facts = [
    counted(version.sample_count, 'sample'),
    kindOf(kinds),
    label_count > 0 && counted(label_count, 'label'),
    visibility
  ];
  return (
    <div className="jp-blueno-title">
      <h2 title={dataset.description ?? name}>{name}</h2>
      <span
        className="jp-blueno-version"
        title={`Version ${version.number}, ${date(version.finished_at ?? version.created_at)}`}
      >
        v{version.number}
      </span>
      <span className="jp-blueno-title-facts">
        {facts.filter(Boolean).join(' · ')}
      </span>
      <ProblemsButton problems={version.problems} />
    </div>
  );
}
