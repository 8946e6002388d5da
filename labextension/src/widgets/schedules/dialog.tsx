import { Dialog, ReactWidget, showDialog } from '@jupyterlab/apputils';
import * as React from 'react';
import { reasonOf } from '../../api/client';
import type { Form, Schedule, Timing } from '../../api/types';
import { FormModel, type Changes } from '../../models/form';
import type { Platform } from '../../models/platform';
import { TimingModel } from '../../models/timing';
import { Field } from '../add/form';
import { FormView } from '../jobs/jobform';
import { TimingForm } from './timingform';

/** What was answered: when, and with which values. */
export interface Answer {
  timing: Timing;
  fresh: boolean;
  changes: Changes;
}

/**
 * Ask when work is to be started, and schedule it.
 *
 * What is refused, here or by the server, opens the dialog again with all that
 * was typed. Null: nothing was scheduled.
 */
export async function askAndSchedule(
  platform: Platform,
  form: Form,
  mayBeFresh: boolean,
  schedule: (answer: Answer) => Promise<Schedule>
): Promise<Schedule | null> {
  const when = new TimingModel(null, mayBeFresh);
  const work = new FormModel(form);
  const body = () => <TimingBody when={when} work={work} platform={platform} />;
  const done = async () => {
    const timing = when.read();
    const changes = work.read();
    return timing && changes
      ? schedule({ timing, fresh: when.fresh, changes })
      : null;
  };
  return ask(`Schedule ${form.name}`, 'Schedule', body, when, done, work);
}

/** Ask for other times, or another name, of a schedule. */
export async function askAndChange(
  platform: Platform,
  schedule: Schedule
): Promise<Schedule | null> {
  const when = new TimingModel(schedule.timing, false);
  const named = { name: schedule.name };
  const body = () => (
    <NamedTiming named={named} when={when} platform={platform} />
  );
  return ask(`Change ${schedule.name}`, 'Change', body, when, async () => {
    const timing = when.read();
    return timing
      ? platform.schedules.change(schedule.id, { timing, name: named.name })
      : null;
  });
}

async function ask(
  title: string,
  label: string,
  body: () => JSX.Element,
  when: TimingModel,
  done: () => Promise<Schedule | null>,
  work?: FormModel
): Promise<Schedule | null> {
  for (;;) {
    const { button } = await showDialog({
      title,
      body: new Body(body),
      buttons: [Dialog.cancelButton(), Dialog.okButton({ label })],
      focusNodeSelector: '[aria-invalid="true"], .jp-blueno-job-form input'
    });
    if (!button.accept) {
      return null;
    }
    try {
      const made = await done();
      if (made) {
        return made;
      }
    } catch (error) {
      if (!work?.refused(error)) {
        when.error = reasonOf(error);
      }
    }
  }
}

class Body extends ReactWidget {
  constructor(private readonly body: () => JSX.Element) {
    super();
    this.addClass('jp-blueno');
    this.addClass('jp-blueno-job-form');
  }

  protected render(): JSX.Element {
    return this.body();
  }
}

function TimingBody(props: {
  when: TimingModel;
  work: FormModel;
  platform: Platform;
}): JSX.Element {
  const { when, work, platform } = props;
  return (
    <>
      <TimingForm model={when} platform={platform} />
      <details className="jp-blueno-timing-work" open={work.errors.size > 0}>
        <summary>Name, values and resources</summary>
        <FormView model={work} />
      </details>
    </>
  );
}

function NamedTiming(props: {
  named: { name: string };
  when: TimingModel;
  platform: Platform;
}): JSX.Element {
  const { named, when, platform } = props;
  const [name, setName] = React.useState(named.name);
  return (
    <>
      <div className="jp-blueno-form">
        <Field
          id="blueno-timing-name"
          label="Name"
          value={name}
          onChange={text => {
            named.name = text;
            setName(text);
          }}
        />
      </div>
      <TimingForm model={when} platform={platform} />
    </>
  );
}
