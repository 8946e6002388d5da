import { MainAreaWidget } from '@jupyterlab/apputils';
import type { IEditorServices } from '@jupyterlab/codeeditor';
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type { Message } from '@lumino/messaging';
import { Signal } from '@lumino/signaling';
import { Panel, PanelLayout, Widget } from '@lumino/widgets';
import * as React from 'react';
import type { Job } from '../../api/types';
import { bluenoIcon } from '../../icons';
import type { Platform } from '../../models/platform';
import { useModel } from '../hooks';
import { Failed, Loading } from '../states';
import { CodeTab, EnvironmentTab } from './code';
import { MetricsTab, UsageTab } from './curves/curvestab';
import { JobFeed } from './feed';
import { JobFooter, type Places } from './footer';
import { JobHeader } from './header';
import { LogPanel } from './logpanel';
import { Results } from './results';
import { WorkerLogs } from './workerlogs';
import { TrialsTab } from './trials/trialstab';
import { StepsTab } from './flow/stepstab';

/** What the tab of a job needs of Lab. */
export interface JobTabOptions {
  platform: Platform;
  commands: CommandRegistry;
  rendermime: IRenderMimeRegistry;
  editors: IEditorServices;
  places: Places;
}

const TABS = [
  'Log',
  'Results',
  'Metrics',
  'Usage',
  'Code',
  'Environment'
] as const;
type Tab = (typeof TABS)[number] | 'Trials' | 'Steps';

/** Of a job that runs others, what these are comes first. */
const FIRST: Partial<Record<Job['kind'], Tab>> = {
  sweep: 'Trials',
  flow: 'Steps'
};

function tabsOf(job: Job | undefined): readonly Tab[] {
  const first = job && FIRST[job.kind];
  return first ? [first, ...TABS] : TABS;
}

/** One job in the main area. */
export class JobTab extends MainAreaWidget<JobView> {
  constructor(
    readonly jobId: string,
    options: JobTabOptions
  ) {
    super({ content: new JobView(jobId, options) });
    this.toolbar.hide();
    this.addClass('jp-blueno-job-tab');
    this.id = `jp-blueno-job-${jobId}`;
    this.title.icon = bluenoIcon;
    this.title.closable = true;
    this.title.label = 'Job';
    this.content.feed.changed.connect(this._setTitle, this);
    this._setTitle();
  }

  private _setTitle(): void {
    const { job } = this.content.feed;
    if (job) {
      this.title.label = job.name;
      this.title.caption = `Job ${job.name}`;
    }
  }
}

/** Header, tabs and footer of a job. Each tab is made when it is first shown. */
export class JobView extends Widget {
  constructor(
    id: string,
    private readonly options: JobTabOptions
  ) {
    super();
    const { platform, commands, places } = options;
    this.addClass('jp-blueno');
    this.addClass('jp-blueno-job-view');
    this.feed = new JobFeed(platform, id);
    const layout = (this.layout = new PanelLayout());
    layout.addWidget(
      ReactWidget.create(<JobHeader feed={this.feed} commands={commands} />)
    );
    layout.addWidget(
      ReactWidget.create(<TabBar tabs={this._tabs} feed={this.feed} />)
    );
    this._body.addClass('jp-blueno-job-body');
    layout.addWidget(this._body);
    layout.addWidget(
      ReactWidget.create(
        <JobFooter feed={this.feed} places={places} commands={commands} />
      )
    );
    this._tabs.changed.connect(this._show, this);
    this.feed.changed.connect(this._firstTab, this);
    this._firstTab();
  }

  readonly feed: JobFeed;

  dispose(): void {
    if (!this.isDisposed) {
      this.feed.dispose();
      Signal.clearData(this._tabs);
      super.dispose();
    }
  }

  protected onActivateRequest(message: Message): void {
    super.onActivateRequest(message);
    this.node
      .querySelector<HTMLElement>('[role="tab"][aria-selected="true"]')
      ?.focus({ preventScroll: true });
  }

