import type { IRenderMime } from '@jupyterlab/rendermime-interfaces';
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { Notification } from '@jupyterlab/apputils';
import { ReactWidget } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import type { PartialJSONObject } from '@lumino/coreutils';
import * as React from 'react';
import { reasonOf } from '../../api/client';
import type { Job, Output, Resources } from '../../api/types';
import type { Platform } from '../../models/platform';
import { isOver } from '../../models/jobs';
import { Commands } from '../../tokens';
import { useModel } from '../hooks';
import { nodes, pieces } from './ansi';
import { Why, type Rerun } from './failure';
import { JobFeed } from './feed';
import { FlowCard } from './flow/flowcard';
import {
  Action,
  JobButtons,
  JobMetrics,
  JobProgress,
  Standing
} from './header';
import { LogText } from './logtext';
import { MimeOutput, isPicture } from './output';
import { useOutputs } from './results';

export const JOB_MIME = 'application/vnd.blueno.job+json';

/** What a notebook keeps of a job: its id, and a line for other programs. */
export function jobBundle(job: Job): PartialJSONObject {
  return {
    [JOB_MIME]: { id: job.id },
    'text/plain': `Job ${job.name} (${job.id}): blueno.job("${job.id.slice(0, 8)}")`
  };
}

const LINES = 3; // of the log's end
const TAIL = 4096; // bytes that hold them
const NEWEST = 8; // outputs among which the last pictures are looked for
const PICTURES = 3; // side by side
const PAUSE = 400; // ms between two looks at the log

interface CardOptions {
  platform: Platform;
  commands: CommandRegistry;
  rendermime: IRenderMimeRegistry;
}

/**
 * A job at the cell that started it: as it stands now, whether or not the
 * notebook has a kernel.
 */
export class JobCard extends ReactWidget implements IRenderMime.IRenderer {
  constructor(private readonly card: CardOptions) {
    super();
    this.addClass('jp-blueno-card-host');
  }

  async renderModel(model: IRenderMime.IMimeModel): Promise<void> {
    this._model = model;
    const said = model.data[JOB_MIME] as { id?: unknown } | undefined;
    const id = String(said?.id ?? '');
    const text = model.data['text/plain'];
    this._fallback = [text ?? ''].flat().join('');
    if (this._feed?.id !== id) {
      this._feed?.dispose();
      this._feed = id ? new JobFeed(this.card.platform, id) : null;
    }
    this.update();
    await this.renderPromise;
  }

  dispose(): void {
    this._feed?.dispose();
    super.dispose();
  }

  protected render(): JSX.Element {
    return this._feed ? (
      <Card
        key={this._feed.id}
        feed={this._feed}
        fallback={this._fallback}
        rerun={resources => this._rerun(resources)}
        {...this.card}
      />
    ) : (
      <Unknown text={this._fallback} why="This output names no job." />
    );
  }

  /** Run it again, and be the card of the new job: also in the saved notebook. */
  private async _rerun(resources?: Resources): Promise<void> {
    const { _feed: feed, _model: model } = this;
    if (!feed || !model) {
      return;
    }
    try {
      const job = await this.card.platform.jobs.rerun(
        feed.id,
        resources && { resources }
      );
      model.setData({ data: { ...model.data, ...jobBundle(job) } });
      await this.renderModel(model);
    } catch (error) {
      Notification.error(reasonOf(error), { autoClose: 8000 });
    }
  }

  private _model: IRenderMime.IMimeModel | null = null;
  private _feed: JobFeed | null = null;
  private _fallback = '';
}

