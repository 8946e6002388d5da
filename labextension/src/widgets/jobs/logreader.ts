/** A range of a log: where it begins and how long the whole log is, in bytes. */
export interface LogBytes {
  bytes: Uint8Array;
  offset: number;
  size: number;
}

/**
 * Fetches bytes from `offset`; a negative offset counts from the end.
 *
 * A log that grew too long has lost its middle: an offset in there is answered
 * with what comes after it.
 */
export type LogSource = (offset: number, limit: number) => Promise<LogBytes>;

/** Bytes before a place; `gap` of them, right before it, were left out. */
export interface LogBefore extends LogBytes {
  gap: number;
}

/** Read the bytes that end at `end`, or at the gap which ends there. */
export async function readBefore(
  source: LogSource,
  end: number,
  limit: number
): Promise<LogBefore> {
  const offset = Math.max(0, end - limit);
  const range = await source(offset, end - offset);
  if (range.offset < end) {
    const bytes = range.bytes.subarray(0, end - range.offset);
    return { ...range, bytes, gap: 0 };
  }
  const start = await gapStart(source, offset);
  const from = Math.max(0, start - limit);
  const before = await source(from, start - from);
  return { ...before, gap: end - start };
}

/** Where the gap begins that `inside` is in: from there on, answers begin later. */
async function gapStart(source: LogSource, inside: number): Promise<number> {
  let [low, high] = [0, inside];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const { offset } = await source(middle, 0);
    [low, high] = offset === middle ? [middle + 1, high] : [low, middle];
  }
  return low;
}
