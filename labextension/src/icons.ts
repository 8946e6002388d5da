import { LabIcon } from '@jupyterlab/ui-components';

/** A stack of slices: three sheets, the front one with a lit pixel. */
const blueno = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" width="24" height="24">
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
