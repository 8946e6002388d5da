import { copyIcon } from '@jupyterlab/ui-components';
import * as React from 'react';
import { copyPython } from '../copy';

const SNIPPETS: { title: string; code: string }[] = [
  {
    title: 'Arrays',
    code: `import jupyter_blueno as blueno

# images: (N, H, W), (N, H, W, C), volumes (N, D, H, W), or a list of them
blueno.ingest(images, name="my-digits", labels=labels, split="train")`
  },
  {
    title: 'Files',
    code: `import jupyter_blueno as blueno

blueno.ingest("photos/", name="my-photos")    # sub-folders are labels
blueno.ingest("brain.nii.gz", name="brain")   # or .npy, or a DICOM folder
blueno.ingest(["a.png", "b.png"], labels=["cat", "dog"], name="two-photos")`
  },
  {
    title: 'A public set',
    code: `import jupyter_blueno as blueno

blueno.prepare("mnist")`
  }
];

/** The same from a notebook: lines to copy. */
export function Snippets(): JSX.Element {
  return (
    <div className="jp-blueno-form">
      <p>Everything that can be added here can be added by a line of Python.</p>
      {SNIPPETS.map(({ title, code }) => (
        <section key={title} className="jp-blueno-snippet">
          <header>
            <h2>{title}</h2>
            <button
              className="jp-blueno-button jp-mod-icon"
              title="Copy"
              aria-label={`Copy: ${title}`}
              onClick={() => copyPython(code, title)}
            >
              <copyIcon.react tag={null} />
            </button>
          </header>
          <pre>{code}</pre>
        </section>
      ))}
    </div>
  );
}