  /** Show something as soon as there is a job, or a reason why there is none. */
  private _firstTab(): void {
    const { job, problem } = this.feed;
    if (job && !this._pages.size) {
      this._tabs.select(tabsOf(job)[0]);
    } else if (!job && (problem || !this._body.widgets.length)) {
      this._pages.forEach(page => page.dispose());
      this._pages.clear();
      this._body.widgets.forEach(widget => widget.dispose());
      this._body.addWidget(ReactWidget.create(<Missing feed={this.feed} />));
    }
  }

  private _show(): void {
    const { current } = this._tabs;
    if (!this.feed.job) {
      return;
    }
    if (!this._pages.size) {
      this._body.widgets.forEach(widget => widget.dispose());
    }
    let page = this._pages.get(current);
    if (!page) {
      page = this._make(current);
      page.addClass('jp-blueno-job-page');
      page.node.setAttribute('role', 'tabpanel');
      page.node.setAttribute('aria-label', current);
      this._pages.set(current, page);
      this._body.addWidget(page);
    }
    this._pages.forEach((one, name) => one.setHidden(name !== current));
  }

  private _make(tab: Tab): Widget {
    const { rendermime, editors, commands } = this.options;
    const { feed } = this;
    switch (tab) {
      case 'Trials':
        return ReactWidget.create(
          <TrialsTab feed={feed} commands={commands} />
        );
      case 'Steps':
        return ReactWidget.create(<StepsTab feed={feed} commands={commands} />);
      case 'Log':
        return (feed.job?.resources.workers ?? 1) > 1
          ? new WorkerLogs(feed)
          : new LogPanel(feed);
      case 'Results':
        return ReactWidget.create(
          <Results feed={feed} rendermime={rendermime} commands={commands} />
        );
      case 'Metrics':
        return ReactWidget.create(<MetricsTab feed={feed} />);
      case 'Usage':
        return ReactWidget.create(<UsageTab feed={feed} />);
      case 'Code':
        return ReactWidget.create(<CodeTab feed={feed} editors={editors} />);
      case 'Environment':
        return ReactWidget.create(
          <EnvironmentTab feed={feed} editors={editors} />
        );
    }
  }

  private readonly _tabs = new Tabs();
  private readonly _body = new Panel();
  private readonly _pages = new Map<Tab, Widget>();
}

/** Which tab is in front. */
class Tabs {
  readonly changed = new Signal<this, void>(this);
  current: Tab = 'Log';

  select(tab: Tab): void {
    this.current = tab;
    this.changed.emit();
  }
}

function TabBar(props: { tabs: Tabs; feed: JobFeed }): JSX.Element {
  const { current } = useModel(props.tabs);
  const { job } = useModel(props.feed);
  const tabs = tabsOf(job);
  const bar = React.useRef<HTMLDivElement>(null);
  const onKey = (event: React.KeyboardEvent) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (by) {
      event.preventDefault();
      const at = (tabs.indexOf(current) + by + tabs.length) % tabs.length;
      props.tabs.select(tabs[at]);
      bar.current?.querySelectorAll<HTMLElement>('[role="tab"]')[at].focus();
    }
  };
  return (
    <div
      ref={bar}
      className="jp-blueno-tabs"
      role="tablist"
      aria-label="About this job"
      onKeyDown={onKey}
    >
      {tabs.map(tab => (
        <button
          key={tab}
          role="tab"
          aria-selected={tab === current}
          tabIndex={tab === current ? 0 : -1}
          onClick={() => props.tabs.select(tab)}
        >
          {tab}
          {tab === 'Results' && Boolean(job?.output_count) && (
            <span className="jp-blueno-tabs-count">{job?.output_count}</span>
          )}
        </button>
      ))}
    </div>
  );
}

function Missing({ feed }: { feed: JobFeed }): JSX.Element {
  const { problem, gone } = useModel(feed);
  return problem ? (
    <Failed
      title={gone ? 'This job is not here' : 'The job could not be loaded'}
      error={problem}
      again={gone ? undefined : () => void feed.load()}
    />
  ) : (
    <Loading word="Loading the job" />
  );
}
