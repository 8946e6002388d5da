import { Dialog, ReactWidget, showDialog } from '@jupyterlab/apputils';

/** What a dialog asks, and what is done with it; `Told` is what a dry run says. */
export interface Asked<Read, Made, Told> {
  title: string;
  accept: string;
  body: (told: Told | null) => JSX.Element;
  /** The node to begin at. */
  focus: () => string;
  /** Null where something is wrong, which the body says. */
  read: () => Read | null;
  start: (read: Read) => Promise<Made>;
  /** Without it there is no dry run. */
  preview?: (read: Read) => Promise<Told>;
  refused: (error: unknown) => void;
}

/**
 * Ask in a dialog until something was started, or it was put away: null.
 *
 * What is refused, here or by the server, opens it again with all that was
 * typed. Where there is a dry run, another button only tells what would come of it.
 */
export async function ask<Read, Made, Told>(
  asked: Asked<Read, Made, Told>
): Promise<Made | null> {
  let told: Told | null = null;
  for (;;) {
    const { button } = await showDialog({
      title: asked.title,
      body: new Body(asked.body(told)),
      buttons: [
        Dialog.cancelButton(),
        ...(asked.preview ? [dryRunButton()] : []),
        Dialog.okButton({ label: asked.accept })
      ],
      focusNodeSelector: asked.focus()
    });
    if (!button.accept) {
      return null;
    }
    told = null;
    const read = asked.read();
    if (!read) {
      continue;
    }
    try {
      if (asked.preview && button.label === DRY_RUN) {
        told = await asked.preview(read);
        continue;
      }
      return await asked.start(read);
    } catch (error) {
      asked.refused(error);
    }
  }
}

const DRY_RUN = 'Preview';

const dryRunButton = () =>
  Dialog.createButton({
    label: DRY_RUN,
    caption:
      'A dry run: start nothing; say what would be sent, and when it would start'
  });

class Body extends ReactWidget {
  constructor(private readonly content: JSX.Element) {
    super();
    this.addClass('jp-blueno');
    this.addClass('jp-blueno-job-form');
  }

  protected render(): JSX.Element {
    return this.content;
  }
}
