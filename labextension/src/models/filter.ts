/** The filter of a dataset tab: the same thing as text, as a query, as Python. */

export interface Filter {
  split: readonly string[];
  label: readonly string[];
  text: string;
  /** Conditions on columns: `dice<0.5`. */
  having: readonly string[];
}

export type Facet = 'split' | 'label';

export const EVERYTHING: Filter = {
  split: [],
  label: [],
  text: '',
  having: []
};

/**
 * Read `split:test label:"traffic light" dice<0.5 some words`.
 *
 * Values of one facet are alternatives; `label:""` is "has no label". What is
 * neither a facet nor a condition is looked for in name and label.
 */
export function parseFilter(query: string): Filter {
  const split: string[] = [];
  const label: string[] = [];
  const words: string[] = [];
  const having: string[] = [];
  const token =
    /(?:(split|label):|([\p{L}_][\p{L}\p{N}_.-]*(?:<=|>=|!=|[<>=])))(?:"((?:[^"\\]|\\.)*)"?|(\S*))|(\S+)/gu;
  for (const [, facet, test, inside, plain, word] of query.matchAll(token)) {
    if (!facet && !test) {
      words.push(word);
      continue;
    }
    const quoted = inside?.replace(/\\(.)/g, '$1');
    const value = quoted ?? plain;
    if (test) {
      // `dice<` alone is on its way to be something, too.
      having.push(...(value ? [`${test}${value}`] : []));
      continue;
    }
    // `label:` alone is on its way to be something.
    if (quoted !== undefined || value) {
      const values = facet === 'split' ? split : label;
      if (!values.includes(value)) {
        values.push(value);
      }
    }
  }
  return { split, label, text: words.join(' '), having };
}

/** The text that `parseFilter` reads as this filter. */
export function formatFilter({ split, label, text, having }: Filter): string {
  return [
    ...split.map(value => `split:${quoted(value)}`),
    ...label.map(value => `label:${quoted(value)}`),
    ...having.map(condition => {
      const [, test, value] = /^([^<>=!]*[<>=!]+)(.*)$/su.exec(condition)!;
      return `${test}${quoted(value)}`;
    }),
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
export function isEverything(filter: Filter): boolean {
  const { split, label, text, having } = filter;
  return !split.length && !label.length && !text && !having.length;
}

/** What the server is asked. */
export function queryOf({ split, label, text, having }: Filter): {
  split: string[];
  label: string[];
  having: string[];
  text?: string;
} {
  return {
    split: [...split],
    label: [...label],
    having: [...having],
    ...(text ? { text } : {})
  };
}

/** The line of Python that makes the same selection. */
export function asPython(
  dataset: string,
  filter = EVERYTHING,
  sort = ''
): string {
  const terms = [
    ...pythonTerm('split', filter.split),
    ...pythonTerm('label', filter.label),
    ...(filter.text ? [`text=${pythonText(filter.text)}`] : []),
    ...pythonTerm('having', filter.having)
  ];
  const where = terms.length ? `.where(${terms.join(', ')})` : '';
  const order = sort ? `.sort(${pythonText(sort)})` : '';
  return `blueno.dataset(${pythonText(dataset)})${where}${order}`;
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
