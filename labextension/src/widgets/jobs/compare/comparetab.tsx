import { MainAreaWidget } from '@jupyterlab/apputils';
import type { IEditorServices } from '@jupyterlab/codeeditor';
import { closeIcon, ReactWidget } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import * as React from 'react';
import type { Comparison } from '../../../api/types';
import { bluenoIcon } from '../../../icons';
import { ComparisonModel, labelsOf, MOST } from '../../../models/comparison';
import type { Platform } from '../../../models/platform';
import { Commands } from '../../../tokens';
import { useModel } from '../../hooks';
import { age, count, counted, short } from '../../numbers';
import { Empty, Failed, Loading } from '../../states';
import { ReadOnly } from '../code';
import { Chart, useTheme } from '../curves/chart';
import { StateSign } from '../words';
import { textOf } from '../trials/axes';

interface CompareOptions {
  platform: Platform;
  commands: CommandRegistry;
  editors: IEditorServices;
}

/** Jobs side by side. */
export class CompareTab extends MainAreaWidget<ReactWidget> {
  constructor(options: CompareOptions) {
    const model = new ComparisonModel(options.platform.api);
    super({
      content: ReactWidget.create(<Compare model={model} {...options} />)
    });
    this.model = model;
    this.toolbar.hide();
    this.content.addClass('jp-blueno');
    this.content.addClass('jp-blueno-compare');
    this.id = 'jp-blueno-compare';
    this.title.icon = bluenoIcon;
    this.title.label = 'Compare jobs';
    this.title.closable = true;
  }

  readonly model: ComparisonModel;
}

function Compare(
  props: CompareOptions & { model: ComparisonModel }
): JSX.Element {
  const { model, platform, commands, editors } = props;
  const { told, error, ids } = useModel(model);
  const [all, setAll] = React.useState(false);
  return (
    <>
      <div
        className="jp-blueno-curves-bar"
        role="toolbar"
        aria-label="Which jobs"
      >
        <Adding model={model} platform={platform} />
        <label>
          <input
            type="checkbox"
            checked={all}
            onChange={event => setAll(event.target.checked)}
          />
          Also what is the same
        </label>
        {ids.length > 1 && (
          <>
            <button
              className="jp-blueno-button jp-mod-link"
              title="Their runs side by side in MLflow"
              onClick={() =>
                void commands.execute(Commands.openMlflow, { jobs: [...ids] })
              }
            >
              MLflow ↗
            </button>
            <button
              className="jp-blueno-button jp-mod-link"
              title="Their metrics and event files in one TensorBoard"
              onClick={() =>
                void commands.execute(Commands.openTensorBoard, {
                  ids: [...ids]
                })
              }
            >
              TensorBoard ↗
            </button>
          </>
        )}
      </div>
      {error ? (
        <Failed
          title="The jobs could not be compared"
          error={error}
          again={() => void model.update()}
        />
      ) : ids.length < 2 ? (
        <Empty title="One more job">
          Add another job above: two to {MOST} can be side by side.
        </Empty>
      ) : !told ? (
        <Loading word="Comparing" />
      ) : (
        <>
          <Lines told={told} all={all} model={model} commands={commands} />
          <Charts model={model} />
          <Code told={told} editors={editors} />
        </>
      )}
    </>
  );
}

/** A list of the newest jobs that are not here yet. */
function Adding(props: {
  model: ComparisonModel;
  platform: Platform;
}): JSX.Element {
  const { model, platform } = props;
  const { ids } = useModel(model);
  const { listed } = useModel(platform.jobs);
  return (
    <label>
      Add
      <select
        aria-label="Add a job"
        value=""
        disabled={ids.length >= MOST}
        onChange={event => event.target.value && model.add(event.target.value)}
      >
        <option value="">a job …</option>
        {listed
          .filter(({ id }) => !ids.includes(id))
          .slice(0, 50)
          .map(({ id, name, created_at }) => (
            <option key={id} value={id}>
              {name} · {age(created_at)}
            </option>
          ))}
      </select>
    </label>
  );
}

