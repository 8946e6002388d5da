import { ReactWidget } from '@jupyterlab/ui-components';
import { Panel } from '@lumino/widgets';
import { Signal } from '@lumino/signaling';
import * as React from 'react';
import type { Worker } from '../../api/types';
import { isOver } from '../../models/jobs';
import { useModel } from '../hooks';
import type { JobFeed } from './feed';
import { LogPanel } from './logpanel';
import { Sign, type SignName } from './words';

const PAUSE = 2000; // ms between two looks while the job runs and the logs are seen

/** The logs of a job's workers: one at a time, chosen by its rank. */
export class WorkerLogs extends Panel {
  constructor(private readonly feed: JobFeed) {
    super();
    this.addClass('jp-blueno-log-panel');
    const bar = ReactWidget.create(<Ranks workers={this.workers} />);
    bar.addClass('jp-blueno-ranks-bar');
    this.addWidget(bar);
    this.workers.changed.connect(this._show, this);
    feed.changed.connect(this._onJob, this);
    this._show();
    this._look();
    this._timer = window.setInterval(() => {
      if (this.isVisible && !document.hidden && !this._over) {
        this._look();
      }
    }, PAUSE);
  }

  readonly workers = new Workers();

  dispose(): void {
    if (!this.isDisposed) {
      clearInterval(this._timer);
      this.feed.changed.disconnect(this._onJob, this);
      Signal.clearData(this.workers);
      super.dispose();
    }
  }

  private get _over(): boolean {
    const { job } = this.feed;
    return job !== undefined && isOver(job);
  }

  private _onJob(): void {
    if (this._over) {
      this._look();
    }
  }

  private _look(): void {
    this.feed
      .workers()
      .then(found => this.workers.tell(found))
      .catch(() => undefined); // the header says when the server is away
  }

  private _show(): void {
    const { rank, list } = this.workers;
    let page = this._pages.get(rank);
    if (!page) {
      page = new LogPanel(this.feed, rank);
      this._pages.set(rank, page);
      this.addWidget(page);
    }
    this._pages.forEach((one, number) => one.setHidden(number !== rank));
    if (rank) {
      page.grow(list.find(one => one.rank === rank)?.log_size ?? 0);
    }
  }

  private readonly _pages = new Map<number, LogPanel>();
  private readonly _timer: number;
}

/** How the workers stand, and whose log is shown. */
class Workers {
  readonly changed = new Signal<this, void>(this);
  list: readonly Worker[] = [];
  rank = 0;

  tell(list: readonly Worker[]): void {
    this.list = list;
    this.changed.emit();
  }

  choose(rank: number): void {
    this.rank = rank;
    this.changed.emit();
  }
}

const BY = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };

function Ranks({ workers }: { workers: Workers }): JSX.Element | null {
  const { list, rank } = useModel(workers);
  const bar = React.useRef<HTMLDivElement>(null);
  const onKey = (event: React.KeyboardEvent) => {
    const by = BY[event.key as keyof typeof BY];
    if (by) {
      event.preventDefault();
      const next = (rank + by + list.length) % list.length;
      workers.choose(next);
      const buttons = bar.current?.querySelectorAll('[role="radio"]');
      (buttons?.item(next) as HTMLElement | undefined)?.focus();
    }
  };
  return list.length ? (
    <div
      ref={bar}
      className="jp-blueno-ranks"
      role="radiogroup"
      aria-label="Whose log"
      onKeyDown={onKey}
    >
      <span aria-hidden="true">Rank</span>
      {list.map(one => (
        <button
          key={one.rank}
          role="radio"
          aria-checked={one.rank === rank}
          aria-label={`Rank ${one.rank}, ${standing(one)}`}
          title={`Rank ${one.rank}: ${standing(one)}`}
          tabIndex={one.rank === rank ? 0 : -1}
          onClick={() => workers.choose(one.rank)}
        >
          <span aria-hidden="true">
            <Sign sign={signOf(one)} word={standing(one)} />
          </span>
          {one.rank}
        </button>
      ))}
    </div>
  ) : null;
}

function signOf({ state, code }: Worker): SignName {
  return state === 'ended'
    ? code === 0
      ? 'done'
      : code === -15 || code === 143 // the others ended it
        ? 'stopped'
        : 'failed'
    : state;
}

/** `running on node-3`, `killed by signal 9`. */
function standing({ state, code, host }: Worker): string {
  const word =
    state !== 'ended'
      ? state
      : code === null
        ? 'ended'
        : code === 0
          ? 'succeeded'
          : code === -15 || code === 143
            ? 'ended with the others'
            : code < 0
              ? `ended by signal ${-code}`
              : `exit code ${code}`;
  return host ? `${word} on ${host}` : word;
}
