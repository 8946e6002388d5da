import { LabIcon } from '@jupyterlab/ui-components';

/** A stack of slices: three sheets, the front one with a lit pixel. */
const blueno = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" width="16" height="16">
  <rect x="8.5" y="2.5" width="13" height="13" rx="2.2" fill="#90caf9"/>
  <rect x="5.5" y="5.5" width="13" height="13" rx="2.2" fill="#42a5f5"/>
  <rect x="2.5" y="8.5" width="13" height="13" rx="2.2" fill="#1565c0"/>
  <path d="M5 19l3-4.2 2.1 2.6 1.5-1.8L13.5 19z" fill="#e3f2fd"/>
  <circle cx="11.6" cy="12.3" r="1.5" fill="#e3f2fd"/>
</svg>`;

export const bluenoIcon = new LabIcon({
  name: 'jupyter-blueno:icon',
  svgstr: blueno
});

/** A triangle that starts something which goes on by itself. */
const runAsJob = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" width="16" height="16">
  <path class="jp-icon3" fill="#616161" d="M4 5v12l9-6z"/>
  <path class="jp-icon3" fill="#616161" d="M17.5 10a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11zm0 1.6a3.9 3.9 0 1 1 0 7.8 3.9 3.9 0 0 1 0-7.8zm-.7 1.2v3.1l2.4 1.5.7-1.1-1.7-1.1v-2.4z"/>
</svg>`;

export const runAsJobIcon = new LabIcon({
  name: 'jupyter-blueno:run-as-job',
  svgstr: runAsJob
});

/** The same with three sliders: something is asked first. */
const runWithValues = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" width="16" height="16">
  <path class="jp-icon3" fill="#616161" d="M4 4v12l9-6z"/>
  <path class="jp-icon3" fill="#616161" d="M11 14.2h4.2v-1.4h1.6v1.4H22v1.6h-5.2v1.4h-1.6v-1.4H11zM11 19.2h7.2v-1.4h1.6v1.4H22v1.6h-2.2v1.4h-1.6v-1.4H11z"/>
</svg>`;

export const runWithValuesIcon = new LabIcon({
  name: 'jupyter-blueno:run-with-values',
  svgstr: runWithValues
});

/** A sheet of a calendar with a clock. */
const schedule = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" width="16" height="16">
  <path class="jp-icon3" fill="#616161" d="M7 2v2H5a2 2 0 0 0-2 2v13a2 2 0 0 0 2 2h6.3a7 7 0 0 1-1-2H5V9h14v1.3a7 7 0 0 1 2 1V6a2 2 0 0 0-2-2h-2V2h-2v2H9V2z"/>
  <path class="jp-icon3" fill="#616161" d="M16.5 11.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11zm0 1.6a3.9 3.9 0 1 1 0 7.8 3.9 3.9 0 0 1 0-7.8zm-.7 1.2v3.1l2.4 1.5.7-1.1-1.7-1.1v-2.4z"/>
</svg>`;

export const scheduleIcon = new LabIcon({
  name: 'jupyter-blueno:schedule',
  svgstr: schedule
});

const gallery = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16" width="16" height="16">
  <path class="jp-icon3" fill="#616161" d="M2 2h3.4v3.4H2zM6.3 2h3.4v3.4H6.3zM10.6 2H14v3.4h-3.4zM2 6.3h3.4v3.4H2zM6.3 6.3h3.4v3.4H6.3zM10.6 6.3H14v3.4h-3.4zM2 10.6h3.4V14H2zM6.3 10.6h3.4V14H6.3zM10.6 10.6H14V14h-3.4z"/>
</svg>`;

export const galleryIcon = new LabIcon({
  name: 'jupyter-blueno:gallery',
  svgstr: gallery
});

/** A box that is taken out of a row: something finished, kept. */
const model = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" width="16" height="16">
  <path class="jp-icon3" fill="#616161" d="M12 2.5 3.5 7v10l8.5 4.5 8.5-4.5V7zm0 2 5.9 3.1L12 10.7 6.1 7.6zM5.3 9.2l5.8 3v6.8l-5.8-3zm7.6 9.8v-6.8l5.8-3V16z"/>
</svg>`;

export const modelIcon = new LabIcon({
  name: 'jupyter-blueno:model',
  svgstr: model
});
