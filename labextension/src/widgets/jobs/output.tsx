import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { MessageLoop } from '@lumino/messaging';
import { Widget } from '@lumino/widgets';
import * as React from 'react';
import type { JSONObject, PartialJSONObject } from '@lumino/coreutils';
import type { Output } from '../../api/types';

const STDERR = 'application/vnd.jupyter.stderr';

// Live in a kernel that a job's output no longer has.
const NEED_KERNEL = ['application/vnd.jupyter.widget-view+json'];

/**
 * One output of a job, drawn by Lab's renderers.
 *
 * It is never trusted: HTML is sanitised, scripts do not run.
 */
export function MimeOutput(props: {
  output: Output;
  rendermime: IRenderMimeRegistry;
}): JSX.Element {
  const { output, rendermime } = props;
  const host = React.useRef<HTMLDivElement>(null);
  const [problem, setProblem] = React.useState('');
  // The layout effect's clean-up is while the host is still in the page.
  React.useLayoutEffect(() => {
    const data = bundle(output);
    const mime = rendermime.preferredMimeType(data, 'ensure');
    if (!mime || !host.current) {
      setProblem(`Nothing here can show ${Object.keys(data).join(', ')}.`);
      return;
    }
    const renderer = rendermime.createRenderer(mime);
    const model = rendermime.createModel({
      data,
      metadata: output.metadata as PartialJSONObject,
      trusted: false
    });
    renderer
      .renderModel(model)
      .catch(error => setProblem(`It could not be drawn: ${error}`));
    Widget.attach(renderer, host.current);
    const resized = new ResizeObserver(() =>
      MessageLoop.postMessage(renderer, Widget.ResizeMessage.UnknownSize)
    );
    resized.observe(host.current);
    return () => {
      resized.disconnect();
      renderer.dispose();
    };
  }, [output, rendermime]);
  return (
    <div
      className={`jp-blueno-output jp-OutputArea-output jp-mod-${output.role}`}
    >
      <div ref={host} />
      {problem && <div className="jp-blueno-hint">{problem}</div>}
    </div>
  );
}

/** What to draw: a traceback as an error, and nothing that needs a kernel. */
function bundle(output: Output): PartialJSONObject {
  const data: JSONObject = { ...(output.data as JSONObject) };
  if (output.role === 'error') {
    return { [STDERR]: data['text/plain'] ?? '' };
  }
  if (Object.keys(data).length > 1) {
    NEED_KERNEL.forEach(mime => delete data[mime]);
  }
  return data;
}

/** Whether an output is a picture of some sort. */
export function isPicture(output: Output): boolean {
  return Object.keys(output.data).some(
    mime => mime.startsWith('image/') || mime.includes('plotly')
  );
}
