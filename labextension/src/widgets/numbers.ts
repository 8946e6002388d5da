/** Numbers, sizes and ages as people read them. */

const integers = new Intl.NumberFormat('en-US');

/** `5,000`. */
export function count(n: number): string {
  return integers.format(n);
}

/** `1 sample`, `5,000 samples`. */
export function counted(n: number, noun: string, plural = `${noun}s`): string {
  return `${count(n)} ${n === 1 ? noun : plural}`;
}

/** `12.3 MB`, in steps of 1,000. */
export function bytes(n: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  let unit = 0;
  while (n >= 999.5 && unit < units.length - 1) {
    n /= 1000;
    unit += 1;
  }
  return `${unit === 0 || n >= 99.5 ? Math.round(n) : n.toFixed(1)} ${units[unit]}`;
}

/** `3 min ago`; put `date` into the title beside it. */
export function age(iso: string, now = Date.now()): string {
  const seconds = Math.max(0, (now - Date.parse(iso)) / 1000);
  if (seconds < 45) {
    return 'just now';
  }
  const steps: [number, string][] = [
    [60, 'min'],
    [3600, 'h'],
    [86400, 'd']
  ];
  const [size, unit] =
    steps.findLast(([least]) => seconds >= least * 0.75) ?? steps[0];
  const n = Math.max(1, Math.round(seconds / size));
  return n > 30 && unit === 'd' ? date(iso).split(',')[0] : `${n} ${unit} ago`;
}

/** `2:14`, `1:02:09`. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const parts = [
    Math.floor(whole / 3600),
    Math.floor(whole / 60) % 60,
    whole % 60
  ];
  const [first, ...rest] = parts[0] ? parts : parts.slice(1);
  return [first, ...rest.map(n => String(n).padStart(2, '0'))].join(':');
}

/** The moment in full, in the reader's own time zone. */
export function date(iso: string): string {
  return new Date(iso).toLocaleString(undefined, {
    dateStyle: 'medium',
    timeStyle: 'medium'
  });
}

/** `43 %`, or nothing while the total is not known. */
export function percent(
  progress: { done: number; total: number | null } | null
): string {
  if (!progress?.total) {
    return '';
  }
  return `${Math.min(100, Math.floor((100 * progress.done) / progress.total))} %`;
}

const exact = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 4 });

/** A measured value in few digits: `0.03125`, `12,300`, `1.23e-5`, `NaN`. */
export function short(value: number): string {
  const size = Math.abs(value);
  if (!Number.isFinite(value)) {
    return String(value).replace('Infinity', '∞');
  }
  if (Number.isInteger(value) && size < 1e7) {
    return count(value);
  }
  return size >= 1e7 || size < 1e-4
    ? value.toExponential(2).replace('e+', 'e')
    : exact.format(value);
}
