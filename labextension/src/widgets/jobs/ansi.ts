/** ANSI colours of a log: text to styled pieces, and pieces to nodes. */

export interface Style {
  /** 0-15 of the palette, or a CSS colour. */
  foreground?: number | string;
  background?: number | string;
  bold?: boolean;
  faint?: boolean;
  italic?: boolean;
  underline?: boolean;
  inverse?: boolean;
}

export interface Piece {
  text: string;
  style: Style;
}

export const PLAIN: Style = Object.freeze({});

const NAMES = [
  'black',
  'red',
  'green',
  'yellow',
  'blue',
  'magenta',
  'cyan',
  'white'
];

// A control sequence, a command to the terminal (title, hyperlink), or another escape.
const ESCAPE =
  // eslint-disable-next-line no-control-regex
  /\x1b\[([0-9:;<=>?]*)[ -/]*([@-~])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[@-Z\\^_=>78]|[\x00-\x08\x0b\x0c\x0e-\x1a]/g;

// eslint-disable-next-line no-control-regex
const CONTROL = /[\x00-\x1b]/;

/** Split a line into pieces of one style; `after` is the style at its end. */
export function pieces(
  text: string,
  before: Style = PLAIN
): { pieces: Piece[]; after: Style } {
  if (!CONTROL.test(text)) {
    return { pieces: text ? [{ text, style: before }] : [], after: before };
  }
  const found: Piece[] = [];
  let style = before;
  let from = 0;
  for (const match of text.matchAll(ESCAPE)) {
    if (match.index > from) {
      found.push({ text: text.slice(from, match.index), style });
    }
    from = match.index + match[0].length;
    if (match[2] === 'm') {
      style = select(style, match[1]);
    }
  }
  if (from < text.length) {
    found.push({ text: text.slice(from), style });
  }
  return { pieces: found, after: style };
}

/** Nodes that show a line. Text stays text: nothing in a log becomes markup. */
export function nodes(line: Piece[]): Node[] {
  return line.map(({ text, style }) => {
    if (style === PLAIN || Object.keys(style).length === 0) {
      return document.createTextNode(text);
    }
    const span = document.createElement('span');
    span.textContent = text;
    const [front, back] = style.inverse
      ? [style.background ?? 'inverse', style.foreground ?? 'inverse']
      : [style.foreground, style.background];
    paint(span, front, 'fg', style.bold);
    paint(span, back, 'bg');
    span.classList.toggle('ansi-bold', Boolean(style.bold));
    span.classList.toggle('ansi-italic', Boolean(style.italic));
    span.classList.toggle('ansi-underline', Boolean(style.underline));
    span.classList.toggle('jp-blueno-faint', Boolean(style.faint));
    return span;
  });
}

function paint(
  span: HTMLElement,
  colour: number | string | undefined,
  place: 'fg' | 'bg',
  bold = false
): void {
  if (colour === undefined) {
    return;
  }
  if (colour === 'inverse') {
    span.classList.add(`ansi-default-inverse-${place}`);
  } else if (typeof colour === 'number') {
    const intense = colour >= 8 || (bold && place === 'fg') ? '-intense' : '';
    span.classList.add(`ansi-${NAMES[colour % 8]}${intense}-${place}`);
  } else {
    span.style.setProperty(
      place === 'fg' ? 'color' : 'background-color',
      colour
    );
  }
}

/** Apply the numbers of a "select graphic rendition" sequence. */
function select(before: Style, parameters: string): Style {
  const numbers = parameters.split(/[;:]/).map(Number);
  const style: Style = { ...before };
  while (numbers.length) {
    const code = numbers.shift() ?? 0;
    if (code === 0) {
      for (const key of Object.keys(style) as (keyof Style)[]) {
        delete style[key];
      }
    } else if (code === 1) {
      style.bold = true;
    } else if (code === 2) {
      style.faint = true;
    } else if (code === 3) {
      style.italic = true;
    } else if (code === 4) {
      style.underline = true;
    } else if (code === 7) {
      style.inverse = true;
    } else if (code === 21 || code === 22) {
      delete style.bold;
      delete style.faint;
    } else if (code === 23) {
      delete style.italic;
    } else if (code === 24) {
      delete style.underline;
    } else if (code === 27) {
      delete style.inverse;
    } else if (code === 38 || code === 48) {
      style[code === 38 ? 'foreground' : 'background'] = extended(numbers);
    } else if (code === 39) {
      delete style.foreground;
    } else if (code === 49) {
      delete style.background;
    } else if (code >= 30 && code <= 37) {
      style.foreground = code - 30;
    } else if (code >= 40 && code <= 47) {
      style.background = code - 40;
    } else if (code >= 90 && code <= 97) {
      style.foreground = code - 82;
    } else if (code >= 100 && code <= 107) {
      style.background = code - 92;
    }
  }
  return Object.keys(style).length ? style : PLAIN;
}

/** The colour after 38 or 48: an index (5;n) or red, green and blue (2;r;g;b). */
function extended(numbers: number[]): number | string | undefined {
  const kind = numbers.shift();
  if (kind === 2) {
    const [red = 0, green = 0, blue = 0] = numbers.splice(0, 3);
    return `rgb(${red},${green},${blue})`;
  }
  if (kind !== 5) {
    return undefined;
  }
  const index = numbers.shift() ?? 0;
  if (index < 16) {
    return index;
  }
  if (index >= 232) {
    const grey = 8 + 10 * (index - 232);
    return `rgb(${grey},${grey},${grey})`;
  }
  const level = (step: number) => (step ? 55 + 40 * step : 0);
  const cube = index - 16;
  return `rgb(${level(Math.floor(cube / 36))},${level(Math.floor(cube / 6) % 6)},${level(cube % 6)})`;
}
