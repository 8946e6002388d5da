import { Notification } from '@jupyterlab/apputils';
import { runIcon } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import * as React from 'react';
import { reasonOf } from '../../../api/client';
import type { Flow, Step } from '../../../api/types';
import { isOver } from '../../../models/jobs';
import { isStepOver, type FlowModel } from '../../../models/flows';
import { Commands } from '../../../tokens';
import { useModel } from '../../hooks';
import { Failed, Loading } from '../../states';
import type { JobFeed } from '../feed';
import { Action } from '../header';
import { Sign } from '../words';
import { Parts } from './parts';
import { FlowPicture } from './picture';
import { useFlow } from './useflow';
import { SIGN, partsWords, stateWords, took } from './words';
import { Heads } from '../../heads';

/** The steps of a flow, live: a picture, and the same as a list. */
export function StepsTab(props: {
  feed: JobFeed;
  commands: CommandRegistry;
}): JSX.Element {
  const { feed, commands } = props;
  const host = React.useRef<HTMLDivElement>(null);
  const model = useFlow(feed, host);
  const { flow } = model;
  const [shown, show] = React.useState<string | null>(null);
  const openJob = (id: string) =>
    void commands.execute(Commands.openJob, { id });
  const open = (step: Step) => {
    if (step.mapped) {
      show(shown === step.name ? null : step.name);
    } else if (step.job_id) {
      openJob(step.job_id);
    }
  };
  return (
    <div ref={host} className="jp-blueno-flow">
      {!flow ? (
        model.error ? (
          <Failed
            title="The steps could not be read"
            error={model.error}
            again={() => void model.update()}
          />
        ) : (
          <Loading word="Loading steps" />
        )
      ) : (
        <>
          <Bar flow={flow} feed={feed} model={model} commands={commands} />
          <FlowPicture steps={flow.steps} open={open} />
          <StepList
            flow={flow}
            model={model}
            shown={shown}
            open={open}
            openJob={openJob}
          />
        </>
      )}
    </div>
  );
}

/** How many are done, which flow it resumed, and how it may go on. */
function Bar(props: {
  flow: Flow;
  feed: JobFeed;
  model: FlowModel;
  commands: CommandRegistry;
}): JSX.Element {
  const { flow, feed, model, commands } = props;
  const { job } = useModel(feed);
  const { steps, resumes } = flow;
  const done = steps.filter(({ state }) => state === 'SUCCEEDED').length;
  const reused = steps.filter(step => step.reused).length;
  const words = [
    `${done} of ${steps.length} ${steps.length === 1 ? 'step' : 'steps'} done`,
    reused && `${reused} reused`
  ];
  const resume = async () => {
    try {
      const id = await model.resume();
      await commands.execute(Commands.openJob, { id });
    } catch (error) {
      Notification.error(reasonOf(error), { autoClose: 8000 });
    }
  };
  return (
    <div
      className="jp-blueno-curves-bar"
      role="toolbar"
      aria-label="About the flow"
    >
      <span role="status">{words.filter(Boolean).join(' · ')}</span>
      {resumes && (
        <button
          className="jp-blueno-button jp-mod-link"
          onClick={() =>
            void commands.execute(Commands.openJob, { id: resumes })
          }
        >
          resumes {resumes.slice(0, 8)}
        </button>
      )}
      <span className="jp-blueno-spacer" />
      {job && isOver(job) && done < steps.length && (
        <Action icon={runIcon} label="Resume" run={resume} />
      )}
    </div>
  );
}

function StepList(props: {
  flow: Flow;
  model: FlowModel;
  shown: string | null;
  open: (step: Step) => void;
  openJob: (id: string) => void;
}): JSX.Element {
  const { flow, model, shown, open, openJob } = props;
  return (
    <table className="jp-blueno-table jp-blueno-flow-list" aria-label="Steps">
      <Heads names={['Step', 'State', 'Took', 'Why', 'Needs']} />
      <tbody>
        {flow.steps.map(step => (
          <React.Fragment key={step.name}>
            <tr data-step={step.name} data-state={step.state}>
              <th scope="row">
                <Sign sign={SIGN[step.state]} word={stateWords(step)} />
                <button
                  className="jp-blueno-button jp-mod-link"
                  disabled={!step.job_id && !step.mapped}
                  aria-expanded={step.mapped ? shown === step.name : undefined}
                  title={step.mapped ? 'Its jobs' : 'Open its job'}
                  onClick={() => open(step)}
                >
                  {step.name}
                </button>
              </th>
              <td>
                {stateWords(step)}
                {step.mapped && ` · ${partsWords(step)}`}
              </td>
              <td>{took(step)}</td>
              <td>{isStepOver(step) ? step.reason : waiting(step)}</td>
              <td>{step.needs.join(', ')}</td>
            </tr>
            {step.mapped && shown === step.name && (
              <tr>
                <td colSpan={5}>
                  <Parts model={model} step={step} open={openJob} />
                </td>
              </tr>
            )}
          </React.Fragment>
        ))}
      </tbody>
    </table>
  );
}

function waiting(step: Step): string {
  return step.state === 'QUEUED' ? (step.reason ?? '') : '';
}
