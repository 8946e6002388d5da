import type { ISignal } from '@lumino/signaling';
import {
  useCallback,
  useEffect,
  useRef,
  useState,
  useSyncExternalStore
} from 'react';
import type { ApiError } from '../api/client';
import { isAbort } from '../api/client';

/**
 * A value that a signal says is new.
 *
 * `read` must return the same object as long as nothing changed.
 */
export function useSignal<T>(
  signal: ISignal<unknown, unknown>,
  read: () => T
): T {
  const subscribe = useCallback(
    (listener: () => void) => {
      signal.connect(listener);
      return () => {
        signal.disconnect(listener);
      };
    },
    [signal]
  );
  return useSyncExternalStore(subscribe, read);
}

/** Something with one signal for all its changes. */
export interface Changing {
  changed: ISignal<unknown, unknown>;
}

/**
 * How often each model has changed. It is counted from the first look on: a
 * change between drawing and subscribing would be missed otherwise.
 */
const changes = new WeakMap<Changing, { count: number }>();

function changesOf(model: Changing): { count: number } {
  const known = changes.get(model);
  if (known) {
    return known;
  }
  const counted = { count: 0 };
  changes.set(model, counted);
  model.changed.connect(() => {
    counted.count += 1;
  });
  return counted;
}

/** Render again whenever the model changes. */
export function useModel<M extends Changing>(model: M): M {
  const counted = changesOf(model);
  useSignal(model.changed, () => counted.count);
  return model;
}

/** What came of a request: `value` stays while a newer one is under way. */
export interface Fetched<T> {
  value?: T;
  error?: ApiError | Error;
  loading: boolean;
  again: () => void;
}

/** Run a request whenever `key` changes; the former one is aborted. */
export function useFetch<T>(
  key: string,
  run: (signal: AbortSignal) => Promise<T>
): Fetched<T> {
  const [attempt, setAttempt] = useState(0);
  const [state, setState] = useState<Omit<Fetched<T>, 'again'>>({
    loading: true
  });
  const latest = useRef(run);
  latest.current = run;
  useEffect(() => {
    const abort = new AbortController();
    setState(({ value }) => ({ value, loading: true }));
    latest
      .current(abort.signal)
      .then(value => setState({ value, loading: false }))
      .catch((error: Error) => {
        if (!abort.signal.aborted && !isAbort(error)) {
          setState(({ value }) => ({ value, error, loading: false }));
        }
      });
    return () => abort.abort();
  }, [key, attempt]);
  return { ...state, again: () => setAttempt(n => n + 1) };
}

/** `value`, once it has not changed for `ms`. */
export function useDebounced<T>(value: T, ms: number): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), ms);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return settled;
}

/** True once `ms` have passed: so that what is quick does not flicker. */
export function useDelay(ms: number): boolean {
  const [over, setOver] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setOver(true), ms);
    return () => clearTimeout(timer);
  }, [ms]);
  return over;
}

/** Width and height of an element, in CSS pixels. */
export function useSize<E extends HTMLElement>(): [
  (element: E | null) => void,
  { width: number; height: number }
] {
  const [size, setSize] = useState({ width: 0, height: 0 });
  const observer = useRef<ResizeObserver>();
  const ref = useCallback((element: E | null) => {
    observer.current?.disconnect();
    if (element) {
      observer.current = new ResizeObserver(([entry]) => {
        const { width, height } = entry.contentRect;
        setSize(old =>
          old.width === width && old.height === height ? old : { width, height }
        );
      });
      observer.current.observe(element);
      setSize({ width: element.clientWidth, height: element.clientHeight });
    }
  }, []);
  return [ref, size];
}