function Card(
  props: CardOptions & {
    feed: JobFeed;
    fallback: string;
    rerun: Rerun;
  }
): JSX.Element {
  const { feed, fallback, commands, rendermime, rerun } = props;
  const { job, problem } = useModel(feed);
  const [host, seen] = useSeen();
  if (!job) {
    return problem ? (
      <Unknown text={fallback} why={problem} />
    ) : (
      <div className="jp-blueno-card" role="status">
        Looking for the job …
      </div>
    );
  }
  const open = () => commands.execute(Commands.openJob, { id: job.id });
  return (
    <div
      ref={host}
      className="jp-blueno-card"
      role="group"
      aria-label={`Job ${job.name}`}
      data-job={job.id}
      data-state={job.state}
    >
      <div className="jp-blueno-job-headline">
        <button
          className="jp-blueno-button jp-mod-link jp-blueno-card-name"
          title="Open the job"
          onClick={() => void open()}
        >
          {job.name}
        </button>
        <Standing job={job} />
        <span className="jp-blueno-spacer" />
        <Action label="Open" run={open} />
        <JobButtons job={job} commands={commands} rerun={rerun} />
      </div>
      <JobProgress job={job} />
      <JobMetrics job={job} />
      <Why job={job} commands={commands} rerun={rerun} />
      {seen &&
        (job.kind === 'flow' ? (
          <FlowCard feed={feed} commands={commands} />
        ) : (
          <LastLines job={job} feed={feed} />
        ))}
      {seen && <LastShown job={job} feed={feed} rendermime={rendermime} />}
    </div>
  );
}

/** The text that was saved, and why there is no more than that. */
function Unknown(props: { text: string; why: string }): JSX.Element {
  return (
    <div className="jp-blueno-card jp-mod-unknown">
      {props.text && <pre>{props.text}</pre>}
      <div className="jp-blueno-hint">{props.why}</div>
    </div>
  );
}

/** The end of the log. */
function LastLines(props: { job: Job; feed: JobFeed }): JSX.Element | null {
  const { job, feed } = props;
  const [bytes, setBytes] = React.useState<Uint8Array | null>(null);
  const fetched = React.useRef(0);
  const { log_size: size } = job;
  React.useEffect(() => {
    if (!size) {
      return;
    }
    const wait = Math.max(0, fetched.current + PAUSE - Date.now());
    const timer = setTimeout(() => {
      fetched.current = Date.now();
      feed
        .log()(-TAIL, TAIL)
        .then(range => setBytes(range.bytes))
        .catch(() => undefined);
    }, wait);
    return () => clearTimeout(timer);
  }, [feed, size]);
  if (!bytes) {
    return null;
  }
  return (
    <div
      className="jp-blueno-card-log jp-RenderedText"
      aria-label="End of the log"
    >
      <pre ref={node => node?.replaceChildren(...lastLines(bytes))} />
    </div>
  );
}

function lastLines(bytes: Uint8Array): Node[] {
  const text = new LogText();
  const lines = [...text.feed(bytes), ...text.live()]
    .filter(line => line.text.trim())
    .slice(-LINES);
  return lines.map(line => {
    const node = document.createElement('div');
    node.append(...nodes(pieces(line.text, line.style).pieces));
    return node;
  });
}

/** The last pictures, and the value it returned. */
function LastShown(props: {
  job: Job;
  feed: JobFeed;
  rendermime: IRenderMimeRegistry;
}): JSX.Element {
  const { job, feed, rendermime } = props;
  const { outputs } = useOutputs(feed, job.output_count, NEWEST);
  const pictures = outputs.filter(isPicture).slice(-PICTURES);
  const value = outputs.findLast(
    one => one.role === 'result' && !isPicture(one)
  );
  const error = isOver(job)
    ? outputs.findLast(one => one.role === 'error')
    : undefined;
  const show = (output: Output) => (
    <MimeOutput key={output.index} output={output} rendermime={rendermime} />
  );
  return (
    <>
      {pictures.length > 0 && (
        <div className="jp-blueno-card-pictures">{pictures.map(show)}</div>
      )}
      {value && show(value)}
      {error && (
        <details className="jp-blueno-card-error">
          <summary>Traceback</summary>
          <MimeOutput output={error} rendermime={rendermime} />
        </details>
      )}
    </>
  );
}

/** Whether an element has ever been in view: what is out of sight costs nothing. */
function useSeen(): [React.RefCallback<HTMLElement>, boolean] {
  const [seen, setSeen] = React.useState(false);
  const observer = React.useRef<IntersectionObserver | null>(null);
  const host = React.useCallback((element: HTMLElement | null) => {
    observer.current?.disconnect();
    if (element) {
      observer.current = new IntersectionObserver(
        ([entry]) => entry.isIntersecting && setSeen(true)
      );
      observer.current.observe(element);
    }
  }, []);
  return [host, seen];
}
