import type { Api } from '../api/client';
import { OrdinalCache } from './ordinals';

/** A picture in a sheet: draw it with `drawImage` and these numbers. */
export interface Tile {
  /** Null where there is no thumbnail, or none yet. */
  sheet: OffscreenCanvas | ImageBitmap | null;
  x: number;
  y: number;
  width: number;
  height: number;
}

/** How a tile is encoded in a bundle. */
const enum Codec {
  None = 0,
  Grey = 1,
  Rgb = 2,
  Jpeg = 3,
  Png = 4
}

interface Entry {
  ordinal: number;
  width: number;
  height: number;
  codec: Codec;
  bytes: Uint8Array<ArrayBuffer>;
}

const MAGIC = 'BLT1';
const HEAD = 8;
const RECORD = 16;
const BUDGET = 96_000_000; // bytes of decoded pixels
const NOTHING: Tile = { sheet: null, x: 0, y: 0, width: 0, height: 0 };

/** The thumbnails of one dataset. */
export class Thumbnails extends OrdinalCache<Tile> {
  constructor(
    private readonly api: Api,
    readonly datasetId: number,
    /** The dataset's revision: makes the address new when tiles were added. */
    public revision = 0
  ) {
    super(BUDGET);
  }

  protected async fetch(ordinals: string, signal: AbortSignal): Promise<void> {
    const { body } = await this.api.bytes('/datasets/{dataset_id}/thumbnails', {
      path: { dataset_id: this.datasetId },
      query: { ordinals, revision: this.revision },
      signal
    });
    const entries = readBundle(body);
    const raw = entries.filter(({ codec }) => isRaw(codec));
    for (const [ordinal, tile] of sheetOf(raw)) {
      this.keep(ordinal, tile, 4 * tile.width * tile.height);
    }
    await Promise.all(
      entries.map(async entry => {
        if (entry.codec === Codec.None) {
          this.keep(entry.ordinal, NOTHING, 1);
        } else if (!isRaw(entry.codec)) {
          const tile = await decode(entry).catch(() => NOTHING);
          this.keep(entry.ordinal, tile, 4 * tile.width * tile.height);
        }
      })
    );
  }

  protected discard({ sheet }: Tile): void {
    // A canvas is shared by its block and is collected with the last of it.
    if (sheet instanceof ImageBitmap) {
      sheet.close();
    }
  }
}

function isRaw(codec: Codec): boolean {
  return codec === Codec.Grey || codec === Codec.Rgb;
}

/** Take a bundle of tiles apart; its layout is that of `get_thumbnails`. */
export function readBundle(body: ArrayBuffer): Entry[] {
  const view = new DataView(body);
  const magic = String.fromCharCode(...new Uint8Array(body, 0, MAGIC.length));
  if (magic !== MAGIC) {
    throw new Error('The server sent thumbnails in an unknown format.');
  }
  const count = view.getUint32(4, true);
  const entries: Entry[] = [];
  let start = HEAD + count * RECORD;
  for (let i = 0; i < count; i += 1) {
    const at = HEAD + i * RECORD;
    const length = view.getUint32(at + 4, true);
    entries.push({
      ordinal: view.getUint32(at, true),
      width: view.getUint16(at + 8, true),
      height: view.getUint16(at + 10, true),
      codec: view.getUint8(at + 12),
      bytes: new Uint8Array(body, start, length)
    });
    start += length;
  }
  return entries;
}

/** Lay raw tiles out on one canvas: one upload instead of hundreds. */
function sheetOf(entries: Entry[]): Map<number, Tile> {
  const tiles = new Map<number, Tile>();
  if (!entries.length) {
    return tiles;
  }
  const cell = {
    width: Math.max(...entries.map(({ width }) => width)),
    height: Math.max(...entries.map(({ height }) => height))
  };
  const columns = Math.ceil(Math.sqrt(entries.length));
  const rows = Math.ceil(entries.length / columns);
  const image = new ImageData(columns * cell.width, rows * cell.height);
  const pixels = new Uint32Array(image.data.buffer);
  const sheet = new OffscreenCanvas(image.width, image.height);
  entries.forEach((entry, i) => {
    const x = (i % columns) * cell.width;
    const y = Math.floor(i / columns) * cell.height;
    paint(entry, pixels, y * image.width + x, image.width);
    const { width, height } = entry;
    tiles.set(entry.ordinal, { sheet, x, y, width, height });
  });
  sheet.getContext('2d')?.putImageData(image, 0, 0);
  return tiles;
}

/** Write a tile's pixels as opaque RGBA (little-endian words) from `start` on. */
function paint(
  { width, height, codec, bytes }: Entry,
  pixels: Uint32Array,
  start: number,
  stride: number
): void {
  let at = 0;
  for (let row = 0; row < height; row += 1) {
    let to = start + row * stride;
    for (let column = 0; column < width; column += 1, to += 1) {
      if (codec === Codec.Grey) {
        pixels[to] = 0xff000000 | (bytes[at] * 0x010101);
        at += 1;
      } else {
        pixels[to] =
          0xff000000 | (bytes[at + 2] << 16) | (bytes[at + 1] << 8) | bytes[at];
        at += 3;
      }
    }
  }
}

async function decode({ codec, bytes }: Entry): Promise<Tile> {
  const type = codec === Codec.Jpeg ? 'image/jpeg' : 'image/png';
  const sheet = await createImageBitmap(new Blob([bytes], { type }));
  return { sheet, x: 0, y: 0, width: sheet.width, height: sheet.height };
}
