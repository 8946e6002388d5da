import { Signal, type ISignal } from '@lumino/signaling';
import type { Api } from '../api/client';

const CHUNK = 4_000_000; // bytes; the server takes up to 8 MB
const AT_ONCE = 3;

/** A file to send, with its path below what was dropped. */
export interface UploadFile {
  path: string;
  file: File;
}

/** What was dropped or chosen: folders whole, with the paths in them. */
export async function filesOf(
  items: DataTransferItemList
): Promise<UploadFile[]> {
  // Entries must be taken before the first pause: the list is emptied then.
  const dropped = [...items].map(item => ({
    entry: item.webkitGetAsEntry(),
    file: item.getAsFile()
  }));
  const found: UploadFile[] = [];
  for (const { entry, file } of dropped) {
    if (entry) {
      await walk(entry, '', found);
    } else if (file) {
      found.push({ path: file.name, file }); // dragged out of a program, not a folder
    }
  }
  return found;
}

async function walk(
  entry: FileSystemEntry,
  folder: string,
  found: UploadFile[]
): Promise<void> {
  // Hidden files (.DS_Store) are nobody's samples.
  if (entry.name.startsWith('.')) {
    return;
  }
  const path = folder + entry.name;
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) =>
      (entry as FileSystemFileEntry).file(resolve, reject)
    );
    found.push({ path, file });
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject)
    );
    if (!some.length) {
      return;
    }
    for (const child of some) {
      await walk(child, `${path}/`, found);
    }
  }
}

/** The folder that all files lie in, '' when there is none. */
export function commonFolder(files: readonly UploadFile[]): string {
  const [first, ...rest] = files.map(({ path }) => path);
  const slash = first?.indexOf('/') ?? -1;
  if (slash < 0) {
    return '';
  }
  const folder = first.slice(0, slash);
  return rest.every(path => path.startsWith(`${folder}/`)) ? folder : '';
}

/** Sends files in chunks, a few at once. */
export class Upload {
  constructor(
    private readonly api: Api,
    files: readonly UploadFile[]
  ) {
    // The folder around everything is the dataset's name, not a label.
    const folder = commonFolder(files);
    const skip = folder ? folder.length + 1 : 0;
    this.files = files.map(({ path, file }) => ({
      path: path.slice(skip),
      file
    }));
    this.total = files.reduce((sum, { file }) => sum + file.size, 0);
  }

  readonly files: readonly UploadFile[];
  /** Bytes in all. */
  readonly total: number;

  /** Bytes sent. */
  get sent(): number {
    return this._sent;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  cancel(): void {
    this._abort.abort();
  }

  /** Send everything; resolves with the upload's id. */
  async send(): Promise<string> {
    const { signal } = this._abort;
    const { upload_id } = await this.api.post('/uploads', { signal });
    const waiting = [...this.files];
    const worker = async () => {
      for (let next = waiting.shift(); next; next = waiting.shift()) {
        await this.sendFile(upload_id, next);
      }
    };
    const workers = Array.from({ length: AT_ONCE }, worker);
    try {
      await Promise.all(workers);
    } catch (error) {
      this._abort.abort();
      await Promise.allSettled(workers); // no chunk comes after the end
      await this.api
        .delete('/uploads/{upload_id}', { path: { upload_id } })
        .catch(() => undefined); // what went wrong first is what is told
      throw error;
    }
    return upload_id;
  }

  private async sendFile(
    upload_id: string,
    { path, file }: UploadFile
  ): Promise<void> {
    let offset = 0;
    do {
      const content = file.slice(offset, offset + CHUNK);
      await this.api.put('/uploads/{upload_id}', {
        path: { upload_id },
        query: { name: path, offset },
        content,
        signal: this._abort.signal
      });
      offset += content.size;
      this._sent += content.size;
      this._changed.emit();
    } while (offset < file.size);
  }

  private _sent = 0;
  private _abort = new AbortController();
  private _changed = new Signal<this, void>(this);
}
