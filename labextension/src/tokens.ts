import { Token } from '@lumino/coreutils';
import type { Platform } from './models/platform';

/** The platform as every plugin sees it. */
export type IBlueno = Platform;

export const IBlueno = new Token<IBlueno>(
  'jupyter-blueno:IBlueno',
  'Datasets, samples and jobs of Blueno, kept up to date.'
);

/** Where palette and launcher list our commands. */
export const CATEGORY = 'Blueno';

/** All commands, `blueno:verb-noun`. */
export const Commands = {
  showPanel: 'blueno:show-panel',
  addDataset: 'blueno:add-dataset', // {choice?}
  openDataset: 'blueno:open-dataset', // {id} or {name}, {split?, label?, text?}
  deleteDataset: 'blueno:delete-dataset', // {id}
  copyDataset: 'blueno:copy-dataset', // {id}: the line of Python
  openSample: 'blueno:open-sample', // {datasetId, ordinal}
  openJob: 'blueno:open-job', // {id}
  cancelJob: 'blueno:cancel-job', // {id}
  rerunJobWith: 'blueno:rerun-job-with', // {id}: asks for other values
  sweepJob: 'blueno:sweep-job', // {id}: asks what is to vary
  rerunJob: 'blueno:rerun-job', // {id}, {resources?}, {resume?}: from the newest checkpoint
  pauseJob: 'blueno:pause-job', // {id}
  unpauseJob: 'blueno:unpause-job', // {id}
  prioritiseJob: 'blueno:prioritise-job', // {id}, {priority}
  compareJobs: 'blueno:compare-jobs', // {id} or {ids}: side by side
  openJobBench: 'blueno:open-job-bench', // {id}: a notebook that takes up where it was
  copyJobFix: 'blueno:copy-job-fix', // {id}: the command that its failure suggests
  deleteJob: 'blueno:delete-job', // {id}
  cancelJobs: 'blueno:cancel-jobs', // {ids}: asks before
  deleteJobs: 'blueno:delete-jobs', // {ids}: asks before
  showJobs: 'blueno:show-jobs',
  copyJobId: 'blueno:copy-job-id', // {id}
  copyJob: 'blueno:copy-job', // {id}: the line of Python
  openJobNotebook: 'blueno:open-job-notebook', // {id}: the executed notebook
  openJobOrigin: 'blueno:open-job-origin', // {id}: notebook and cell it came from
  scheduleNotebook: 'blueno:schedule-notebook', // asks when
  scheduleJob: 'blueno:schedule-job', // {id}: asks when
  showSchedules: 'blueno:show-schedules',
  runSchedule: 'blueno:run-schedule', // {id}
  editSchedule: 'blueno:edit-schedule', // {id}
  pauseSchedule: 'blueno:pause-schedule', // {id}, and lets it go on again
  copySchedule: 'blueno:copy-schedule', // {id}: the line of Python
  deleteSchedule: 'blueno:delete-schedule', // {id}
  openModel: 'blueno:open-model', // {id}: its name; {version?}
  showModels: 'blueno:show-models',
  copyModel: 'blueno:copy-model', // {id}, {version?}: the line of Python
  setModelAlias: 'blueno:set-model-alias', // {id}, {version?}: asks which
  describeModel: 'blueno:describe-model', // {id}, {version?}: asks
  deleteModel: 'blueno:delete-model', // {id}, {version?}: asks first
  openTensorBoard: 'blueno:open-tensorboard', // {id}, or {ids}: several jobs in one
  openExampleJob: 'blueno:open-example-job',
  runNotebookAsJob: 'blueno:run-notebook-as-job',
  runNotebookWith: 'blueno:run-notebook-with', // asks for values first
  runCellAsJob: 'blueno:run-cell-as-job',
  openWriter: 'blueno:open-writer', // of the file chosen in the file browser
  giveBackGpus: 'blueno:give-back-gpus', // asks before
  openUsage: 'blueno:open-usage',
  openPeople: 'blueno:open-people', // for administrators of a hub
  openMlflow: 'blueno:open-mlflow', // {path?}: a place in it; {job?}: its run; {jobs?}: compared
  runOnSelection: 'blueno:run-on-selection' // {selection, total, python}
} as const;
