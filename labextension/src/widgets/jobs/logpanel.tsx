import {
  ReactWidget,
  copyIcon,
  downloadIcon,
  searchIcon
} from '@jupyterlab/ui-components';
import { Clipboard } from '@jupyterlab/apputils';
import type { Message } from '@lumino/messaging';
import { Panel } from '@lumino/widgets';
import { Signal } from '@lumino/signaling';
import * as React from 'react';
import { isOver } from '../../models/jobs';
import { useModel } from '../hooks';
import { bytes, count } from '../numbers';
import type { JobFeed } from './feed';
import { LogSearch } from './logsearch';
import { LogView } from './logview';

/** The log of a job with its tools. */
export class LogPanel extends Panel {
  constructor(
    private readonly feed: JobFeed,
    /** Of several workers, whose log it is. */
    private readonly rank = 0
  ) {
    super();
    this.addClass('jp-blueno-log-panel');
    const source = feed.log(rank);
    this.view = new LogView(source);
    this.search = new LogSearch(this.view, source);
    const tools = ReactWidget.create(
      <Tools
        feed={feed}
        rank={rank}
        view={this.view}
        search={this.search}
        box={this.box}
      />
    );
    tools.addClass('jp-blueno-log-tools');
    this.addWidget(tools);
    this.addWidget(this.view);
    feed.changed.connect(this._onJob, this);
    this._onJob();
  }

  readonly view: LogView;
  readonly search: LogSearch;

  handleEvent(event: Event): void {
    const key = event as KeyboardEvent;
    if ((key.ctrlKey || key.metaKey) && key.key === 'f') {
      event.preventDefault();
      event.stopPropagation();
      this.box.show();
    }
  }

  dispose(): void {
    if (!this.isDisposed) {
      this.feed.changed.disconnect(this._onJob, this);
      this.search.dispose();
      super.dispose();
    }
  }

  protected onAfterAttach(message: Message): void {
    super.onAfterAttach(message);
    this.node.addEventListener('keydown', this);
  }

  protected onBeforeDetach(message: Message): void {
    this.node.removeEventListener('keydown', this);
    super.onBeforeDetach(message);
  }

  /** The log is now so many bytes long. */
  grow(size: number): void {
    const { job } = this.feed;
    this.view.grow(size, job !== undefined && isOver(job));
  }

  private _onJob(): void {
    const { job } = this.feed;
    if (job && !this.rank) {
      this.grow(job.log_size);
    }
  }

  private readonly box = new Box();
}

/** Whether the search box is there. */
class Box {
  readonly changed = new Signal<this, void>(this);
  shown = false;
  shows = 0;

  show(): void {
    this.shown = true;
    this.shows++;
    this.changed.emit();
  }

  hide(): void {
    this.shown = false;
    this.changed.emit();
  }
}

function Tools(props: {
  feed: JobFeed;
  rank: number;
  view: LogView;
  search: LogSearch;
  box: Box;
}): JSX.Element {
  const { feed, rank, view, search, box } = props;
  useModel(view);
  useModel(box);
  const [copied, setCopied] = React.useState(false);
  const copy = () => {
    Clipboard.copyToSystem(
      view
        .lines()
        .map(line => line.textContent)
        .join('\n')
    );
    setCopied(true);
    setTimeout(() => setCopied(false), 2000);
  };
  return (
    <>
      {box.shown ? (
        <Search search={search} view={view} box={box} />
      ) : (
        <button
          className="jp-blueno-button jp-mod-icon"
          title="Search the log (Ctrl F)"
          aria-label="Search the log"
          onClick={() => box.show()}
        >
          <searchIcon.react tag={null} />
        </button>
      )}
      <span className="jp-blueno-spacer" />
      <span className="jp-blueno-log-size">
        {copied ? 'Copied' : view.size ? bytes(view.size) : ''}
      </span>
      <label title="Stay at the end as the log grows">
        <input
          type="checkbox"
          checked={view.following}
          onChange={event => (view.following = event.target.checked)}
        />
        Follow
      </label>
      <label title="Break long lines">
        <input
          type="checkbox"
          checked={view.wrapped}
          onChange={event => (view.wrapped = event.target.checked)}
        />
        Wrap
      </label>
      <button
        className="jp-blueno-button jp-mod-icon"
        title={view.start > 0 ? 'Copy the lines loaded' : 'Copy the log'}
        aria-label="Copy the log"
        disabled={!view.size}
        onClick={copy}
      >
        <copyIcon.react tag={null} />
      </button>
      {!rank && (
        <a
          className="jp-blueno-button jp-mod-icon"
          title="Download the log"
          aria-label="Download the log"
          href={feed.platform.api.url('/jobs/{job_id}/files/{name}', {
            path: { job_id: feed.id, name: 'log' }
          })}
          download={`${feed.job?.name ?? feed.id}.log`}
        >
          <downloadIcon.react tag={null} />
        </a>
      )}
    </>
  );
}

function Search(props: {
  search: LogSearch;
  view: LogView;
  box: Box;
}): JSX.Element {
  const { search, view, box } = props;
  useModel(search);
  const input = React.useRef<HTMLInputElement>(null);
  React.useEffect(() => {
    input.current?.focus();
    input.current?.select();
  }, [box.shows]);
  const close = () => {
    search.search('');
    box.hide();
    view.focus();
  };
  const { query, count: found, index, remaining } = search;
  return (
    <div className="jp-blueno-log-search" role="search">
      <input
        ref={input}
        className="jp-mod-styled"
        type="search"
        placeholder="Search the log"
        aria-label="Search the log"
        onChange={event => search.search(event.target.value)}
        onKeyDown={event => {
          if (event.key === 'Enter') {
            // The newest lines are at the end: the search goes upwards.
            search.step(event.shiftKey ? 1 : -1);
          } else if (event.key === 'Escape') {
            close();
          }
        }}
      />
      <span role="status">
        {remaining
          ? `searching, ${bytes(remaining)} to go …`
          : query &&
            (found ? `${count(index + 1)} of ${count(found)}` : 'not found')}
      </span>
      {remaining ? (
        <button
          className="jp-blueno-button jp-mod-link"
          onClick={() => search.stop()}
        >
          Stop
        </button>
      ) : (
        query &&
        view.start > 0 && (
          <button
            className="jp-blueno-button jp-mod-link"
            onClick={() => void search.further()}
          >
            Search the {bytes(view.start)} above
          </button>
        )
      )}
    </div>
  );
}
