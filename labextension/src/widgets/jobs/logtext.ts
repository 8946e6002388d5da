/**
 * Lines of a log from its bytes, as a terminal would leave them: a carriage
 * return writes over its line and "cursor up" over the lines above, so that a
 * progress bar is one line, however often it was drawn.
 */
import { PLAIN, pieces, type Style } from './ansi';

export interface Line {
  text: string;
  /** The style that holds at its start. */
  style: Style;
  /** How many bytes of the log it took. */
  bytes: number;
}

const NEWLINE = 10;
const RETURN = 13;
const LONGEST = 20_000; // characters of a line that are shown
const LARGEST_PIECE = 1 << 20; // bytes that wait for the end of their line
const KEPT_LIVE = 40; // lines that a cursor may still go up to
// eslint-disable-next-line no-control-regex
const CURSOR_UP = /\x1b\[(\d*)A/;

export class LogText {
  /**
   * Take in the next bytes.
   *
   * Returns the lines that can no longer change; those that can are `live`.
   */
  feed(bytes: Uint8Array): Line[] {
    const data = joined(this._rest, bytes);
    let from = 0;
    for (let at = 0; at < data.length; at++) {
      if (data[at] === NEWLINE || data[at] === RETURN) {
        this._write(
          this._decoder.decode(data.subarray(from, at)),
          at - from + 1
        );
        if (data[at] === NEWLINE) {
          this._down();
        } else {
          this._fresh = true;
        }
        from = at + 1;
      }
    }
    if (data.length - from > LARGEST_PIECE) {
      this._write(
        this._decoder.decode(data.subarray(from)),
        data.length - from
      );
      from = data.length;
    }
    this._rest = data.slice(from);
    return this._settle(KEPT_LIVE);
  }

  /** Nothing follows: return what is left. */
  finish(): Line[] {
    this._write(this._decoder.decode(this._rest), this._rest.length);
    this._rest = new Uint8Array();
    return this._settle(0);
  }

  /** The lines that may still change, the unfinished one with them. */
  live(): Line[] {
    const rows = [...this._rows];
    const text = this._decoder.decode(this._rest);
    if (text) {
      const row = rows[this._row];
      const before = this._fresh ? '' : row.text;
      rows[this._row] = { ...row, text: limited(before + text) };
    }
    let style = this._style;
    return rows.map(row => {
      const line = { ...row, style };
      style = pieces(row.text, style).after;
      return line;
    });
  }

  private _write(text: string, bytes: number): void {
    this._rows[this._row].bytes += bytes;
    for (let rest = text; rest;) {
      const up = CURSOR_UP.exec(rest);
      const piece = up ? rest.slice(0, up.index) : rest;
      if (piece) {
        const row = this._rows[this._row];
        row.text = limited(this._fresh ? piece : row.text + piece);
        this._fresh = false;
      }
      if (!up) {
        break;
      }
      this._row = Math.max(0, this._row - Number(up[1] || 1));
      rest = rest.slice(up.index + up[0].length);
    }
  }

  private _down(): void {
    this._row++;
    this._fresh = this._row < this._rows.length;
    if (!this._fresh) {
      this._rows.push(empty());
    }
  }

  private _settle(kept: number): Line[] {
    const count = kept
      ? Math.max(0, Math.min(this._rows.length - kept, this._row))
      : this._rows.length;
    const settled = this._rows.splice(0, count);
    this._row -= settled.length;
    if (!this._rows.length) {
      this._rows = [empty()];
      this._row = 0;
    }
    for (const line of settled) {
      line.style = this._style;
      this._style = pieces(line.text, this._style).after;
    }
    return settled;
  }

  private _decoder = new TextDecoder();
  private _rest = new Uint8Array();
  private _rows: Line[] = [empty()];
  private _row = 0;
  private _fresh = false;
  private _style: Style = PLAIN;
}

function empty(): Line {
  return { text: '', style: PLAIN, bytes: 0 };
}

function limited(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST)} …` : text;
}

function joined(first: Uint8Array, second: Uint8Array): Uint8Array {
  if (!first.length) {
    return second;
  }
  const whole = new Uint8Array(first.length + second.length);
  whole.set(first);
  whole.set(second, first.length);
  return whole;
}
