/** Elements in one line. */

type Properties = Record<
  string,
  string | number | boolean | undefined | ((event: never) => void)
>;

/** An element with attributes (`on…` are listeners) and children. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  properties: Properties = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === 'function') {
      node.addEventListener(name.slice(2), value as EventListener);
    } else if (value === true) {
      node.setAttribute(name, '');
    } else if (value !== false && value !== undefined) {
      node.setAttribute(name, String(value));
    }
  }
  node.append(...children);
  return node;
}

/** Icons on a 16 × 16 grid, in the text's colour. */
const PATHS = {
  play: 'M5 3.2v9.6L12.5 8z',
  pause: 'M4.5 3h2.4v10H4.5zM9.1 3h2.4v10H9.1z',
  fit: 'M2 2h4v1.4H3.4V6H2zM10 2h4v4h-1.4V3.4H10zM2 10h1.4v2.6H6V14H2zM12.6 10H14v4h-4v-1.4h2.6z',
  invert: 'M8 1.5a6.5 6.5 0 110 13 6.5 6.5 0 010-13zM8 2.9a5.1 5.1 0 000 10.2z',
  smooth: 'M2 2h6v6H2zM8 8h6v6H8z',
  help: 'M8 1.5a6.5 6.5 0 110 13 6.5 6.5 0 010-13zm0 1.3a5.2 5.2 0 100 10.4A5.2 5.2 0 008 2.8zM7.3 10.6h1.4V12H7.3zM8 4.2c1.5 0 2.5.9 2.5 2.1 0 1-.6 1.5-1.1 1.9-.5.4-.7.6-.7 1.1v.3H7.3v-.4c0-1 .6-1.5 1.1-1.9.4-.3.7-.6.7-1 0-.5-.4-.9-1.1-.9s-1.2.4-1.3 1.1H5.4C5.5 5.1 6.5 4.2 8 4.2z',
  crosshair:
    'M7.4 1.5h1.2V6H7.4zM7.4 10h1.2v4.5H7.4zM1.5 7.4H6v1.2H1.5zM10 7.4h4.5v1.2H10z',
  camera:
    'M5.6 3l-.9 1.3H2v8.9h12V4.3h-2.7L10.4 3zM8 5.8a2.9 2.9 0 110 5.8 2.9 2.9 0 010-5.8zm0 1.2a1.7 1.7 0 100 3.4A1.7 1.7 0 008 7z'
} as const;

export type Icon = keyof typeof PATHS;

const SVG = 'http://www.w3.org/2000/svg';

export function svg(
  tag: string,
  properties: Record<string, string | number>,
  ...children: Node[]
): SVGElement {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(properties)) {
    node.setAttribute(name, String(value));
  }
  node.append(...children);
  return node;
}

export function icon(name: Icon): SVGElement {
  return svg(
    'svg',
    { viewBox: '0 0 16 16', width: 16, height: 16, 'aria-hidden': 'true' },
    svg('path', { d: PATHS[name], fill: 'currentColor' })
  );
}

/** A button that is an icon; its name is what a screen reader says and the tooltip shows. */
export function iconButton(
  name: Icon,
  label: string,
  onclick: () => void,
  pressed?: boolean
): HTMLButtonElement {
  return h(
    'button',
    {
      type: 'button',
      class: 'blueno-icon-button',
      title: label,
      'aria-label': label,
      'aria-pressed': pressed === undefined ? undefined : String(pressed),
      onclick
    },
    icon(name)
  );
}
