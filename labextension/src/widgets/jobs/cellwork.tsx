import { Dialog, Notification, showDialog } from '@jupyterlab/apputils';
import type { Kernel } from '@jupyterlab/services';
import {
  PromiseDelegate,
  type ReadonlyPartialJSONObject
} from '@lumino/coreutils';
import * as React from 'react';

/** What is asked of the kernel; see `jupyter_blueno.client.cells.press`. */
export interface CellWork {
  id: string;
  name: string;
  source: string;
  origin: { notebook: string; cell_id: string; kernel_id?: string };
}

/** A job that was started, and what is said about the variables it took along. */
export interface Started {
  id: string;
  said: string;
}

interface Pressed {
  job?: string;
  said?: string;
  refused?: [name: string, why: string][];
  missing?: string;
  error?: string;
}

const MIME = 'application/vnd.blueno.pressed+json';
const NAMED = 6; // names that are said
const SLOW = 800; // ms until it is said that the kernel is being asked

/** The ways in which a cell is started. */
interface Ways {
  /** Names that a cell needs of its kernel. */
  names: (source: string) => Promise<string[]>;
  /** Start it without any; null: it was refused, and that was told. */
  plain: () => Promise<string | null>;
  cancel: (id: string) => void;
}

/**
 * Start a cell as a job with what it needs of its kernel, or, where the kernel
 * cannot be asked and the user wants it, without.
 *
 * A kernel that is busy is never waited for unasked, and none is asked where the
 * cell needs nothing. Null: nothing was started.
 */
export async function startCell(
  kernel: Kernel.IKernelConnection | null | undefined,
  work: CellWork,
  { names, plain, cancel }: Ways
): Promise<Started | null> {
  const without = async (): Promise<Started | null> => {
    const id = await plain();
    return id ? { id, said: '' } : null;
  };
  if (!kernel || EMPTY.has(kernel.status)) {
    return without(); // nothing is defined there
  }
  const needed = await names(work.source);
  if (!needed.length) {
    return without();
  }
  if (kernel.status === 'busy') {
    const answer = await ask(
      'The kernel is busy',
      <p>
        The cell uses {listed(needed)} of this notebook’s kernel, which runs
        something else now.
      </p>,
      'Run without variables',
      'Run when it is free'
    );
    if (answer !== 'then') {
      return answer === 'without' ? without() : null;
    }
  }
  return withKernel(new Asking(kernel, work.name, cancel), work, without);
}

/** Ask the kernel, and the user about what stands in the way, until it is clear. */
async function withKernel(
  asking: Asking,
  work: CellWork,
  without: () => Promise<Started | null>
): Promise<Started | null> {
  const choice = { without: [] as string[], anyway: false };
  for (;;) {
    const found = await asking.ask({ ...work, ...choice });
    if (found === null) {
      return null;
    }
    if (found.job) {
      return { id: found.job, said: found.said ?? '' };
    }
    if (found.refused) {
      const names = found.refused.map(([name]) => name);
      const answer = await ask(
        'Some variables cannot go along',
        <Refused refused={found.refused} />,
        null,
        names.length === 1 ? `Run without ${names[0]}` : 'Run without these'
      );
      if (answer !== 'then') {
        return null;
      }
      choice.without = [...choice.without, ...names];
    } else if (found.missing) {
      const answer = await ask(
        'A name is not defined',
        <p>{found.missing}</p>,
        null,
        'Run all the same'
      );
      if (answer !== 'then') {
        return null;
      }
      choice.anyway = true;
    } else {
      const answer = await ask(
        'The kernel’s variables cannot be taken along',
        <p>{found.error}</p>,
        null,
        'Run without variables'
      );
      return answer === 'then' ? without() : null;
    }
  }
}

/** Where nothing is defined. */
const EMPTY: ReadonlySet<Kernel.Status> = new Set([
  'dead',
  'terminating',
  'starting',
  'restarting',
  'autorestarting'
]);

/** Questions to one kernel; while it does not answer, a notice says so and lets one give up. */
class Asking {
  constructor(
    private readonly kernel: Kernel.IKernelConnection,
    private readonly name: string,
    private readonly cancel: (id: string) => void
  ) {}

