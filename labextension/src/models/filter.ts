/** The filter of a dataset tab: the same thing as text, as a query, as Python. */

export interface Filter {
  split: readonly string[];
  label: readonly string[];
  text: string;
}

export type Facet = 'split' | 'label';

export const EVERYTHING: Filter = { split: [], label: [], text: '' };

/**
 * Read `split:test label:"traffic light" some words`.
 *
 * Values of one facet are alternatives; `label:""` is "has no label". What is
 * not a facet is looked for in name and label.
 */
export function parseFilter(query: string): Filter {
  const split: string[] = [];
  const label: string[] = [];
  const words: string[] = [];
  const token = /(split|label):(?:"((?:[^"\\]|\\.)*)"?|(\S*))|(\S+)/g;
  for (const [, facet, quoted, plain, word] of query.matchAll(token)) {
    if (!facet) {
      words.push(word);
      continue;
    }
    const value = quoted?.replace(/\\(.)/g, '$1') ?? plain;
    // `label:` alone is on its way to be something.
    if (quoted !== undefined || value) {
      const values = facet === 'split' ? split : label;
      if (!values.includes(value)) {
        values.push(value);
      }
    }
  }
  return { split, label, text: words.join(' ') };
}

/** The text that `parseFilter` reads as this filter. */
export function formatFilter({ split, label, text }: Filter): string {
  return [
    ...split.map(value => `split:${quoted(value)}`),
    ...label.map(value => `label:${quoted(value)}`),
    ...(text ? [text] : [])
  ].join(' ');
}

/** The filter with one value of a facet put in or taken out. */
export function toggled(filter: Filter, facet: Facet, value: string): Filter {
  const values = filter[facet];
  return {
    ...filter,
    [facet]: values.includes(value)
      ? values.filter(other => other !== value)
      : [...values, value]
  };
}

/** Whether it lets everything through. */
export function isEverything({ split, label, text }: Filter): boolean {
  return !split.length && !label.length && !text;
}

/** What the server is asked. */
export function queryOf({ split, label, text }: Filter): {
  split: string[];
  label: string[];
  text?: string;
} {
  return {
    split: [...split],
    label: [...label],
    ...(text ? { text } : {})
  };
}

/** The line of Python that makes the same selection. */
export function asPython(dataset: string, filter = EVERYTHING): string {
  const terms = [
    ...pythonTerm('split', filter.split),
    ...pythonTerm('label', filter.label),
    ...(filter.text ? [`text=${pythonText(filter.text)}`] : [])
  ];
  const where = terms.length ? `.where(${terms.join(', ')})` : '';
  return `blueno.dataset(${pythonText(dataset)})${where}`;
}

function pythonTerm(name: string, values: readonly string[]): string[] {
  if (!values.length) {
    return [];
  }
  const texts = values.map(pythonText);
  return [`${name}=${texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`}`];
}

/** A Python string literal; JSON's escapes are Python's too. */
function pythonText(value: string): string {
  return JSON.stringify(value);
}

function quoted(value: string): string {
  return /^[^\s"\\]+$/.test(value)
    ? value
    : `"${value.replace(/["\\]/g, '\\$&')}"`;
}