const SECTIONS = [
  ['metrics', 'Metrics'],
  ['parameters', 'Parameters'],
  ['datasets', 'Datasets'],
  ['resources', 'Resources'],
  ['environment', 'Environment']
] as const;

function Lines(props: {
  told: Comparison;
  all: boolean;
  model: ComparisonModel;
  commands: CommandRegistry;
}): JSX.Element {
  const { told, all, model, commands } = props;
  const { jobs } = told;
  return (
    <table className="jp-blueno-curves-table jp-blueno-compare-table">
      <thead>
        <tr>
          <td />
          {jobs.map((job, at) => (
            <th key={job.id} scope="col">
              <StateSign job={job} />
              <button
                className="jp-blueno-button jp-mod-link"
                title={`Open the job ${job.id.slice(0, 8)}`}
                onClick={() =>
                  void commands.execute(Commands.openJob, { id: job.id })
                }
              >
                {labelsOf(told)[at]}
              </button>
              <button
                className="jp-blueno-button jp-mod-icon"
                title={`Take ${job.name} out of the comparison`}
                aria-label={`Take ${job.name} out`}
                onClick={() => model.remove(job.id)}
              >
                <closeIcon.react tag={null} />
              </button>
            </th>
          ))}
        </tr>
      </thead>
      {SECTIONS.map(([kind, title]) => {
        const lines = told[kind];
        const shown = lines.filter(({ differs }) => all || differs);
        const same = lines.length - shown.length;
        return (
          lines.length > 0 && (
            <tbody key={kind}>
              <tr className="jp-blueno-compare-section">
                <th scope="rowgroup" colSpan={jobs.length + 1}>
                  {title}
                  {same > 0 && (
                    <span className="jp-blueno-hint">
                      {' '}
                      {count(same)} the same
                    </span>
                  )}
                </th>
              </tr>
              {shown.map(({ name, values, differs }) => (
                <tr key={name} className={differs ? 'jp-mod-differs' : ''}>
                  <th scope="row">{name}</th>
                  {values.map((value, at) => (
                    <td key={at} title={value === null ? '' : textOf(value)}>
                      {value === null ? '–' : inWords(kind, name, value)}
                    </td>
                  ))}
                </tr>
              ))}
            </tbody>
          )
        );
      })}
    </table>
  );
}

function inWords(kind: string, name: string, value: unknown): string {
  return kind === 'metrics'
    ? short(Number(value))
    : kind === 'resources' && name === 'memory'
      ? `${short(Number(value) / 1e9)} GB`
      : textOf(value);
}

const DRAWN = { along: 'step', log: false, smoothing: 0 } as const;

/** A picture a metric, a curve a job. */
function Charts({ model }: { model: ComparisonModel }): JSX.Element | null {
  const { groups } = useModel(model);
  const theme = useTheme();
  const drawn = groups.filter(({ curves }) =>
    curves.some(({ steps }) => steps.length > 1)
  );
  return drawn.length ? (
    <div className="jp-blueno-charts">
      {drawn.map(group => (
        <Chart
          key={group.title}
          group={group}
          drawn={DRAWN}
          begin={0}
          word="step "
          theme={theme}
          sync="jp-blueno-compare"
          format={short}
          formatAlong={short}
        />
      ))}
    </div>
  ) : null;
}

/** How the code of the others differs from that of the first. */
function Code(props: {
  told: Comparison;
  editors: IEditorServices;
}): JSX.Element {
  const { told, editors } = props;
  const labels = labelsOf(told);
  return (
    <div className="jp-blueno-code">
      <h2 className="jp-blueno-compare-title">
        Code
        {!told.code.length && (
          <span className="jp-blueno-hint"> the same in all</span>
        )}
      </h2>
      {told.code.map(({ job, name, lines }) => {
        const changed = lines.filter(line => /^[+-]/.test(line)).length;
        const title = `${name} of ${labels[job]}, compared with ${labels[0]}`;
        return (
          <section key={`${job} ${name}`}>
            <div className="jp-blueno-code-title">
              {title}: {counted(changed, 'line')}
            </div>
            <ReadOnly
              label={title}
              text={lines.join('\n')}
              language="diff"
              editors={editors}
            />
          </section>
        );
      })}
    </div>
  );
}
