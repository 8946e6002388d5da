/** Slices of an array in the kernel's memory, one message each. */
import {
  type Plane,
  type Slice,
  type SliceSource,
  SourceError,
  type VolumeInfo,
  pixelsOf
} from './source';

/** The part of anywidget's model that is needed here. */
export interface CommModel {
  get(name: string): unknown;
  on(event: string, callback: (...args: never[]) => void): void;
  off(event: string, callback: (...args: never[]) => void): void;
  send(content: unknown): void;
}

interface Answer {
  type: 'slice' | 'error';
  id: number;
  rows: number;
  columns: number;
  channels: 1 | 3 | 4;
  dtype: VolumeInfo['wire_type'];
  message?: string;
}

interface Waiting {
  resolve: (slice: Slice) => void;
  reject: (error: unknown) => void;
}

export class CommSource implements SliceSource {
  constructor(private readonly model: CommModel) {
    model.on('msg:custom', this.receive);
  }

  info(): Promise<VolumeInfo> {
    return Promise.resolve(this.model.get('_info') as VolumeInfo);
  }

  slice(
    plane: Plane,
    index: number,
    frame: number,
    signal?: AbortSignal
  ): Promise<Slice> {
    const id = ++this.last;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      // A message that was sent cannot be called back: only its answer is dropped.
      signal?.addEventListener('abort', () => {
        if (this.waiting.delete(id)) {
          reject(signal.reason);
        }
      });
      this.model.send({ type: 'slice', id, plane, index, frame });
    });
  }

  dispose(): void {
    this.model.off('msg:custom', this.receive);
    this.waiting.clear();
  }

  private readonly receive = (
    answer: Answer,
    buffers: (DataView | ArrayBuffer)[]
  ): void => {
    const asked = this.waiting.get(answer.id);
    if (!asked) {
      return;
    }
    this.waiting.delete(answer.id);
    if (answer.type === 'error') {
      asked.reject(new SourceError(answer.message ?? '', 'array'));
      return;
    }
    const { rows, columns, channels, dtype } = answer;
    asked.resolve({
      rows,
      columns,
      channels,
      data: pixelsOf(dtype, aligned(buffers[0]))
    });
  };

  private readonly waiting = new Map<number, Waiting>();
  private last = 0;
}

/** The bytes in a buffer of their own: hosts hand out views at odd offsets. */
function aligned(buffer: DataView | ArrayBuffer): ArrayBuffer {
  return buffer instanceof ArrayBuffer
    ? buffer
    : (buffer.buffer.slice(
        buffer.byteOffset,
        buffer.byteOffset + buffer.byteLength
      ) as ArrayBuffer);
}