  /** Null: the user no longer wants an answer. */
  async ask(request: ReadonlyPartialJSONObject): Promise<Pressed | null> {
    const timer = setTimeout(() => this.tell(), SLOW);
    const stopped = this.stopped.promise.then(() => null);
    try {
      await Promise.race([this.free(), stopped]);
      if (this.gaveUp) {
        return null;
      }
      const answer = this.press(request);
      void answer.then(({ job }) => {
        if (job && this.gaveUp) {
          this.cancel(job); // the kernel had begun already
        }
      });
      return await Promise.race([answer, stopped]);
    } finally {
      clearTimeout(timer);
      this.quiet();
    }
  }

  /** Resolves when the kernel is idle, or gone. */
  private async free(): Promise<void> {
    const { kernel } = this;
    const isFree = () =>
      kernel.isDisposed || kernel.status === 'idle' || EMPTY.has(kernel.status);
    while (!isFree()) {
      const change = new PromiseDelegate<void>();
      const seen = () => change.resolve();
      kernel.statusChanged.connect(seen);
      kernel.disposed.connect(seen);
      await change.promise;
      kernel.statusChanged.disconnect(seen);
      kernel.disposed.disconnect(seen);
    }
  }

  private async press(request: ReadonlyPartialJSONObject): Promise<Pressed> {
    // A JSON text is a Python text, too.
    const text = JSON.stringify(JSON.stringify(request));
    try {
      const { content } = await this.kernel.requestExecute({
        code: '',
        silent: true,
        store_history: false,
        user_expressions: {
          pressed: `__import__('jupyter_blueno.client.cells', fromlist=['press']).press(${text})`
        }
      }).done;
      if (content.status !== 'ok') {
        return { error: 'The kernel was interrupted before it could answer.' };
      }
      const said = content.user_expressions.pressed as unknown as {
        status: string;
        ename?: string;
        evalue?: string;
        data?: Record<string, unknown>;
      };
      if (said.status === 'ok') {
        return said.data?.[MIME] as Pressed;
      }
      return {
        error:
          said.ename === 'ModuleNotFoundError'
            ? 'This notebook’s kernel has no jupyter-blueno, which reads them: %pip install jupyter-blueno, then restart the kernel.'
            : `${said.ename}: ${said.evalue}`
      };
    } catch {
      return { error: 'The kernel went away before it could answer.' };
    }
  }

  private tell(): void {
    this.notice = Notification.emit(
      `“${this.name}” starts as a job as soon as the kernel has handed over its variables.`,
      'in-progress',
      {
        autoClose: false,
        actions: [
          {
            label: 'Do Not Start',
            callback: () => {
              this.gaveUp = true;
              this.stopped.resolve();
            }
          }
        ]
      }
    );
  }

  private quiet(): void {
    if (this.notice) {
      Notification.dismiss(this.notice);
      this.notice = '';
    }
  }

  private readonly stopped = new PromiseDelegate<void>();
  private gaveUp = false;
  private notice = '';
}

/** Ask; 'then' is the button that goes on. */
async function ask(
  title: string,
  body: React.ReactElement,
  other: string | null,
  then: string
): Promise<'cancel' | 'without' | 'then'> {
  const { button } = await showDialog({
    title,
    body,
    buttons: [
      Dialog.cancelButton(),
      ...(other
        ? [Dialog.okButton({ label: other, className: 'jp-mod-reject' })]
        : []),
      Dialog.okButton({ label: then })
    ]
  });
  return !button.accept ? 'cancel' : button.label === then ? 'then' : 'without';
}

/** `a, b and c`; of many the first. */
function listed(names: string[]): JSX.Element {
  const shown = names.slice(0, NAMED);
  const more = names.length - shown.length;
  return (
    <>
      {shown.map((name, at) => (
        <React.Fragment key={name}>
          {at > 0 && (at === shown.length - 1 && !more ? ' and ' : ', ')}
          <code>{name}</code>
        </React.Fragment>
      ))}
      {more > 0 && ` and ${more} more`}
    </>
  );
}

function Refused(props: { refused: [string, string][] }): JSX.Element {
  return (
    <div className="jp-blueno">
      <p>The job would need them, and they cannot be sent:</p>
      <dl className="jp-blueno-refused">
        {props.refused.map(([name, why]) => (
          <React.Fragment key={name}>
            <dt>
              <code>{name}</code>
            </dt>
            <dd>{why}</dd>
          </React.Fragment>
        ))}
      </dl>
    </div>
  );
}
